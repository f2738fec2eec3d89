"""Receipts are exchanged with scitt-cose, an independent implementation of RFC 9942, in both directions."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from log_helpers import ORIGIN, MemoryStore, signer
from scrutineer.errors import ReceiptError
from scrutineer.log import Log, verify_entry_receipt
from scrutineer.log.merkle import MerkleTree, leaf_hash

scitt_cose = pytest.importorskip("scitt_cose")

LOG = signer()
VERIFIER = LOG.verifier
PUBLIC_PEM = Ed25519PublicKey.from_public_bytes(VERIFIER.ed25519_public_key).public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)
PRIVATE_PEM = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SIZES = [1, 2, 3, 8, 11, 30]


def entries(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_our_receipts_are_accepted(size: int) -> None:
    log = Log.open(MemoryStore(), LOG)
    for result, entry in zip(log.append(entries(size)), entries(size), strict=True):
        read = scitt_cose.verify_receipt(result.receipt, leaf_entry_hex=entry.hex(), log_public_key_pem=PUBLIC_PEM)
        assert read.ok, read.errors
        assert (read.tree_size, read.leaf_index, bytes.fromhex(read.root)) == (size, result.index, log.root())
        assert (read.issuer, read.subject) == (ORIGIN, f"head/{size}")
        assert read.protected_header_ext == {4: VERIFIER.kid}
        other = scitt_cose.verify_receipt(result.receipt, leaf_entry_hex=b"x".hex(), log_public_key_pem=PUBLIC_PEM)
        assert not other.ok


def foreign(size: int, index: int, **claims: object) -> bytes:
    leaves = [entry.hex() for entry in entries(size)]
    content: dict[str, object] = {"iss": ORIGIN, "sub": f"head/{size}", "kid": VERIFIER.kid, **claims}
    receipt = scitt_cose.build_receipt(
        leaf_entry_hex=leaves[index],
        leaf_index=index,
        tree_entries_hex=leaves,
        alg="EdDSA",
        log_private_key_pem=PRIVATE_PEM,
        **content,
    )
    assert isinstance(receipt, bytes)
    return receipt


@pytest.mark.parametrize("size", SIZES)
def test_its_receipts_are_accepted(size: int) -> None:
    for index, entry in enumerate(entries(size)):
        read = verify_entry_receipt(foreign(size, index), entry, VERIFIER)
        assert (read.index, read.size) == (index, size)


@pytest.mark.parametrize(
    "claims",
    [{"kid": None}, {"iss": None}, {"sub": None}, {"kid": bytes(32)}, {"iss": "other"}, {"sub": "head/7"}, {"iat": 5}],
)
def test_its_receipts_without_the_header_of_this_log_are_refused(claims: dict[str, object]) -> None:
    with pytest.raises(ReceiptError, match="protected header"):
        verify_entry_receipt(foreign(8, 3, **claims), b"entry 3", VERIFIER)


def test_trees_agree() -> None:
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in entries(30)])
    for size in SIZES:
        leaves = [entry.hex() for entry in entries(size)]
        assert scitt_cose.merkle_root(leaves) == tree.root(size).hex()
        for index in range(size):
            assert scitt_cose.inclusion_proof(leaves, index) == [value.hex() for value in tree.inclusion(index, size)]
        for first in range(1, size):
            expected = [value.hex() for value in tree.consistency(first, size)]
            assert scitt_cose.consistency_proof(leaves, first, size) == expected
