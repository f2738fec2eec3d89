"""The front page: every contest's result, whether it can still change, and the way to everything else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from scrutineer.portal import words
from scrutineer.portal.call_pages import call_picture, call_sentence, statistics
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.page import progress_bar
from scrutineer.portal.pages import Pages
from scrutineer.portal.votes import RoundsTable, VotesTable, rounds_table, votes_table
from scrutineer.portal.witness_words import witness_sentences
from scrutineer.statements import Bulletin, Certificate

LATEST_BULLETINS: Final = 5


@dataclass(frozen=True, slots=True)
class ContestSection:
    """One contest on the front page. Texts are HTML."""

    id: str
    title: str
    where: str
    """The unit that it is held in; empty for the whole country."""
    headline: str
    bar: Markup
    counted: str
    progress: str
    roll: str
    chance: words.Change
    call: str
    picture: str
    table: VotesTable
    rounds: RoundsTable | None
    quarantined: int
    excluded: int
    places: str
    """Path of the page of its unit."""


def front_page(pages: Pages) -> Iterator[SiteFile]:
    """`index.html`."""
    view, say = pages.view, pages.say
    definition = view.election.definition
    yield pages.render(
        "front.html",
        "index.html",
        say("Result"),
        scripts=("update.js",),
        date=say.date(definition.date),
        authority=say.name(definition.authority),
        layer=view.layer,
        layer_label=say.later(words.LAYERS[view.layer]),
        layer_sentence=say.later(words.LAYER_SENTENCES[view.layer]),
        head=view.record.head,
        updated=say.time(view.record.head.time_ms // 1000),
        contests=[_section(pages, number) for number in range(len(view.standings))],
        bulletins=_bulletins(pages),
        witnesses=witness_sentences(pages),
    )


def _section(pages: Pages, number: int) -> ContestSection:
    view, say = pages.view, pages.say
    now = view.standings[number]
    contest, result = now.contest, now.result
    unit = view.election.contest_units[number]
    roll = ""
    if result.roll is not None and result.roll_counted is not None:
        roll = say.several(
            "Their rolls hold {share} of {n} registered voter.",
            "Their rolls hold {share} of {n} registered voters.",
            result.roll,
            share=say.percent(result.roll_counted, result.roll),
        )
    return ContestSection(
        id=contest.id,
        title=say.name(contest.title),
        where="" if unit == 0 else pages.unit_name(unit),
        headline=words.headline(say, now),
        bar=progress_bar(result),
        counted=say.percent(result.counted, result.stations),
        progress=say.joined(words.progress_parts(say, result), " · "),
        roll=roll,
        chance=words.change(say, now, view.election.definition.provenance, by_statistics=statistics(view, number)),
        call=call_sentence(pages, number),
        picture=call_picture(pages, number),
        table=votes_table(pages, number, result),
        rounds=rounds_table(pages, number),
        quarantined=result.quarantined,
        excluded=result.excluded,
        places=view.page_of(unit),
    )


def _bulletins(pages: Pages) -> list[tuple[str, str, str]]:
    """Path, name and time of the latest bulletins and certificates, newest first."""
    say = pages.say
    found: list[tuple[str, str, str]] = []
    for path, act in pages.view.bulletins[: -LATEST_BULLETINS - 1 : -1]:
        stated = act.recorded.statement.payload
        if isinstance(stated, Bulletin):
            found.append((path, say("Bulletin {number}", number=stated.number), say.time(stated.time)))
        elif isinstance(stated, Certificate):
            found.append((path, say("Certificate"), say.time(stated.time)))
    return found
