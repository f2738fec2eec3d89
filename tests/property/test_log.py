"""Properties of the log that hold for any input: what is written is read back, proofs verify, altered ones do not."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_helpers import MemoryStore, check_log, signer
from scrutineer.errors import LogError, NoteError, ProofError, ReceiptError
from scrutineer.log import Log, verify_entry_receipt
from scrutineer.log.checkpoint import Checkpoint, sign_checkpoint
from scrutineer.log.merkle import EMPTY_ROOT, MerkleTree, leaf_hash, verify_consistency, verify_inclusion
from scrutineer.log.note import Note, SignatureLine, VerifierKey, format_note, parse_note
from scrutineer.log.proof import LogProof
from scrutineer.log.tiles import TILE_WIDTH, bundles, decode_bundle, encode_bundle, tile_bytes, tiles

LOG = signer()
TREE = MerkleTree()
TREE.extend([leaf_hash(b"%d" % number) for number in range(1500)])

printable = st.characters(min_codepoint=0x21, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="+")
names = st.text(printable, min_size=1, max_size=60)
texts = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]) | st.just("\n"), max_size=200).map(
    lambda text: f"{text}\n".encode()
)
hashes = st.binary(min_size=32, max_size=32)
sizes = st.integers(1, 1500)
lines = st.builds(SignatureLine, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=100))
checkpoints = st.builds(Checkpoint, names, st.integers(1, 2**63 - 1), hashes) | names.map(
    lambda origin: Checkpoint(origin, 0, EMPTY_ROOT)
)


@given(texts, st.lists(lines, min_size=1, max_size=5))
def test_notes_are_read_as_they_were_written(text: bytes, signatures: list[SignatureLine]) -> None:
    note = Note(text, tuple(signatures))
    assert parse_note(format_note(note)) == note


@given(names, st.integers(0, 255), st.binary(min_size=1, max_size=100))
def test_verifier_keys_are_read_as_they_were_written(name: str, signature_type: int, public_key: bytes) -> None:
    key = VerifierKey(name, signature_type, public_key)
    assert VerifierKey.parse(str(key)) == key


@given(checkpoints)
def test_checkpoints_are_read_as_they_were_written(checkpoint: Checkpoint) -> None:
    assert Checkpoint.from_text(checkpoint.to_text()) == checkpoint


@given(checkpoints, st.integers(0, 2**63 - 1), st.lists(hashes, max_size=63), st.none() | st.binary(max_size=300))
@settings(max_examples=50)
def test_log_proofs_are_read_as_they_were_written(
    checkpoint: Checkpoint, index: int, path: list[bytes], extra: bytes | None
) -> None:
    note = sign_checkpoint(checkpoint, LOG.note_signers[:1])
    proof = LogProof(index, tuple(path), note, extra)
    assert LogProof.from_text(proof.to_text()) == proof


@given(st.binary(max_size=400))
def test_any_bytes_are_read_in_one_form_or_refused(data: bytes) -> None:
    with suppress(NoteError):
        assert format_note(parse_note(data)) == data
    with suppress(NoteError):
        assert Checkpoint.from_text(data).to_text() == data
    with suppress(ProofError):
        assert LogProof.from_text(data).to_text() == data
    with suppress(LogError):
        assert encode_bundle(decode_bundle(data)) == data
    with pytest.raises(ReceiptError):
        verify_entry_receipt(data, b"entry", LOG.verifier)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=TILE_WIDTH))
def test_bundles_are_read_as_they_were_written(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


@given(st.data())
def test_inclusion_proofs_verify_and_altered_ones_do_not(data: st.DataObject) -> None:
    size = data.draw(sizes)
    index = data.draw(st.integers(0, size - 1))
    leaf, path, root = TREE.node(0, index), TREE.inclusion(index, size), TREE.root(size)
    verify_inclusion(leaf, index, size, path, root)
    altered = list(path)
    kind = data.draw(st.sampled_from(["flip", "drop", "insert", "leaf"] if path else ["insert", "leaf"]))
    if kind == "flip":
        where, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        altered[where] = (int.from_bytes(altered[where]) ^ 1 << bit).to_bytes(32)
    elif kind == "drop":
        del altered[data.draw(st.integers(0, len(path) - 1))]
    elif kind == "insert":
        altered.insert(data.draw(st.integers(0, len(path))), data.draw(hashes))
    else:
        leaf = leaf_hash(leaf)
    with pytest.raises(ProofError):
        verify_inclusion(leaf, index, size, altered, root)


@given(st.data())
def test_consistency_proofs_verify_and_altered_ones_do_not(data: st.DataObject) -> None:
    second = data.draw(st.integers(2, 1500))
    first = data.draw(st.integers(1, second - 1))
    proof, roots = TREE.consistency(first, second), (TREE.root(first), TREE.root(second))
    verify_consistency(first, second, *roots, proof)
    where, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    flipped = (int.from_bytes(proof[where]) ^ 1 << bit).to_bytes(32)
    for altered in ((*proof[:where], flipped, *proof[where + 1 :]), proof[:-1], (*proof, roots[0])):
        with pytest.raises(ProofError):
            verify_consistency(first, second, *roots, altered)
    with pytest.raises(ProofError):
        verify_consistency(first, second, roots[1], roots[0], proof)


@given(sizes, st.data())
@settings(max_examples=30)
def test_the_root_can_be_computed_from_the_published_tiles(size: int, data: st.DataObject) -> None:
    """Tiles of any size hold the tree: each level's hashes follow from the level below, and level 0 gives the root."""
    since = data.draw(st.integers(0, size))
    published = {(tile.level, tile.index): tile for tile in [*tiles(since), *tiles(size, since)]}
    content = {key: tile_bytes(TREE, tile.level, tile.index, tile.width) for key, tile in published.items()}
    level0 = b"".join(content[0, index] for index in range(-(-size // TILE_WIDTH)))
    tree = MerkleTree()
    tree.extend([level0[i : i + 32] for i in range(0, len(level0), 32)])
    assert (tree.size, tree.root()) == (size, TREE.root(size))
    level1 = b"".join(content[key] for key in sorted(content) if key[0] == 1)
    assert level1 == tree.nodes(8, 0, size >> 8)
    assert [number for bundle in bundles(size) for number in range(bundle.start, bundle.stop)] == list(range(size))


@given(st.data())
def test_altered_receipts_are_refused(data: st.DataObject) -> None:
    log = Log.open(MemoryStore(), LOG, clock=lambda: 0)
    count = data.draw(st.integers(1, 12))
    results = log.append([b"%d" % number for number in range(count)])
    index = data.draw(st.integers(0, count - 1))
    receipt = results[index].receipt
    verify_entry_receipt(receipt, b"%d" % index, LOG.verifier)
    where, bit = data.draw(st.integers(0, len(receipt) - 1)), data.draw(st.integers(0, 7))
    altered = receipt[:where] + bytes([receipt[where] ^ 1 << bit]) + receipt[where + 1 :]
    with pytest.raises(ReceiptError):
        verify_entry_receipt(altered, b"%d" % index, LOG.verifier)


@given(st.lists(st.lists(st.integers(0, 30).map(lambda number: b"%d" % number), max_size=8), max_size=8))
@settings(max_examples=50)
def test_any_batches_give_each_entry_one_place_and_one_receipt(batches: list[list[bytes]]) -> None:
    store = MemoryStore()
    log = Log.open(store, LOG, clock=lambda: 0)
    order: list[bytes] = []
    receipts: dict[bytes, bytes] = {}
    for batch in batches:
        results = log.append(batch)
        for entry, result in zip(batch, results, strict=True):
            assert result.fresh == (entry not in receipts)
            if result.fresh:
                order.append(entry)
            assert result.index == order.index(entry)
            assert receipts.setdefault(entry, result.receipt) == result.receipt
    check_log(log, order)
    check_log(Log.open(store, LOG), order)
