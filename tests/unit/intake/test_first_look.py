"""The first look agrees with those who read everything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.errors import StatementError
from scrutineer.intake.first_look import first_look
from scrutineer.statements import SigningKey, parse_statement, sign_statement
from scrutineer.statements.envelope import open_envelope, protected_header, seal
from statement_samples import sample_payloads

KEY = SigningKey(bytes(range(32)))
ISSUERS = ("station/n1", "authority/" + "plover-" * 9, "observer/é")
SAMPLES = {
    f"{kind} by {issuer[:16]}, {key.algorithm}": sign_statement(payload, issuer, key)
    for kind, payload in sample_payloads().items()
    for issuer in ISSUERS
    for key in (KEY, SigningKey(bytes(32), "ml-dsa-44"))
}


@pytest.mark.parametrize("name", SAMPLES)
def test_sees_what_the_envelope_says(name: str) -> None:
    data = SAMPLES[name]
    envelope = open_envelope(data)
    look = first_look(data)
    assert not isinstance(look, str)
    kind, issuer, kid, payload_at = look
    assert (kind, issuer.decode(), kid) == (envelope.kind, envelope.issuer, envelope.kid)
    assert data[payload_at : payload_at + len(envelope.payload)] == envelope.payload


@pytest.mark.parametrize("length", [1, 23, 24, 100, 191, 192])
@pytest.mark.parametrize("letter", ["n", "é", "鷺"])
def test_claims_of_every_length(letter: str, length: int) -> None:
    data = seal("tally-sheet", letter * length, letter * (193 - length), b"x" * 30, KEY)
    look = first_look(data)
    assert not isinstance(look, str)
    assert look[1].decode() == letter * length


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 60_000])
def test_payloads_of_every_length(size: int) -> None:
    data = seal("claim", "observer/ibis", "x", bytes(size), KEY)
    open_envelope(data)
    assert not isinstance(first_look(data), str)


def test_longer_claims_are_malformed_to_both() -> None:
    header = protected_header("claim", "o" * 193, "x", KEY.kid)
    data = b"\xd2\x84\x59" + len(header).to_bytes(2) + header + b"\xa0\x58\x20" + bytes(32) + b"\x58\x40" + bytes(64)
    with pytest.raises(StatementError):
        open_envelope(data)
    assert isinstance(first_look(data), str)


@settings(max_examples=1_000, deadline=None)
@given(
    st.sampled_from(sorted(SAMPLES.values())),
    st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255), st.sampled_from("scd")), min_size=1, max_size=3),
)
def test_calls_nothing_malformed_that_is_not(data: bytes, changes: list[tuple[int, int, str]]) -> None:
    changed = bytearray(data)
    for at, byte, what in changes:
        # Mostly in the header, where every byte has a meaning.
        place = at % min(len(changed), 160 if at % 4 else len(changed))
        if what == "s":
            changed[place] = byte
        elif what == "c":
            changed.insert(place, byte)
        else:
            del changed[place]
    mutant = bytes(changed)
    look = first_look(mutant)
    try:
        parse_statement(mutant)
    except StatementError:
        return
    assert not isinstance(look, str)


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    assert isinstance(first_look(data), str)
    assert isinstance(first_look(b"\xd2\x84" + data), str)
