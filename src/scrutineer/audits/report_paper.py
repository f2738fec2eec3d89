"""The report of an audit as a PDF, for people who keep paper. Nothing is computed from it: the JSON file is the report."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from scrutineer.audits.assertion_words import assertion_sentence
from scrutineer.audits.other_plans import OtherPlan
from scrutineer.audits.outcome_words import OUTCOME_WORDS
from scrutineer.audits.plan import Plan, PlannedContest
from scrutineer.audits.report import Report, ReportedContest
from scrutineer.design.typesetting import typeset
from scrutineer.election import Election
from scrutineer.errors import AuditError, TypesettingError

_EACH: Final = "The risk limit holds for each audit by itself, and not for the best of several."
_MOST_LINES: Final = 200
"""Of a list; the JSON file has all of it."""


def report_paper(plan: Plan, report: Report, election: Election) -> bytes:
    """The PDF. The same report gives the same bytes with the same fonts. Raises AuditError where it cannot be typeset."""
    contests = {contest.id: contest for contest in election.contests}
    risks = {(test.contest, test.code): test.risk for test in report.tests}

    def lines(planned: PlannedContest) -> Iterator[dict[str, str]]:
        contest = contests.get(planned.contest)
        for test in planned.tests:
            assertion = test.assertion(planned.contest)
            said = assertion.code if contest is None else assertion_sentence(assertion, contest)
            yield {"said": f"{said}.", "risk": risks.get((planned.contest, test.code), "–")}

    reported = {contest.contest: contest for contest in report.contests}
    content: dict[str, Any] = {
        "title": f"Report of audit {report.name}",
        "election": election.definition.name,
        "outcome": OUTCOME_WORDS[report.outcome].sentence,
        "progress": (
            f"Draws: {report.draws}. Different boxes or cards drawn: {report.units}, of which {report.counted} were counted."
        ),
        "meaning": (
            "The risk is the chance, if the reported outcome were wrong, of evidence at least as strong as this. "
            f"The limit of this audit is {report.risk_limit}."
        ),
        "contests": [
            {
                "title": contests[planned.contest].title if planned.contest in contests else planned.contest,
                "risk": _risk(planned, reported[planned.contest]),
                "lines": list(islice(lines(planned), _MOST_LINES)),
            }
            for planned in plan.contests
        ],
        "parts": [
            {"title": title, "lines": _some(units)}
            for title, units in (
                ("Not found; each counts as the worst that it can be", report.missing),
                ("Not legible; each counts as the worst that it can be", report.illegible),
                ("Not counted yet; each counts as the worst that it can be", report.pending),
                ("What stands in the way", (*report.voids, *report.faults)),
                (
                    "Counts that were replaced; all stand in the log",
                    tuple(
                        f"{one.box}: {one.note} (count {one.statement[:16]}…, replaced by {one.by[:16]}…)"
                        for one in report.replaced
                    ),
                ),
                (
                    "Other plans that are, or may be, about the same contests",
                    (*map(_other, report.others), *([_EACH] if report.others else [])),
                ),
            )
            if units
        ],
        "facts": [
            {"name": name, "value": value}
            for name, value in (
                ("Election", report.election),
                ("Signed plan", report.plan),
                ("Signed seed", report.seed or "–"),
                ("Report file, SHA-256", report.hash.hex()),
                ("Log size of the audited results", str(plan.size)),
                ("Log size up to which counts are taken into account", str(report.size)),
                ("Design, draw and risk function", f"{plan.design}, {plan.draw}, {plan.risk}"),
            )
        ],
        "again": (
            "Whoever has the plan, the files that it names, the seed and the signed counts computes every figure of this report "
            "again: scrutineer audit verify."
        ),
    }
    try:
        return typeset("scrutineer.audits", "report.typ", content)
    except TypesettingError as error:
        raise AuditError(f"the report cannot be made as a PDF ({error}); report.json and report.html are there") from error


def _risk(planned: PlannedContest, reported: ReportedContest) -> str:
    if planned.full_count:
        return "needs a full count"
    alongside = "" if planned.target else "; it is measured alongside, and the audit does not wait for it"
    return f"risk {reported.risk}, {'confirmed' if reported.confirmed else 'not confirmed'}{alongside}"


def _other(other: OtherPlan) -> str:
    ended = "no report yet" if other.outcome is None else OUTCOME_WORDS[other.outcome].label
    return (
        f"{other.name}: planned {'before' if other.before else 'after'} this one, {'' if other.drawn else 'not '}drawn; {ended}."
    )


def _some(units: tuple[str, ...]) -> list[str]:
    left = len(units) - _MOST_LINES
    return [*units[:_MOST_LINES], *([f"and {left} more"] if left > 0 else [])]
