"""What every statement promises: one encoding, read back as it was signed, and no byte of it can be changed."""

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrutineer.errors import SignatureError, StatementError
from scrutineer.statements import KINDS, Payload, TallySheet, codec, parse_statement, sign_statement, tally_sheet
from statement_samples import sample_payloads
from strategies import KEY, PAYLOADS, payloads, sheets

FIELD_KEYS = {name: key for key, name in enumerate(TallySheet._fields, start=1)}


def as_map(sheet: TallySheet) -> dict[int, object]:
    values = {FIELD_KEYS[name]: value for name, value in sheet._asdict().items() if value is not None}
    return dict(sorted(values.items()))


@pytest.fixture(scope="module")
def sample() -> dict[str, bytes]:
    return {kind: sign_statement(payload, "authority/plover", KEY) for kind, payload in sample_payloads().items()}


def test_there_is_a_strategy_for_every_kind() -> None:
    assert set(PAYLOADS) == set(KINDS)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(payloads)
def test_what_was_signed_is_read_back(payload: Payload) -> None:
    data = sign_statement(payload, "authority/plover", KEY)
    statement = parse_statement(data)
    assert statement.payload == payload
    assert type(statement.payload) is type(payload)
    assert statement.issuer == "authority/plover"
    statement.envelope.check_signature(KEY.public_key)
    assert sign_statement(statement.payload, statement.issuer, KEY) == data


@given(sheets(max_options=520))
def test_the_tally_sheet_codec_equals_the_general_one(sheet: TallySheet) -> None:
    if len(sheet.counts) > 512:
        with pytest.raises(StatementError):
            tally_sheet.encode_payload(sheet)
        return
    encoded = tally_sheet.encode_payload(sheet)
    assert encoded == cbor2.dumps(as_map(sheet), canonical=True)
    assert tally_sheet.decode_payload(encoded) == sheet


@given(sheets(max_options=6), st.data())
def test_the_tally_sheet_codec_accepts_what_encodes_again_and_nothing_else(sheet: TallySheet, data: st.DataObject) -> None:
    encoded = bytearray(tally_sheet.encode_payload(sheet))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(encoded) - 1))
        change = data.draw(st.sampled_from(["set", "insert", "delete"]))
        if change == "set":
            encoded[position] = data.draw(st.integers(0, 255))
        elif change == "insert":
            encoded.insert(position, data.draw(st.integers(0, 255)))
        else:
            del encoded[position]
    try:
        decoded = tally_sheet.decode_payload(bytes(encoded))
    except StatementError:
        return
    assert tally_sheet.encode_payload(decoded) == bytes(encoded)
    assert cbor2.dumps(as_map(decoded), canonical=True) == bytes(encoded)


@given(st.binary(max_size=64) | st.binary(max_size=60).map(lambda tail: b"\xd2\x84" + tail))
def test_any_bytes_at_all_are_read_or_refused(data: bytes) -> None:
    for read in (parse_statement, tally_sheet.decode_payload):
        with pytest.raises(StatementError) as caught:
            read(data)
        assert str(caught.value).isprintable()


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_codec_reads_what_it_writes(value: object) -> None:
    assert codec.decode(codec.encode(value)) == value


@pytest.mark.parametrize("kind", KINDS)
def test_no_byte_can_be_changed(kind: str, sample: dict[str, bytes]) -> None:
    data = sample[kind]
    for position in range(len(data)):
        for mask in (1, 2, 4, 8, 16, 32, 64, 128, 255):
            changed = data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :]
            with pytest.raises(StatementError) as caught:
                parse_statement(changed).envelope.check_signature(KEY.public_key)
            assert str(caught.value).isprintable(), f"byte {position} with mask {mask}"


@pytest.mark.parametrize("kind", KINDS)
def test_no_statement_is_read_when_cut_or_continued(kind: str, sample: dict[str, bytes]) -> None:
    data = sample[kind]
    for end in range(len(data)):
        with pytest.raises(StatementError):
            parse_statement(data[:end])
    for tail in (b"\x00", b"\xf6", data):
        with pytest.raises(StatementError):
            parse_statement(data + tail)


def test_another_key_did_not_sign(sample: dict[str, bytes]) -> None:
    for data in sample.values():
        with pytest.raises(SignatureError):
            parse_statement(data).envelope.check_signature(KEY.derive("another").public_key)
