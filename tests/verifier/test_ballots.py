"""Both verifiers of encrypted ballots come to the same verdict on good and on tampered records."""

import json

import msgspec
import pytest
from second_look import ballots

from ballot_helpers import SMALL, one_contest
from ballot_mutations import mutated
from record_helpers import Record, RememberingEngine, make_record, sample_record
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.record import Ballot, encode_line
from second_look_helpers import look, tampered

SEEDS = 200
FORM = {"R.1", "R.2", "R.3", "R.5", "R.8"}


def _agree(what: str, record: Record, engine: RememberingEngine) -> bool:
    """Whether they find something: both or neither, and then the same check among others."""
    first, second = record.check(engine), look(record)
    assert first.passed == (not second.count), (what, first.checks, second.findings[:3])
    shared = set(first.checks) & second.checks()
    # Where the form is broken, each goes on as far as it can.
    assert first.passed or shared or FORM & second.checks(), (what, first.checks, second.checks())
    return not first.passed


def test_a_record_with_everything_is_accepted() -> None:
    report = look(sample_record())
    assert not report.count, report.findings


def test_both_agree_on_tampered_records(remembered: None) -> None:
    engine, found = RememberingEngine(), 0
    for seed in range(SEEDS):
        what, record = tampered(sample_record(), seed)
        found += _agree(what, record, engine)
    assert found > 0.9 * SEEDS


def test_both_agree_on_tampered_ballots(remembered: None) -> None:
    """Ballots of the right form, often with hashes that follow the change."""
    engine, found = RememberingEngine(), 0
    lines = sample_record().bundles[0].splitlines(keepends=True)
    for seed in range(80):
        at = 1 + seed % (len(lines) - 2)
        what, ballot = mutated(SMALL, msgspec.json.decode(lines[at], type=Ballot), seed)
        changed = b"".join([*lines[:at], encode_line(ballot) + b"\n", *lines[at + 1 :]])
        found += _agree(what, sample_record().with_bundle(0, changed), engine)
    assert found > 72


def test_the_standard_group_alone_is_offered() -> None:
    """The small group of tests is refused where nobody asks for it: 1.B to 1.D."""
    report = ballots.check(sample_record().keys, {})
    assert {"1.B", "1.D", "R.1"} <= report.checks()


def test_ballots_in_the_standard_group() -> None:
    record = make_record(one_contest(3), STANDARD, ("cast", "challenged"), press=False, data=False)
    report = look(record, ballots.STANDARD)
    assert not report.count, report.findings
    ballot = json.loads(record.bundles[0].splitlines()[1])
    ballot["contests"][0]["proof"] = ballot["contests"][0]["selections"][0]["proof"]
    lines = record.bundles[0].splitlines(keepends=True)
    changed = b"".join([lines[0], json.dumps(ballot, sort_keys=True, separators=(",", ":")).encode() + b"\n", *lines[2:]])
    assert "7.D" in look(record.with_bundle(0, changed), ballots.STANDARD).checks()


@pytest.mark.parametrize("data", [b"", b"{}", b"null", b"[" * 5000, b'{"format":NaN}', b"\xff", b'{"a":1,"a":1}'])
def test_keys_that_are_none_are_refused(data: bytes) -> None:
    assert look(Record(data, (), ())).checks() == {"R.1"}


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{}\n", b"null\n", b"[" * 5000 + b"\n", b'{"kind":["ballot"]}\n', b'{"kind":1e5}\n']
)
def test_bundles_that_are_none_are_refused(data: bytes) -> None:
    report = look(Record(sample_record().keys, (data,), (b"",)))
    assert "R.3" in report.checks()
