"""The second verifier's own primitives: strict Ed25519, canonical CBOR, note keys."""

import json

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from second_look import cbor, signatures
from second_look.report import FormatError

import second_look_helpers  # noqa: F401 - puts the second verifier on the path
from scrutineer.errors import SignatureError
from scrutineer.statements.keys import verify
from shared_data import shared

VALUES = st.recursive(
    st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=40) | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.integers(0, 2**16), inner, max_size=5)
        | st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)


@pytest.mark.data
def test_both_verifiers_agree_on_crafted_signatures() -> None:
    vectors = json.loads(shared("log/ed25519-cctv/ed25519vectors.json").read_text())
    accepted = 0
    for vector in vectors:
        key, signature = bytes.fromhex(vector["key"]), bytes.fromhex(vector["sig"])
        message = vector["msg"].encode()
        try:
            verify(key, message, signature)
            first = True
        except SignatureError:
            first = False
        assert signatures.holds("ed25519", key, message, signature) == first, vector["number"]
        accepted += first
    assert 0 < accepted < len(vectors)


@given(VALUES)
def test_what_is_encoded_is_decoded(value: object) -> None:
    data = cbor.encode(value)
    assert data == cbor2.dumps(value, canonical=True)
    assert cbor.decode(data) == value


@given(st.binary(max_size=60))
def test_only_one_encoding_is_decoded(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except FormatError:
        return
    if not isinstance(value, bool | None):  # the encoder needs none of these
        assert cbor.encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        "1801",
        "190001",
        "5801ff",
        "9f01ff",
        "a201020100",
        "a2020101ff",
        "f97e00",
        "c100",
        "f7",
        "8101" * 2,
        "81" * 20 + "01",
        "61ff",
    ],
)
def test_other_encodings_are_refused(data: str) -> None:
    with pytest.raises(FormatError):
        cbor.decode(bytes.fromhex(data))
