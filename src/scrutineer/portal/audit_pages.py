"""The audit programme: which audits were planned and held, by whom, what each found, and what it can and cannot show.

The page says what was registered, and takes no report's word for it: `scrutineer verify` computes every risk again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Final

from scrutineer.audits.assertion_words import assertion_sentence
from scrutineer.audits.check_head import HEAD_FILE
from scrutineer.audits.other_plans import ContestPlans
from scrutineer.audits.outcome_words import DISCREPANCY_WORDS, OUTCOME_WORDS
from scrutineer.audits.plan import PLAN_FILE
from scrutineer.audits.registered import RegisteredAudit
from scrutineer.audits.report import page_name
from scrutineer.portal.audit_files import audit_file_of, audit_path, report_files
from scrutineer.portal.audit_words import OUTCOME_MARKS, SUBJECT_WORDS, UNIT_WORDS
from scrutineer.portal.audited import Audited
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.night import Night
from scrutineer.portal.pages import Pages
from scrutineer.portal.paging import paged
from scrutineer.portal.places import numbered
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
class _Plan:
    """One of the plans for a contest. Texts are HTML."""

    name: str
    path: str
    """Of the page on which it is told."""
    stands: str
    """What its last report says, or how far it is without one."""


@dataclass(frozen=True, slots=True)
class _Contest:
    """A contest with all plans that audit it. Texts are HTML."""

    title: str
    reported: tuple[_Plan, ...]
    unreported: tuple[_Plan, ...]


@dataclass(frozen=True, slots=True)
class _Reported:
    """One report. Texts are HTML."""

    index: int
    mark: str
    label: str
    risks: tuple[tuple[str, str, bool], ...]
    """By contest: its title, its measured risk, and whether that is within the risk limit."""
    found: str
    shows: str
    reporter: str
    page: str
    """Its page on the site; empty where that is not published."""


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
    earlier: int
    """How many plans for the same contests were registered before it."""
    unreadable: tuple[tuple[str, str], ...]
    """Published files that nobody can work with: their names, and why."""
    files: tuple[_File, ...]
    shown: tuple[_Shown, ...]
    """Empty where the plan file has not been published."""
    seed_index: int
    seed: str
    """Its digits in groups of five; empty where nothing has been drawn yet."""
    seed_how: str
    seed_who: str
    seed_when: str
    seed_head: str
    """The head of the log that it names: its path, or its name where it is not published; empty where it names none."""
    boxes: tuple[tuple[str, int], ...]
    cards: int
    counts: int
    """That hold."""
    replaced: tuple[tuple[str, str], ...]
    """By count that others took the place of: its box, and why."""
    left_out: int
    """Counts that contradict others."""
    reasons: tuple[tuple[str, int], ...]
    reports: tuple[_Reported, ...]
    """The latest first."""
    outdated: str
    """Contests whose results now are others than those that the audit confirmed; empty where there is none."""


def audit_pages(pages: Pages) -> Iterator[SiteFile]:
    """`audits.html` and its further pages, in the order of the plans."""
    say, found = pages.say, pages.view.audits
    night = Night(pages.view)
    paths = {
        audit.log.hash: f"{numbered(PATH, number // AUDITS_PER_PAGE + 1)}#entry-{audit.log.planned.index}"
        for number, audit in enumerate(found.every)
    }
    earlier = _earlier(found.by_contest)
    contests = tuple(_contest(pages, plans, paths) for plans in found.by_contest)
    rows = (_audit(pages, night, audit, earlier.get(audit.log.hash, 0)) for audit in found.every)
    for paging in paged(PATH, len(found.every), AUDITS_PER_PAGE):
        yield pages.render(
            "audits.html",
            paging.own_path,
            say("Audits") if paging.number == 1 else say("Audits, page {page}", page=paging.number),
            audits=list(islice(rows, AUDITS_PER_PAGE)),
            outcomes=sum(audit.log.plan.about == "outcome" for audit in found.every),
            contests=contests if paging.number == 1 else (),
            unplanned=len(pages.view.election.contests) - len(contests),
            log_size=pages.view.count.size,
            paging=paging,
        )


def _earlier(by_contest: Sequence[ContestPlans]) -> dict[bytes, int]:
    """By plan how many plans were registered before it that audit one of its contests."""
    before: dict[bytes, set[bytes]] = {}
    for plans in by_contest:
        hashes = [audit.hash for audit in plans.audits]
        for number, own in enumerate(hashes):
            before.setdefault(own, set()).update(hashes[:number])
    return {own: len(others) for own, others in before.items()}


def _contest(pages: Pages, plans: ContestPlans, paths: Mapping[bytes, str]) -> _Contest:
    contest = pages.view.election.contests[pages.view.election.contest_index[plans.contest]]
    return _Contest(
        pages.say.name(contest.title),
        tuple(_plan(pages, audit, paths, plans.contest) for audit in plans.reported),
        tuple(_plan(pages, audit, paths, plans.contest) for audit in plans.unreported),
    )


def _plan(pages: Pages, audit: RegisteredAudit, paths: Mapping[bytes, str], contest: str = "") -> _Plan:
    say = pages.say
    if audit.outcome == "confirmed" and contest not in audit.confirmed():
        stands = say("ended; this contest was measured alongside, and is not confirmed")
    elif audit.outcome is not None:
        stands = say.later(OUTCOME_WORDS[audit.outcome].label)
    elif audit.seeded is not None:
        stands = say("drawn since log entry {entry}, no report yet", entry=audit.seeded.index)
    else:
        stands = say("planned since log entry {entry}, not drawn yet", entry=audit.planned.index)
    return _Plan(say.name(audit.plan.name), paths[audit.hash], stands)


def _audit(pages: Pages, night: Night, audit: Audited, earlier: int) -> _Audit:
    say, log = pages.say, audit.log
    plan, seed = log.plan, log.seed
    words = SUBJECT_WORDS[plan.about]
    boxes, reasons = log.boxes(), log.reasons()
    return _Audit(
        index=log.planned.index,
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
        planner=reporter(pages, log.planned),
        planned_time=say.time(night.snapshots[night.first_showing(log.planned.index)].time),
        earlier=earlier,
        unreadable=tuple((own.name, say.name(own.why)) for own in audit.unreadable),
        files=tuple(_files(pages, plan)),
        shown=tuple(_shown(pages, audit)),
        seed_index=-1 if log.seeded is None else log.seeded.index,
        seed="" if seed is None else " ".join(seed.seed[at : at + 5] for at in range(0, len(seed.seed), 5)),
        seed_how="" if seed is None else say.name(seed.how),
        seed_who="" if seed is None else say.name(seed.who),
        seed_when="" if seed is None else say.name(seed.when),
        seed_head="" if seed is None or seed.head is None else _path(pages, plan, HEAD_FILE, HEAD_FILE),
        boxes=tuple((say.later(word), boxes[status]) for status, word in UNIT_WORDS.items() if status in boxes),
        cards=log.cards(),
        counts=len(log.seen.held),
        replaced=tuple((say.name(one.counted.count.box), say.name(one.by.count.note)) for one in log.seen.replaced),
        left_out=len(log.seen.faults),
        reasons=tuple((say.later(word), reasons[code]) for code, word in DISCREPANCY_WORDS.items() if code in reasons),
        reports=tuple(
            _Reported(
                own.index,
                OUTCOME_MARKS[report.outcome],
                say.later(OUTCOME_WORDS[report.outcome].label),
                tuple(_risks(pages, plan, report)),
                _text(pages, report.found),
                _text(pages, report.shows),
                reporter(pages, own),
                _path(pages, plan, page_name(name), ""),
            )
            for name, (own, report) in reversed(list(zip(report_files(log), log.reports, strict=True)))
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


def _shown(pages: Pages, audit: Audited) -> Iterator[_Shown]:
    if audit.file is None:
        return
    contests = {contest.id: contest for contest in pages.view.election.contests}
    for planned in audit.file.contests:
        contest = contests[planned.contest]
        sentences = (assertion_sentence(test.assertion(contest.id), contest, say=pages.say) for test in planned.tests)
        yield _Shown(pages.say.name(contest.title), tuple(islice(sentences, _MOST_SENTENCES)), bool(planned.full_count))


def _outdated(pages: Pages, audit: Audited) -> str:
    titles = {contest.id: contest.title for contest in pages.view.election.contests}
    return pages.say.listed([pages.say.name(titles[contest]) for contest in audit.outdated]) if audit.outdated else ""


def _path(pages: Pages, plan: AuditPlan, name: str, otherwise: str) -> str:
    """Where a file of an audit is on the site; what is said otherwise where it is not."""
    path = audit_path(plan.name, name)
    return path if path in pages.view.record.audits else otherwise


def _text(pages: Pages, text: str) -> str:
    """What somebody wrote; empty where nothing was written."""
    return pages.say.name(text) if text else ""


def _risks(pages: Pages, plan: AuditPlan, report: AuditReport) -> Iterator[tuple[str, str, bool]]:
    titles = {contest.id: contest.title for contest in pages.view.election.contests}
    for each in report.risks:
        within = Fraction(each.risk) <= Fraction(plan.risk_limit)
        yield pages.say.name(titles.get(each.contest, each.contest)), pages.say.name(each.risk), within
