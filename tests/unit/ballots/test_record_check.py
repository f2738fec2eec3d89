"""Whole records: what is reported of stations, how files are paired, and what is said of what was not there."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import pytest

from ballot_helpers import SMALL, every_contest, one_contest
from record_helpers import Record, RememberingEngine, keys_of, make_bundle, make_record, pieces, sample_record
from scrutineer.ballots.bundle_check import BallotEngine, CheckedLines, Findings, HandedLine
from scrutineer.ballots.engines import InProcess, ProcessPool
from scrutineer.ballots.failures import MAX_FAILURES, CheckFailure
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Ballot
from scrutineer.ballots.record_check import GivenBundle, RecordCheck, Source
from scrutineer.ballots.sidecar import make_sidecar
from scrutineer.ballots.spread_check import spread
from scrutineer.ballots.tally_check import check_exactness, is_exact
from scrutineer.errors import BallotError

ENGINE = RememberingEngine()


def test_stations_have_their_totals_by_label() -> None:
    station, press = sample_record().check(ENGINE).stations
    assert (station.station, station.device, station.kind) == ("0001", "0001 a", "ballots")
    assert station.counts == {"cast": 3, "challenged": 2, "spoiled": 1, "provisional": 1}
    assert station.cast_by_style == {1: 1, 2: 2}
    assert station.bundle == hashlib.sha256(sample_record().bundles[0]).digest()
    assert station.totals is not None
    assert list(station.totals) == [contest.label for contest in every_contest().contests]
    assert list(station.totals["warden"]) == ["wren", "owl", "heron", "*blank", "*null"]
    assert (station.opened, station.decrypted) == (2, 1)
    assert (press.kind, press.counts["cast"], press.counts["challenged"]) == ("pre-encrypted ballots", 2, 1)


def test_without_totals_they_are_unknown() -> None:
    record = replace(sample_record(), tallies=(b"", b""))
    report = record.check(ENGINE)
    assert report.passed
    assert [station.totals for station in report.stations] == [None, None]
    assert {"10.A", "11.D", "12.C", "13.B", "14.F", "R.9", "R.10"} <= set(report.idle)


def test_a_record_without_ballots_says_what_had_nothing_to_look_at() -> None:
    keys = sample_record().keys
    report = Record(keys, (), ()).check()
    assert report.passed
    assert not {"1.A", "2.A", "3.A", "4.A", "R.1"} & set(report.idle)
    assert {"5.A", "6.D", "9.A", "16.A"} <= set(report.idle)


def test_a_station_where_nobody_voted() -> None:
    report = make_record(one_contest(3), statuses=(), data=False).check()
    assert report.passed
    (station,) = report.stations
    assert station.totals == {"warden": {"wren": 0, "owl": 0, "heron": 0}}


def test_a_station_whose_ballots_were_all_challenged() -> None:
    report = make_record(every_contest(), statuses=("challenged", "challenged"), data=False).check()
    assert report.passed
    assert report.stations[0].counts["cast"] == 0


@pytest.mark.parametrize("engine", [InProcess(), ProcessPool(2)])
def test_engines_find_the_same(engine: InProcess | ProcessPool) -> None:
    record = sample_record()
    lines = record.bundles[0].splitlines(keepends=True)
    contests = [msgspec.json.decode(line, type=Ballot).contests[0] for line in lines[1:3]]
    moved = msgspec.json.encode(contests[1].proof)
    broken = record.with_bundle(
        0, b"".join([lines[0], lines[1].replace(msgspec.json.encode(contests[0].proof), moved), *lines[2:]])
    )
    assert broken.check().checks == ("7.D",)
    for own in (record, broken):
        assert own.check(spread(engine)) == own.check()


def test_side_cars_find_the_same() -> None:
    record = sample_record()
    _, keys = keys_of(record)
    bundle = make_bundle(keys, ("cast",) * 12)[0]
    own = Record(record.keys, (bundle,), (b"",))
    ballots = [msgspec.json.decode(line, type=Ballot) for line in bundle.splitlines()[1:-1]]
    sidecar = b"".join(make_sidecar(keys, ballots))
    told: list[int] = []
    report = own.check(spread(InProcess(), lambda _: pieces(sidecar, 4000), told.append))
    assert report == own.check()
    assert told[-1] == 12


def test_tally_records_find_their_bundles_by_hash() -> None:
    record = sample_record()
    turned = replace(record, tallies=record.tallies[::-1])
    assert turned.check(ENGINE).passed


def test_two_tally_records_of_one_bundle() -> None:
    record = sample_record()
    twice = Record(record.keys, (*record.bundles, b""), (*record.tallies, record.tallies[0]))
    assert any("other decrypted totals already" in failure.message for failure in twice.check(ENGINE).failures)


def test_a_tally_record_of_a_bundle_that_was_not_given() -> None:
    record = sample_record()
    report = Record(record.keys, (), ()).check()
    assert report.passed
    alone = Record(record.keys, record.bundles[:1], record.tallies[:1])
    both = replace(alone, bundles=(record.bundles[0], b""), tallies=record.tallies)
    assert any(failure.check == "R.8" for failure in both.check(ENGINE).failures)


def test_a_file_that_changes_while_it_is_read() -> None:
    record = sample_record()
    opened = 0

    def changing() -> Iterator[bytes]:
        nonlocal opened
        opened += 1
        yield from pieces(record.bundles[0] if opened == 1 else record.bundles[0].replace(b'"0001"', b'"0002"'))

    check = RecordCheck(record.keys, group=SMALL, engine=ENGINE)
    (result,) = check.bundles([GivenBundle(Source("bundle", changing))])
    assert [failure.check for failure in result.failures] == ["R.2"]
    assert "changed while" in result.failures[0].message


def test_an_engine_that_stops_early_is_no_pass() -> None:
    def lazy(_: ElectionKeys) -> BallotEngine:
        def check(lines: Iterator[HandedLine]) -> Iterator[CheckedLines]:
            first = next(lines)
            yield CheckedLines(first.bundle, 1, 0)

        return check

    with pytest.raises(BallotError, match="stopped early"):
        sample_record().check(lazy)


def test_failures_beyond_a_limit_are_counted() -> None:
    findings = Findings()
    findings.add(CheckFailure("6.A", str(number), "x") for number in range(MAX_FAILURES + 5))
    assert (len(findings.failures), findings.count) == (MAX_FAILURES, MAX_FAILURES + 5)
    findings.fail("7.A", "last", "x")
    assert findings.failures[-1] == CheckFailure("7.A", "last", "x"), "a flood must not hide the number of another check"
    assert (findings.count, findings.checks) == (MAX_FAILURES + 6, {"6.A", "7.A"})


def test_contests_are_exact_where_every_ballot_adds_up() -> None:
    exact = {contest.label: is_exact(contest) for contest in every_contest().contests}
    assert exact == {"warden": True, "council": True, "scores": False, "pond": True, "song": True}


def test_exactness_counts_weights() -> None:
    _, keys = keys_of(sample_record())
    right = {"council": {"wren": 2, "*undervotes": 4, "*blank": 1, "*null": 1}}
    assert not check_exactness(right, {2: 4}, keys, "here")
    assert [failure.check for failure in check_exactness(right, {2: 5}, keys, "here")] == ["R.9"]
    assert not check_exactness({}, {2: 5}, keys, "here")


def test_nothing_in_a_file_acts_on_a_terminal() -> None:
    record = sample_record()
    lines = record.bundles[0].splitlines(keepends=True)
    for hostile in (
        record.with_bundle(0, b"".join([lines[0].replace(b'"0001"', b'"\\u001b[2J"'), *lines[1:]])),
        record.with_bundle(0, b"".join([lines[0], b'{"kind":"ballot","\\u001b[2J":1}\n', *lines[1:]])),
        replace(record, keys=b'{"\\u001b[2J":1}'),
        replace(record, tallies=(b'{"\\u001b[2J":1}', b"")),
    ):
        report = hostile.check(ENGINE)
        assert not report.passed
        texts = [*(part for failure in report.failures for part in failure), *(own.station for own in report.stations)]
        assert all(text.isprintable() for text in texts)
