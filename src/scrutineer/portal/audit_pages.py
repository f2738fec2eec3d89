"""The audit programme: which audits were planned and held, by whom, what each found, and what it can and cannot show.

The page says what was registered, and takes no report's word for it: `scrutineer verify` computes every risk again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from scrutineer.audits.assertion_words import assertion_sentence
from scrutineer.audits.outcome_words import DISCREPANCY_WORDS, OUTCOME_WORDS
from scrutineer.audits.plan import PLAN_FILE
from scrutineer.portal.audit_files import audit_file_of, audit_path
from scrutineer.portal.audit_words import OUTCOME_MARKS, SUBJECT_WORDS, UNIT_WORDS
from scrutineer.portal.audited import Audited
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.night import Night
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.reported import place, reporter
from scrutineer.statements import AuditPlan, AuditReport

PATH: Final = "audits.html"
AUDITS_PER_PAGE: Final = 20
_MOST_SENTENCES: Final = 60
"""Of a contest; an instant run-off of many candidates can have thousands."""


@dataclass(frozen=True, slots=True)
class _File:
    """A file that the plan names, or one that follows from it."""

    name: str
    path: str
    """Where it is on the site; empty where it has not been published."""
    digest: str
    """Empty where no plan names it."""
    size: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """What has to be shown for the outcome of a contest. Texts are HTML."""

    contest: str
    sentences: tuple[str, ...]
    """Empty where only a full count can show it, or nobody stands against the outcome."""
    full_count: bool


@dataclass(frozen=True, slots=True)
class _Reported:
    """One report. Texts are HTML."""

    index: int
    mark: str
    label: str
    risks: tuple[tuple[str, str], ...]
    """By contest: its title and its measured risk."""
    found: str
    shows: str
    reporter: str


@dataclass(frozen=True, slots=True)
class _Audit:
    """One audit. Texts are HTML."""

    index: int
    name: str
    title: str
    by: str
    about: str
    place: str
    shows: str
    cannot: str
    protocol: str
    risk_limit: str
    size: int
    planner: str
    planned_time: str
    files: tuple[_File, ...]
    shown: tuple[_Shown, ...]
    """Empty where the plan file has not been published."""
    seed_index: int
    seed: str
    """Its digits in groups of five; empty where nothing has been drawn yet."""
    seed_how: str
    seed_who: str
    seed_when: str
    boxes: tuple[tuple[str, int], ...]
    cards: int
    counts: int
    replaced: int
    reasons: tuple[tuple[str, int], ...]
    reports: tuple[_Reported, ...]
    """The latest first."""
    outdated: str
    """Contests whose results now are others than those that the audit confirmed; empty where there is none."""


def audit_pages(pages: Pages) -> Iterator[SiteFile]:
    """`audits.html` and its further pages, in the order of the plans."""
    say, found = pages.say, pages.view.audited
    night = Night(pages.view)
    rows = (_audit(pages, night, audit) for audit in found)
    for paging in paged(PATH, len(found), AUDITS_PER_PAGE):
        yield pages.render(
            "audits.html",
            paging.own_path,
            say("Audits") if paging.number == 1 else say("Audits, page {page}", page=paging.number),
            audits=list(islice(rows, AUDITS_PER_PAGE)),
            planned=len(found),
            outcomes=sum(audit.plan.about == "outcome" for audit in found),
            paging=paging,
        )


def _audit(pages: Pages, night: Night, audit: Audited) -> _Audit:
    say, plan, seed = pages.say, audit.plan, audit.seed
    words = SUBJECT_WORDS[plan.about]
    boxes, reasons = audit.boxes(), audit.reasons()
    return _Audit(
        index=audit.planned.index,
        name=plan.name,
        title=say.name(plan.title),
        by=say.name(plan.by),
        about=say.later(words.label),
        place=place(pages, plan.unit) if plan.unit else "",
        shows=say.later(words.shows),
        cannot=say.later(words.cannot),
        protocol=say.name(plan.protocol),
        risk_limit=_text(pages, plan.risk_limit),
        size=plan.size,
        planner=reporter(pages, audit.planned),
        planned_time=say.time(night.snapshots[night.first_showing(audit.planned.index)].time),
        files=tuple(_files(pages, plan)),
        shown=tuple(_shown(pages, plan)),
        seed_index=-1 if audit.seeded is None else audit.seeded.index,
        seed="" if seed is None else " ".join(seed.seed[at : at + 5] for at in range(0, len(seed.seed), 5)),
        seed_how="" if seed is None else say.name(seed.how),
        seed_who="" if seed is None else say.name(seed.who),
        seed_when="" if seed is None else say.name(seed.when),
        boxes=tuple((say.later(word), boxes[status]) for status, word in UNIT_WORDS.items() if status in boxes),
        cards=audit.cards(),
        counts=len(audit.counts),
        replaced=audit.replaced,
        reasons=tuple((say.later(word), reasons[code]) for code, word in DISCREPANCY_WORDS.items() if code in reasons),
        reports=tuple(
            _Reported(
                own.index,
                OUTCOME_MARKS[report.outcome],
                say.later(OUTCOME_WORDS[report.outcome].label),
                tuple(_risks(pages, report)),
                _text(pages, report.found),
                _text(pages, report.shows),
                reporter(pages, own),
            )
            for own, report in reversed(audit.reports)
        ),
        outdated=_outdated(pages, audit),
    )


def _files(pages: Pages, plan: AuditPlan) -> Iterator[_File]:
    """The plan file, those that the signed plan names, and whatever else of this audit has been published."""
    published = pages.view.record.audits
    named = {file.name: (file.sha256.hex(), file.size) for file in plan.files}
    if plan.plan is not None:
        data = published.get(audit_path(plan.name, PLAN_FILE), b"")
        named = {PLAN_FILE: (plan.plan.hex(), len(data))} | named
    others = {
        own[1]: ("", len(published[path])) for path in sorted(published) if (own := audit_file_of(path)) and own[0] == plan.name
    }
    for name, (digest, size) in (named | {name: other for name, other in others.items() if name not in named}).items():
        path = audit_path(plan.name, name)
        yield _File(name, path if path in published else "", digest, size)


def _shown(pages: Pages, plan: AuditPlan) -> Iterator[_Shown]:
    file = pages.view.audit_plans.get(plan.name)
    if file is None:
        return
    contests = {contest.id: contest for contest in pages.view.election.contests}
    for planned in file.contests:
        contest = contests.get(planned.contest)
        if contest is not None:
            sentences = (assertion_sentence(test.assertion(contest.id), contest, say=pages.say) for test in planned.tests)
            yield _Shown(pages.say.name(contest.title), tuple(islice(sentences, _MOST_SENTENCES)), bool(planned.full_count))


def _outdated(pages: Pages, audit: Audited) -> str:
    changed = pages.view.outdated_audits.get(audit.plan.name, ())
    titles = {contest.id: contest.title for contest in pages.view.election.contests}
    return pages.say.listed([pages.say.name(titles[contest]) for contest in changed]) if changed else ""


def _text(pages: Pages, text: str) -> str:
    """What somebody wrote; empty where nothing was written."""
    return pages.say.name(text) if text else ""


def _risks(pages: Pages, report: AuditReport) -> Iterator[tuple[str, str]]:
    titles = {contest.id: contest.title for contest in pages.view.election.contests}
    for each in report.risks:
        yield pages.say.name(titles.get(each.contest, each.contest)), pages.say.name(each.risk)
