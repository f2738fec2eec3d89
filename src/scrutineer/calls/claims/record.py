"""Does an announcement fit a record of sheets: the count of a log, or a set that somebody published? Exact bounds.

Let the contest have M stations, the announcement be of m of them, and the record list L of these, some counted with their
votes, some open with at most their capacity. Which m stations the announcement is of is not known, so every choice is allowed.
For a linear form of the votes (one option's votes, the sum of all, one option's lead over another) each listed station i adds
at most b_i and at least a_i: the value on its sheet where it is counted; its capacity times the largest (smallest) weight, or
nothing, where it is open. Stations that the record does not list, and open ones without a roll, form one pool of q stations,
which together add at most C times the largest weight, C being the announced roll less everything known of the listed stations.
Hence over all choices

    value <= max over k of (the k largest b_i) + (the pool's most, if a station of it can be among the m),

with k, the number of listed stations chosen, from max(0, m - q) to min(m, L); and the same below with the smallest a_i. An
announced value beyond either bound contradicts the record, whatever is outstanding and whichever stations were left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.record_values import ANY_STATIONS, Compared, Kind, Moment, Record, RecordAnswer
from scrutineer.calls.claims.record_words import explained, statement, verdict
from scrutineer.election import UNKNOWN
from scrutineer.errors import CallError
from scrutineer.language import Phrase, Row

__all__ = ["Compared", "Moment", "Record", "RecordAnswer", "against"]


@dataclass(frozen=True, slots=True)
class _Form:
    kind: Kind
    name: str
    announced: int
    weights: tuple[int, ...]
    pair: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Pool:
    """Stations about which nothing is known but how many they are and how much they hold together."""

    stations: int
    capacity: int | None


def against(announcement: Announcement, record: Record) -> RecordAnswer:
    """Hold an announcement against a record. Raises CallError where no figure of it can be compared."""
    notes: list[Phrase] = []
    forms = _forms(announcement, record, notes)
    if not forms:
        named = ", ".join(names[0] for names in record.names[:8])
        raise CallError(
            f"no announced votes can be held against {record.source}: give votes, and name the options as it does ({named})"
        )
    moment = _moment(announcement, record, notes)
    pool = _pool(announcement, record, moment, notes)
    compared = [_compare(form, record, moment, pool) for form in forms]
    sheets = record.partial.counted_stations
    fits: bool | None = verdict(compared)
    said: Phrase | None = None
    if fits is not False and not moment.stated:
        # Without the share counted, what the sheets outside must hold is known only under the condition that none was left out.
        whole = _whole(moment.stations, len(record.partial.counted))
        conditional = [_compare(form, record, whole, pool) for form in forms]
        if verdict(conditional) is False:
            fits = None
            said = Phrase(
                "If the announcement is of all stations: {statement}", statement=statement(conditional, sheets, whole, record)
            )
            notes.append(Phrase("The announcement does not say how much of the count it is of, so that it may leave sheets out."))
    return RecordAnswer(
        record.source,
        sheets,
        len(record.partial.counted),
        moment,
        tuple(compared),
        fits,
        said or statement(compared, sheets, moment, record),
        explained(moment, record),
        tuple(notes),
    )


def _forms(announcement: Announcement, record: Record, notes: list[Phrase]) -> list[_Form]:
    k = len(record.names)
    found: list[tuple[Figure, tuple[int, ...]]] = []
    taken: dict[int, str] = {}
    unknown = []
    for figure in announcement.named:
        at = record.find(figure)
        if at is None:
            unknown.append(figure.name)
            continue
        if at in taken:
            raise CallError(f"{figure.name!r} and {taken[at]!r} are the same option of the record: name each option once")
        taken[at] = figure.name
        found.append((figure, (at,)))
    if unknown:
        notes.append(Phrase("Not compared, because the record names no such option: {names}.", names=Row.of(unknown)))
    rest = tuple(at for at in range(k) if at not in taken)
    if announcement.others is not None and rest and not unknown:
        found.append((announcement.others, rest))
    forms = [
        _Form("option", figure.name, figure.votes, _weights(k, columns)) for figure, columns in found if figure.votes is not None
    ]
    if any(figure.votes is None for figure, _ in found):
        notes.append(Phrase("Options that were announced by percentage alone are not compared with the sheets."))
    if record.single_choice:
        if announcement.valid is not None:
            forms.append(_Form("total", Phrase("valid votes"), announcement.valid, (1,) * k))
        elif len(forms) > 1:
            columns = tuple(at for figure, own in found if figure.votes is not None for at in own)
            forms.append(
                _Form("total", Phrase("the listed options together"), sum(form.announced for form in forms), _weights(k, columns))
            )
    single = [(figure, own[0]) for figure, own in found if figure.votes is not None and not figure.others]
    if len(single) > 1:
        (first, a), (second, b) = sorted(single, key=lambda row: -(row[0].votes or 0))[:2]
        lead = (first.votes or 0) - (second.votes or 0)
        weights = tuple((at == a) - (at == b) for at in range(k))
        name = Phrase("lead of {leader} over {second}", leader=first.name, second=second.name)
        forms.append(_Form("lead", name, lead, weights, (first.name, second.name)))
    return forms


def _weights(k: int, columns: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(at in columns) for at in range(k))


def _moment(announcement: Announcement, record: Record, notes: list[Phrase]) -> Moment:
    listed = len(record.partial.counted)
    stations: int | None = listed if record.complete else announcement.stations
    if announcement.stations is not None and announcement.stations != stations and record.complete:
        notes.append(
            Phrase(
                "The announcement speaks of {stations} stations, and the record has {listed}.",
                stations=announcement.stations,
                listed=listed,
            )
        )
    if stations is not None and stations < listed:
        notes.append(
            Phrase(
                "The announcement speaks of {stations} stations, and the record lists {listed}: those are taken.",
                stations=stations,
                listed=listed,
            )
        )
        stations = listed
    percent = announcement.counted_percent
    whole = percent is not None and percent.units == percent.whole
    if announcement.stations_counted is not None and (stations is not None or not whole):
        own = announcement.stations_counted if stations is None else min(announcement.stations_counted, stations)
        return Moment(stations, own, own, stated=True)
    if whole:
        return _whole(stations, listed)
    if percent is None or stations is None:
        if percent is not None:
            notes.append(Phrase("How many stations there are is not known, so that the share counted gives no number of sheets."))
        return Moment(stations, 0, stations or ANY_STATIONS, stated=False)
    # A percentage may have been rounded or cut off; both are allowed.
    least = -(-(percent.units - Fraction(1, 2)) * stations // percent.whole)
    most = -(-(percent.units + 1) * stations // percent.whole) - 1
    if least > most:
        # Of few stations there is not one for every percentage: the numbers next to it are both allowed.
        least, most = most, least
        notes.append(
            Phrase(
                "No number of {stations} stations is {percent}: the announcement is taken to be of one next to it.",
                stations=stations,
                percent=percent,
            )
        )
    return Moment(stations, max(0, int(least)), min(stations, int(most)), stated=True)


def _whole(stations: int | None, listed: int) -> Moment:
    return Moment(stations, stations or listed, stations or ANY_STATIONS, stated=True, whole=True)


def _pool(announcement: Announcement, record: Record, moment: Moment, notes: list[Phrase]) -> _Pool:
    partial = record.partial
    closed = ~partial.counted
    unbounded = int((closed & (partial.capacity == UNKNOWN)).sum())
    outside = ANY_STATIONS if moment.stations is None else moment.stations - len(partial.counted)
    if not unbounded and not outside:
        return _Pool(0, 0)
    if announcement.roll is None:
        notes.append(
            Phrase(
                "Rolls of outstanding stations are not known, so that what they can hold is not bounded: the answer is partial."
            )
        )
        return _Pool(outside + unbounded, None)
    ballots = partial.votes.sum(axis=1) + partial.others if record.single_choice else partial.votes.max(axis=1, initial=0)
    known = np.where(partial.counted, np.maximum(partial.capacity, ballots), np.maximum(partial.capacity, 0))
    left = announcement.roll - int(known.sum())
    if left < 0:
        notes.append(
            Phrase(
                "The announced roll of {roll} is smaller than that of the record's stations: it is not used.",
                roll=announcement.roll,
            )
        )
        return _Pool(outside + unbounded, None)
    notes.append(
        Phrase.several(
            "Stations that the record does not bound hold at most {n} voter together, if the announced roll of {roll} is right.",
            "Stations that the record does not bound hold at most {n} voters together, if the announced roll of {roll} is right.",
            left,
            roll=announcement.roll,
        )
    )
    return _Pool(outside + unbounded, left)


def _compare(form: _Form, record: Record, moment: Moment, pool: _Pool) -> Compared:
    partial = record.partial
    values = partial.votes @ np.array(form.weights, dtype=np.int64)
    high, low = max(0, *form.weights), min(0, *form.weights)
    bounded = partial.counted | (partial.capacity != UNKNOWN)
    most = np.where(partial.counted, values, partial.capacity * high)[bounded]
    least = np.where(partial.counted, values, partial.capacity * low)[bounded]
    upper = _largest(most, moment, pool, high)
    lower = _largest(-least, moment, pool, -low)
    counted = int(values.sum())
    return Compared(
        form.kind,
        form.name,
        form.announced,
        counted,
        None if lower is None else -lower,
        upper,
        _needed(form, values[partial.counted], moment) if form.kind == "option" else None,
        form.pair,
    )


def _largest(values: NDArray[np.int64], moment: Moment, pool: _Pool, weight: int) -> int | None:
    """The most that so many stations can add, by the bound of this module; None where the pool is not bounded."""
    prefix = np.concatenate(([0], np.cumsum(-np.sort(-values)))).astype(np.int64)
    listed = len(values)
    found: list[int] = []
    first = max(0, moment.least - pool.stations)
    if moment.stations is None:
        first = listed if moment.whole else 0
    if pool.stations and moment.most > first:
        if weight and pool.capacity is None:
            return None
        stop = min(moment.most - 1, listed)
        if first <= stop:
            found.append(int(prefix[first : stop + 1].max()) + weight * (pool.capacity or 0))
    if min(moment.least, listed) <= min(moment.most, listed) and moment.least <= listed:
        found.append(int(prefix[moment.least : min(moment.most, listed) + 1].max()))
    return max(found, default=0)


def _needed(form: _Form, values: NDArray[np.int64], moment: Moment) -> tuple[int, int] | None:
    """What the sheets outside the record must hold: the announced value less what the record's sheets in it hold."""
    if moment.stations is None and not moment.whole:
        return None
    out = min(len(values), moment.left_out[1])
    ordered = np.sort(values)
    held = int(ordered[: len(values) - out].sum()), int(ordered[max(0, len(values) - moment.most) :].sum())
    return form.announced - held[1], form.announced - held[0]
