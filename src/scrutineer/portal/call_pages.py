"""Whether the outcome can still change, as pages show it: the call in a sentence, a picture, its table, what it rests on."""

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup

from scrutineer.calls import Call, ConditionCall
from scrutineer.calls.condition_words import in_votes, times, votes_text
from scrutineer.calls.picture import description, headline, picture
from scrutineer.calls.sentences import condition_sentence, explanations, names_of, sentence
from scrutineer.calls.track import Track, rows
from scrutineer.election import Contest
from scrutineer.portal.called import Called
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.text import number, sentence_words, words
from scrutineer.portal.view import View
from scrutineer.statements.contest_call import CalledCondition, ContestCall

WIDE: Final = 760  # pixels
NARROW: Final = 360
CONDITIONS_SHOWN: Final = 12
VERDICTS: Final = {
    "not-coherent": "Not coherent",
    "arithmetic": "Decided by arithmetic",
    "statistics": "Decided by statistics",
    "not-decided": "Not decided",
}
_GAMMA: Final = (
    "<p>Votes to spare are those by which a condition holds now. Gamma says how many times as common one kind of station may be "
    "among those still open as among those counted, region by region. A condition flips at the gamma in the table; “seen” is the "
    "largest such difference between later and earlier stations so far.</p>\n"
)
REASONS: Final[dict[str, str]] = {
    "outstanding-exceeds-lead": "more could still come than the difference",
    "order-sensitive": "a difference between open and counted stations within gamma could flip it",
    "order-seen": "the order in which stations had reported spoke against gamma",
    "sizes-seen": "large and small stations had reported too unevenly for gamma",
    "stratum-uncovered": "a region with open stations had too few counted ones",
    "test-not-passed": "the sequential test had not passed",
    "recount-band": "the difference lay within the recount band",
    "not-committed": "the settings were not committed to before the first result",
    "tie": "level",
    "inputs": "figures were missing",
}
"""Why a call of a bulletin was not decided; one for each `calls.call.Reason`."""

_CODES: Final = {
    "lead": "{0} has more votes than {1}",
    "above": "{0} has the share that the rule asks for",
    "below": "{0} does not have the share that the rule asks for",
    "ahead": "{0} is as far ahead of {1} as the rule asks for",
    "short": "{0} is not as far ahead of {1} as the rule asks for",
    "seat": "{0} keeps its last seat before {1}",
    "elimination": "{1} leaves before {0}",
}


def call_sentence(pages: Pages, contest: int) -> str:
    """The call in one sentence; empty where there is none, or arithmetic has said it already."""
    view = pages.view
    found = view.called[contest]
    if found is None or found.call.verdict == "arithmetic":
        return ""
    return Markup(f'<p class="called">{sentence_words(sentence(found.call, view.election.contests[contest]))}</p>\n')  # noqa: S704


def statistics(view: View, contest: int) -> bool:
    """Whether a contest is decided by statistics, and not by arithmetic."""
    found = view.called[contest]
    return found is not None and found.call.verdict == "statistics"


def call_picture(pages: Pages, contest: int) -> str:
    """The picture of the lead, and the way to what the verdict rests on; empty where there is no call."""
    view = pages.view
    found = view.called[contest]
    if found is None:
        return ""
    asked = view.election.contests[contest]
    shown = "" if found.track is None else _figure(view, found.track, asked, "")
    return Markup(f'{shown}<p class="go"><a href="{view.places.call(asked.id, "html")}">What this rests on</a></p>\n')  # noqa: S704


def call_pages(pages: Pages) -> Iterator[SiteFile]:
    """A page for the call on each contest."""
    view = pages.view
    for contest, found in zip(view.election.contests, view.called, strict=True):
        if found is None:
            continue
        yield _page(pages, contest, found)


def call_pictures(view: View) -> Iterator[SiteFile]:
    """The pictures of the calls as files of their own, wide and for a telephone."""
    for contest, found in zip(view.election.contests, view.called, strict=True):
        if found is not None and found.track is not None:
            for width, ending in ((WIDE, "svg"), (NARROW, "narrow")):
                yield SiteFile(view.places.call(contest.id, ending), (picture(found.track, width=width).encode(),))


def stated_call(view: View, stated: ContestCall) -> str:
    """A call as a bulletin states it."""
    # Another contest may have the same ids for other candidates.
    asked = next((contest for contest in view.election.contests if contest.id == stated.contest), None)
    names = {candidate.id: candidate.name for candidate in asked.standing()} if asked is not None else {}
    shown = list(stated.conditions)
    if stated.lead is not None and stated.lead not in shown:
        shown.append(stated.lead)
    shown.sort(key=lambda condition: (condition.verdict == "arithmetic", condition.value))
    body = "".join(_stated_row(condition, names) for condition in shown[:CONDITIONS_SHOWN])
    reasons = "; ".join(REASONS.get(reason) or words(reason) for reason in stated.reasons)
    return (
        f"<h3>The call</h3>\n<p><strong>{VERDICTS[stated.verdict]}</strong>{f': {reasons}' if reasons else ''}.</p>\n"
        f"{_table('What it rested on', body) if body else ''}"
    )


def _page(pages: Pages, contest: Contest, found: Called) -> SiteFile:
    view = pages.view
    call = found.call
    why = [*explanations(call, contest), *call.incoherent]
    listed = "".join(f"<li>{sentence_words(text)}</li>\n" for text in why)
    content = [
        f"<h1>{_title(contest)}</h1>\n",
        _opening(call, sentence(call, contest)),
        f"<h2>Why, and what would change it</h2>\n<ul>\n{listed}</ul>\n" if why else "",
        "" if found.track is None else _figure(view, found.track, contest, "../") + _track_table(found.track),
        _conditions(call, contest),
    ]
    return pages.plain(view.places.call(contest.id, "html"), "Call", "".join(content), [("index.html", "Result")])


def _title(contest: Contest) -> str:
    asks = contest.title.rstrip().endswith("?")
    return f"{words(contest.title)} Can it still change?" if asks else f"{words(contest.title)}: can it still change?"


def _opening(call: Call, text: str) -> str:
    """The sentence of the call, whole; what stands after its first part in smaller letters, because it can be long."""
    first, semicolon, rest = text.partition("; ") if call.verdict != "not-coherent" else (text, "", "")
    if not semicolon:
        return f'<p class="lead">{sentence_words(first)}</p>\n'
    return f'<p class="lead">{sentence_words(first + ".")}</p>\n<p>{sentence_words(rest[0].upper() + rest[1:])}</p>\n'


def _figure(view: View, track: Track, contest: Contest, up: str) -> str:
    alt = sentence_words(f"{headline(track)}. {description(track)}", isolate=False)
    narrow, wide = (up + view.places.call(contest.id, ending) for ending in ("narrow", "svg"))
    return (
        f'<figure class="lead-picture"><picture><source media="(max-width: 40rem)" srcset="{narrow}">'
        f'<img src="{wide}" alt="{alt}"></picture></figure>\n'
    )


def _track_table(track: Track) -> str:
    head, *lines = ([sentence_words(cell, isolate=False) for cell in row] for row in rows(track))
    cells = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in line)}</tr>\n" for line in lines)
    return (
        f'<div class="wide"><table class="list"><caption>The picture as a table</caption>\n<thead><tr>{cells}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table></div>\n"
    )


def _conditions(call: Call, contest: Contest) -> str:
    names = names_of(call, contest)
    shown = list(call.conditions)
    shown.sort(key=lambda condition: (condition.verdict == "arithmetic", in_votes(condition.condition, condition.value, names)))
    body = "".join(_row(condition, names, ordered=call.ordered) for condition in shown[:CONDITIONS_SHOWN])
    if not body:
        return ""
    return f"{_table('What the verdict rests on', body)}{_GAMMA}"


def _row(condition: ConditionCall, names: tuple[str, ...], *, ordered: bool) -> str:
    found, asked = condition.sensitivity, condition.condition
    flips_at = "" if found is None else "never" if found.flips_at is None else times(found.flips_at)
    seen = "" if found is None else "not known" if not ordered else "beyond" if found.seen is None else times(found.seen)
    votes = votes_text(asked, condition.value, names)
    return _cells(condition_sentence(asked, names), votes, flips_at, seen, VERDICTS[condition.verdict])


def _stated_row(condition: CalledCondition, names: dict[str, str]) -> str:
    flips_at = "" if condition.flips_at is None else times(condition.flips_at)
    seen = "" if condition.seen is None else times(condition.seen)
    kind, *ids = condition.code.split(":")
    who = [*(names.get(own, own) for own in ids), "the others", "the others"]
    text = _CODES[kind].format(*who) if kind in _CODES else condition.code
    # A bulletin states the value in whole numbers as the condition weighs votes; only of two candidates are these votes.
    votes = number(condition.value) if kind in ("lead", "elimination") else ""
    return _cells(text, votes, flips_at, seen, VERDICTS[condition.verdict])


def _cells(text: str, votes: str, flips_at: str, seen: str, verdict: str) -> str:
    cells = (votes, flips_at, seen, verdict)
    return f'<tr><th scope="row">{sentence_words(text)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>\n'


def _table(caption: str, body: str) -> str:
    return (
        f'<div class="wide"><table class="list conditions"><caption>{caption}</caption>\n'
        '<thead><tr><th scope="col">Condition</th>'
        '<th scope="col">Votes to spare</th><th scope="col">Flips at gamma</th><th scope="col">Seen so far</th>'
        f'<th scope="col">Verdict</th></tr></thead>\n<tbody>\n{body}</tbody></table></div>\n'
    )
