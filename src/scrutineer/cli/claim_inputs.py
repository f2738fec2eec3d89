"""What `claim` holds announcements against: an election folder's log, a published site, or a table of stations."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls import PartialCount
from scrutineer.calls.claims.announcement import Announcement
from scrutineer.calls.claims.record import Record
from scrutineer.calls.from_count import partial_count, votes_by_candidate
from scrutineer.cli.call_inputs import Asked, RuleGiven, SettingsGiven, ask_published, ask_table
from scrutineer.cli.office import RECORD, Office
from scrutineer.cli.show import Progress
from scrutineer.count import COUNTED, STATUS_NAMES
from scrutineer.election import UNKNOWN, Contest, Definition, Election
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.definition import BASELINE_TABLE
from scrutineer.errors import PublicationError, UsageError
from scrutineer.portal.formats import BASELINE_FILE, DEFINITION_FILE, REGISTER_FILE, UNITS_FILE
from scrutineer.statements import parse_statement
from scrutineer.statements.bootstrap import open_election
from scrutineer.verify import FolderSource

Records = Callable[[Announcement], Record]
"""The record that an announcement is held against."""


def records_at(where: Path, layout: str | None, contest: str | None, progress: Progress) -> Records:
    """What to hold announcements against at a path. Raises UsageError where nothing there can be one."""
    if where.is_dir():
        if layout is not None:
            raise UsageError(f"--layout reads a file, and {where} is a folder: leave --layout out, or name the file")
        return _folder(where, contest, progress) if (where / RECORD).is_dir() else _site(where, contest)
    settings = SettingsGiven()
    if layout is None:
        asked = ask_table(where, None, RuleGiven(), settings, progress)
        contest = None  # The one contest of a bare table has no name of its own.
    else:
        asked = ask_published(where, layout, contest, None, settings, progress)
    return _asked(where, asked, contest, named=layout is not None)


def _asked(where: Path, asked: list[Asked], contest: str | None, *, named: bool) -> Records:
    contests = tuple(one.contest for one in asked)

    def record(announcement: Announcement) -> Record:
        if announcement.unit:
            raise UsageError(
                f"the announcement is of unit {announcement.unit!r}, and {where} is taken as a whole: leave unit out"
            )
        number = choose_contest(contests, announcement, contest) if named else 0
        found = asked[number]
        return Record.of_contest(found.partial, found.contest, _told(found), complete=False)

    return record


def _told(asked: Asked) -> str:
    # The sentence on settings is about calls, which make no part of a comparison of totals.
    return asked.source.partition(". The settings")[0].removesuffix(".")


def _folder(folder: Path, contest: str | None, progress: Progress) -> Records:
    office = Office.load(folder)
    count = office.read_count(None, progress)
    election = office.election
    settings = election.definition.calls or CallSettings()
    source = f"the log of {election.definition.name!r} at size {count.size:,}"

    def record(announcement: Announcement) -> Record:
        number = choose_contest(election.contests, announcement, contest)
        unit = election.units.position(announcement.unit) if announcement.unit else None
        partial = partial_count(count, number, settings, unit)
        return Record.of_contest(partial, election.contests[number], source, complete=True)

    return record


def _site(folder: Path, contest: str | None) -> Records:
    source = FolderSource(folder)
    try:
        election = site_election(source)
    except PublicationError as error:
        raise UsageError(f"{folder} is neither an opened election folder nor a published site: {error}") from error

    def record(announcement: Announcement) -> Record:
        number = choose_contest(election.contests, announcement, contest)
        terms = election.contests[number]
        text = source.read(f"data/{terms.id}/stations.csv").decode("utf-8", "replace")
        partial = _stations(text, election, number, announcement.unit)
        told = f"the site of {election.definition.name!r} in {folder}, which `scrutineer verify` checks"
        return Record.of_contest(partial, terms, told, complete=True)

    return record


def site_election(source: FolderSource) -> Election:
    """The election of a published site. Raises PublicationError where its definition or tables are not there."""
    definition, units, register = (source.read(path) for path in (DEFINITION_FILE, UNITS_FILE, REGISTER_FILE))
    payload = parse_statement(definition).payload
    has_baseline = isinstance(payload, Definition) and BASELINE_TABLE in payload.tables
    return open_election(definition, units, register, source.read(BASELINE_FILE) if has_baseline else None)


def _stations(text: str, election: Election, number: int, unit_id: str) -> PartialCount:
    """The stations table of a site as a partial count. Raises UsageError where it is not one."""
    terms, units = election.contests[number], election.units
    unit = units.position(unit_id) if unit_id else election.contest_units[number]
    below = units.stations_below(unit)
    columns = ("roll", "stated_roll", "blank", "null", *(f"votes:{option.id}" for option in terms.options))
    figures = np.full((len(below), len(columns)), UNKNOWN, dtype=np.int64)
    counted = [False] * len(below)
    missing = set(below)
    try:
        for row in csv.DictReader(io.StringIO(text)):
            station = units.station_index[row["station"]]
            if station in below:
                missing.remove(station)
                counted[station - below.start] = STATUS_NAMES.index(row["status"]) == COUNTED
                figures[station - below.start] = [int(row[column]) if row[column] else UNKNOWN for column in columns]
    except (KeyError, ValueError, TypeError, OverflowError, csv.Error) as error:
        raise UsageError(f"data/{terms.id}/stations.csv cannot be read ({error}): run `scrutineer verify` on the site") from error
    if missing:
        raise UsageError(f"data/{terms.id}/stations.csv lacks {len(missing):,} stations: run `scrutineer verify` on the site")
    is_counted: NDArray[np.bool_] = np.array(counted, dtype=np.bool_)
    settings = election.definition.calls or CallSettings()
    roll = np.where((figures[:, 0] < 0) & is_counted, figures[:, 1], figures[:, 0])
    shown = np.where(is_counted[:, np.newaxis], np.maximum(figures, 0), 0)
    return PartialCount(
        candidates=tuple(candidate.id for candidate in terms.standing()),
        votes=votes_by_candidate(terms, shown[:, 4:]),
        others=shown[:, 2] + shown[:, 3],
        counted=is_counted,
        open=~is_counted,
        arrival=np.where(is_counted, np.cumsum(is_counted) - 1, -1),
        capacity=np.where(roll < 0, UNKNOWN, roll + settings.extra_ballots),
        stratum=np.zeros(len(below), dtype=np.int32),
        strata=("all stations",),
    )


def choose_contest(contests: tuple[Contest, ...], announcement: Announcement, given: str | None) -> int:
    """The contest that an announcement is of, by position: the one given, else the one that it names, else the only one."""
    wanted = given or announcement.contest
    for number, contest in enumerate(contests):
        if wanted in (contest.id, contest.title):
            return number
    if given is None and len(contests) == 1:
        return 0
    known = ", ".join(contest.id for contest in contests)
    raise UsageError(f"there is no contest {wanted!r}: write contest = one of {known} in the file, or give --contest")
