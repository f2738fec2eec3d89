"""Every lettered check of the specification can fail in the second verifier, and fails in the first for the same record."""

from typing import Any

import pytest

from ballot_helpers import SMALL
from record_helpers import Record, RememberingEngine, sample_record
from scrutineer.ballots.checks import SPECIFIED
from second_look_helpers import edited, look, with_bytes

ENGINE = RememberingEngine()
P = int(SMALL.p)


def _scalar(place: int) -> Any:
    """The scalar at a place of a proof becomes q."""
    return with_bytes(lambda data: data[: 32 * place] + int(SMALL.q).to_bytes(32, "big") + data[32 * place + 32 :])


flip = with_bytes(lambda data: data[:-1] + bytes((data[-1] ^ 1,)))
negate = with_bytes(lambda data: (P - int.from_bytes(data, "big")).to_bytes(len(data), "big"))
NOT_CHAINED = with_bytes(lambda data: bytes(4) + data[4:])

# Bundle 0: a header, ballots (cast, challenged, cast, …) and a closing. Bundle 1: pre-encrypted ballots (cast, uncast, cast).
CASES: tuple[tuple[str, str, str, Any], ...] = (
    ("1.A", "keys", "specification", "2.0.0"),
    ("1.B", "keys", "p", flip),
    ("1.C", "keys", "q", flip),
    ("1.D", "keys", "g", flip),
    ("1.E", "keys", "parameter_hash", flip),
    ("1.F", "keys", "base_hash", flip),
    ("2.A", "keys", "guardians/0/vote/1", negate),
    ("2.B", "keys", "guardians/1/data_proof", _scalar(2)),
    ("2.C", "keys", "guardians/2/vote_proof", flip),
    ("3.A", "keys", "vote_key", negate),
    ("3.B", "keys", "data_key", negate),
    ("4.A", "keys", "extended_hash", flip),
    ("5.B", "bundle 0 line 1", "identifier", flip),
    ("6.A", "bundle 0 line 1", "contests/0/selections/0/alpha", negate),
    ("6.B", "bundle 0 line 1", "contests/0/selections/0/proof", _scalar(0)),
    ("6.C", "bundle 0 line 1", "contests/0/selections/0/proof", _scalar(2)),
    ("6.D", "bundle 0 line 1", "contests/1/selections/3/proof", flip),
    ("7.A", "bundle 0 line 1", "contests/1/selections/0/beta", negate),
    ("7.B", "bundle 0 line 1", "contests/0/proof", _scalar(1)),
    ("7.C", "bundle 0 line 1", "contests/0/proof", _scalar(3)),
    ("7.D", "bundle 0 line 3", "contests/0/proof", flip),
    ("8.A", "bundle 0 line 1", "contests/0/hash", flip),
    ("8.B", "bundle 0 line 1", "code", flip),
    ("8.C", "bundle 0 line 0", "device_hash", flip),
    ("8.D", "bundle 0 line 0", "chain", NOT_CHAINED),
    ("8.E", "bundle 0 line 2", "chain", flip),
    ("8.F", "bundle 0 line 0", "opening", flip),
    ("8.G", "bundle 0 line -1", "closing", flip),
    ("9.A", "bundle 0 line -1", "totals/0/fields/0/alpha", negate),
    ("9.B", "bundle 0 line -1", "totals/1/fields/2/beta", negate),
    ("10.A", "tally 0", "contests/0/fields/0/proof", _scalar(1)),
    ("10.B", "tally 0", "contests/1/fields/0/proof", flip),
    ("10.C", "tally 0", "contests/0/fields/0/total", lambda total: total + 1),
    ("11.A", "tally 0", "contests/0/label", "nothing"),
    ("11.B", "tally 0", "contests/0/fields/0/label", "nobody"),
    ("11.C", "tally 0", "contests/0/fields", lambda fields: fields[:-1]),
    ("11.D", "tally 0", "contests", lambda contests: contests[:-1]),
    ("12.A", "tally 0", "data/0/proof", _scalar(1)),
    ("12.B", "tally 0", "data/0/proof", flip),
    ("12.C", "tally 0", "data/0/data", flip),
    ("13.A", "tally 0", "challenged/0/contests/1/data", flip),
    ("13.B", "tally 0", "challenged/0/contests/0/fields/0/nonce", flip),
    ("14.A", "tally 0", "challenged/0/contests/0/label", "nothing"),
    ("14.B", "tally 0", "challenged/0/contests", lambda contests: contests[1:]),
    ("14.C", "tally 0", "challenged/0/contests/0/fields/0/label", "nobody"),
    ("14.D", "tally 0", "challenged/0/contests/0/fields", lambda fields: fields[1:]),
    ("14.E", "tally 0", "challenged/0/contests/0/fields/0/value", 2),
    ("14.F", "tally 0", "challenged/0/contests/2/fields/0/value", 60),
    ("15.A", "bundle 1 line 1", "contests/1/selections/0/alpha", negate),
    ("16.A", "bundle 1 line 1", "contests/0/chosen/0/hash", flip),
    ("16.B", "bundle 1 line 1", "contests/0/hash", flip),
    ("16.C", "bundle 1 line 1", "code", flip),
    ("16.D", "bundle 1 line 0", "device_hash", flip),
    ("16.E", "bundle 1 line 0", "chain", NOT_CHAINED),
    ("16.F", "bundle 1 line 2", "chain", flip),
    ("16.G", "bundle 1 line 0", "opening", flip),
    ("16.H", "bundle 1 line -1", "closing", flip),
    ("17.A", "bundle 1 line 1", "contests/0/chosen/0/code", "ZZZZ"),
    ("18.A", "bundle 1 line 2", "contests/0/opened/0/nonces/0", flip),
    ("19.A", "bundle 1 line 2", "contests/0/label", "nothing"),
    ("19.B", "bundle 1 line 2", "contests", lambda contests: contests[1:]),
    ("19.C", "bundle 1 line 2", "contests/0/opened/0/label", "nobody"),
    ("19.D", "bundle 1 line 2", "contests/0/opened/1/label", ""),
)


def _twice(record: Record) -> Record:
    lines = record.bundles[0].splitlines(keepends=True)
    return record.with_bundle(0, b"".join([*lines[:2], *lines[1:]]))


@pytest.mark.parametrize(("check", "where", "path", "value"), CASES, ids=[case[0] for case in CASES])
def test_a_check_fails(check: str, where: str, path: str, value: Any) -> None:
    record = edited(sample_record(), where, path, value)
    assert check in look(record).checks()
    assert check in record.check(ENGINE).checks


def test_an_identifier_that_stands_twice() -> None:
    record = _twice(sample_record())
    assert "5.A" in look(record).checks()
    assert "5.A" in record.check(ENGINE).checks


def test_all_lettered_checks_are_tried() -> None:
    assert {case[0] for case in CASES} | {"5.A"} == {check.number for check in SPECIFIED}
    assert len(CASES) + 1 == 64
