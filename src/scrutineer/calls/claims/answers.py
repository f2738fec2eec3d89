"""One answer to one question about an announcement, in sentences: what was computed, what it can show, and what it cannot.

The words accuse nobody. Figures that contradict each other, or that happen as rarely as stated, come about in many ways; those
that are known are listed beside each finding, with what would settle it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

from scrutineer.calls.claims.agreement import Agreement
from scrutineer.calls.claims.announcement import Announcement, Base
from scrutineer.calls.claims.computed import ASSUMPTIONS, EXPLANATIONS, Computed, OptionTest, odds_of
from scrutineer.calls.claims.findings import Finding
from scrutineer.calls.claims.holm import Adjusted
from scrutineer.calls.claims.open_words import decided_sentence, open_lines, undecided_reasons
from scrutineer.calls.claims.percent import RULE_NAMES
from scrutineer.calls.claims.reach import Added, Reach
from scrutineer.calls.claims.record_values import RecordAnswer
from scrutineer.calls.claims.record_words import beside
from scrutineer.calls.claims.rounding import printed
from scrutineer.calls.claims.still_open import StillOpen
from scrutineer.language import Phrase, Quantity, Row

Question = Literal["agreement", "computed", "reach", "still-open", "record"]
Status = Literal["fits", "contradiction", "stands-out", "decided", "not-decided", "unknown"]
"""`fits`: nothing contradicts. `contradiction`: the figures cannot all be right as announced. `stands-out`: they can, and ask for
an explanation. `decided`, `not-decided`: of the lead alone. `unknown`: too little was announced."""

QUESTIONS: Final[dict[Question, Phrase]] = {
    "agreement": Phrase("Do the numbers agree with themselves?"),
    "computed": Phrase("Do the votes look computed from the percentages?"),
    "reach": Phrase("Is the later announcement reachable from the earlier one?"),
    "still-open": Phrase("Can the lead still change, on the announced figures?"),
    "record": Phrase("Does it fit the record?"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question, with its arithmetic."""

    question: Question
    status: Status
    sentence: Phrase
    arithmetic: tuple[Phrase, ...]
    shows: Phrase
    """What the arithmetic can show."""
    cannot: Phrase
    """What it cannot."""
    settles: Phrase
    """What would settle it."""
    explanations: tuple[Phrase, ...] = ()
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
        sentence = Phrase("The announced numbers cannot all be right: {finding}.", finding=said)
    elif status == "unknown":
        sentence = Phrase("Too few numbers were announced to hold them against each other.")
    elif fit is None or not any(finding.code == "votes-against-percentages" for finding in agreement.findings):
        sentence = Phrase("The announced numbers agree with each other.")
    elif fit.totals.count == 1:
        sentence = Phrase(
            "The announced numbers agree with each other. Votes and percentages fit a total of {total}, as shares of {base}.",
            total=fit.totals,
            base=_BASES[fit.base],
        )
    else:
        sentence = Phrase(
            "The announced numbers agree with each other. Votes and percentages fit any total of {totals}, as shares of {base}.",
            totals=fit.totals,
            base=_BASES[fit.base],
        )
    return Answer(
        "agreement",
        status,
        sentence,
        _lines(agreement.findings),
        Phrase(
            "Whether figures of one announcement can hold together, under every base and rounding rule that was not ruled out."
        ),
        Phrase("Whether any of them is right: wrong figures can agree with each other."),
        Phrase("The full bulletin as the body published it, with votes for every option, valid, null, blank and the roll."),
        _explanations(wrong),
    )


def computed_answer(found: Computed | None, parts: Sequence[OptionTest], tests: Sequence[Adjusted], level: Fraction) -> Answer:
    """Whether counts are what multiplying percentages gives, judged over all tests of the announcement together."""
    notable = [test for test in tests if test.below(level)]
    lines: list[Phrase] = []
    if found is not None:
        lines.append(found.text)
        lines += [option.text for option in found.options]
    lines += [part.text for part in parts]
    if tests:
        lines.append(
            Phrase.several(
                "{n} test of this announcement, taken together (Holm)",
                "{n} tests of this announcement, taken together (Holm)",
                len(tests),
            )
        )
        lines += [
            Phrase(
                "{name}: chance {chance}, over all tests {together}",
                name=row.name,
                chance=odds(row.chance),
                together=odds(row.adjusted),
            )
            for row in tests
            if row.chance < 1
        ]
    return Answer(
        "computed",
        "stands-out" if notable else "fits" if tests else "unknown",
        _computed_sentence(found, notable, tested=bool(tests)),
        tuple(lines),
        Phrase(
            "How often honest counts look so, where {assumptions}. It stands out at {odds} or rarer.",
            assumptions=Row.of(ASSUMPTIONS, "clauses"),
            odds=odds(level),
        ),
        Phrase("Who computed the votes, at what stage, or why; nor whether the percentages or the total are wrong."),
        Phrase("The tally sheets, or the system's totals by station: votes added up from sheets need no percentages."),
        EXPLANATIONS if notable else (),
    )


def _computed_sentence(found: Computed | None, notable: Sequence[Adjusted], *, tested: bool) -> Phrase:
    if not notable:
        if tested:
            return Phrase("No. The votes match a rounded percentage times a total no more often than chance explains.")
        return Phrase("Nothing to test: no votes were announced together with a percentage that fits them.")
    together = odds(max(test.adjusted for test in notable))
    if found is None or not found.matches or not found.possible or found.total is None:
        return Phrase(
            "Some counts are exactly a rounded percentage of a total: {names}. Chance for honest counts, over all tests of this "
            "announcement: {together}.",
            names=Row.of(test.name for test in notable),
            together=together,
        )
    if found.total_announced:
        return Phrase(
            "Every count is its percentage times one total, {total}, rounded. Exact chance for honest counts at that total: "
            "{odds}; over all tests of this announcement: {together}.",
            total=found.total,
            odds=odds(found.chance),
            together=together,
        )
    return Phrase(
        "Every count is its percentage times one total, {total}, rounded. Exact chance for honest counts at that total: "
        "{odds}; at any total, over all tests of this announcement: {together}.",
        total=found.total,
        odds=odds(found.chance),
        together=together,
    )


def reach_answer(found: Reach) -> Answer:
    """Whether sheets can have been added to one announcement to give the other, and what they held."""
    wrong = [finding for finding in found.findings if finding.fits is False]
    odd = [finding for finding in found.findings if finding.fits is None]
    sentence = Phrase("Yes, by adding sheets.")
    status: Status = "fits"
    if wrong:
        sentence, status = Phrase("No, not by adding sheets alone: {finding}.", finding=wrong[0].text), "contradiction"
    elif not found.reachable_at_equal_sheets:
        shift = next(finding for finding in odd if finding.code == "share-shift")
        sentence, status = Phrase("Not if all sheets hold about as many votes: {finding}.", finding=shift.text), "stands-out"
    # Where the earlier total was not announced, what was added has no bounds worth printing.
    bounded = found.total_added.count <= found.later.span.high
    added = [_added_line(row, found.share(row)) for row in found.options if bounded]
    if bounded:
        added.append(Phrase("added in all: {votes}", votes=found.total_added))
    if found.per_sheet_before is not None and found.per_sheet_added is not None and found.ratio is not None:
        added.append(
            Phrase(
                "{later} votes for each per cent of sheets added, {before} before: {ratio} times as many",
                later=Quantity(found.per_sheet_added),
                before=Quantity(found.per_sheet_before),
                ratio=Quantity(found.ratio, 4),
            )
        )
    if found.smallest_total is not None and bounded:
        added.append(
            Phrase.several(
                "the later percentages need at least {n} valid vote, given the earlier counts",
                "the later percentages need at least {n} valid votes, given the earlier counts",
                found.smallest_total,
            )
        )
    return Answer(
        "reach",
        status,
        sentence,
        (*added, *_lines(found.findings)),
        Phrase("What the sheets counted in between must have held, if the earlier ones stayed as they were."),
        Phrase("Whether they stayed so: corrections, annulments and slips between two bulletins are ordinary."),
        Phrase("The results by station at both moments."),
        _explanations([*wrong, *odd] if status != "fits" else []),
    )


def still_open_answer(found: StillOpen | None, *, coherent: bool) -> Answer:
    """Whether the lead can still change, by arithmetic on the announced figures alone."""
    arithmetic: tuple[Phrase, ...] = () if found is None else tuple(open_lines(found))
    status: Status = "unknown"
    if found is None:
        sentence = Phrase("Fewer than two options were announced with votes, so that there is no lead to judge.")
    elif not coherent:
        sentence = Phrase("No verdict: the figures contradict each other or an earlier announcement.")
    elif found.verdict == "arithmetic":
        status, sentence = "decided", decided_sentence(found)
    else:
        status, sentence = "not-decided", Phrase("Not decided: {reasons}.", reasons=undecided_reasons(found))
    return Answer(
        "still-open",
        status,
        sentence,
        arithmetic,
        Phrase("Whether what is still open can outweigh the lead if everybody on its roll votes; never an estimate of who will."),
        Phrase("How the stations still open did vote, and whether the announced figures are right."),
        Phrase("The rolls and the results by station: `scrutineer call` judges by those."),
    )


def record_answer(found: RecordAnswer) -> Answer:
    """Whether announced totals and published sheets can both be right."""
    status: Status = {True: "fits", False: "contradiction", None: "unknown"}[found.fits]  # type: ignore[assignment]
    return Answer(
        "record",
        status,
        found.statement,
        (found.explained, *(beside(row) for row in found.compared), *found.notes),
        Phrase(
            "Whether the announced totals and the sheets of this record ({source}) can both be right, by exact bounds.",
            source=found.source,
        ),
        Phrase("Which of the two is right: sheets can be wrong or incomplete, and so can totals."),
        Phrase(
            "The original sheets of the stations where the two differ, and the results by station behind the announced totals."
        ),
        RECORD_EXPLANATIONS if found.fits is False else (),
    )


RECORD_EXPLANATIONS: Final = (
    Phrase("the announcement is of another moment, or of other stations, than it says"),
    Phrase("sheets were corrected, annulled or recounted after they were published"),
    Phrase("the record holds sheets that were misread, listed twice, or are not of this contest"),
    Phrase("a slip in a digit of the announcement"),
)
_BASES: Final[dict[Base, Phrase]] = {
    "valid": Phrase("the valid votes"),
    "cast": Phrase("all votes cast"),
    "roll": Phrase("the roll"),
}


def odds(chance: Fraction) -> Phrase:
    """A chance as '1 in 7,197', exactly or rounded down to a whole number."""
    if chance == 0:
        return Phrase("none")
    if chance == 1:
        return Phrase("certain")
    return odds_of(chance) if chance <= Fraction(1, 2) else Phrase("{chance}", chance=Quantity(chance, 3))


def _lines(findings: Sequence[Finding]) -> tuple[Phrase, ...]:
    return tuple(_line(finding) for finding in findings)


def _line(finding: Finding) -> Phrase:
    if finding.fits is None:
        return Phrase("not decided by these figures: {finding}", finding=finding.text)
    if finding.fits:
        return Phrase("agrees: {finding}", finding=finding.text)
    return Phrase("cannot be: {finding}", finding=finding.text)


def _added_line(row: Added, share: Fraction | None) -> Phrase:
    if share is None:
        return Phrase("added for {name}: {votes}", name=row.name, votes=row.votes)
    return Phrase("added for {name}: {votes} ({share})", name=row.name, votes=row.votes, share=Quantity(share, 3, share=True))


def _explanations(findings: Sequence[Finding]) -> tuple[Phrase, ...]:
    return tuple(dict.fromkeys(text for finding in findings for text in finding.explanations))


def _misprinted(announcement: Announcement, agreement: Agreement) -> Phrase:
    """Which percentages differ from their votes: by the base and rule that leave the fewest, where the total is known."""
    known = [fit for fit in agreement.fits if fit.announced.count == 1]
    if known:
        fit = min(known, key=lambda fit: sum(fit.announced.low not in row.totals for row in fit.each))
        total = fit.announced.low
        parts = [
            Phrase(
                "{name} has {votes}, which is {printed}, announced {percent}",
                name=figure.name,
                votes=figure.votes,
                printed=printed(figure.votes, total, figure.percent.decimals, fit.rule),
                percent=figure.percent,
            )
            for figure, row in zip(announcement.figures, fit.each, strict=True)
            if total not in row.totals and figure.votes is not None and figure.percent is not None and figure.votes <= total
        ]
        if parts:
            return Phrase(
                "of {total} ({base}, {rule}) {differences}",
                total=total,
                base=_BASES[fit.base],
                rule=RULE_NAMES[fit.rule],
                differences=Row.of(parts, "clauses"),
            )
    return Phrase("no total, base and rounding rule fits all votes and percentages")
