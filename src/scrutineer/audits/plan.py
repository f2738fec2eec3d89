"""The plan file of an audit of the outcome: everything that decides what is drawn and what it proves, fixed before the seed.

Canonical JSON (UTF-8, keys in order, no spaces, no number with a point: shares and parameters are decimal texts). Its SHA-256
stands in the signed `audit-plan`. Whoever has the plan, the files that it names by hash, the seed and the counts computes every
draw, every risk and the report again.

The tests of a plan were chosen from the reported results alone (`outcome.required`), each with the parameters of its risk
function. All are tested at the whole risk limit, and the outcome is confirmed when every one of a targeted contest is.
"""

import hashlib
import re
from fractions import Fraction
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.risk.model import RiskFunction
from scrutineer.audits.risk.named import risk_function
from scrutineer.audits.risk.union_intersection import UNION_INTERSECTION, UnionIntersection
from scrutineer.audits.sampling.nested import MAX_WEIGHT
from scrutineer.errors import AuditError
from scrutineer.statements.codec import one_line

FORMAT: Final = "scrutineer-audit-plan/1"
PLAN_FILE: Final = "plan.json"
MANIFEST_FILE: Final = "manifest.csv"
TOTALS_FILE: Final = "totals.csv"
CARDS_FILE: Final = "cards.bin"
MAX_PLAN: Final = 1 << 28  # bytes
MAX_DRAWS: Final = 10_000_000

MAX_PER_BOX: Final = 10_000

PlanDesign: TypeAlias = Literal["batch-macro", "batch-betting", "comparison", "oneaudit", "polling", "strata", "two-stage"]
"""The designs of `planner.Design` that a plan can be made for."""
DrawMode: TypeAlias = Literal["canonical", "rivest", "nested"]
"""How units are drawn: as `sampling.canonical` says; cards by Rivest's consistent sampler (`sampling.consistent`); or cards of
each contest at its own rate, from the boxes that hold it (`sampling.nested`)."""
DESIGNS: Final[tuple[PlanDesign, ...]] = get_args(PlanDesign)
DRAWS: Final[tuple[DrawMode, ...]] = get_args(DrawMode)
PARTLY_RECORDED: Final = ("oneaudit", "strata")
"""Designs in which some boxes may have records of their cards, and others totals."""
BOX_DESIGNS: Final = ("batch-macro", "batch-betting")
"""Designs whose unit is a whole box, drawn with replacement by error bound."""
FULL_COUNTS: Final = ("", "tie", "nobody-voted", "one-card", "unstated", "not-published")
"""Why a contest has to be counted in full; those of `outcome.FullCount`, and that figures below the totals are missing."""

LEARNED: Final = ("betting-adaptive", "betting-agrapa")
"""Risk functions that no plan may name. A card that is not found counts as the worst, so that nobody gains by not finding it; but
where it lowers the bets on later cards, which may be known by then, somebody can: a limit of 5 % becomes one of 7 %."""

LEAST_WEIGHT: Final = 100
"""How many draws ALPHA's expected mean is worth in a plan, at least: with few, its bets are learned as those above are."""

_SHARE: Final = re.compile(r"0\.[0-9]{1,12}", re.ASCII)


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Fields are all there, in canonical form."""


class PlannedFile(_Part, frozen=True, kw_only=True):
    """A file that the plan rests on."""

    sha256: str
    size: int

    def __post_init__(self) -> None:
        _check_hex(self.sha256, "the hash of a file")
        if self.size < 0:
            raise AuditError("plan: a file has a size of 0 or more")


class Test(_Part, frozen=True, kw_only=True):
    """One assertion, what was reported of it, and how it is tested."""

    code: str
    weights: tuple[int, ...]
    rest: int
    need: int
    most: int
    continuing: tuple[int, ...] | None
    first: tuple[int, ...]
    total: int
    """The reported score of all cards together."""
    parameters: dict[str, str]
    """Of the risk function; decimal texts as `risk.named` takes them."""

    def assertion(self, contest: str) -> Assertion:
        """The assertion. Raises AuditError for one that cannot be."""
        continuing = None if self.continuing is None else frozenset(self.continuing)
        first = frozenset(self.first)
        return Assertion(contest, self.code, self.weights, self.rest, self.need, continuing, first, self.most)

    @classmethod
    def of(cls, assertion: Assertion, total: int, parameters: dict[str, str]) -> "Test":
        """The test of an assertion."""
        continuing = None if assertion.continuing is None else tuple(sorted(assertion.continuing))
        return cls(
            code=assertion.code,
            weights=assertion.weights,
            rest=assertion.rest,
            need=assertion.need,
            most=assertion.most,
            continuing=continuing,
            first=tuple(sorted(assertion.first)),
            total=total,
            parameters=parameters,
        )


class PlannedContest(_Part, frozen=True, kw_only=True):
    """One contest: what has to be shown for its reported outcome to be right."""

    contest: str
    full_count: str
    """Why only a full count can confirm the outcome; empty where a sample can."""
    tests: tuple[Test, ...]
    """Empty where a full count is needed, or nobody stands against the reported outcome."""
    target: bool
    """Whether the audit goes on until this contest is confirmed. Of one that is not, the risk is measured over what is drawn for
    the others (opportunistic risk), and no draw and no outcome of the audit depends on it."""
    weight: int = 0
    """With nested draws, by what the cards of the contest's boxes are drawn at least, from 1; 0 of one that is not a target or
    needs a full count, and with every other way of drawing."""

    def __post_init__(self) -> None:
        if self.full_count not in FULL_COUNTS or (self.full_count and self.tests):
            raise AuditError(f"plan, contest {self.contest!r}: it is sampled, or counted in full for a reason that is known")
        codes = [test.code for test in self.tests]
        if len(set(codes)) < len(codes):
            raise AuditError(f"plan, contest {self.contest!r}: an assertion stands there twice")
        for test in self.tests:
            test.assertion(self.contest)


class Plan(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """The plan file. Raises AuditError for one that no audit could follow."""

    format: Literal["scrutineer-audit-plan/1"]
    name: str
    election: str
    """Hash of the definition, in hexadecimal; `root` likewise."""
    size: int
    """Log size at which the audited results stand."""
    root: str
    risk_limit: str
    design: PlanDesign
    draw: DrawMode
    replacement: bool
    """Whether a unit may be drawn again."""
    risk: str
    """Name of the risk function (`risk.named.RISK_FUNCTIONS`)."""
    first_round: int
    """Draws of the first round; 0 where nothing has to be drawn."""
    boxes: int
    cards: int
    """Of the manifest."""
    contests: tuple[PlannedContest, ...]
    files: dict[str, PlannedFile]
    per_box: int = 0
    """In two stages: how many cards of a drawn box are drawn, from 1. 0 in every other design, and left out of the file there."""
    per_hundred: int = 0
    """In two strata: of 100 draws how many are of boxes with records, from 1 to 99. 0 and left out in every other design."""

    def __post_init__(self) -> None:
        _check_hex(self.election, "election")
        _check_hex(self.root, "root")
        limit = self.limit
        if not 0 < limit < 1 or self.risk_limit != share_text(limit):
            raise AuditError(f"plan: the risk limit is {self.risk_limit[:24]!r}; write a share such as 0.05")
        if self.size < 1 or not 0 <= self.first_round <= MAX_DRAWS or self.boxes < 1 or self.cards < 0:
            raise AuditError("plan: a log size or number of draws, boxes or cards that cannot be")
        contests = [contest.contest for contest in self.contests]
        if not contests or contests != sorted(set(contests)):
            raise AuditError("plan: the contests are not each once in the order of their ids, or there is none")
        if not any(contest.target for contest in self.contests):
            raise AuditError("plan: there is no contest that the audit is to confirm")
        if self.risk in LEARNED:
            raise AuditError(
                f"plan: the bets of {self.risk} are learned from the values of cards, and whoever leaves one uncounted chooses "
                "bets on those that are drawn after it: use a risk function whose bets the plan fixes"
            )
        if self.by_box and (self.draw != "canonical" or not self.replacement):
            raise AuditError("plan: boxes are drawn by error bound with replacement, by the canonical draw")
        if self.in_stages and (self.draw != "canonical" or not self.replacement):
            raise AuditError("plan: in two stages boxes are drawn by numbers of cards with replacement, by the canonical draw")
        if self.per_box not in (range(1, MAX_PER_BOX + 1) if self.in_stages else (0,)):
            raise AuditError(
                f"plan: {self.per_box} cards of a drawn box do not fit the design {self.design}: two-stage has from 1 to "
                f"{MAX_PER_BOX}, and no other design has any"
            )
        if self.stratified and (self.draw != "canonical" or self.replacement):
            raise AuditError("plan: strata are each drawn from without replacement, by the canonical draw")
        if self.per_hundred not in (range(1, 100) if self.stratified else (0,)):
            raise AuditError(
                f"plan: {self.per_hundred} of 100 draws do not fit the design {self.design}: strata has from 1 to 99, and no "
                "other design has any"
            )
        if self.draw == "nested" and self.replacement:
            raise AuditError("plan: nested draws take every card once: leave out --replacement")
        for contest in self.contests:
            if contest.weight not in (range(1, MAX_WEIGHT + 1) if self.draw == "nested" and contest in self.sampled else (0,)):
                raise AuditError(
                    f"plan, contest {contest.contest!r}: the weight {contest.weight} does not fit the way of drawing"
                )
        needed = {MANIFEST_FILE} | ({CARDS_FILE} if self.design == "comparison" else {TOTALS_FILE})
        if self.draw == "nested":
            needed |= {TOTALS_FILE}
        if self.stratified:
            needed |= {CARDS_FILE}
        allowed = needed | {CARDS_FILE} if self.design == "oneaudit" else needed
        if not needed <= set(self.files) <= allowed:
            raise AuditError(f"plan: a plan for {self.design} names the files {', '.join(sorted(needed))}, and no others")
        for contest in self.contests:
            for test in contest.tests:
                if not self.stratified:
                    risk_function(self.risk, test.parameters)
                    _check_learned(self.risk, test.parameters)
                elif self.risk == UNION_INTERSECTION:
                    UnionIntersection.of(test.parameters)
                else:
                    raise AuditError(
                        f"plan: the evidence of strata is combined by {UNION_INTERSECTION}, not by {self.risk[:60]!r}"
                    )

    @property
    def by_box(self) -> bool:
        """Whether whole boxes are drawn."""
        return self.design in BOX_DESIGNS

    @property
    def in_stages(self) -> bool:
        """Whether a draw is some cards of a box."""
        return self.design == "two-stage"

    @property
    def stratified(self) -> bool:
        """Whether boxes with records and boxes without are drawn from each by itself."""
        return self.design == "strata"

    @property
    def limit(self) -> Fraction:
        """The risk limit."""
        # Nothing but plain digits goes any further: the fraction of "1e999999999" would be computed for hours.
        if not _SHARE.fullmatch(self.risk_limit):
            raise AuditError(f"plan: the risk limit is {self.risk_limit[:24]!r}; write a share such as 0.05")
        return Fraction(self.risk_limit)

    @property
    def sampled(self) -> tuple[PlannedContest, ...]:
        """The contests that a sample can confirm and has to."""
        return tuple(contest for contest in self.contests if contest.tests and contest.target)

    def tests(self) -> tuple[tuple[str, Test], ...]:
        """Every test with its contest, in the order of the plan."""
        return tuple((contest.contest, test) for contest in self.contests for test in contest.tests)

    def measured(self) -> tuple[str, ...]:
        """Ids of the contests that it audits, as targets or alongside: a report may say of each that it is confirmed."""
        return tuple(contest.contest for contest in self.contests)

    def targets(self) -> tuple[tuple[str, Test], ...]:
        """The tests that have to reach the risk limit, in the order of the plan."""
        return tuple((contest.contest, test) for contest in self.sampled for test in contest.tests)

    def function(self, test: Test) -> RiskFunction:
        """The risk function of a test."""
        return risk_function(self.risk, test.parameters)

    def encode(self) -> bytes:
        """The canonical bytes."""
        return msgspec.json.encode(self, order="sorted")

    @property
    def hash(self) -> bytes:
        """SHA-256 of the canonical bytes, which the signed plan names."""
        return hashlib.sha256(self.encode()).digest()


def read_plan(data: bytes) -> Plan:
    """The plan of a file. Raises AuditError for anything but the canonical bytes of one."""
    if len(data) > MAX_PLAN:
        raise AuditError(f"plan: {len(data)} bytes are more than a plan may have")
    try:
        plan = msgspec.json.decode(data, type=Plan, strict=True)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AuditError) as error:
        raise AuditError(f"plan: {one_line(error)}; use the file that `scrutineer audit plan` wrote") from error
    if plan.encode() != data:
        raise AuditError("plan: the file is not in its canonical form; use the one that `scrutineer audit plan` wrote")
    # Where nobody stands against the only contests that are targets, all would be confirmed before the first draw.
    if not any(contest.target and (contest.tests or contest.full_count) for contest in plan.contests):
        raise AuditError("plan: there is no contest that the audit is to confirm and whose outcome cards could contradict")
    return plan


def planned_file(data: bytes) -> PlannedFile:
    """How a plan names a file."""
    return PlannedFile(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def share_text(share: Fraction, digits: int = 12) -> str:
    """A share from 0 to 1 as a decimal text, rounded up in its last digit: "0.05", "0", "1"."""
    units = -(-share.numerator * 10**digits // share.denominator)
    whole, part = divmod(units, 10**digits)
    text = f"{part:0{digits}}".rstrip("0")
    return f"{whole}.{text}" if text else str(whole)


def _check_learned(risk: str, parameters: dict[str, str]) -> None:
    """Refuse parameters of ALPHA with which its bets follow what was drawn and not what was expected."""
    if risk != "alpha":
        return
    kept = Fraction(parameters.get("weight", "0")) >= LEAST_WEIGHT and Fraction(parameters["eta"]) > Fraction(1, 2)
    if not kept or "spread" in parameters:
        raise AuditError(
            f"plan: the bets of alpha are learned from the values of cards, unless it expects a mean above 0.5, which is worth "
            f"{LEAST_WEIGHT} draws or more, without a spread of its own: whoever leaves a card uncounted chooses them otherwise"
        )


def _check_hex(value: str, what: str) -> None:
    if len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise AuditError(f"plan: {what} is not a hash in 64 hexadecimal digits")
