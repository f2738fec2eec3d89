"""Which Ed25519 signatures count is decided by libsodium; every other common verifier must accept those as well."""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from scrutineer.errors import NoteError
from scrutineer.log.note import Ed25519Verifier, VerifierKey
from shared_data import shared


def openssl_accepts(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def we_accept(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519Verifier(VerifierKey("a", 1, key)).verify(message, signature)
    except NoteError:
        return False
    return True


@pytest.mark.data
def test_edge_cases_accepted_here_are_a_strict_subset_of_those_accepted_by_openssl() -> None:
    """C2SP CCTV: 914 signatures with crafted points. What we accept, nobody else may reject."""
    vectors = json.loads(shared("log/ed25519-cctv/ed25519vectors.json").read_text())
    cases = {
        vector["number"]: (bytes.fromhex(vector["key"]), vector["msg"].encode(), bytes.fromhex(vector["sig"]))
        for vector in vectors
    }
    ours = {number for number, case in cases.items() if we_accept(*case)}
    theirs = {number for number, case in cases.items() if openssl_accepts(*case)}
    assert (len(vectors), len(ours), len(theirs)) == (914, 43, 208)
    assert ours < theirs
    strict = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}
    assert not any(strict & set(vector["flags"] or ()) for vector in vectors if vector["number"] in ours)
