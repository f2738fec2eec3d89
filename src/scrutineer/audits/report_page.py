"""The report of an audit as a page that needs nothing beside it: no style sheet, no script, no network.

The JSON file is the report, and the page shows it. Another version of the program may write another page for the same report, and
an old page is no worse for it: so a page says which version it is of, and names its report by hash.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from scrutineer.audits.assertion_words import assertion_sentence
from scrutineer.audits.outcome_words import DISCREPANCY_WORDS, OUTCOME_WORDS
from scrutineer.audits.plan import Plan
from scrutineer.audits.report import Report
from scrutineer.design import environment
from scrutineer.election import Contest
from scrutineer.language import HtmlSay, Language, language, msg

PAGE_FORMAT: Final = "scrutineer-audit-page/1"
"""Of what this version writes. Whoever changes a byte of the page raises the number."""
STATES: Final = {"counted": msg("counted"), "missing": msg("not found"), "illegible": msg("not legible")}

PageVerdict = Literal["same", "other-version", "changed"]
"""Of a page beside its report: the one that this version makes; one of another version, which names the report; neither."""

_HEAD: Final = 2_048  # bytes in which a page says what it is
_FORMAT: Final = re.compile(rb'<meta name="generator" content="(scrutineer-audit-page/[1-9][0-9]{0,5})">')


@dataclass(frozen=True, slots=True)
class _Risks:
    """One contest and its assertions. Texts are HTML."""

    title: str
    full_count: bool
    target: bool
    """Whether the audit goes on until it is confirmed."""
    confirmed: bool
    risk: str
    assertions: tuple[tuple[str, str], ...]
    """What has to be true, and its risk."""


def report_page(plan: Plan, report: Report, contests: Sequence[Contest], spoken: Language | None = None) -> bytes:
    """The page, in English unless another language is asked for. The same report gives the same bytes.

    `contests`: those of the definition, which name the options; what is of none of them is called as plan and report call it.
    """
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
        contests=tuple(_risks(plan, report, {contest.id: contest for contest in contests}, say)),
        states={state: say.later(word) for state, word in STATES.items()},
        reasons=lambda codes: say.listed([say.later(DISCREPANCY_WORDS[code]) for code in codes]),
        absent=absent,
        notes=[*report.voids, *report.faults],
        others=[
            (other, "" if other.outcome is None else say.later(OUTCOME_WORDS[other.outcome].label)) for other in report.others
        ],
        before=sum(other.before for other in report.others),
        unreported=sum(other.outcome is None for other in report.others),
    )
    return text.encode()


def page_verdict(plan: Plan, report: Report, contests: Sequence[Contest], page: bytes) -> PageVerdict:
    """Whether a page is that of a report. What a page of another version shows is not looked at."""
    if page == report_page(plan, report, contests):
        return "same"
    said = _FORMAT.search(page[:_HEAD])
    if said is None or said[1].decode() == PAGE_FORMAT or report.hash.hex().encode() not in page:
        return "changed"
    return "other-version"


def _risks(plan: Plan, report: Report, contests: Mapping[str, Contest], say: HtmlSay) -> Iterator[_Risks]:
    targets = {planned.contest for planned in plan.contests if planned.target}
    assertions = {(contest, test.code): test.assertion(contest) for contest, test in plan.tests()}
    for reported in report.contests:
        contest = contests.get(reported.contest)
        lines: list[tuple[str, str]] = []
        for test in report.tests:
            if test.contest == reported.contest:
                assertion = assertions.get((test.contest, test.code))
                if contest is None or assertion is None or len(assertion.weights) != len(contest.options):
                    lines.append((say.name(test.code), test.risk))
                else:
                    lines.append((say.capital(assertion_sentence(assertion, contest, say=say)), test.risk))
        title = reported.contest if contest is None else contest.title
        yield _Risks(
            say.name(title),
            bool(reported.full_count),
            reported.contest in targets,
            reported.confirmed,
            reported.risk,
            tuple(lines),
        )
