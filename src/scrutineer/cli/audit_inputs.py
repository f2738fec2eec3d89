"""What `audit` reads: the log that an audit belongs to, in an election folder or a published site, and the audit's own folder.

DIR/plan.json, manifest.csv, totals.csv   what is audited and how; the plan names the others by hash
DIR/plan.cose, seed.cose                  the signed plan and seed
DIR/head.txt                              the head of the log that was shown before the dice were thrown
DIR/draw.csv                              what is drawn
DIR/entries/                              what one person has entered and another has not yet
DIR/counts/*.cose                         signed counts
DIR/report.json, .html, .cose             the report, the page that shows it, and its signature; report-2 and so on after it
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from scrutineer.audits.check import Artifacts, Entry
from scrutineer.audits.counts import Counted
from scrutineer.audits.plan import PLAN_FILE, Plan, read_plan
from scrutineer.audits.planned.files import PlanFiles, open_files
from scrutineer.audits.registered import RegisteredAudit, registered_audits
from scrutineer.cli.claim_inputs import site_election
from scrutineer.cli.office import RECORD, Office
from scrutineer.cli.show import Progress
from scrutineer.count import Count, Recorded
from scrutineer.durable import write_whole
from scrutineer.election import Election
from scrutineer.errors import AuditError, LogError, PublicationError, ScrutineerError, UsageError
from scrutineer.log import LogVerifier, MerkleTree, leaf_hash
from scrutineer.log.published import PublishedLog
from scrutineer.statements import (
    AuditCount,
    AuditPlan,
    AuditReport,
    AuditSeed,
    Statement,
    is_tally_sheet,
    parse_statement,
)
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.policy import Policy
from scrutineer.verify import FolderSource

PLAN_STATEMENT: Final = "plan.cose"
SEED_STATEMENT: Final = "seed.cose"
COUNTS: Final = "counts"
ENTRIES: Final = "entries"
MAX_AUDIT_FILE: Final = 1 << 30  # bytes
_STRETCH: Final = 8192


@dataclass
class AuditRecord:
    """The log that an audit belongs to, read and admitted once."""

    where: str
    election: Election
    tree: MerkleTree
    entries: Callable[[int, int], Iterable[bytes]]
    note: Callable[[], bytes]
    """The head of the log, signed, with the cosignatures that it has."""
    audits: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    """Statements of audits by hash: log index and bytes."""
    policy: Policy | None = None

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return self.tree.size

    def root(self, size: int) -> bytes | None:
        """The root at a size; None for one that the log does not have."""
        return self.tree.root(size) if 0 < size <= self.tree.size else None

    def count(self, size: int) -> Count:
        """The count at a size. Raises UsageError for one that the log does not have."""
        if not 0 < size <= self.size:
            raise UsageError(f"the log has {self.size} entries: give a size from 1 to {self.size}")
        count = Count(self.election)
        for start in range(0, size, _STRETCH):
            count.apply(self.entries(start, min(size, start + _STRETCH)))
        return count

    def latest(self) -> Count:
        """The count of the whole log."""
        return self.count(self.size)

    def admit(self, data: bytes) -> None:
        """Raise unless a statement is in the log, where it was admitted."""
        if leaf_hash(data) not in self.audits:
            raise LogError("it is not in the log: register it with `scrutineer submit`")

    def registered(self) -> list[RegisteredAudit]:
        """Every audit of the log, in the order of the plans."""
        entries = sorted(self.audits.values(), key=lambda entry: entry[0])
        return registered_audits(Recorded(index, parse_statement(data)) for index, data in entries)

    def of_plan(self, plan: bytes) -> list[tuple[int, Statement]]:
        """The statements of one audit, by the hash of its plan, in the order of the log."""
        found = []
        for name, (index, data) in self.audits.items():
            statement = parse_statement(data)
            payload = statement.payload
            if name == plan or (isinstance(payload, AuditSeed | AuditCount | AuditReport) and payload.plan == plan):
                found.append((index, statement))
        return sorted(found, key=lambda pair: pair[0])


def record_at(where: Path, progress: Progress) -> AuditRecord:
    """The log of an election folder or a published site. Raises UsageError where it is neither, LogError where it is damaged."""
    if (where / RECORD).is_dir():
        office = Office.load(where)
        log = office.read_log(progress=lambda done, total: progress("Reading the log", done, total))
        try:
            kept = list(log.entries())
        finally:
            log.close()
        return _admitted(str(where), office.election, kept, partial(_kept_note, office), progress)
    source = FolderSource(where)
    try:
        election = site_election(source)
    except PublicationError as error:
        raise UsageError(f"{where} is neither an opened election folder nor a published site: {error}") from error
    keys = election.definition.log.keys
    if len(keys) != 2:
        raise UsageError(f"the definition in {where} names {len(keys)} keys of the log, and two are needed")
    published = PublishedLog(str(where), lambda path, limit: source.read(f"log/{path}", limit), LogVerifier.from_vkeys(*keys))
    record = _admitted(str(where), election, list(published.entries(0)), lambda: published.note, progress)
    if record.tree.root() != published.checkpoint.root:
        raise LogError(f"the log in {where} does not give the root of its checkpoint: `scrutineer verify` names what was changed")
    return record


def _kept_note(office: Office) -> bytes:
    """The head that an election folder was last published with. Raises UsageError where there is none."""
    raise UsageError(
        f"{office.folder} is the folder of an election, and a head that others have cosigned stands on its published site: give "
        "that with --log"
    )


def _admitted(where: str, election: Election, kept: list[bytes], note: Callable[[], bytes], progress: Progress) -> AuditRecord:
    """Replay who may say what, so that only what was rightly admitted counts as registered."""
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in kept])
    policy = Policy(election)
    record = AuditRecord(where, election, tree, lambda start, stop: iter(kept[start:stop]), note, policy=policy)
    for index, entry in enumerate(kept):
        if index % _STRETCH == 0:
            progress("Reading the log", index, len(kept))
        if index == 0 or is_tally_sheet(entry):
            continue
        try:
            statement = policy.admit(entry)
        except ScrutineerError:
            continue  # Whatever should not be in the log has no effect; `verify` names it.
        envelope = statement.envelope
        if isinstance(
            statement.payload, AuditPlan | AuditSeed | AuditCount | AuditReport
        ) and not policy.accreditations.is_revoked(envelope.issuer, envelope.kid):
            record.audits[statement.hash] = (index, entry)
        policy.apply(statement)
    return record


@dataclass
class AuditFolder:
    """An audit's folder."""

    path: Path

    def read(self, name: str, limit: int = MAX_AUDIT_FILE) -> bytes | None:
        """A file; None where it is not there. Raises UsageError where it cannot be read, AuditError where it is too large."""
        path = self.path / name
        try:
            if path.stat().st_size > limit:
                raise AuditError(f"{path} has more than {limit:,} bytes: it is no file of an audit")
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}): check its permissions") from error

    def keep(self, name: str, data: bytes) -> bool:
        """Write a file that is not there yet; whether it was new. Raises UsageError where another content is there."""
        known = self.read(name)
        if known == data:
            return False
        if known is not None:
            raise UsageError(
                f"{self.path / name} is there with another content, and nothing is written over: give what was given the first "
                "time, or use another folder"
            )
        self.replace(name, data)
        return True

    def keep_plan(self, plan: Plan, files: Mapping[str, bytes]) -> None:
        """Write a plan and the files that it names; in place of an earlier plan only as long as nobody has signed that one.

        Raises UsageError where another plan was signed: one that rests on another log size, or was made with other options.
        """
        signed, before = self.signed(PLAN_STATEMENT), self.read(PLAN_FILE)
        if signed is None or before is None:
            for name, data in {**files, PLAN_FILE: plan.encode()}.items():
                self.replace(name, data)
            return
        known = read_plan(before)
        if known.size != plan.size:
            raise UsageError(
                f"the plan in {self.path} rests on the log at size {known.size:,}, and this one would on size {plan.size:,}: "
                f"to go on with the plan made before, give --size {known.size}; to plan anew on what the log says now, use "
                "another folder"
            )
        if known != plan:
            names = [name for name in known.__struct_fields__ if getattr(known, name) != getattr(plan, name)]
            raise UsageError(
                f"the plan in {self.path} was made with other options or files (it differs in {', '.join(names)}): to go on "
                "with it give what was given the first time; for another plan use another folder"
            )
        for name, data in {**files, PLAN_FILE: before}.items():
            self.keep(name, data)

    def replace(self, name: str, data: bytes) -> None:
        """Write a file in place of an earlier one: a table that grew, or what was not registered yet. Raises UsageError."""
        path = self.path / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written ({error.strerror}): check the folder, its permissions and the free space, and give "
                "the command again"
            ) from error

    def is_audit(self) -> bool:
        """Whether this is the folder of an audit."""
        return (self.path / PLAN_STATEMENT).is_file() or (self.path / PLAN_FILE).is_file()

    def signed(self, name: str) -> Statement | None:
        """A signed statement of the folder; None where it is not there. Raises StatementError."""
        data = self.read(name, MAX_STATEMENT_SIZE)
        return None if data is None else parse_statement(data)

    def plan_statement(self) -> tuple[Statement, AuditPlan]:
        """The signed plan. Raises UsageError where there is none."""
        statement = self.signed(PLAN_STATEMENT)
        if statement is None or not isinstance(statement.payload, AuditPlan):
            raise UsageError(f"{self.path} holds no signed plan: begin with `scrutineer audit plan {self.path}`")
        return statement, statement.payload

    def seed_statement(self) -> tuple[Statement, AuditSeed] | None:
        """The signed seed; None where there is none yet."""
        statement = self.signed(SEED_STATEMENT)
        return None if statement is None or not isinstance(statement.payload, AuditSeed) else (statement, statement.payload)

    def plan_files(self) -> PlanFiles:
        """The plan with the files that it names. Raises UsageError without a plan, AuditError for files that are not those."""
        plan = self.plan()
        return open_files(plan, {name: data for name in plan.files if (data := self.read(name)) is not None})

    def plan(self) -> Plan:
        """The plan file. Raises UsageError where there is none."""
        data = self.read(PLAN_FILE)
        if data is None:
            signed = self.signed(PLAN_STATEMENT)
            if signed is not None and isinstance(signed.payload, AuditPlan) and signed.payload.about != "outcome":
                raise UsageError(f"the audit in {self.path} is about {signed.payload.about}: nothing is drawn or counted in it")
            raise UsageError(f"{self.path} holds no {PLAN_FILE}: begin with `scrutineer audit plan {self.path}`")
        return read_plan(data)

    def statements(self) -> list[bytes]:
        """All signed statements of the folder: plan, seed, counts by name, reports."""
        names = [PLAN_STATEMENT, SEED_STATEMENT]
        names += sorted(f"{COUNTS}/{path.name}" for path in (self.path / COUNTS).glob("*.cose"))
        names += sorted((path.name for path in self.path.glob("report*.cose")), key=lambda name: (len(name), name))
        return [data for name in names if (data := self.read(name, MAX_STATEMENT_SIZE)) is not None]

    def counts(self, record: AuditRecord | None, plan: bytes) -> list[tuple[int | None, Counted]]:
        """The counts of an audit: those of the log in its order, or without a log those of the folder."""
        if record is not None:
            return [
                (index, Counted(statement.hash, statement.payload))
                for index, statement in record.of_plan(plan)
                if isinstance(statement.payload, AuditCount)
            ]
        found = [parse_statement(data) for data in self.statements()]
        counts = [each for each in found if isinstance(each.payload, AuditCount) and each.payload.plan == plan]
        return [(None, counted) for counted in _replaced_last(counts)]

    def artifacts(self, record: AuditRecord | None) -> Artifacts:
        """Everything of this audit, for its check. With a log, statements have their place in it."""
        files = {
            path.name: data
            for path in sorted(self.path.iterdir())
            if path.is_file() and path.suffix != ".cose" and (data := self.read(path.name)) is not None
        }
        own = self.statements()
        if record is not None and not own:
            return self._published(record, files)
        if record is None:
            return Artifacts(files, [Entry(data) for data in _in_order(own)])
        places = {data: record.audits.get(leaf_hash(data), (None, b""))[0] for data in own}
        for index, statement in record.of_plan(self.plan_statement()[0].hash):
            places.setdefault(statement.data, index)
        registered = sorted((index, data) for data, index in places.items() if index is not None)
        entries = [Entry(data, index) for index, data in registered]
        entries += [Entry(data) for data, index in places.items() if index is None]
        return self._artifacts(record, files, entries)

    def _artifacts(self, record: AuditRecord, files: dict[str, bytes], entries: list[Entry], *, whole: bool = True) -> Artifacts:
        return Artifacts(
            files,
            entries,
            record.admit,
            record.root,
            record.count,
            record.latest,
            whole,
            record.registered(),
            record.election.definition,
        )

    def _published(self, record: AuditRecord, files: dict[str, bytes]) -> Artifacts:
        """Files as a site has them, whose statements are in the log alone. Raises UsageError where no plan is called so."""
        for name, (_, data) in record.audits.items():
            payload = parse_statement(data).payload
            if isinstance(payload, AuditPlan) and payload.name == self.path.resolve().name:
                entries = [Entry(statement.data, index) for index, statement in record.of_plan(name)]
                return self._artifacts(record, files, entries, whole=False)
        raise UsageError(
            f"no audit in the log of {record.where} is called {self.path.resolve().name!r}: give the folder that name"
        )


def _replaced_last(statements: Iterable[Statement]) -> list[Counted]:
    """Counts of a folder in an order in which each comes after the one that it replaces."""
    waiting = [Counted(each.hash, each.payload) for each in statements if isinstance(each.payload, AuditCount)]
    done: list[Counted] = []
    while waiting:
        known = {one.hash for one in done}
        ready = [one for one in waiting if one.count.replaces is None or one.count.replaces in known] or waiting
        done += ready
        waiting = [one for one in waiting if one not in ready]
    return done


def _in_order(statements: list[bytes]) -> list[bytes]:
    """Statements without a log: a report that names no seed before the seed, a count after the one that it replaces."""
    parsed = {}
    for data in statements:
        try:
            parsed[data] = parse_statement(data)
        except ScrutineerError:
            continue
    counts = [one.hash for one in _replaced_last(parsed.values())]
    place = {name: number for number, name in enumerate(counts)}
    positions = [number for number, data in enumerate(statements) if data in parsed and parsed[data].hash in place]
    ordered = sorted((statements[number] for number in positions), key=lambda data: place[parsed[data].hash])
    result = list(statements)
    for number, data in zip(positions, ordered, strict=True):
        result[number] = data
    before = [data for data in result if data in parsed and _is_before_seed(parsed[data])]
    return [*result[:1], *before, *(data for data in result[1:] if data not in before)] if before else result


def _is_before_seed(statement: Statement) -> bool:
    return isinstance(statement.payload, AuditReport) and statement.payload.seed is None
