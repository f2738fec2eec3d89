"""Bundles of ballots: read strictly and in a stream, and written line by line.

A bundle is a file of lines, each one JSON value in its only form and ended by a line feed: a header, the ballots of one device in
the order of its chain, and a closing (docs/formats.md, "Ballot records"). Reading never fails on what stands in a file: it goes
on, and reports what is wrong as failures of the checks R.2 and R.3. Files themselves are read and written by the callers.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from gmpy2 import mpz

from scrutineer.ballots.confirmation import chain_end, chain_start, device_hash, next_chain
from scrutineer.ballots.failures import CheckFailure, shown
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.pre_encrypted_record import PreEncryptedBallot, PreEncryptedHeader
from scrutineer.ballots.record import Aggregate, Ballot, BundleClosing, BundleHeader, ContestAggregate
from scrutineer.election.contests import check_id
from scrutineer.errors import BallotError, DefinitionError

MAX_LINE_SIZE: Final = 16 * 1024 * 1024  # bytes, with the line feed

MAX_DEVICE: Final = 1024  # characters

Header = BundleHeader | PreEncryptedHeader
AnyBallot = Ballot | PreEncryptedBallot
AnyLine = Header | AnyBallot | BundleClosing

_DECODER: Final = msgspec.json.Decoder(AnyLine)


class BundleItem(NamedTuple):
    """One line of a bundle as it was read: its number from 1, its bytes without the line feed, and its value or what is wrong."""

    line: int
    data: bytes
    value: AnyLine | None
    failure: CheckFailure | None


def check_names(station: str, device: str) -> None:
    """Raise BallotError unless a bundle may be of this station and device (R.4)."""
    try:
        check_id(station, "station")
    except DefinitionError as error:
        raise BallotError(str(error)) from error
    if not 1 <= len(device) <= MAX_DEVICE or not device.isprintable():
        raise BallotError(f"a device is described in 1 to {MAX_DEVICE} printable characters")


def split_lines(chunks: Iterable[bytes], limit: int = MAX_LINE_SIZE) -> Iterator[bytes]:
    """Split a file that is given in pieces into lines that keep their line feed, in bounded memory.

    Of a line longer than `limit` bytes only so many and one more are handed on, which `read_bundle` refuses.
    """
    pending: list[bytes] = []
    size = 0
    for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            piece = chunk[start : end + 1]
            if size <= limit:
                pending.append(piece[: limit + 1 - size])
            yield b"".join(pending)
            pending, size, start = [], 0, end + 1
        rest = chunk[start:]
        if rest and size <= limit:
            pending.append(rest[: limit + 1 - size])
            size += len(pending[-1])
    if pending:
        yield b"".join(pending)


def read_line(data: bytes) -> AnyLine:
    """Read one line with its line feed. Raises BallotError unless it is one in its only form."""
    if len(data) > MAX_LINE_SIZE:
        raise BallotError(f"the line has more than {MAX_LINE_SIZE} bytes")
    if data[-1:] != b"\n":
        raise BallotError("the line does not end with a line feed: the file seems to be cut off")
    try:
        value: AnyLine = _DECODER.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise BallotError(f"not a line of a bundle: {shown(error)}") from error
    if encode(value) != data[:-1]:
        raise BallotError("the line is not in its only form (JSON with sorted keys, without spaces)")
    return value


def encode(value: AnyLine) -> bytes:
    """A line in its only form, without its line feed."""
    return msgspec.json.encode(value, order="sorted")


def read_bundle(lines: Iterable[bytes], name: str = "bundle") -> Iterator[BundleItem]:
    """Read a bundle from its lines, each with its line feed; whatever is wrong with their form is an item with a failure.

    A header that does not stand first, a ballot of another kind than the header's, and a line behind the closing have no value:
    nothing counts them. `name` names the file in failures.
    """
    header: Header | None = None
    closed, number = False, 0
    for number, data in enumerate(lines, 1):
        where = f"{name}, line {number}"
        try:
            value = read_line(data)
        except BallotError as error:
            yield BundleItem(number, data, None, CheckFailure("R.2", where, str(error)))
            continue
        wrong = _misplaced(value, header, number, closed)
        if wrong:
            yield BundleItem(number, data[:-1], None, CheckFailure("R.3", where, wrong))
            continue
        if isinstance(value, Header):
            header = value
        closed = closed or isinstance(value, BundleClosing)
        yield BundleItem(number, data[:-1], value, None)
    if not number:
        yield BundleItem(1, b"", None, CheckFailure("R.3", name, "the file is empty: a bundle has a header and a closing"))
    elif not closed:
        yield BundleItem(
            number, b"", None, CheckFailure("R.3", f"{name}, line {number}", "the bundle has no closing: it is not complete")
        )


def _misplaced(value: AnyLine, header: Header | None, number: int, closed: bool) -> str:
    if closed:
        return "something follows the closing: nothing may be added to a closed bundle"
    if isinstance(value, Header):
        return "" if number == 1 else "a header stands inside of the bundle: it has to be the first line and there is one"
    if number == 1:
        return "the first line is no header"
    if isinstance(value, Ballot) and isinstance(header, PreEncryptedHeader):
        return "a ballot that is not pre-encrypted stands in a bundle of pre-encrypted ballots"
    if isinstance(value, PreEncryptedBallot) and isinstance(header, BundleHeader):
        return "a pre-encrypted ballot stands in a bundle of other ballots"
    return ""


class Aggregates:
    """Products of the cast ballots' ciphertexts: one pair for each verifiable field of each contest (section 3.5)."""

    def __init__(self, keys: ElectionKeys) -> None:
        self._group: Final = keys.group
        self._manifest: Final = keys.manifest
        self.products: Final[dict[int, list[tuple[mpz, mpz]]]] = {}
        """By the number of the contest; contests without a cast ballot are absent."""

    def add(self, contest: int, ciphertexts: Sequence[tuple[bytes, bytes]]) -> None:
        """Multiply one cast ballot's ciphertexts of a contest into the products."""
        p = self._group.p
        own = self.products.setdefault(contest, [(mpz(1), mpz(1))] * len(ciphertexts))
        for place, (alpha, beta) in enumerate(ciphertexts):
            a, b = own[place]
            own[place] = (a * int.from_bytes(alpha, "big") % p, b * int.from_bytes(beta, "big") % p)

    def of(self, contest: int) -> ContestAggregate:
        """The encrypted totals of one contest as they are published; those of no ballot are pairs of ones."""
        fields = len(self._manifest.contest(contest).labels())
        pairs = self.products.get(contest, [(mpz(1), mpz(1))] * fields)
        write = self._group.element_bytes
        return ContestAggregate(contest, tuple(Aggregate(write(alpha), write(beta)) for alpha, beta in pairs))


class BundleWriter:
    """Writes the lines of one device's bundle: each method answers with the line, which the caller makes durable before the next.

    The writer keeps the chain and the encrypted totals, never the ballots. `resume` goes on where written lines end.
    """

    def __init__(self, keys: ElectionKeys, station: str, device: str, styles: Sequence[int] = ()) -> None:
        """Begin the bundle of a device with these ballot styles (all of the manifest's unless some are named).

        Raises BallotError for a name that a bundle cannot have, and for styles that the manifest does not have.
        """
        check_names(station, device)
        manifest = keys.manifest
        chosen = styles or range(1, len(manifest.styles) + 1)
        self._keys: Final = keys
        self._contests: Final = sorted({contest for style in chosen for contest in manifest.style(style).contests})
        self._aggregates: Final = Aggregates(keys)
        self._counts = {"cast": 0, "challenged": 0, "spoiled": 0, "provisional": 0}
        first, opening = chain_start(keys, device)
        self._header: Final = BundleHeader(FORMAT, keys.extended_hash, station, device, device_hash(keys, device), first, opening)
        self._code = opening
        self._closed = False

    @property
    def chain(self) -> bytes:
        """B_C of the next ballot."""
        return next_chain(self._code)

    @property
    def counts(self) -> dict[str, int]:
        """How many ballots of each status were added."""
        return dict(self._counts)

    def header(self) -> bytes:
        """The first line, with its line feed."""
        return encode(self._header) + b"\n"

    def add(self, ballot: Ballot) -> bytes:
        """The line of the next ballot. Raises BallotError for one that does not follow the one before."""
        if self._closed:
            raise BallotError("the bundle is closed: no ballot can be added to it")
        if ballot.chain != self.chain:
            raise BallotError(
                "the ballot does not name the confirmation code before it: it belongs to another place of the chain"
            )
        line = encode(ballot) + b"\n"
        if len(line) > MAX_LINE_SIZE:
            raise BallotError(f"the ballot has more than {MAX_LINE_SIZE} bytes: its contests cannot stand on one ballot")
        if ballot.status == "cast":
            for contest in ballot.contests:
                self._aggregates.add(contest.contest, [(selection.alpha, selection.beta) for selection in contest.selections])
        self._counts[ballot.status] += 1
        self._code = ballot.code
        return line

    def close(self) -> bytes:
        """The last line: counts, encrypted totals, and the end of the chain."""
        if self._closed:
            raise BallotError("the bundle is closed already")
        self._closed = True
        return encode(self.closing()) + b"\n"

    def closing(self) -> BundleClosing:
        """What the last line says if the bundle ends here."""
        chain, closing = chain_end(self._keys, self._code, self._header.chain)
        totals = tuple(self._aggregates.of(contest) for contest in self._contests)
        return BundleClosing(totals=totals, chain=chain, closing=closing, **self._counts)

    def resume(self, lines: Iterable[bytes]) -> int:
        """Take up lines that were written before, with their line feeds, and say how many ballots they hold.

        Raises BallotError where they are not what this writer would have written; a cut-off last line has to be removed first.
        """
        found = 0
        for item in read_bundle(lines):
            if item.failure is not None:
                if item.data:
                    raise BallotError(f"{item.failure.where}: {item.failure.message}")
                continue
            if isinstance(item.value, Header):
                if item.value != self._header:
                    raise BallotError("the bundle was begun by another device or for another election")
            elif isinstance(item.value, Ballot):
                self.add(item.value)
                found += 1
            elif isinstance(item.value, BundleClosing):
                if item.value != self.closing():
                    raise BallotError("the bundle is closed, and its closing is not that of its ballots")
                self._closed = True
        return found
