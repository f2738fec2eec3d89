"""The list of everything that was published, in blocks from the oldest version on: a full block stays as it is for ever.

The page of the night shows the newest versions; where there are many, the full blocks have pages of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from scrutineer.portal.formats import Once, SiteFile
from scrutineer.portal.history import Snapshot
from scrutineer.portal.night import Night
from scrutineer.portal.pages import Pages
from scrutineer.portal.places import snapshot_page
from scrutineer.portal.snapshot_pages import NIGHT, moment, signed

BLOCK: Final = 100
"""Versions on one page."""
_LINKED: Final = 8
"""So many of the newest blocks are linked from the night, besides the first; each leads to the one before it."""


@dataclass(frozen=True, slots=True)
class Version:
    """A published version, as a row of the list. Texts are HTML."""

    path: str
    time: str
    entries: str
    counted: str
    share: str
    more: str
    front: str
    margin: str


def list_pages(pages: Pages, night: Night) -> Iterator[SiteFile]:
    """The full blocks, where there are too many versions for one page."""
    for block in range(_full_blocks(night)):
        yield SiteFile(pages.path(_block_page(block)), Once(partial(_block, pages, night, block)), once=True)


def list_links(pages: Pages, night: Night) -> list[tuple[str, str]]:
    """Paths and spans of time of the blocks that the night leads to."""
    blocks = _full_blocks(night)
    near = sorted({0, *range(max(0, blocks - _LINKED), blocks)}) if blocks else []
    return [(_block_page(block), _range(pages, night, block)) for block in near]


def newest_versions(pages: Pages, night: Night) -> list[Version]:
    """The versions that stand on the page of the night, newest first; the last full block is among them."""
    return _versions(pages, night, max(0, _full_blocks(night) - 1) * BLOCK)[::-1]


def _full_blocks(night: Night) -> int:
    return len(night.snapshots) // BLOCK if len(night.snapshots) > 2 * BLOCK else 0


def _block_page(block: int) -> str:
    return f"night/list-{block + 1}.html"


def _block(pages: Pages, night: Night, block: int) -> bytes:
    say = pages.say
    rows = _versions(pages, night, block * BLOCK, (block + 1) * BLOCK)
    page = pages.render(
        "night_list.html",
        _block_page(block),
        say("Published versions {first} to {last}", first=block * BLOCK + 1, last=(block + 1) * BLOCK),
        crumbs=[(NIGHT, say("The night"))],
        versions=rows,
        before=_block_page(block - 1) if block else "",
    )
    return b"".join(page.chunks)


def _range(pages: Pages, night: Night, block: int) -> str:
    first, last = night.snapshots[block * BLOCK], night.snapshots[(block + 1) * BLOCK - 1]
    return pages.say("{since} to {until}", since=moment(pages.say, first.time), until=moment(pages.say, last.time))


def _versions(pages: Pages, night: Night, start: int, stop: int | None = None) -> list[Version]:
    snapshots = night.snapshots
    return [
        _version(pages, night.main, snapshots[number], snapshots[number - 1] if number else None)
        for number in range(start, len(snapshots) if stop is None else stop)
    ]


def _version(pages: Pages, main: int, snapshot: Snapshot, previous: Snapshot | None) -> Version:
    say, contest = pages.say, pages.view.election.contests[main]
    result = snapshot.totals[main].result
    names = {candidate.id: candidate.name for candidate in contest.standing()}
    who = list(dict.fromkeys(result.elected or result.runoff or result.tied))
    many = len(who) > 2
    front = say.several("{n} list", "{n} lists", len(who)) if many else say.listed([say.name(names[own]) for own in who])
    more = "" if previous is None else signed(say, snapshot.head.size - previous.head.size)
    return Version(
        snapshot_page(snapshot.head.size),
        moment(say, snapshot.time),
        say.number(snapshot.head.size),
        say.number(result.counted),
        say.percent(result.counted, result.stations),
        more,
        front if result.counted else "–",
        "–" if result.margin is None else say.number(result.margin),
    )
