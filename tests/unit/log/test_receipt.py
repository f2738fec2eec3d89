import cbor2
import pytest

from log_helpers import ORIGIN, signer
from scrutineer.errors import ReceiptError
from scrutineer.log.merkle import MerkleTree, leaf_hash
from scrutineer.log.receipt import (
    HeadReceipts,
    encode_receipt,
    sign_head,
    verify_entry_receipt,
    verify_head,
    verify_receipt,
)
from scrutineer.log.signer import LogSigner
from scrutineer.statements.keys import thumbprint

LOG = signer()
VERIFIER = LOG.verifier


def receipts(size: int, log: LogSigner = LOG) -> list[bytes]:
    tree = MerkleTree()
    tree.extend([leaf_hash(b"%d" % number) for number in range(size)])
    writer = HeadReceipts(log.verifier, size, sign_head(size, tree.root(), log))
    return writer.encode_many(enumerate(tree.inclusion_many(range(size))))


def altered(receipt: bytes, **parts: object) -> bytes:
    """Return the receipt with some of its parts replaced, everything else kept."""
    protected, unprotected, payload, signature = cbor2.loads(receipt).value
    size, index, path = cbor2.loads(unprotected[396][-1][0])
    proof = [parts.get("size", size), parts.get("index", index), parts.get("path", path)]
    vdp = parts.get("vdp", {396: {-1: [cbor2.dumps(proof)]}})
    fields = [parts.get("protected", protected), vdp, parts.get("payload", payload), parts.get("signature", signature)]
    return cbor2.dumps(cbor2.CBORTag(parts.get("tag", 18), fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 23, 24, 25, 255, 256, 257, 1000])
def test_every_receipt_of_a_head_verifies(size: int) -> None:
    for index, receipt in enumerate(receipts(size)):
        read = verify_entry_receipt(receipt, b"%d" % index, VERIFIER)
        assert (read.index, read.size) == (index, size)
        assert altered(receipt) == receipt


def test_the_layout_is_that_of_rfc_9942() -> None:
    receipt = receipts(5)[3]
    message = cbor2.loads(receipt)
    assert message.tag == 18
    protected, unprotected, payload, signature = message.value
    header = {1: -8, 4: thumbprint(VERIFIER.ed25519_public_key), 15: {1: ORIGIN, 2: "head/5"}, 395: 1}
    assert protected == cbor2.dumps(header, canonical=True)
    assert list(unprotected) == [396]
    assert list(unprotected[396]) == [-1]
    size, index, path = cbor2.loads(unprotected[396][-1][0])
    assert (size, index, len(path), payload, len(signature)) == (5, 3, 3, None, 64)


def test_a_head_near_the_largest_size_can_be_encoded() -> None:
    size, index = 2**63 - 1, 2**40
    path = [bytes([level]) * 32 for level in range(63)]
    receipt = encode_receipt(VERIFIER, bytes(64), size, index, path)
    assert altered(receipt) == receipt


def test_heads_verify_and_others_do_not() -> None:
    signature = sign_head(5, bytes(32), LOG)
    verify_head(5, bytes(32), signature, VERIFIER)
    for size, root, candidate in ((6, bytes(32), signature), (5, b"x" * 32, signature), (5, bytes(32), bytes(63))):
        with pytest.raises(ReceiptError):
            verify_head(size, root, candidate, VERIFIER)
    with pytest.raises(ReceiptError):
        HeadReceipts(VERIFIER, 5, bytes(63))


def test_index_and_size_cannot_be_moved() -> None:
    """Index 4 of 5 and index 1 of 2 have the same path and root; the signed size tells them apart."""
    receipt = receipts(5)[4]
    with pytest.raises(ReceiptError):
        verify_entry_receipt(altered(receipt, size=2, index=1), b"4", VERIFIER)
    header = cbor2.dumps({1: -8, 4: VERIFIER.kid, 15: {1: ORIGIN, 2: "head/2"}, 395: 1}, canonical=True)
    with pytest.raises(ReceiptError, match="does not verify"):
        verify_entry_receipt(altered(receipt, size=2, index=1, protected=header), b"4", VERIFIER)


def test_receipts_of_other_entries_and_logs_are_refused() -> None:
    receipt = receipts(5)[3]
    with pytest.raises(ReceiptError):
        verify_entry_receipt(receipt, b"other", VERIFIER)
    with pytest.raises(ReceiptError):
        verify_receipt(receipt, b"3", VERIFIER)
    for other in (signer(seed=5), signer("log.example/egret")):
        with pytest.raises(ReceiptError, match="protected header"):
            verify_entry_receipt(receipt, b"3", other.verifier)


def header(**changes: object) -> bytes:
    labels = {"alg": 1, "kid": 4, "claims": 15, "vds": 395}
    content: dict[object, object] = {1: -8, 4: VERIFIER.kid, 15: {1: ORIGIN, 2: "head/5"}, 395: 1}
    for name, value in changes.items():
        content[labels.get(name, name)] = value
    return cbor2.dumps(content, canonical=True)


GOOD = receipts(5)[3]
PATH = list(cbor2.loads(cbor2.loads(GOOD).value[1][396][-1][0])[2])


@pytest.mark.parametrize(
    "receipt",
    [
        b"",
        b"\xd2",
        GOOD[:-1],
        GOOD + b"\0",
        b"\x18" + GOOD,
        b"\xd8\x12" + GOOD[1:],
        GOOD[1:],
        cbor2.dumps(5),
        cbor2.dumps({}),
        cbor2.dumps(cbor2.CBORTag(18, [])),
        b"\x81" * 5000,
        b"\x81" * 3000,
        altered(GOOD, tag=98),
        altered(GOOD, payload=bytes(32)),
        altered(GOOD, payload=b""),
        altered(GOOD, signature=bytes(64)),
        altered(GOOD, signature=bytes(63)),
        altered(GOOD, signature="x" * 64),
        altered(GOOD, size=6),
        altered(GOOD, size=3),
        altered(GOOD, size=-1),
        altered(GOOD, size=2**64),
        altered(GOOD, size=5.0),
        altered(GOOD, index=2),
        altered(GOOD, index=True),
        altered(GOOD, index="3"),
        altered(GOOD, index=None),
        altered(GOOD, path=[]),
        altered(GOOD, path=PATH[:-1]),
        altered(GOOD, path=[*PATH, PATH[0]]),
        altered(GOOD, path=[PATH[0][:31], *PATH[1:]]),
        altered(GOOD, path=["x" * 32, *PATH[1:]]),
        altered(GOOD, path=[bytes(32)] * 64),
        altered(GOOD, path=5),
        altered(GOOD, vdp={}),
        altered(GOOD, vdp={396: {}}),
        altered(GOOD, vdp={396: {-1: []}}),
        altered(GOOD, vdp={396: {-2: [cbor2.dumps([5, 3, PATH])]}}),
        altered(GOOD, vdp={396: {-1: [cbor2.dumps([5, 3, PATH])] * 2}}),
        altered(GOOD, vdp={396: {-1: [[5, 3, PATH]]}}),
        altered(GOOD, vdp={396: {-1: [cbor2.dumps([5, 3])]}}),
        altered(GOOD, vdp={396: {-1: [cbor2.dumps([5, 3, PATH]) + b"\0"]}}),
        altered(GOOD, vdp={396: {-1: [cbor2.dumps([5, 3, PATH])]}, 4: b"kid"}),
        altered(GOOD, protected={}),
        altered(GOOD, protected=b""),
        altered(GOOD, protected=b"\xff"),
        altered(GOOD, protected=header(alg=-7)),
        altered(GOOD, protected=header(kid=bytes(32))),
        altered(GOOD, protected=header(vds=2)),
        altered(GOOD, protected=header(vds=True)),
        altered(GOOD, protected=header(claims={1: ORIGIN})),
        altered(GOOD, protected=header(claims={1: ORIGIN, 2: "head/05"})),
        altered(GOOD, protected=header(crit=[395])),
        altered(GOOD, protected=header() + b"\0"),
    ],
)
def test_hostile_receipts(receipt: bytes) -> None:
    with pytest.raises(ReceiptError):
        verify_entry_receipt(receipt, b"3", VERIFIER)


def test_long_lengths_written_the_long_way_are_refused() -> None:
    """The same content with a longer encoding of the array's head would be a second form of one receipt."""
    proof = cbor2.dumps([5, 3, PATH])
    longer = proof[:3] + b"\x98\x03" + proof[4:]
    assert cbor2.loads(longer) == cbor2.loads(proof)
    with pytest.raises(ReceiptError, match="canonical"):
        verify_entry_receipt(altered(GOOD, vdp={396: {-1: [longer]}}), b"3", VERIFIER)
