"""The page of each station: what its sheets say, who signed them, what the rules found, and the proof that they are in the log.

There are hundreds of thousands of these, so everything that stations share is put together once: the frame for each parent, the
labels of a contest's rows, the sentence about the rules. What only some have is in station_parts.py.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final, NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from scrutineer.count import COUNTED, STATUS_NAMES
from scrutineer.count.columns import ROLL
from scrutineer.count.contest import ContestCount
from scrutineer.count.sheet_record import SheetRecord
from scrutineer.election import Contest
from scrutineer.portal import words
from scrutineer.portal.ballot_parts import BallotParts
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.sheets import ballots_of, read_source, receipts
from scrutineer.portal.station_parts import ContestWords, DecisionPart, Finding, ObservedPart, Parts, Picture
from scrutineer.portal.unit_pages import kind_word
from scrutineer.statements import thumbprint

_BLOCK: Final = 1024  # stations rendered at a time
# Names on a page are printable, so that these stand in a frame where nothing else does.
_PAGE: Final = "\x01"
_TITLE: Final = "\x02"
_CONTENT: Final = "\x03"
_SMALL: Final = tuple(map(str, range(1000)))  # no language separates fewer than four digits
_DEPTH: Final = "stations/unit/station.html"
_SCRIPTS: Final = ("check.js", "qr.js")


class _Sheets(NamedTuple):
    """Some stations in one contest, as lists by place among them."""

    contest: int
    state: ContestCount
    within: range
    """The stations that vote in the contest."""
    status: list[int]
    entry: list[int]
    figures: list[list[int]]
    hashes: bytes
    time: list[int]
    flags: list[int]


class Cell(NamedTuple):
    """A figure in the table. `sheet` is the log entry of the sheet that states it; empty where none does."""

    sheet: str
    value: str
    text: str


class Row(NamedTuple):
    """A row of the table of figures."""

    first: bool
    """Whether it is the first behind the options."""
    label: Markup
    figure: str
    """What the figure is called in the page's data."""
    cells: list[Cell]
    share: str
    before: str
    """Votes at the earlier election; empty where the definition has none."""
    before_share: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A sheet with everything that it takes to check it."""

    index: int
    size: int
    """Entries at the head that the receipt is relative to."""
    statement: str
    receipt: str
    hash: str
    station: str
    contest: str
    key: str
    """Public key of the signer in hexadecimal; empty where the register does not have it."""
    closed: str
    picture: Picture | None
    source: str
    records: bytes | None
    """SHA-256 of the bundle of encrypted ballots that it names."""


@dataclass(frozen=True, slots=True)
class ContestPart:
    """One contest on the page. Texts are HTML."""

    id: str
    title: Markup
    status: str
    label: str
    sentence: str
    findings: tuple[Finding, ...]
    caption: str
    columns: tuple[str, ...]
    """Heads of the sheets' columns; a single sheet has one."""
    shares: bool
    before: bool
    rows: list[Row]
    turnout: str
    rules: str
    closed: str
    corrected: bool
    """Whether figures that a decision put in place of the sheet's are in effect."""
    observed: ObservedPart | None
    decisions: tuple[DecisionPart, ...]
    proofs: list[Proof]


def station_pages(pages: Pages, stations: Iterable[int] | None = None) -> Iterator[SiteFile]:
    """The pages of these stations (by number; None: of all), in station order.

    A page depends on the definition, the options, and of its own station on: the arrays of each `ContestCount` (status, sheet,
    figures, hashes, time, flags), `several` and `decided`; `Count.opened` and `openings`; `View.decisions` with the signatures
    under them so far; `Observations.of_station`, whose values print alike where they are equal; the keys and names that the
    register and the accreditations give to those who signed; `Record.covering` of its sheets' log entries, and which images of
    them `Record.images` has; and on its own `Record.ballots`. It depends on nothing else.
    """
    view, made = pages.view, _StationPages(pages)
    chosen = range(view.units.station_count) if stations is None else sorted(set(stations))
    for start in range(0, len(chosen), _BLOCK):
        yield from made.render(chosen[start : start + _BLOCK])


class _Frame:
    """The page around a station's content, which the stations of one unit share."""

    def __init__(self, pages: Pages, unit: int, parent: int) -> None:
        places = pages.view.places
        self.folder = places.station_folder(unit)
        page = f"{self.folder}/{_PAGE}.html"
        made = pages.render("plain.html", page, _TITLE, place=unit, crumbs=pages.crumbs(unit), scripts=_SCRIPTS, content=_CONTENT)
        until, rest = b"".join(made.chunks).decode().split(_TITLE, 1)
        between, after = rest.split(_CONTENT, 1)
        self.path = pages.path(page)
        self._until, self._between, self._after = until.split(_PAGE), between.split(_PAGE), after.split(_PAGE)
        links = pages.links(page)
        self.parent_path = links.href(places.unit(parent)) if parent >= 0 else ""
        self.parent_name = pages.unit_name(parent) if parent >= 0 else Markup()

    def around(self, file: str, title: str, content: str) -> SiteFile:
        """The page of a station; `file` is its name without the ending, `title` is HTML."""
        text = (file.join(self._until), title, file.join(self._between), content, file.join(self._after))
        return SiteFile(self.path.replace(_PAGE, file), ("".join(text).encode(),))


class _StationPages:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.say = pages.say
        self._view = view = pages.view
        self._parts = Parts(pages)
        self._frame: _Frame | None = None
        self._parent = -2
        self._signed = pages.say("The sheet as the station signed it")
        self._not_stated = self._parts.stated(-1)
        self._ranges = [
            (number, view.units.stations_below(state.unit), state) for number, state in enumerate(view.count.contests)
        ]
        self._words = [
            ContestWords(pages, contest, self._parts.labels(number)) for number, contest in enumerate(view.election.contests)
        ]
        self._ballots = None if view.record.ballots_table is None else BallotParts(pages)
        self._rules: dict[tuple[int, bool], tuple[tuple[Finding, ...], str]] = {}
        links = pages.links(_DEPTH)
        verifier = view.record.verifier
        self._template = pages.template("station.html")
        shared = pages.context(_DEPTH, "")
        self._shared: dict[str, object] = shared | {
            "check_words": Markup(pages.template("check_words.html").render(shared)),  # noqa: S704 - a template's HTML
            "home": links.file(""),
            "origin": verifier.origin,
            "log_key": verifier.ed25519_public_key.hex(),
            "election_hash": view.election.hash.hex(),
            "several_contests": len(view.election.contests) > 1,
        }

    def render(self, stations: Sequence[int]) -> Iterator[SiteFile]:
        """The pages of some stations, which are given in order."""
        chosen = np.array(stations, dtype=np.int64)
        blocks = [
            _sheets(contest, state, within, chosen)
            for contest, within, state in self._ranges
            if within.start <= stations[-1] and stations[0] < within.stop
        ]
        proofs = dict(receipts(self._view.record, sorted({index for block in blocks for index in _indexes(block, stations)})))
        units = self._view.units
        rolls = units.rolls[chosen].tolist()
        for at, (station, unit) in enumerate(zip(stations, units.station_units[chosen].tolist(), strict=True)):
            own = [block for block in blocks if station in block.within]
            yield self._page(station, unit, rolls[at], at, own, proofs)

    def _page(self, station: int, unit: int, roll: int, at: int, blocks: list[_Sheets], proofs: dict[int, bytes]) -> SiteFile:
        view, units, say = self._view, self._view.units, self.say
        parent = int(units.parent[unit])
        if self._frame is None or parent != self._parent:
            self._parent = parent
            self._frame = _Frame(self._pages, unit, parent)
        name, station_id = units.names[unit], units.ids[unit]
        index = view.count.openings.get(station)
        contests = [self._contest(block, at, station, station_id, roll, proofs) for block in blocks]
        content = self._template.render(
            self._shared,
            title=say.name(name),
            kind=kind_word(self._pages, units.kinds[unit]),
            station=station_id,
            voters=say.several("{n} registered voter", "{n} registered voters", roll) if roll >= 0 else "",
            opened="" if index is None else say.time(int(view.count.opened[station])),
            opened_entry=index,
            contests=contests,
            ballots=None if self._ballots is None else self._ballots.part(station, _named(blocks, at, contests)),
            proved=any(part.proofs for part in contests),
            previous=self._neighbour(station - 1, parent),
            next=self._neighbour(station + 1, parent),
            parent_path=self._frame.parent_path,
            parent_name=self._frame.parent_name,
        )
        return self._frame.around(view.places.station_file(unit).removesuffix(".html"), escape(name), content)

    def _neighbour(self, station: int, parent: int) -> tuple[str, str] | None:
        """File and name of the station before or behind in the same unit."""
        units = self._view.units
        if not 0 <= station < units.station_count:
            return None
        unit = int(units.station_units[station])
        if int(units.parent[unit]) != parent:
            return None
        return self._view.places.station_file(unit), self._pages.unit_name(unit)

    # --- one contest ------------------------------------------------------------------------------------------------------

    def _contest(
        self, block: _Sheets, at: int, station: int, station_id: str, roll: int, proofs: dict[int, bytes]
    ) -> ContestPart:
        number, state, status, say = block.contest, block.state, block.status[at], self.say
        contest, shared, figures = state.contest, self._words[number], block.figures[at]
        several = state.several.get(station)
        sheets = several or ()
        acts = self._view.decisions.get((station_id, contest.id), ())
        said = self._view.observations.of_station(station, number)
        columns, corrected = shared.columns, False
        cells: list[list[Cell]] = []
        proved: list[Proof] = []
        if several is not None:
            columns, cells, corrected = self._side_by_side(several, block.entry[at], figures, counted=status == COUNTED)
            proved = [self._proof(s.index, s.hash, s.time, station_id, contest.id, proofs) for s in sheets]
        elif block.entry[at] >= 0:
            sheet = str(block.entry[at])
            cells = [[self._cell(sheet, value)] for value in figures]
            digest = block.hashes[32 * at : 32 * at + 32]
            proved = [self._proof(block.entry[at], digest, block.time[at], station_id, contest.id, proofs)]
        signed = next((sheet.figures.tolist() for sheet in sheets if sheet.index == block.entry[at]), figures)
        findings, rules = self._rules_of(block.flags[at], complete=min(signed) >= 0) if proved else ((), "")
        shares = contest.single_choice() and len(columns) == 1 and bool(proved)
        before = self._before(number, station - block.within.start)
        return ContestPart(
            id=contest.id,
            title=shared.title,
            status=STATUS_NAMES[status],
            label=say.later(words.STATUS_WORDS[status]),
            sentence=say("The figures in effect are in the totals.") if corrected else say.later(words.STATUS_SENTENCES[status]),
            findings=findings,
            caption=self._caption(len(sheets), corrected=corrected),
            columns=columns,
            shares=shares,
            before=before is not None,
            rows=self._rows(shared, cells, figures[: state.options] if shares else None, before) if cells else [],
            # What share came to vote is said of figures that count, and of no others.
            turnout=self._turnout(contest, figures, roll) if cells and status == COUNTED else "",
            rules=rules,
            closed=say.time(block.time[at]) if proved and block.time[at] >= 0 else "",
            corrected=corrected,
            observed=self._parts.observed(number, said, several=len(sheets) > 1, corrected=corrected),
            decisions=self._parts.decisions(state, station, acts) if acts else (),
            proofs=proved,
        )

    def _caption(self, sheets: int, *, corrected: bool) -> str:
        if sheets > 1:
            return self.say("Every sheet that the station signed")
        return self.say("The sheet as the station signed it, and the figures in effect") if corrected else self._signed

    def _cell(self, sheet: str, value: int) -> Cell:
        if 0 <= value < len(_SMALL):
            return Cell(sheet, _SMALL[value], _SMALL[value])
        return Cell(sheet, "", self._not_stated) if value < 0 else Cell(sheet, str(value), self.say.number(value))

    def _rows(
        self, shared: ContestWords, cells: list[list[Cell]], votes: list[int] | None, before: list[int] | None
    ) -> list[Row]:
        percent = self.say.percent
        blank = [""] * len(cells)
        share, earlier, earlier_share = blank, blank, blank
        if votes is not None and min(votes) >= 0:
            valid = sum(votes)
            share = [percent(own, valid) for own in votes] + blank
        if before is not None:
            valid = sum(before)
            earlier = [self.say.number(own) for own in before] + blank
            if votes is not None:
                earlier_share = [percent(own, valid) for own in before] + blank
        return [
            Row(first, label, figure, own, share[row], earlier[row], earlier_share[row])
            for row, ((first, label, figure), own) in enumerate(zip(shared.rows, cells, strict=True))
        ]

    def _side_by_side(
        self, sheets: list[SheetRecord], shown: int, in_effect: list[int], *, counted: bool
    ) -> tuple[tuple[str, ...], list[list[Cell]], bool]:
        """Heads and cells of every sheet, then the figures in effect where a decision put others in their place."""
        say, columns = self.say, []
        given: list[tuple[str, list[int]]] = [(str(sheet.index), sheet.figures.tolist()) for sheet in sheets]
        corrected = counted and in_effect not in [figures for _, figures in given]
        for sheet in sheets:
            if counted and not corrected and sheet.index == shown:
                columns.append(str(say("Log entry {n}, counted", n=sheet.index)))
            else:
                columns.append(str(say("Log entry {n}", n=sheet.index)))
        if corrected:
            columns.append(str(say("In effect")))
            given.append(("", in_effect))
        rows = zip(*([self._cell(sheet, value) for value in figures] for sheet, figures in given), strict=True)
        return tuple(map(Markup, columns)), [list(row) for row in rows], corrected

    def _before(self, contest: int, row: int) -> list[int] | None:
        """Votes at the earlier election that the definition gives as a baseline."""
        votes = self._view.election.baseline[contest]
        return None if votes is None else votes[row].tolist()

    def _turnout(self, contest: Contest, figures: list[int], roll: int) -> str:
        ballots, say = ballots_of(contest, figures), self.say
        known = roll if roll >= 0 else figures[len(contest.options) + ROLL]
        if not 0 <= ballots <= known or not known:
            return ""
        return say("{share} of the registered voters took part.", share=say.percent(ballots, known))

    def _rules_of(self, flags: int, *, complete: bool) -> tuple[tuple[Finding, ...], str]:
        found = self._rules.get((flags, complete))
        if found is None:
            found = self._rules[flags, complete] = (self._parts.findings(flags), self._parts.rules(flags, complete=complete))
        return found

    def _proof(self, index: int, digest: bytes, closed: int, station: str, contest: str, proofs: dict[int, bytes]) -> Proof:
        view = self._view
        data = view.record.entry(index)
        source = read_source(index, data)
        return Proof(
            index=index,
            size=view.record.covering(index).size,
            statement=b64encode(data).decode(),
            receipt=b64encode(proofs[index]).decode(),
            hash=digest.hex(),
            station=station,
            contest=contest,
            key=self._key(source.issuer, source.kid),
            closed=self.say.time(closed) if closed >= 0 else "",
            picture=self._parts.picture(source.image),
            source="" if source.source is None else self.say.name(source.source),
            records=source.records,
        )

    def _key(self, issuer: str, kid: bytes) -> str:
        """The public key that signed; of the keys that an issuer has or had, the one whose thumbprint the sheet names."""
        known = self._view.count.accreditations.find(issuer)
        if len(known) != 1:
            known = tuple(own for own in known if thumbprint(own.key, own.algorithm) == kid)
        return known[0].key.hex() if known else ""


def _named(blocks: Sequence[_Sheets], at: int, contests: Sequence[ContestPart]) -> dict[bytes, list[int]]:
    """The bundles that the sheets in effect of a station name, each with the log entries of these sheets."""
    found: dict[bytes, list[int]] = {}
    for block, contest in zip(blocks, contests, strict=True):
        for proof in contest.proofs:
            if proof.index == block.entry[at] and proof.records is not None:
                found.setdefault(proof.records, []).append(proof.index)
    return found


def _sheets(contest: int, state: ContestCount, within: range, chosen: NDArray[np.int64]) -> _Sheets:
    return _Sheets(
        contest,
        state,
        within,
        state.status[chosen].tolist(),
        state.sheet[chosen].tolist(),
        state.figures[chosen].tolist(),
        state.hashes[chosen].tobytes(),
        state.time[chosen].tolist(),
        state.flags[chosen].tolist(),
    )


def _indexes(block: _Sheets, stations: Sequence[int]) -> Iterator[int]:
    """The log indexes of all sheets of some stations."""
    yield from (index for index in block.entry if index >= 0)
    if block.state.several:
        for station in stations:
            for sheet in block.state.several.get(station, ()):
                yield sheet.index
