"""The report of an audit as a page that needs nothing beside it: no style sheet, no script, no network.

The JSON file is the report, and the page shows it. Another version of the program may write another page for the same report, and
an old page is no worse for it: so a page says which version it is of, and names its report by hash.
"""

import re
from typing import Final, Literal

from scrutineer.audits.outcome_words import DISCREPANCY_WORDS, OUTCOME_WORDS
from scrutineer.audits.plan import Plan
from scrutineer.audits.report import Report
from scrutineer.design import environment
from scrutineer.language import HtmlSay, Language, language, msg

PAGE_FORMAT: Final = "scrutineer-audit-page/1"
"""Of what this version writes. Whoever changes a byte of the page raises the number."""
STATES: Final = {"counted": msg("counted"), "missing": msg("not found"), "illegible": msg("not legible")}

PageVerdict = Literal["same", "other-version", "changed"]
"""Of a page beside its report: the one that this version makes; one of another version, which names the report; neither."""

_HEAD: Final = 2_048  # bytes in which a page says what it is
_FORMAT: Final = re.compile(rb'<meta name="generator" content="(scrutineer-audit-page/[1-9][0-9]{0,5})">')


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
        several=say.several,
        format=PAGE_FORMAT,
        plan=plan,
        report=report,
        sha256=report.hash.hex(),
        outcome=say.later(OUTCOME_WORDS[report.outcome].sentence),
        states={state: say.later(word) for state, word in STATES.items()},
        reasons={code: say.later(word) for code, word in DISCREPANCY_WORDS.items()},
        absent=absent,
        notes=[*report.voids, *report.faults],
        others=[
            (other, "" if other.outcome is None else say.later(OUTCOME_WORDS[other.outcome].label)) for other in report.others
        ],
        before=sum(other.before for other in report.others),
        unreported=sum(other.outcome is None for other in report.others),
    )
    return text.encode()


def page_verdict(plan: Plan, report: Report, page: bytes) -> PageVerdict:
    """Whether a page is that of a report. What a page of another version shows is not looked at."""
    if page == report_page(plan, report):
        return "same"
    said = _FORMAT.search(page[:_HEAD])
    if said is None or said[1].decode() == PAGE_FORMAT or report.hash.hex().encode() not in page:
        return "changed"
    return "other-version"
