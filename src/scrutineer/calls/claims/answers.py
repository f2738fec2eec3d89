"""One answer to one question about an announcement, in sentences: what was computed, what it can show, and what it cannot.

The words accuse nobody. Figures that contradict each other, or that happen as rarely as stated, come about in many ways; those
that are known are listed beside each finding, with what would settle it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from scrutineer.calls.claims.agreement import Agreement
from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.computed import ASSUMPTIONS, EXPLANATIONS, Computed, OptionTest
from scrutineer.calls.claims.findings import Finding
from scrutineer.calls.claims.holm import Adjusted
from scrutineer.calls.claims.reach import Reach
from scrutineer.calls.claims.record_values import Compared, RecordAnswer
from scrutineer.calls.claims.rounding import printed
from scrutineer.calls.claims.still_open import Need, StillOpen

Question = Literal["agreement", "computed", "reach", "still-open", "record"]
Status = Literal["fits", "contradiction", "stands-out", "decided", "not-decided", "unknown"]
"""`fits`: nothing contradicts. `contradiction`: the figures cannot all be right as announced. `stands-out`: they can, and ask for
an explanation. `decided`, `not-decided`: of the lead alone. `unknown`: too little was announced."""

QUESTIONS: Final[dict[Question, str]] = {
    "agreement": "Do the numbers agree with themselves?",
    "computed": "Do the votes look computed from the percentages?",
    "reach": "Is the later announcement reachable from the earlier one?",
    "still-open": "Can the lead still change, on the announced figures?",
    "record": "Does it fit the record?",
}

GIVEN: Final = {
    "nothing-open": "every sheet is counted",
    "whole-roll": "nobody can vote who is not on the announced roll",
    "equal-roll": "the announced counts and roll are right, and the stations still open have their equal part of the roll",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question, with its arithmetic."""

    question: Question
    status: Status
    sentence: str
    arithmetic: tuple[str, ...]
    shows: str
    """What the arithmetic can show."""
    cannot: str
    """What it cannot."""
    settles: str
    """What would settle it."""
    explanations: tuple[str, ...] = ()
    """What, other than intent, is known to lead to a finding; empty where there is none."""

    @property
    def flagged(self) -> bool:
        """Whether it asks for an explanation."""
        return self.status in ("contradiction", "stands-out")


def agreement_answer(announcement: Announcement, agreement: Agreement) -> Answer:
    """Whether sums and percentages agree."""
    wrong = [finding for finding in agreement.findings if finding.fits is False]
    fit = agreement.best
    status: Status = "contradiction" if wrong else "fits" if any(f.fits for f in agreement.findings) else "unknown"
    if wrong:
        first = wrong[0]
        said = _misprinted(announcement, agreement) if first.code == "votes-against-percentages" else first.text
        sentence = f"The announced numbers cannot all be right: {said}."
    elif status == "unknown":
        sentence = "Too few numbers were announced to hold them against each other."
    else:
        sentence = "The announced numbers agree with each other."
        if fit is not None and any(finding.code == "votes-against-percentages" for finding in agreement.findings):
            totals = f"a total of {fit.totals}" if fit.totals.count == 1 else f"any total of {fit.totals}"
            sentence = f"{sentence} Votes and percentages fit {totals}, as shares of {_BASES[fit.base]}."
    return Answer(
        "agreement",
        status,
        sentence,
        _lines(agreement.findings),
        "Whether figures of one announcement can hold together, under every base and rounding rule that was not ruled out.",
        "Whether any of them is right: wrong figures can agree with each other.",
        "The full bulletin as the body published it, with votes for every option, valid, null, blank and the roll.",
        _explanations(wrong),
    )


def computed_answer(found: Computed | None, parts: Sequence[OptionTest], tests: Sequence[Adjusted], level: Fraction) -> Answer:
    """Whether counts are what multiplying percentages gives, judged over all tests of the announcement together."""
    notable = [test for test in tests if test.below(level)]
    lines: list[str] = []
    if found is not None:
        lines.append(found.text)
        lines += [option.text for option in found.options]
    lines += [part.text for part in parts]
    if tests:
        lines.append(f"{_tests(tests)} of this announcement, taken together (Holm)")
        lines += [
            f"{row.name}: chance {odds(row.chance)}, over all tests {odds(row.adjusted)}" for row in tests if row.chance < 1
        ]
    if notable:
        together = f"over all tests of this announcement: {odds(max(test.adjusted for test in notable))}"
        names = ", ".join(test.name for test in notable)
        sentence = f"Some counts are exactly a rounded percentage of a total: {names}. Chance for honest counts, {together}."
        if found is not None and found.matches and found.possible and found.total is not None:
            sentence = (
                f"Every count is its percentage times one total, {found.total:,}, rounded. Exact chance for honest counts at "
                f"that total: {odds(found.chance)}; {'' if found.total_announced else 'at any total, '}{together}."
            )
    elif tests:
        sentence = "No. The votes match a rounded percentage times a total no more often than chance explains."
    else:
        sentence = "Nothing to test: no votes were announced together with a percentage that fits them."
    return Answer(
        "computed",
        "stands-out" if notable else "fits" if tests else "unknown",
        sentence,
        tuple(lines),
        f"How often honest counts look so, where {'; '.join(ASSUMPTIONS)}. It stands out at {odds(level)} or rarer.",
        "Who computed the votes, at what stage, or why; nor whether the percentages or the total are wrong.",
        "The tally sheets, or the system's totals by station: votes added up from sheets need no percentages.",
        EXPLANATIONS if notable else (),
    )


def reach_answer(found: Reach) -> Answer:
    """Whether sheets can have been added to one announcement to give the other, and what they held."""
    wrong = [finding for finding in found.findings if finding.fits is False]
    odd = [finding for finding in found.findings if finding.fits is None]
    sentence = "Yes, by adding sheets."
    status: Status = "fits"
    if wrong:
        sentence, status = f"No, not by adding sheets alone: {wrong[0].text}.", "contradiction"
    elif not found.reachable_at_equal_sheets:
        shift = next(finding for finding in odd if finding.code == "share-shift")
        sentence, status = f"Not if all sheets hold about as many votes: {shift.text}.", "stands-out"
    # Where the earlier total was not announced, what was added has no bounds worth printing.
    bounded = found.total_added.count <= found.later.span.high
    added = [f"added for {row.name}: {row.votes}{_percent_of(found.share(row))}" for row in found.options if bounded]
    if bounded:
        added.append(f"added in all: {found.total_added}")
    if found.per_sheet_before is not None and found.per_sheet_added is not None and found.ratio is not None:
        before, later = float(found.per_sheet_before), float(found.per_sheet_added)
        added.append(
            f"{later:,.0f} votes for each per cent of sheets added, {before:,.0f} before: {float(found.ratio):.4f} times as many"
        )
    if found.smallest_total is not None and bounded:
        added.append(f"the later percentages need at least {found.smallest_total:,} valid votes, given the earlier counts")
    return Answer(
        "reach",
        status,
        sentence,
        (*added, *_lines(found.findings)),
        "What the sheets counted in between must have held, if the earlier ones stayed as they were.",
        "Whether they stayed so: corrections, annulments and slips between two bulletins are ordinary.",
        "The results by station at both moments.",
        _explanations([*wrong, *odd] if status != "fits" else []),
    )


def still_open_answer(found: StillOpen | None, *, coherent: bool) -> Answer:
    """Whether the lead can still change, by arithmetic on the announced figures alone."""
    arithmetic: tuple[str, ...] = () if found is None else tuple(_open_lines(found))
    status: Status = "unknown"
    if found is None:
        sentence = "Fewer than two options were announced with votes, so that there is no lead to judge."
    elif not coherent:
        sentence = "No verdict: the figures contradict each other or an earlier announcement."
    elif found.verdict == "arithmetic":
        status = "decided"
        sentence = (
            f"Decided by arithmetic, if {GIVEN[found.given or 'whole-roll']}: {found.leader} leads by {found.lead:,} votes."
        )
    else:
        status = "not-decided"
        sentence = f"Not decided: {_reasons(found)}."
    return Answer(
        "still-open",
        status,
        sentence,
        arithmetic,
        "Whether what is still open can outweigh the lead if everybody on its roll votes; never an estimate of who will.",
        "How the stations still open did vote, and whether the announced figures are right.",
        "The rolls and the results by station: `scrutineer call` judges by those.",
    )


def record_answer(found: RecordAnswer) -> Answer:
    """Whether announced totals and published sheets can both be right."""
    status: Status = {True: "fits", False: "contradiction", None: "unknown"}[found.fits]  # type: ignore[assignment]
    return Answer(
        "record",
        status,
        found.statement,
        (found.explained, *(_beside(row) for row in found.compared), *found.notes),
        f"Whether the announced totals and the sheets of this record ({found.source}) can both be right, by exact bounds.",
        "Which of the two is right: sheets can be wrong or incomplete, and so can totals.",
        "The original sheets of the stations where the two differ, and the results by station behind the announced totals.",
        RECORD_EXPLANATIONS if found.fits is False else (),
    )


RECORD_EXPLANATIONS: Final = (
    "the announcement is of another moment, or of other stations, than it says",
    "sheets were corrected, annulled or recounted after they were published",
    "the record holds sheets that were misread, listed twice, or are not of this contest",
    "a slip in a digit of the announcement",
)
_BASES: Final = {"valid": "the valid votes", "cast": "all votes cast", "roll": "the roll"}


def odds(chance: Fraction) -> str:
    """A chance as '1 in 7,197', exactly or rounded down to a whole number."""
    if chance == 0:
        return "none"
    return "certain" if chance == 1 else f"1 in {int(1 / chance):,}" if chance <= Fraction(1, 2) else f"{float(chance):.3f}"


def _tests(tests: Sequence[Adjusted]) -> str:
    return "1 test" if len(tests) == 1 else f"{len(tests)} tests"


def _lines(findings: Sequence[Finding]) -> tuple[str, ...]:
    marks = {True: "agrees", False: "cannot be", None: "not decided by these figures"}
    return tuple(f"{marks[finding.fits]}: {finding.text}" for finding in findings)


def _explanations(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for finding in findings for text in finding.explanations))


def _misprinted(announcement: Announcement, agreement: Agreement) -> str:
    """Which percentages differ from their votes: by the base and rule that leave the fewest, where the total is known."""
    known = [fit for fit in agreement.fits if fit.announced.count == 1]
    if not known:
        return "no total, base and rounding rule fits all votes and percentages"
    fit = min(known, key=lambda fit: sum(fit.announced.low not in row.totals for row in fit.each))
    total = fit.announced.low
    parts = [
        f"{figure.name} has {figure.votes:,}, which is {printed(figure.votes, total, figure.percent.decimals, fit.rule)}, "
        f"announced {figure.percent}"
        for figure, row in zip(announcement.figures, fit.each, strict=True)
        if total not in row.totals and figure.votes is not None and figure.percent is not None and figure.votes <= total
    ]
    if not parts:
        return "no total, base and rounding rule fits all votes and percentages"
    return f"of {total:,} ({_BASES[fit.base]}, {fit.rule}) {'; '.join(parts)}"


def _percent_of(share: Fraction | None) -> str:
    return "" if share is None else f" ({float(100 * share):.3f} %)"


def _reasons(found: StillOpen) -> str:
    parts = []
    if "outstanding-exceeds-lead" in found.reasons:
        parts.append(f"{found.leader} leads {found.rival} by {found.lead:,}, and what is still open exceeds that")
        need = found.equal_need
        if need is not None:
            parts.append(
                f"{found.rival} would draw level with {float(100 * need.with_others):.1f} % of it, if it holds "
                f"{round(need.outstanding):,} votes like the rest{_times_as(need, found)}"
            )
    if "recount-band" in found.reasons and not found.lead:
        parts.append(f"{found.leader} and {found.rival} are level")
    elif "recount-band" in found.reasons:
        parts.append(
            f"the lead of {found.lead:,} votes ({float(100 * found.lead_share):.4f} %) lies within the recount band of "
            f"{int(found.band):,} votes"
        )
    if "inputs" in found.reasons:
        parts.append("how much is still open was not announced: neither the share counted nor the roll bounds it")
    return "; ".join(parts)


def _times_as(need: Need, found: StillOpen) -> str:
    if need.odds_ratio is None:
        return ""
    return f", {float(need.odds_ratio):.2f} times as favourable to {found.rival} as the counted ones"


def _open_lines(found: StillOpen) -> list[str]:
    origin = {
        "announced": "announced or the sum of all options",
        "computed": "the only totals of which the counts are the percentages",
        "fitting": "the least that fits votes and percentages",
        "listed": "at least the votes listed",
    }
    of = f"{found.total:,} valid votes ({origin[found.total_origin]})"
    lines = [f"{found.leader} leads {found.rival} by {found.lead:,} of {of}, {float(100 * found.lead_share):.4f} %"]
    if found.outstanding_equal is not None and found.outstanding_equal_range is not None:
        least, most = found.outstanding_equal_range
        lines.append(
            f"still open if all sheets hold as many votes: {float(found.outstanding_equal):,.1f} "
            f"({float(least):,.1f} to {float(most):,.1f} by the digits of the share counted)"
        )
    if found.turnout_to_reverse is not None and found.turnout_to_reverse <= 1:
        counted = (
            "" if found.turnout_counted is None else f"; {float(100 * found.turnout_counted):.3f} % of the counted part voted"
        )
        lines.append(
            f"a reversal needs a turnout of {float(100 * found.turnout_to_reverse):.3f} % of the part still open{counted}"
        )
    if found.uncounted_roll is not None:
        lines.append(f"registered and not counted: {found.uncounted_roll:,} voters")
    if found.mean_to_hold is not None and found.sheets_open is not None:
        lines.append(
            f"the lead stands while the {float(found.sheets_open):,.1f} sheets still open hold fewer than "
            f"{float(found.mean_to_hold):,.2f} votes on average"
        )
    rows = [("if sheets hold as many votes", found.equal_need), ("if everybody else on the roll votes", found.whole_need)]
    rows[1:1] = [(f"at a turnout of {float(100 * (need.turnout or 0)):.0f} %", need) for need in found.needs]
    lines += [_need_line(what, need, found.rival) for what, need in rows if need is not None]
    if found.z is not None and found.equal_need is not None and found.equal_need.possible:
        lines.append(
            f"if the sheets still open were a random sample, {found.rival}'s need would lie {found.z:.1f} standard errors off; "
            "they are not one, which is why this decides nothing"
        )
    return lines


def _need_line(what: str, need: Need, rival: str) -> str:
    if not need.possible:
        return f"{what}: {float(need.outstanding):,.0f} votes, too few to change the order"
    ratio = "" if need.odds_ratio is None else f", {float(need.odds_ratio):.3f} times the odds so far"
    return (
        f"{what}: {float(need.outstanding):,.0f} votes, of which {rival} needs {float(100 * need.alone):.3f} % (others none) or "
        f"{float(100 * need.with_others):.3f} % (others as before){ratio}"
    )


def _beside(row: Compared) -> str:
    low = "nothing" if row.low is None else f"{row.low:,}"
    high = "no bound" if row.high is None else f"{row.high:,}"
    return (
        f"{row.name}: announced {row.announced:,}, on the sheets {row.counted:,} ({row.difference:+,}); possible: {low} to {high}"
    )
