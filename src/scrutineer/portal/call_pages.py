"""Whether the outcome can still change, as pages show it: the call in a sentence, a picture, its table, what it rests on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from markupsafe import Markup

from scrutineer.calls import Call, ConditionCall
from scrutineer.calls.condition_words import condition_sentence, in_votes, joined, times, votes_text
from scrutineer.calls.from_count import beyond_rolls_words
from scrutineer.calls.picture import picture
from scrutineer.calls.picture_words import description, headline
from scrutineer.calls.sentences import explanations, names_of, sentences
from scrutineer.calls.track import rows
from scrutineer.election import Contest
from scrutineer.language import HtmlSay, PlainSay, msg
from scrutineer.portal.called import Called
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View
from scrutineer.statements.contest_call import CalledCondition, ContestCall

WIDE: Final = 760  # pixels
NARROW: Final = 360
CONDITIONS_SHOWN: Final = 12
VERDICTS: Final = {
    "not-coherent": msg("Not coherent"),
    "arithmetic": msg("Decided by arithmetic"),
    "statistics": msg("Decided by statistics"),
    "not-decided": msg("Not decided"),
}
REASONS: Final[dict[str, str]] = {
    "outstanding-exceeds-lead": msg("more could still come than the difference"),
    "order-sensitive": msg("a difference between open and counted stations within gamma could flip it"),
    "order-seen": msg("the order in which stations had reported spoke against gamma"),
    "sizes-seen": msg("large and small stations had reported too unevenly for gamma"),
    "stratum-uncovered": msg("a region with open stations had too few counted ones"),
    "test-not-passed": msg("the sequential test had not passed"),
    "recount-band": msg("the difference lay within the recount band"),
    "not-committed": msg("the settings were not committed to before the first result"),
    "tie": msg("level"),
    "inputs": msg("figures were missing"),
}
"""Why a call of a bulletin was not decided; one for each `calls.call.Reason`."""

_CODES: Final = {
    "lead": msg("{candidate} has more votes than {rival}"),
    "above": msg("{candidate} has the share that the rule asks for"),
    "below": msg("{candidate} does not have the share that the rule asks for"),
    "ahead": msg("{candidate} is as far ahead of {rival} as the rule asks for"),
    "short": msg("{candidate} is not as far ahead of {rival} as the rule asks for"),
    "seat": msg("{candidate} keeps its last seat before {rival}"),
    "elimination": msg("{rival} leaves before {candidate}"),
}


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """A condition in a table. All texts are HTML; figures that are not known are empty."""

    text: str
    votes: str
    flips_at: str
    seen: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Figure:
    """The picture of a lead: its two files, and its words for those who do not see it (plain text)."""

    wide: str
    narrow: str
    words: str


def call_sentence(pages: Pages, contest: int) -> Markup:
    """How the call begins, as a paragraph; empty where there is none, or arithmetic has said it already.

    What follows after the verdict and who leads is for the page of the call, which is a link away.
    """
    found = pages.view.called[contest]
    if found is None or found.call.verdict == "arithmetic":
        return Markup()
    said, _ = sentences(_call(found, pages.say), pages.view.election.contests[contest], say=pages.say)
    return Markup('<p class="called">{}</p>\n').format(said)


def statistics(view: View, contest: int) -> bool:
    """Whether a contest is decided by statistics, and not by arithmetic."""
    found = view.called[contest]
    return found is not None and found.call.verdict == "statistics"


def call_picture(pages: Pages, contest: int, page: str = "index.html") -> Markup:
    """The picture of the lead on a page, and the way to what the verdict rests on; empty where there is no call."""
    found = pages.view.called[contest]
    if found is None:
        return Markup()
    asked = pages.view.election.contests[contest]
    values = {
        "figure": _figure(pages, found, asked),
        "statistics": found.call.verdict == "statistics",
        "more": pages.view.places.call(asked.id, "html"),
    }
    return Markup(pages.template("call_picture.html").render(pages.context(page, "") | values))  # noqa: S704


def call_pages(pages: Pages) -> Iterator[SiteFile]:
    """A page for the call on each contest, and its pictures: files of their own, wide and for a telephone."""
    for contest, found in zip(pages.view.election.contests, pages.view.called, strict=True):
        if found is None:
            continue
        yield _page(pages, contest, found)
        if found.track is not None:
            for width, ending in ((WIDE, "svg"), (NARROW, "narrow")):
                path = pages.path(pages.view.places.call(contest.id, ending))
                yield SiteFile(path, (picture(found.track, width=width, say=_plain(pages)).encode(),))


def stated_call(pages: Pages, stated: ContestCall) -> Markup:
    """A call as a bulletin states it."""
    # Another contest may have the same ids for other candidates.
    say = pages.say
    asked = next((contest for contest in pages.view.election.contests if contest.id == stated.contest), None)
    names = {candidate.id: candidate.name for candidate in asked.standing()} if asked is not None else {}
    shown = list(stated.conditions)
    if stated.lead is not None and stated.lead not in shown:
        shown.append(stated.lead)
    shown.sort(key=lambda condition: (condition.verdict == "arithmetic", condition.value))
    reasons = [say.later(REASONS[reason]) if reason in REASONS else say.name(reason) for reason in stated.reasons]
    return Markup(  # noqa: S704
        pages.template("stated_call.html").render(
            say=say,
            contest=stated.contest if asked is None else asked.title,
            verdict=say.later(VERDICTS[stated.verdict]),
            reasons=joined(reasons, say) if reasons else "",
            conditions=[_stated_row(condition, names, say) for condition in shown[:CONDITIONS_SHOWN]],
        )
    )


def _page(pages: Pages, contest: Contest, found: Called) -> SiteFile:
    say, call = pages.say, _call(found, pages.say)
    lead, rest = sentences(call, contest, say=say)
    table: Sequence[Sequence[str]] = () if found.track is None else rows(found.track, say=say)
    return pages.render(
        "call.html",
        pages.view.places.call(contest.id, "html"),
        say("Can it still change?"),
        crumbs=[("index.html", say("Result"))],
        contest=contest.title,
        asks=contest.title.rstrip().endswith("?"),
        lead=lead,
        rest=rest,
        why=[*explanations(call, contest, say=say), *call.incoherent],
        figure=_figure(pages, found, contest),
        track=table,
        conditions=_conditions(call, contest, say),
    )


def _call(found: Called, say: HtmlSay) -> Call:
    """A call whose findings are said in the language of a page."""
    return found.call if found.beyond is None else replace(found.call, incoherent=(beyond_rolls_words(*found.beyond, say),))


def _figure(pages: Pages, found: Called, contest: Contest) -> Figure | None:
    if found.track is None:
        return None
    say, call = _plain(pages), pages.view.places.call
    words = say(
        "{headline}. {description}", headline=headline(found.track, say=say), description=description(found.track, say=say)
    )
    return Figure(pages.path(call(contest.id, "svg")), pages.path(call(contest.id, "narrow")), words)


def _plain(pages: Pages) -> PlainSay:
    return PlainSay(pages.language, pages.say.zone)


def _conditions(call: Call, contest: Contest, say: HtmlSay) -> list[ConditionRow]:
    names = names_of(call, contest)
    shown = list(call.conditions)
    shown.sort(key=lambda condition: (condition.verdict == "arithmetic", in_votes(condition.condition, condition.value, names)))
    return [_row(condition, names, say, ordered=call.ordered) for condition in shown[:CONDITIONS_SHOWN]]


def _row(condition: ConditionCall, names: tuple[str, ...], say: HtmlSay, *, ordered: bool) -> ConditionRow:
    found, asked = condition.sensitivity, condition.condition
    flips_at = seen = ""
    if found is not None:
        flips_at = say("never") if found.flips_at is None else times(found.flips_at, say)
        seen = say("not known") if not ordered else say("beyond") if found.seen is None else times(found.seen, say)
    return ConditionRow(
        condition_sentence(asked, names, say=say),
        votes_text(asked, condition.value, names, say=say),
        flips_at,
        seen,
        say.later(VERDICTS[condition.verdict]),
    )


def _stated_row(condition: CalledCondition, names: dict[str, str], say: HtmlSay) -> ConditionRow:
    flips_at = "" if condition.flips_at is None else times(condition.flips_at, say)
    seen = "" if condition.seen is None else times(condition.seen, say)
    kind, *ids = condition.code.split(":")
    first, second, *_ = (*(say.name(names.get(own, own)) for own in ids), say("the others"), say("the others"))
    text = say.later(_CODES[kind], candidate=first, rival=second) if kind in _CODES else say.name(condition.code)
    # A bulletin states the value in whole numbers as the condition weighs votes; only of two candidates are these votes.
    votes = say.number(condition.value) if kind in ("lead", "elimination") else ""
    return ConditionRow(text, votes, flips_at, seen, say.later(VERDICTS[condition.verdict]))
