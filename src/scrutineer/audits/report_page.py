"""The report of an audit as a page that needs nothing beside it: no style sheet, no script, no network."""

from typing import Final

from scrutineer.audits.plan import Plan
from scrutineer.audits.report import Report
from scrutineer.design import environment
from scrutineer.language import HtmlSay, Language, language, msg

OUTCOMES: Final = {
    "confirmed": msg("The audit confirms the reported outcome at its risk limit."),
    "full-count": msg("A sample cannot confirm the reported outcome: all cards have to be counted by hand."),
    "continuing": msg("The audit is not at its end: the outcome is not confirmed yet."),
    "stopped": msg("The audit was stopped before the outcome was confirmed."),
    "held": msg("The audit was held."),
}
STATES: Final = {"counted": msg("counted"), "missing": msg("not found"), "illegible": msg("not legible")}


def report_page(plan: Plan, report: Report, spoken: Language | None = None) -> bytes:
    """The page, in English unless another language is asked for. The same report gives the same bytes."""
    say = HtmlSay(spoken or language("en"))
    absent = (
        (say("Not found"), report.missing),
        (say("Not legible"), report.illegible),
        (say("Not counted yet"), report.pending),
    )
    page = environment("scrutineer.audits").get_template("audit_report.html")
    text = page.render(
        say=say,
        plan=plan,
        report=report,
        outcome=say.later(OUTCOMES[report.outcome]),
        states={state: say.later(word) for state, word in STATES.items()},
        absent=absent,
        notes=[*report.voids, *report.faults],
    )
    return text.encode()
