"""Votes as tables: candidates with votes and shares, seats, and the rounds of an instant run-off. Templates draw them."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from scrutineer.count import UnitResult, unit_result
from scrutineer.election.contests import LIST_RULES
from scrutineer.language import HtmlSay
from scrutineer.portal import words
from scrutineer.portal.page import share_bar
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View, base_of


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One candidate or list. Texts are HTML."""

    name: str
    parts: tuple[tuple[str, str], ...]
    """Name and votes of each ballot option, where the candidate stands on several."""
    votes: str
    share: str
    bar: Markup
    seats: str
    """Empty where the contest gives no seats here."""


@dataclass(frozen=True, slots=True)
class VotesTable:
    """Candidates with votes, most votes first, then blank and null votes and ballots (`votes_table.html`)."""

    caption: str
    who: str
    what: str
    base: str
    """What the shares are shares of."""
    rows: tuple[CandidateRow, ...]
    seats: bool
    blank: str
    null: str
    ballots: str
    turnout: str
    """Empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Round:
    """The figures of a candidate in the rounds of a run-off: text, and whether the candidate leaves after it."""

    name: str
    cells: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class RoundsTable:
    """The rounds of an instant run-off (`rounds_table.html`)."""

    heads: tuple[str, ...]
    rows: tuple[Round, ...]
    exhausted: tuple[str, ...]


def votes_table(pages: Pages, contest: int, result: UnitResult) -> VotesTable:
    """The table of a contest in any unit."""
    view, say = pages.view, pages.say
    terms = view.election.contests[contest]
    votes = view.by_candidate(contest, result.votes)
    base = base_of(terms, result)
    whole = result is view.standings[contest].result
    seats = view.standings[contest].outcome.seats if whole else ()
    rows = tuple(
        CandidateRow(
            name=view.candidate_names[contest][index],
            parts=_parts(pages, contest, index, result),
            votes=say.number(votes[index]),
            share=say.percent(votes[index], base.ballots),
            bar=share_bar(votes[index], base.ballots),
            seats=say.number(seats[index]) if seats else "",
        )
        for index in sorted(range(len(votes)), key=lambda index: (-votes[index], index))
    )
    return VotesTable(
        caption=words.rule_sentence(say, terms) if whole else say("Votes of the stations that are counted here"),
        who=say("Answer") if terms.rule == "yes-no" else say("List") if terms.rule in LIST_RULES else say("Candidate"),
        what=say("First preferences") if terms.rule == "ranked" else say("Votes"),
        base=say.later(base.label),
        rows=rows,
        seats=bool(seats),
        blank=known(say, result.blank),
        null=known(say, result.null),
        ballots=say.number(result.ballots),
        turnout="" if not result.counted or result.roll_counted is None else say.percent(result.ballots, result.roll_counted),
    )


def _parts(pages: Pages, contest: int, candidate: int, result: UnitResult) -> tuple[tuple[str, str], ...]:
    """The votes of each option of a candidate who stands on several."""
    view, say = pages.view, pages.say
    options = view.options_of(contest, candidate)
    if len(options) < 2:
        return ()
    terms = view.election.contests[contest]
    return tuple((say.name(terms.options[option].name), say.number(result.votes[option])) for option in options)


def rounds_table(pages: Pages, contest: int) -> RoundsTable | None:
    """The rounds of an instant run-off; None for every other rule, and where one round was enough."""
    view, say = pages.view, pages.say
    rounds = view.standings[contest].outcome.rounds
    if len(rounds) < 2:
        return None
    names = view.candidate_names[contest]
    order = sorted(range(len(names)), key=lambda index: tuple(-(r.votes[index] or 0) for r in reversed(rounds)))
    return RoundsTable(
        heads=tuple(say("Round {number}", number=n) for n in range(1, len(rounds) + 1)),
        rows=tuple(
            Round(
                names[index],
                tuple(
                    ("–", False) if (votes := r.votes[index]) is None else (say.number(votes), index in r.eliminated)
                    for r in rounds
                ),
            )
            for index in order
        ),
        exhausted=tuple(say.number(r.exhausted) for r in rounds),
    )


def in_front(pages: Pages, contest: int, votes: Sequence[int]) -> str:
    """Who has the most votes among these (per option), with the share of all of them; more than one where they are level."""
    view, say = pages.view, pages.say
    terms = view.election.contests[contest]
    total = view.by_candidate(contest, votes)
    most, valid = max(total), sum(total)
    if not most:
        return Markup('<span class="no">–</span>')
    first = [index for index, own in enumerate(total) if own == most]
    if len(first) > 2:
        return say.several("{n} is level", "{n} are level", len(first))
    who = say.listed([view.candidate_names[contest][index] for index in first])
    share = say.percent(most, valid) if terms.single_choice() else say.number(most)
    return Markup(f'{who} <span class="share">{share}</span>')  # noqa: S704 - names were escaped, and figures need not be


def known(say: HtmlSay, value: int | None) -> str:
    """A number, or the word that it is unknown."""
    return Markup('<span class="no">{}</span>').format(say("unknown")) if value is None else say.number(value)


def stated(say: HtmlSay, value: int) -> str:
    """A figure of a sheet; negative stands for one that the sheet does not state."""
    return say.number(value) if value >= 0 else Markup('<span class="no">{}</span>').format(say("not stated"))


def unit_figures(view: View, contest: int, unit: int) -> UnitResult:
    """The totals of a unit; those of the contest's own unit are the ones that its standing was decided on."""
    if unit == view.election.contest_units[contest]:
        return view.standings[contest].result
    return unit_result(view.count, contest, unit)
