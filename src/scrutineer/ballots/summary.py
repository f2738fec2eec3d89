"""What a check of many ballots comes to: a value that is merged in any order and always has the same bytes.

Ballots of one bundle are checked in parts, by several processes or machines. Each part gives a `Summary`, and `merge` is
associative and commutative, so that every way to divide the work gives the same summary to the byte.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from gmpy2 import mpz

from scrutineer.ballots.failures import MAX_FAILURES, CheckFailure
from scrutineer.ballots.group import Group
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Aggregate, ContestAggregate, Selection
from scrutineer.errors import BallotError

_SPARE: Final = 16  # bytes: hashed numbers are so much longer than p that they are uniform modulo p


class LineFailure(msgspec.Struct, frozen=True, order=True):
    """A failed check with the number of its line in the bundle."""

    line: int
    check: str
    where: str
    message: str

    def failure(self) -> CheckFailure:
        """The same without its line."""
        return CheckFailure(self.check, self.where, self.message)


class Summary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the check of some lines of one bundle came to."""

    lines: int
    statuses: tuple[tuple[str, int], ...]
    """How many ballots have each status that occurs, in alphabetical order. Lines that are no ballot have none."""
    products: tuple[ContestAggregate, ...]
    """For each contest on a cast ballot, in ascending order, the products of the ciphertexts of each field (section 3.5)."""
    failed: int
    """Findings in all."""
    failures: tuple[LineFailure, ...]
    """The findings of the first lines, at most MAX_FAILURES, in the order of lines."""
    product: bytes
    """Of the hashes of all lines, see `InputDigest`."""

    @property
    def digest(self) -> bytes:
        """Which lines were checked, with their numbers: 32 bytes, the same however they were divided."""
        return hashlib.sha256(b"scrutineer-lines/v1\n" + self.lines.to_bytes(8, "big") + self.product).digest()

    def count(self, status: str) -> int:
        """How many ballots have a status."""
        return dict(self.statuses).get(status, 0)

    def encode(self) -> bytes:
        """The one form of this summary: JSON with sorted keys and without spaces."""
        return msgspec.json.encode(self, order="sorted")


def read_summary(data: bytes) -> Summary:
    """Read what `Summary.encode` wrote. Raises BallotError."""
    try:
        return msgspec.json.decode(data, type=Summary)
    except msgspec.MsgspecError as error:
        raise BallotError(f"not the summary of a check of ballots: {error}") from error


class InputDigest:
    """Which lines a check has seen: a hash of a set, which is the product of the hashes of its members modulo p.

    This is MuHash of Bellare and Micciancio (A new paradigm for collision-free hashing, EUROCRYPT 1997): as hard to fool as
    discrete logarithms modulo p, and the hash of a union is the product of the hashes.
    """

    def __init__(self, group: Group) -> None:
        self._group = group
        self._value = mpz(1)
        self.lines = 0

    def add(self, number: int, line: bytes) -> None:
        """Take in one line with its number in the bundle."""
        seed = b"scrutineer-line/v1\n" + number.to_bytes(8, "big") + hashlib.sha256(line).digest()
        hashed = hashlib.shake_256(seed).digest(self._group.element_size + _SPARE)
        # Zero would swallow every other member; it does not occur but once in 2^4096.
        self._value = self._value * (mpz(int.from_bytes(hashed, "big")) % self._group.p or mpz(1)) % self._group.p
        self.lines += 1

    @property
    def product(self) -> bytes:
        """The product, as in `Summary.product`."""
        return self._group.element_bytes(self._value)


class SummaryMaker:
    """Adds up a summary, from lines or from other summaries of the same bundle; its size does not grow with their number."""

    def __init__(self, keys: ElectionKeys) -> None:
        self._keys: Final = keys
        self._digest: Final = InputDigest(keys.group)
        self._statuses: Final[Counter[str]] = Counter()
        self._products: Final[dict[int, list[tuple[mpz, mpz]]]] = {}
        self._lines = 0
        self._product = mpz(1)
        self._failed = 0
        self._failures: list[LineFailure] = []

    @property
    def lines(self) -> int:
        """How many lines were taken in."""
        return self._lines + self._digest.lines

    def add_line(self, number: int, line: bytes) -> None:
        """Take in the bytes of a line that is checked."""
        self._digest.add(number, line)

    def add_status(self, status: str) -> None:
        """Count a ballot."""
        self._statuses[status] += 1

    def add_cast(self, contest: int, selections: Sequence[Selection]) -> None:
        """Multiply a cast ballot's ciphertexts of a contest into the products, unless their form does not admit it."""
        contests, size = self._keys.manifest.contests, self._keys.group.element_size
        if not 1 <= contest <= len(contests) or len(selections) != len(contests[contest - 1].labels()):
            return
        if any(len(one.alpha) != size or len(one.beta) != size for one in selections):
            return
        self._multiply(contest, [(one.alpha, one.beta) for one in selections])

    def add_failures(self, number: int, failures: Iterable[CheckFailure]) -> None:
        """Take in the findings of a line."""
        self._keep([LineFailure(number, *failure) for failure in failures])

    def merge(self, summary: Summary) -> None:
        """Take in the summary of other lines of the same bundle.

        Raises BallotError for one that does not belong to these keys.
        """
        p, size = self._keys.group.p, self._keys.group.element_size
        if len(summary.product) != size:
            raise BallotError("a summary of ballots belongs to other keys than these")
        self._lines += summary.lines
        self._product = self._product * int.from_bytes(summary.product, "big") % p
        for status, count in summary.statuses:
            self._statuses[status] += count
        for aggregate in summary.products:
            own = self._products.get(aggregate.contest)
            if own is not None and len(own) != len(aggregate.fields):
                raise BallotError("a summary of ballots belongs to another manifest than this")
            self._multiply(aggregate.contest, [(field.alpha, field.beta) for field in aggregate.fields])
        self._failed += summary.failed - len(summary.failures)
        self._keep(list(summary.failures))

    def summary(self) -> Summary:
        """Everything that was taken in."""
        group = self._keys.group
        products = tuple(
            ContestAggregate(
                contest, tuple(Aggregate(group.element_bytes(alpha), group.element_bytes(beta)) for alpha, beta in fields)
            )
            for contest, fields in sorted(self._products.items())
        )
        own = mpz(int.from_bytes(self._digest.product, "big"))
        return Summary(
            self.lines,
            tuple(sorted(self._statuses.items())),
            products,
            self._failed,
            tuple(self._failures),
            group.element_bytes(self._product * own % group.p),
        )

    def _multiply(self, contest: int, ciphertexts: Sequence[tuple[bytes, bytes]]) -> None:
        p = self._keys.group.p
        own = self._products.setdefault(contest, [(mpz(1), mpz(1))] * len(ciphertexts))
        for place, (alpha, beta) in enumerate(ciphertexts):
            first, second = own[place]
            own[place] = (first * int.from_bytes(alpha, "big") % p, second * int.from_bytes(beta, "big") % p)

    def _keep(self, failures: list[LineFailure]) -> None:
        # The smallest of all are kept, in an order that is total: so it does not matter in which order parts arrive.
        if failures:
            self._failed += len(failures)
            self._failures = sorted(self._failures + failures)[:MAX_FAILURES]


def merge(keys: ElectionKeys, summaries: Iterable[Summary]) -> Summary:
    """The summary of all lines of several summaries of one bundle. Raises BallotError where they do not belong to the keys."""
    maker = SummaryMaker(keys)
    for summary in summaries:
        maker.merge(summary)
    return maker.summary()
