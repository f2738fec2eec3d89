"""A relay without its transport: takes statements that it cannot alter, keeps them until the log has them, gives receipts.

A relay holds no keys. What it takes is signed, what it gives back is the log's receipt, and both are checked at each end, so
nobody has to trust it; at worst it keeps a statement to itself, and a station then uses another way. It answers "held" only for
what is on its disk, and "held" is never "recorded".

Its disk must not be filled by a flood. Where the tables of the definition are at hand, only statements that pass the election's
policy count as known, up to a number for each key. What is signed by nobody known may come from somebody who is accredited
tonight, so it is taken as well, but only into a small share of the store, and from each network only so much. Without the
tables nobody is known, signatures cannot be checked, and the limit for each network is all there is.

At its start a relay learns from the store what waits and how full it is. It does not verify again what it verified before.
"""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from scrutineer.election import Definition
from scrutineer.errors import PolicyError, ScrutineerError, StatementError
from scrutineer.http.problems import Problem, problem_of
from scrutineer.log import LogVerifier
from scrutineer.statements import Statement, parse_statement, statement_hash
from scrutineer.statements.policy import Policy
from scrutineer.station.bundle import election_of
from scrutineer.station.outbox import Outbox

MAX_PENDING_SIZE: Final = 32 * 1024 * 1024  # bytes on their way to the disk at a time
MAX_TOLD: Final = 65_536  # refusals of which is remembered that they were told
MAX_NETWORKS: Final = 65_536  # networks whose statements are counted; more are counted together
_PAGE: Final = 4_096
_VERIFIED_NOTE: Final = "verified"
"""The outbox's note that says b"1" where every statement in it by somebody known was verified before it was written."""
_LATER: Final = frozenset({"unknown-issuer", "unknown-key"})
"""Reasons that an accreditation tonight may remove, which a relay does not hear of."""


class Limits(NamedTuple):
    """How much a relay takes."""

    size: int = 1 << 30
    """Bytes of statements in the store."""
    for_each_key: int = 256
    """Statements of one registered key that wait: the log has neither recorded nor refused them."""
    for_each_network: int = 4_096
    """Statements by nobody known that come from one network, since the start."""
    share_of_unknown: int = 8
    """Statements by nobody known may take one part in so many of the store; all of it where nobody can be known."""


class Kept(NamedTuple):
    """What a relay says of a statement: its hash, and the log's receipt, or the log's refusal, or neither: held."""

    leaf: bytes
    receipt: bytes | None = None
    problem: Problem | None = None


Progress = Callable[[int, int], object]
Answer = Kept | Problem
"""What became of a statement, or why the relay itself does not take it."""


class _Batch(NamedTuple):
    """Statements that were sent together and are answered together, once they are durable."""

    statements: list[bytes]
    done: Callable[[Problem | None], object]
    again: bytes = b""
    """Hash of a statement that the log refused and that is to be offered to it once more; empty for none."""


class _Place(NamedTuple):
    """Against which limits a statement counts: its key where that is known, its network where not."""

    leaf: bytes
    key: bytes | None
    network: str
    size: int


class Relay:
    """Takes statements into an outbox. Used from one event loop; `run` writes, everything else returns at once."""

    def __init__(
        self,
        outbox: Outbox,
        election: bytes,
        verifier: LogVerifier,
        policy: Policy | None,
        limits: Limits | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`election` is its hash; `policy` is None where the tables of the definition are not at hand.

        `progress` hears how many of the stored statements were counted, and how many there are. Raises StoreError.
        """
        self.outbox = outbox
        self.verifier = verifier
        self.counts: Counter[str] = Counter()
        """Answers so far: 'held', 'known', and each reason of refusal."""
        self.failure: ScrutineerError | None = None
        self._election = election
        self._policy = policy
        self._limits = limits or Limits()
        self._size = 0
        self._unknown_size = 0
        self._of_key: dict[bytes, set[bytes]] = {}  # hashes of each key's statements that wait, or did when last looked
        self._of_network: Counter[str] = Counter()
        self._pending: dict[bytes, int] = {}  # statements on their way to the disk, and how many batches wait for each
        self._pending_size = 0
        self._told: set[bytes] = set()  # refused statements whose refusal somebody has heard
        self._queue: list[_Batch] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._count_stored(progress)

    @property
    def checks_signatures(self) -> bool:
        """Whether this relay can tell who signed."""
        return self._policy is not None

    @property
    def size(self) -> int:
        """Bytes of statements that are kept or on their way to the disk."""
        return self._size

    def find(self, leaf: bytes) -> Kept | None:
        """What is known of the statement with this hash; None where it is not here. Raises StoreError."""
        entry = self.outbox.find(leaf)
        return None if entry is None else Kept(leaf, entry.receipt, entry.problem if entry.state == "refused" else None)

    def take(self, data: bytes, peer: str, done: Callable[[Answer], object]) -> None:
        """Take one statement that came from an address; `done` hears what is known of it once that is durable.

        What the log refused is told once to whoever sends the statement. Sent again after that, it is offered to the log again.
        """
        leaf = statement_hash(data)
        try:
            kept = self.find(leaf)
        except ScrutineerError as error:
            self._fail(error)
            done(self._refuse(Problem("store-failed", str(error))))
            return
        if kept is not None and kept.problem is not None and leaf in self._told and not self._closed():
            self._told.discard(leaf)
            self._wait_again(leaf, data)
            self._queue.append(_Batch([], lambda problem: done(problem or Kept(leaf)), leaf))
            self._wake.set()
        elif kept is not None:
            self.counts["known"] += 1
            if kept.problem is not None:
                if len(self._told) >= MAX_TOLD:
                    self._told.clear()
                self._told.add(leaf)
            done(kept)
        else:
            self.take_all([data], peer, lambda problem: done(problem or Kept(leaf)))

    def take_all(self, statements: Sequence[bytes], peer: str, done: Callable[[Problem | None], object]) -> None:
        """Take all of these statements or none; `done` hears None once they are durable, or why they are not taken."""
        if self._closed():
            why = f"nothing can be kept: {self.failure}" if self.failure is not None else "the relay is being stopped"
            done(self._refuse(Problem("store-failed" if self.failure is not None else "stopping", why)))
            return
        places: list[_Place] = []
        new: list[bytes] = []
        for number, data in enumerate(statements, 1):
            leaf = statement_hash(data)
            problem = None
            try:
                if leaf not in self._pending and self.outbox.find(leaf) is None:
                    place = self._place(data, peer)
                    problem = self._over(place)
                    if problem is None:
                        self._enter(place)
                        places.append(place)
            except (StatementError, PolicyError) as error:
                problem = problem_of(error)
            except ScrutineerError as error:
                self._fail(error)
                problem = Problem("store-failed", str(error))
            if problem is not None:
                for place in places:
                    self._leave(place)
                where = f"statement {number} of {len(statements)}: " if len(statements) > 1 else ""
                done(self._refuse(Problem(problem.code, where + problem.detail, problem.wait)))
                return
            new.append(data)
        for data in new:
            leaf = statement_hash(data)
            self._pending[leaf] = self._pending.get(leaf, 0) + 1
        self._pending_size += sum(map(len, new))
        self._queue.append(_Batch(new, done))
        self._wake.set()

    def _closed(self) -> bool:
        return self.failure is not None or self._stopping

    async def run(self) -> None:
        """Write what was taken, all that waits in one flush, until `stop` is called and everything is written."""
        loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()  # An event belongs to the loop in which it was first waited for.
        self._wake.set()
        while not (self._stopping and not self._queue):
            await self._wake.wait()
            self._wake.clear()
            batches, self._queue = self._queue, []
            if not batches:
                continue
            statements = [data for batch in batches for data in batch.statements]
            again = [batch.again for batch in batches if batch.again]
            problem = None
            try:
                if statements:
                    await loop.run_in_executor(None, self.outbox.add, statements)
                if again:
                    await loop.run_in_executor(None, self.outbox.send_again, again)
            except ScrutineerError as error:
                self._fail(error)
                problem = Problem("store-failed", f"the statement is not kept: {error}")
            for data in statements:
                leaf = statement_hash(data)
                self._pending[leaf] -= 1
                if not self._pending[leaf]:
                    del self._pending[leaf]
            self._pending_size -= sum(map(len, statements))
            for batch in batches:
                if problem is not None:
                    self._refuse(problem)
                else:
                    self.counts["held"] += len(batch.statements)
                batch.done(problem)

    def stop(self) -> None:
        """Refuse what comes from now on, and let `run` end once everything that was taken is written."""
        self._stopping = True
        self._wake.set()

    def _count_stored(self, progress: Progress | None) -> None:
        """Learn from the store how full it is; what came from which network is forgotten at the end of a process."""
        after = done = 0
        stored = self.outbox.tally().all
        # Without the tables anything may have been taken in anybody's name; that must not count against them later.
        verified = self._policy is not None and (not stored or self.outbox.note(_VERIFIED_NOTE) == b"1")
        self.outbox.set_note(_VERIFIED_NOTE, b"1" if verified else b"0")
        while page := self.outbox.entries(after=after, limit=_PAGE):
            for entry in page:
                place = self._stored_place(entry.leaf, entry.statement, verified)
                self._enter(place)
                if place.key is not None and entry.state != "waiting":
                    self._of_key[place.key].discard(entry.leaf)
            after = page[-1].number
            done += len(page)
            if progress is not None:
                progress(done, stored)
        self._of_network.clear()

    def _wait_again(self, leaf: bytes, data: bytes) -> None:
        """Count a statement that is offered to the log once more among those of its key that wait."""
        key = self._stored_place(leaf, data, verified=False).key
        if key is not None:
            self._of_key.setdefault(key, set()).add(leaf)

    def _stored_place(self, leaf: bytes, data: bytes, verified: bool) -> _Place:
        """Against which limits a statement of the store counts; `verified` where its signature need not be looked at again."""
        if self._policy is not None:
            try:
                reading = self._policy.read(data)
                if not verified:
                    reading.check_signature()
                return _Place(leaf, reading.statement.envelope.kid, "", len(data))
            except (StatementError, PolicyError):
                # By somebody unknown; or it was taken by other rules, and is forwarded all the same.
                pass
        return _Place(leaf, None, "", len(data))

    def _place(self, data: bytes, peer: str) -> _Place:
        """Check a statement, and say against which limits it counts. Raises StatementError or PolicyError."""
        statement = parse_statement(data)
        self._check_election(statement)
        unknown = _Place(statement.hash, None, _network(peer), len(data))
        if self._policy is None:
            return unknown
        try:
            self._policy.read(data).check_signature()
        except PolicyError as error:
            if error.code not in _LATER:
                raise
            return unknown
        return _Place(statement.hash, statement.envelope.kid, "", len(data))

    def _check_election(self, statement: Statement) -> None:
        if isinstance(statement.payload, Definition):
            raise PolicyError("the log begins with its definition: nobody needs to send it", code="second-definition")
        if election_of(statement) != self._election:
            raise PolicyError(
                f"the statement belongs to another election than {self._election.hex()[:16]}…: send it to a relay of its own",
                code="wrong-election",
            )

    def _over(self, place: _Place) -> Problem | None:
        """The limit that a statement would break."""
        limits = self._limits
        if self._pending_size + place.size > MAX_PENDING_SIZE:
            return Problem("queue-full", "too many statements are on their way to the disk: send this one again a little later")
        if self._size + place.size > limits.size:
            return Problem("relay-full", f"the relay keeps at most {limits.size:,} bytes of statements: use another way")
        if place.key is not None:
            if self._waiting_of(place.key) >= limits.for_each_key:
                return Problem(
                    "key-busy",
                    f"{limits.for_each_key} statements of this key wait at the relay, which are the most: send more "
                    "once the log has these, or use another way",
                    60,
                )
            return None
        share = limits.size if self._policy is None else limits.size // limits.share_of_unknown
        if self._unknown_size + place.size > share:
            return Problem("relay-full", f"the relay keeps at most {share:,} bytes of statements by issuers it does not know")
        if self._of_network[self._counted(place.network)] >= limits.for_each_network:
            return Problem(
                "network-busy",
                f"the relay keeps at most {limits.for_each_network:,} statements from one network by issuers it does not know",
                60,
            )
        return None

    def _waiting_of(self, key: bytes) -> int:
        """How many statements of a key wait; the store is asked only where there seem to be too many."""
        waiting = self._of_key.get(key, set())
        if len(waiting) >= self._limits.for_each_key:
            waiting -= self.outbox.settled(waiting)
        return len(waiting)

    def _enter(self, place: _Place) -> None:
        self._count(place, 1)
        if place.key is not None:
            self._of_key.setdefault(place.key, set()).add(place.leaf)

    def _leave(self, place: _Place) -> None:
        self._count(place, -1)
        if place.key is not None:
            self._of_key[place.key].discard(place.leaf)

    def _count(self, place: _Place, by: int) -> None:
        self._size += by * place.size
        if place.key is None:
            self._unknown_size += by * place.size
            self._of_network[self._counted(place.network)] += by

    def _counted(self, network: str) -> str:
        """The name under which a network is counted: its own, while there is room for names."""
        return network if network in self._of_network or len(self._of_network) < MAX_NETWORKS else "others"

    def _refuse(self, problem: Problem) -> Problem:
        self.counts[problem.code] += 1
        return problem

    def _fail(self, error: ScrutineerError) -> None:
        if self.failure is None:
            self.failure = error


def _network(peer: str) -> str:
    """The network of an address: itself for IPv4, the first 64 bits for IPv6, of which one client may have all the rest."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
