"""`audit-plan`, `audit-seed`, `audit-count`, `audit-report`: an audit from its plan to its outcome, in that order.

The plan comes first and names every file it rests on by hash; the seed comes after it. With dice thrown in public, after the plan
was registered, nobody can fit the one to the other. That they were, those who watched can tell; and a head of the log that others
had cosigned before, which the seed names, shows when the plan was there at the latest.
A count says what people saw in a box; the report says what that shows, and anyone computes it again. An audit of another thing
than the outcome (software, rolls, devices …) has the same plan and report, without a risk that could be measured.
"""

import re
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from scrutineer.election.contests import MAX_NAME_LENGTH, MAX_OPTIONS, check_id, check_name
from scrutineer.election.register import MAX_ISSUER_LENGTH
from scrutineer.errors import DefinitionError, StatementError
from scrutineer.statements.fields import check_hash, check_text
from scrutineer.statements.tally_sheet import MAX_COUNT

AuditSubject = Literal["outcome", "software", "rolls", "devices", "transmission", "sheets", "other"]
"""What is audited. Of `outcome` the risk of confirming a wrong outcome is measured."""
UnitStatus = Literal["counted", "missing", "illegible"]
AuditOutcome = Literal["confirmed", "full-count", "continuing", "stopped", "held"]
Discrepancy = Literal["marking", "adjudication", "damaged", "wrong-box", "transcription", "machine", "two-cards", "unknown"]
"""Why people think that what they saw differs from what was reported. It is kept, and never changes a risk."""
SUBJECTS: Final[tuple[AuditSubject, ...]] = get_args(AuditSubject)
DISCREPANCIES: Final[tuple[Discrepancy, ...]] = get_args(Discrepancy)

MAX_PROTOCOL_LENGTH: Final = 20_000  # characters
MAX_BOX_LENGTH: Final = 120  # characters; the subject claim of a count holds it, and a hash
MAX_FILES: Final = 64
MAX_EVIDENCE: Final = 64  # hashes
MAX_PEOPLE: Final = 16
MAX_BOARD: Final = 64  # issuers
MAX_CONTESTS: Final = 512
MAX_CARDS: Final = 2_000
"""Cards in one count; those of a box with more of them go into several."""
MIN_SEED_DIGITS: Final = 20
"""As many decimal digits as twenty ten-sided dice show: more than 66 bits."""
MAX_SEED_DIGITS: Final = 200
MAX_FILE_SIZE: Final = 2**40  # bytes

_SHARE: Final = re.compile(r"0\.[0-9]{0,11}[1-9]", re.ASCII)
_FILE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,40}\.(?:json|csv|txt|pdf|html|bin)", re.ASCII)

Counts: TypeAlias = tuple[int | None, ...]


def check_share(value: str, what: str, *, whole: bool = False) -> None:
    """Refuse anything but a decimal share in its only form: "0.05"; with `whole` also "0" and "1". Raises StatementError."""
    if not _SHARE.fullmatch(value) and not (whole and value in ("0", "1")):
        raise StatementError(f"{what} is {value[:24]!r}: write a share such as '0.05': at most 12 digits, no 0 at the end")


class AuditFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One file of an audit, as it lies on sites under `audits/<name>/`."""

    name: str
    sha256: bytes
    size: int

    def __post_init__(self) -> None:
        if not _FILE.fullmatch(self.name):
            raise StatementError(f"{self.name[:64]!r} cannot name a file of an audit: write a name such as 'manifest.csv'")
        check_hash(self.sha256, f"the hash of {self.name}")
        if not 0 <= self.size <= MAX_FILE_SIZE:
            raise StatementError(f"the size of {self.name} is {self.size}: no file of an audit is that large")


class AuditPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """`audit-plan`: what will be audited and how, said before anyone can know what is drawn."""

    election: bytes
    name: str
    """The name of the audit, under which its files are published."""
    about: AuditSubject
    title: str
    by: str
    """Who holds it, in words."""
    protocol: str
    """What is done, step by step, and who may watch."""
    unit: str = ""
    """Where; the whole country where it is left out."""
    board: tuple[str, ...] = ()
    """Issuers who may register seed, counts and report besides the one who signs this."""
    size: int = 0
    """Log size at which the audited results stand. This and the next three: of an audit of the outcome, and only there."""
    root: bytes | None = None
    risk_limit: str = ""
    """The greatest chance of confirming a wrong outcome, as a share: "0.05"."""
    plan: bytes | None = None
    """SHA-256 of the plan file, plan.json."""
    contests: tuple[str, ...] = ()
    """Ids of the contests that it audits, those that are measured alongside too, in order: of an audit of the outcome, and only
    there. So everybody can tell how many plans there are of a contest, and which of them were never reported."""
    files: tuple[AuditFile, ...] = ()
    """What the plan rests on: the manifest, reported totals or cards; of other audits whatever is fixed in advance."""

    def __post_init__(self) -> None:
        check_hash(self.election, "election")
        _check_id(self.name, "the name of the audit")
        _check_name(self.title, "the title of the audit")
        _check_name(self.by, "who holds the audit")
        check_text(self.protocol, "the protocol", MAX_PROTOCOL_LENGTH)
        if len(self.board) > MAX_BOARD or list(self.board) != sorted(set(self.board)):
            raise StatementError(f"the board is more than {MAX_BOARD} issuers, or not in order, each once")
        if any(len(issuer) > MAX_ISSUER_LENGTH or "/" not in issuer or not issuer.isprintable() for issuer in self.board):
            raise StatementError("the board names somebody who is no issuer: write '<role>/<name>'")
        names = [file.name for file in self.files]
        if len(names) > MAX_FILES or names != sorted(set(names)):
            raise StatementError(f"the plan names more than {MAX_FILES} files, or not in the order of their names, each once")
        outcome = (self.size > 0, self.root is not None, bool(self.risk_limit), self.plan is not None, bool(self.contests))
        if outcome != (self.about == "outcome",) * 5:
            raise StatementError(
                "an audit of the outcome has a log size, its root, a risk limit, a plan file and contests; any other has none"
            )
        if len(self.contests) > MAX_CONTESTS or list(self.contests) != sorted(set(self.contests)):
            raise StatementError(f"the plan names more than {MAX_CONTESTS} contests, or not in the order of their ids, each once")
        for contest in self.contests:
            _check_id(contest, "a contest of the plan")
        if self.about == "outcome":
            if not 1 <= self.size < 2**53:
                raise StatementError(f"log size {self.size} is none")
            check_share(self.risk_limit, "the risk limit")
        for value, what in ((self.root, "root"), (self.plan, "plan")):
            if value is not None:
                check_hash(value, what)

    def subject(self) -> str:
        """The name of the audit."""
        return f"audit/{self.name}"


class AuditSeed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """`audit-seed`: the digits that public dice showed, after the plan was registered."""

    election: bytes
    plan: bytes
    """Hash of the `audit-plan` statement, as statements name each other."""
    seed: str
    """Decimal digits in the order in which they fell."""
    how: str
    who: str
    when: str
    evidence: tuple[bytes, ...] = ()
    """SHA-256 of photographs or recordings of the throw."""
    head: bytes | None = None
    """SHA-256 of head.txt: the head of the log, with the plan in it, that was shown before the dice were thrown."""

    def __post_init__(self) -> None:
        check_hash(self.election, "election")
        check_hash(self.plan, "plan")
        if self.head is not None:
            check_hash(self.head, "head")
        if not (self.seed.isascii() and self.seed.isdigit() and MIN_SEED_DIGITS <= len(self.seed) <= MAX_SEED_DIGITS):
            raise StatementError(
                f"the seed is not {MIN_SEED_DIGITS} to {MAX_SEED_DIGITS} decimal digits: throw ten-sided dice in public, "
                "and write each as it falls"
            )
        for text, what in ((self.how, "how the seed was made"), (self.who, "who made it"), (self.when, "when it was made")):
            check_text(text, what)
        _check_evidence(self.evidence)

    def subject(self) -> str:
        """The plan's hash, in hexadecimal."""
        return f"audit-seed/{self.plan.hex()}"


class BoxTotals(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What all cards of a box add up to in one contest. What nobody counted is absent, which is not zero."""

    contest: str
    counts: Counts
    """Votes by option, in the order of the definition."""
    blank: int | None = None
    null: int | None = None
    cards: int | None = None
    """Cards in the box that hold the contest."""

    def __post_init__(self) -> None:
        _check_id(self.contest, "the contest of a count")
        figures = (*self.counts, self.blank, self.null, self.cards)
        if len(self.counts) > MAX_OPTIONS or any(figure is not None and not 0 <= figure <= MAX_COUNT for figure in figures):
            raise StatementError(f"the count of contest {self.contest!r} holds a number that is none (0 to {MAX_COUNT})")


class CardMarks(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """How one drawn card of a box is marked."""

    position: int
    """Its place in the box, from 1."""
    status: UnitStatus = "counted"
    marks: dict[str, tuple[int, ...]] = {}
    """By contest: the options marked, by number, ascending; in a ranked contest by preference. A contest that the card does not
    hold is absent; one in which nothing is marked that counts is empty."""

    def __post_init__(self) -> None:
        if not 1 <= self.position <= MAX_COUNT:
            raise StatementError(f"a card lies in position {self.position} of its box: positions begin at 1")
        if self.status != "counted" and self.marks:
            raise StatementError(f"card {self.position} is {self.status}, and has marks all the same: leave one of them out")
        if len(self.marks) > MAX_CONTESTS:
            raise StatementError(f"card {self.position} has more than {MAX_CONTESTS} contests")
        for contest, options in self.marks.items():
            _check_id(contest, "the contest of a card")
            if len(set(options)) < len(options) or any(not 0 <= option < MAX_OPTIONS for option in options):
                raise StatementError(f"card {self.position} has a mark twice in contest {contest!r}, or one for no option")


class AuditCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """`audit-count`: what people saw in one box, or on drawn cards of it. Nobody who counts is shown what was reported."""

    election: bytes
    plan: bytes
    """Hash of the `audit-plan` statement."""
    box: str
    status: UnitStatus = "counted"
    totals: tuple[BoxTotals, ...] = ()
    """Where whole boxes are counted: each contest once, in the order of their ids."""
    cards: tuple[CardMarks, ...] = ()
    """Where cards are: each once, by position."""
    counted_by: tuple[str, ...]
    """Names of those who counted."""
    images: tuple[bytes, ...] = ()
    """SHA-256 of photographs."""
    discrepancies: tuple[Discrepancy, ...] = ()
    note: str = ""
    replaces: bytes | None = None
    """Hash of the count of the same box or cards that this one takes the place of; `note` says why."""

    def __post_init__(self) -> None:
        check_hash(self.election, "election")
        check_hash(self.plan, "plan")
        check_box(self.box)
        if (self.status == "counted") != bool(self.totals or self.cards) or (self.totals and self.cards):
            raise StatementError(f"box {self.box!r} holds totals or cards where it was counted, and neither where not")
        contests = [each.contest for each in self.totals]
        positions = [card.position for card in self.cards]
        if contests != sorted(set(contests)) or len(contests) > MAX_CONTESTS:
            raise StatementError(f"the totals of box {self.box!r} are not one for each contest in the order of their ids")
        if positions != sorted(set(positions)) or len(positions) > MAX_CARDS:
            raise StatementError(f"the cards of box {self.box!r} are not each once by position, or more than {MAX_CARDS}")
        if not 1 <= len(self.counted_by) <= MAX_PEOPLE or len(set(self.counted_by)) < len(self.counted_by):
            raise StatementError(f"box {self.box!r} was counted by nobody, by more than {MAX_PEOPLE}, or by somebody twice")
        for name in self.counted_by:
            _check_name(name, "the name of who counted")
        _check_evidence(self.images)
        places = [DISCREPANCIES.index(code) for code in self.discrepancies]
        if places != sorted(set(places)):
            raise StatementError(f"the discrepancies are not each once in the order {', '.join(DISCREPANCIES)}")
        if self.note:
            check_text(self.note, "the note")
        if self.replaces is not None:
            check_hash(self.replaces, "replaces")
            if not self.note:
                raise StatementError("a count that replaces another says why in its note")

    def subject(self) -> str:
        """Plan and box."""
        return f"{self.plan.hex()}/{self.box}"


class ContestRisk(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The measured risk of one contest: the greatest p-value of its assertions, rounded up."""

    contest: str
    risk: str

    def __post_init__(self) -> None:
        _check_id(self.contest, "the contest of a report")
        check_share(self.risk, f"the risk of contest {self.contest!r}", whole=True)


class AuditReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """`audit-report`: what the counts up to a log size show. A later one of the same plan says what was found since."""

    election: bytes
    plan: bytes
    """Hash of the `audit-plan` statement."""
    seed: bytes | None = None
    """Hash of the `audit-seed` statement; absent where nothing was drawn."""
    size: int
    """Log size up to which counts are taken into account."""
    outcome: AuditOutcome
    """Of an audit of the outcome one of the first four, of every other `held` or `stopped`."""
    risks: tuple[ContestRisk, ...] = ()
    """Each contest of the plan, in the order of their ids; of an audit of the outcome, and only there."""
    report: bytes | None = None
    """SHA-256 of the report file; of an audit of the outcome always."""
    found: str = ""
    shows: str = ""
    """What the audit can show, and what it cannot. Of audits of anything but the outcome both texts are there."""
    evidence: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        check_hash(self.election, "election")
        check_hash(self.plan, "plan")
        for value, what in ((self.seed, "seed"), (self.report, "report")):
            if value is not None:
                check_hash(value, what)
        if not 1 <= self.size < 2**53:
            raise StatementError(f"log size {self.size} is none")
        contests = [each.contest for each in self.risks]
        if contests != sorted(set(contests)) or len(contests) > MAX_CONTESTS:
            raise StatementError("the risks of the report are not one for each contest in the order of their ids")
        measured = bool(self.risks) or self.outcome in ("confirmed", "continuing", "full-count")
        if measured and (self.report is None or not self.risks or self.outcome == "held"):
            raise StatementError("the report of an audit of the outcome has the risk of each contest, and the hash of its file")
        if self.outcome == "confirmed" and self.seed is None:
            raise StatementError("an outcome is confirmed by what was drawn: name the seed, or report 'full-count' or 'stopped'")
        if not measured and not (self.found and self.shows):
            raise StatementError("the report says what was found, and what the audit can and cannot show")
        for text, what in ((self.found, "what was found"), (self.shows, "what the audit can and cannot show")):
            if text:
                check_text(text, what, MAX_PROTOCOL_LENGTH)
        _check_evidence(self.evidence)

    def subject(self) -> str:
        """The plan's hash, in hexadecimal."""
        return f"audit-report/{self.plan.hex()}"


AuditStatement: TypeAlias = AuditPlan | AuditSeed | AuditCount | AuditReport


def check_box(name: str) -> None:
    """Refuse what is no name of a box: 1 to 120 printable characters without blanks at either end. Raises StatementError."""
    if not 1 <= len(name) <= MAX_BOX_LENGTH or not name.isprintable() or name != name.strip():
        raise StatementError(
            f"{name[:64]!r} is no name of a box: write 1 to {MAX_BOX_LENGTH} printable characters, without blanks around them"
        )


def _check_id(value: str, what: str) -> None:
    try:
        check_id(value, what)
    except DefinitionError as error:
        raise StatementError(str(error)) from error


def _check_name(value: str, what: str) -> None:
    if len(value) > MAX_NAME_LENGTH:
        raise StatementError(f"{what} is longer than {MAX_NAME_LENGTH} characters")
    try:
        check_name(value, what)
    except DefinitionError as error:
        raise StatementError(str(error)) from error


def _check_evidence(hashes: tuple[bytes, ...]) -> None:
    for each in hashes:
        check_hash(each, "evidence")
    if len(hashes) > MAX_EVIDENCE or len(set(hashes)) < len(hashes):
        raise StatementError(f"the evidence is more than {MAX_EVIDENCE} files, or one of them stands twice")
