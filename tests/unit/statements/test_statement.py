"""Statements as a whole: kinds, names, and the agreement of envelope and payload."""

import hashlib

import pytest

from scrutineer.errors import StatementError
from scrutineer.statements import KINDS, SigningKey, codec, is_tally_sheet, parse_statement, sign_statement, statement_hash
from scrutineer.statements.envelope import seal
from scrutineer.statements.statement import TYPE_BY_KIND
from statement_samples import sample_payloads, sheet

KEY = SigningKey(b"\x07" * 32)
SAMPLES = sample_payloads()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-44"])
def test_every_kind_is_read_back(kind: str, algorithm: str) -> None:
    key = SigningKey(b"\x07" * 32, algorithm)  # type: ignore[arg-type]
    data = sign_statement(SAMPLES[kind], "authority/plover", key)
    statement = parse_statement(data)
    assert (statement.kind, statement.issuer, statement.payload) == (kind, "authority/plover", SAMPLES[kind])
    assert statement.hash == hashlib.sha256(b"\x00" + data).digest() == statement_hash(data)
    statement.envelope.check_signature(key.public_key)
    assert is_tally_sheet(data) == (kind == "tally-sheet")


def test_the_mark_of_a_sheet_is_found_whatever_the_lengths() -> None:
    for issuer in ("s", "s" * 192):
        for station in ("1", "1" * 64):
            assert is_tally_sheet(sign_statement(sheet()._replace(station=station), issuer, KEY))
    assert not is_tally_sheet(b"")
    assert not is_tally_sheet(b"\x00" * 100)


def test_a_name_of_a_kind_elsewhere_makes_no_sheet() -> None:
    payload = SAMPLES["station-opened"]
    data = sign_statement(payload, "application/vnd.scrutineer.tally-sheet+cbor", KEY)
    assert not is_tally_sheet(data)


@pytest.mark.parametrize("kind", ["", "pledge", "Tally-Sheet", "tally-sheet ", "x" * 300, "a\nb", "tally-sheet+cbor"])
def test_an_unknown_kind_is_refused(kind: str) -> None:
    data = seal(kind, "authority/plover", "x", b"\xa0", KEY)
    with pytest.raises(StatementError, match="not known") as caught:
        parse_statement(data)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", KINDS)
def test_payload_and_subject_agree(kind: str) -> None:
    good = parse_statement(sign_statement(SAMPLES[kind], "authority/plover", KEY))
    for subject in ("", "elsewhere", good.envelope.subject + " ", "a\nb"):
        with pytest.raises(StatementError, match="subject") as caught:
            parse_statement(seal(kind, "authority/plover", subject, good.envelope.payload, KEY))
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("kind", KINDS)
def test_payloads_of_one_kind_are_none_of_another(kind: str) -> None:
    payload = parse_statement(sign_statement(SAMPLES[kind], "authority/plover", KEY)).envelope.payload
    for other in KINDS:
        if other != kind:
            with pytest.raises(StatementError):
                parse_statement(seal(other, "authority/plover", "x", payload, KEY))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("payload", [b"", b"\xa0", b"\x80", b"\xf6", b"\x00", b"\x61a", b"\xff", b"\xbf\xff", b"\xc0\xa0"])
def test_no_kind_is_read_from_another_value(kind: str, payload: bytes) -> None:
    with pytest.raises(StatementError) as caught:
        parse_statement(seal(kind, "authority/plover", "x", payload, KEY))
    assert str(caught.value).isprintable()


def test_keys_of_a_payload_stand_in_order() -> None:
    given = codec.from_struct(SAMPLES["station-opened"])  # type: ignore[arg-type]
    entries = [
        codec.encode(key) + codec.encode(value) for key, value in sorted(given.items(), key=lambda kv: (len(kv[0]), kv[0]))
    ]
    head = bytes([0xA0 + len(entries)])
    sealed = seal("station-opened", "station/1", "010203001", head + b"".join(entries), KEY)
    assert parse_statement(sealed).payload == SAMPLES["station-opened"]
    with pytest.raises(StatementError, match="deterministic"):
        parse_statement(seal("station-opened", "station/1", "010203001", head + b"".join(reversed(entries)), KEY))


def test_every_kind_has_one_type() -> None:
    assert len(set(TYPE_BY_KIND.values())) == len(KINDS) == len(SAMPLES)
