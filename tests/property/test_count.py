"""The count of arbitrary logs: a pure function of the entries, whichever way they are handed over."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from count_helpers import NOON, NORTHERN, OFFICERS, PRESIDENT, STATIONS, Ballots, key_of, make_election
from scrutineer.count import (
    COUNTED,
    Count,
    contest_result,
    differences,
    make_bulletin,
    results_hash,
    results_table,
    stations_table,
    unit_result,
)
from scrutineer.election import UNKNOWN, Contest, Option
from scrutineer.statements import Figures, TallySheet, parse_statement, sign_statement

WARDEN = Contest("warden", "Warden", "ranked", PRESIDENT.options, unit="north")
BOARD = Contest("board", "Board", "approval", (*PRESIDENT.options, Option("plover", "Plover")), seats=2)
CONTESTS = (PRESIDENT, WARDEN, BOARD)
BALLOTS = Ballots(
    make_election(
        CONTESTS, thresholds={"decision": 2, "accreditation": 2}, rolls={"b3": None, "a3": 40}, rules={"all-zero": "warning"}
    )
)
ROOT = b"r" * 32
COUNTS = st.one_of(st.integers(0, 60), st.sampled_from([None, 0, 2**31 - 1]))
STATION = st.sampled_from(STATIONS)
RECORDS = st.sampled_from([None, b"1" * 32, b"2" * 32, bytes(32)])
NEW_KEY = key_of("the new device")
ISSUERS = (*OFFICERS, NORTHERN, "agent/plover")

settings.register_profile("count", deadline=None, max_examples=60)


def replaced(sheet: bytes, **given: Any) -> TallySheet:
    """What a sheet says, with something else in its place."""
    payload = parse_statement(sheet).payload
    assert isinstance(payload, TallySheet)
    return payload._replace(**given)


@st.composite
def logs(draw: st.DrawFn) -> list[bytes]:
    """Entries of a log; decisions and endorsements name what stands before them, mostly."""
    entries: list[bytes] = []
    sheets: list[tuple[bytes, str, str]] = []
    acts: list[bytes] = []
    for _ in range(draw(st.integers(1, 14))):
        action = draw(
            st.sampled_from(
                ["sheet"] * 5 + ["again"] * 3 + ["same", "rankings", "opening", "decide", "decide", "endorse", "revoke", "admit"]
            )
        )
        station = draw(STATION)
        if action == "again" and sheets:
            sheet, station, contest = draw(st.sampled_from(sheets))
            said = replaced(sheet, records=draw(RECORDS), time=draw(st.integers(NOON, NOON + 2)))
            entries.append(
                sign_statement(said, f"station/{station}", draw(st.sampled_from([key_of(f"station/{station}"), NEW_KEY])))
            )
            sheets.append((entries[-1], station, contest))
            continue
        if action == "same" and sheets:
            _, station, contest = draw(st.sampled_from(sheets))
            action = "sheet" if contest != "warden" else "rankings"
        if action == "rankings":
            rankings = draw(
                st.dictionaries(st.permutations(range(3)).map(lambda order: tuple(order[:2])), st.integers(0, 30), max_size=4)
            )
            entries.append(BALLOTS.ranked(station, rankings, time=draw(st.integers(NOON, NOON + 2)), records=draw(RECORDS)))
            sheets.append((entries[-1], station, "warden"))
        elif action == "opening":
            entries.append(BALLOTS.opening(station, draw(st.integers(NOON - 1, NOON + 2))))
        elif action == "decide" and sheets:
            sheet, own, contest = draw(st.sampled_from(sheets))
            by, chosen = draw(st.sampled_from(ISSUERS[:4])), draw(st.sampled_from(["accept", "correct", "exclude"]))
            at = draw(st.sampled_from([own, own, own, station]))
            if chosen == "accept":
                acts.append(BALLOTS.accept(sheet, at, contest=contest, by=by))
            elif chosen == "correct":
                after = Figures(counts=tuple(draw(st.lists(COUNTS, min_size=3, max_size=4))), cast=draw(COUNTS))
                acts.append(BALLOTS.correct(sheet, at, after, contest=contest, by=by))
            else:
                acts.append(BALLOTS.exclude(at, contest=contest, by=by))
            entries.append(acts[-1])
            if draw(st.booleans()):
                entries.append(BALLOTS.endorse(acts[-1], draw(st.sampled_from(OFFICERS))))
        elif action == "endorse" and acts:
            entries.append(
                BALLOTS.endorse(draw(st.sampled_from(acts)), draw(st.sampled_from(ISSUERS)), refuse=draw(st.booleans()))
            )
        elif action == "revoke":
            acts.append(BALLOTS.revoke(draw(st.sampled_from([*OFFICERS, f"station/{station}"]))))
            entries += [acts[-1], BALLOTS.endorse(acts[-1], draw(st.sampled_from(OFFICERS)))]
        elif action == "admit":
            acts.append(BALLOTS.admit(f"station/{station}", NEW_KEY))
            entries += [acts[-1], BALLOTS.endorse(acts[-1], draw(st.sampled_from(OFFICERS)))]
        else:
            contest = draw(st.sampled_from(["president", "president", "board", "nothing"]))
            width = draw(st.sampled_from([3, 3, 4])) if contest != "board" else 4
            given: dict[str, Any] = {
                "blank": draw(st.sampled_from([0, 3, None])),
                "time": draw(st.integers(NOON, NOON + 2)),
                "records": draw(RECORDS),
            }
            if draw(st.booleans()):
                given["cast"] = draw(COUNTS)
                given["voters"] = draw(COUNTS)
            counts = draw(st.lists(COUNTS, min_size=width, max_size=width))
            if sum(count or 0 for count in counts) > 2**30:
                given.setdefault("cast", None)
                given.setdefault("voters", None)
            key = draw(st.sampled_from([None, None, NEW_KEY]))
            entries.append(BALLOTS.sheet(station, counts, contest=contest, key=key, **given))
            sheets.append((entries[-1], station, contest if contest != "nothing" else "president"))
    return entries


def published(count: Count) -> list[bytes]:
    """Everything that a count gives, as bytes."""
    tables = [results_table(count, contest) for contest in range(len(CONTESTS))]
    tables += [b"".join(stations_table(count, contest)) for contest in range(len(CONTESTS))]
    results = [repr(contest_result(count, contest)).encode() for contest in range(len(CONTESTS))]
    acts = [
        (a.recorded.index, a.needed, sorted(a.signed.items()), sorted(a.refused.items()), a.effective)
        for a in count.acts.values()
    ]
    several = [
        (number, station, [(r.index, r.hash, r.figures.tolist(), r.flags, r.records, r.rankings) for r in records])
        for number, state in enumerate(count.contests)
        for station, records in sorted(state.several.items())
    ]
    rest = repr((count.size, count.strays, count.notes, count.openings, acts, several))
    return [*tables, *results, results_hash(count), rest.encode()]


@settings(settings.get_profile("count"))
@given(logs(), st.data())
def test_any_stretches_give_the_same_bytes(entries: list[bytes], data: st.DataObject) -> None:
    whole = BALLOTS.count(*entries)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(entries)), max_size=5)))
    parts = Count(BALLOTS.election)
    for start, stop in zip([0, *cuts], [*cuts, len(entries)], strict=True):
        parts.apply(entries[start:stop])
        if data.draw(st.booleans()):
            parts.prepare()
    assert published(parts) == published(whole)


@settings(settings.get_profile("count"))
@given(logs())
def test_totals_kept_up_to_date_are_those_of_a_fresh_count(entries: list[bytes]) -> None:
    kept = Count(BALLOTS.election)
    kept.prepare()
    for size, entry in enumerate(entries, start=1):
        kept.apply([entry])
        assert published(kept) == published(BALLOTS.count(*entries[:size]))


@settings(settings.get_profile("count"))
@given(logs())
def test_every_unit_is_the_sum_of_its_counted_stations(entries: list[bytes]) -> None:
    count = BALLOTS.count(*entries)
    units = count.election.units
    for number, state in enumerate(count.contests):
        for unit in range(units.unit_count):
            below = [station for station in units.stations_below(unit) if count.election.votes_in(station, number)]
            rows = [state.figures[station].tolist() for station in below if state.status[station] == COUNTED]
            result = unit_result(count, number, unit)
            options = state.options
            assert result.votes == tuple(sum(max(0, row[option]) for row in rows) for option in range(options))
            for figure, at in ((result.blank, 0), (result.null, 1), (result.voters, 3)):
                known = [row[options + at] for row in rows if row[options + at] != UNKNOWN]
                assert figure == (sum(known) if known else None)
            assert (result.stations, result.counted) == (len(below), len(rows))
            assert result.stations == result.counted + result.quarantined + result.excluded + result.outstanding


@settings(settings.get_profile("count"))
@given(logs(), st.data())
def test_a_bulletin_holds_when_replayed_and_no_changed_figure_does(entries: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(entries)))
    bulletin = make_bulletin(BALLOTS.count(*entries[:size]), ROOT, number=1, time=NOON)
    replayed = Count(BALLOTS.election)
    for entry in entries[:size]:
        replayed.apply([entry])
    assert differences(bulletin, replayed, ROOT) == []
    number = data.draw(st.integers(0, len(CONTESTS) - 1))
    true = bulletin.contests[number]
    name = data.draw(st.sampled_from(["votes", "blank", "null", "ballots", "counted", "elected", "margin", "changeable"]))
    value = getattr(true, name)
    changes: dict[str, object] = {
        "votes": (true.votes[0] + 1, *true.votes[1:]),
        "elected": (*true.elected, "finch"),
        "changeable": not true.changeable,
    }
    other = changes[name] if name in changes else 0 if value is None else value + 1
    false = msgspec.structs.replace(true)
    msgspec.structs.force_setattr(false, name, other)
    changed = msgspec.structs.replace(
        bulletin, contests=tuple(false if place == number else result for place, result in enumerate(bulletin.contests))
    )
    assert [difference.field for difference in differences(changed, replayed, ROOT)] == [f"contest {true.contest}, {name}"]
