from collections.abc import Callable

import pytest

from log_helpers import ORIGIN, signer
from scrutineer.errors import LogError, NoteError, ProofError
from scrutineer.log.checkpoint import Checkpoint, sign_checkpoint
from scrutineer.log.merkle import MerkleTree, leaf_hash
from scrutineer.log.proof import LogProof, verify_proof

LOG = signer()
TREE = MerkleTree()
TREE.extend([leaf_hash(b"%d" % number) for number in range(11)])
NOTE = sign_checkpoint(Checkpoint(ORIGIN, 11, TREE.root()), LOG.note_signers)
PROOF = LogProof(10, TREE.inclusion(10), NOTE)
TEXT = PROOF.to_text()
VERIFIERS = LOG.verifier.note_verifiers


def test_text_form() -> None:
    assert TEXT.startswith(b"c2sp.org/tlog-proof@v1\nindex 10\n")
    assert TEXT.endswith(b"\n\n" + NOTE)
    assert LogProof.from_text(TEXT) == PROOF
    extra = LogProof(10, PROOF.path, NOTE, b"station 7")
    assert b"\nextra c3RhdGlvbiA3\nindex 10\n" in extra.to_text()
    assert LogProof.from_text(extra.to_text()) == extra


def test_proofs_verify() -> None:
    for index in range(11):
        text = LogProof(index, TREE.inclusion(index), NOTE).to_text()
        assert verify_proof(text, leaf_hash(b"%d" % index), VERIFIERS).checkpoint.size == 11


def test_a_log_of_one_entry_has_an_empty_path() -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, 1, TREE.root(1)), LOG.note_signers)
    assert verify_proof(LogProof(0, (), note).to_text(), leaf_hash(b"0"), VERIFIERS).checkpoint.size == 1


def test_other_entries_indices_and_logs_are_refused() -> None:
    with pytest.raises(ProofError):
        verify_proof(TEXT, leaf_hash(b"9"), VERIFIERS)
    with pytest.raises(ProofError):
        verify_proof(TEXT.replace(b"index 10", b"index 9"), leaf_hash(b"10"), VERIFIERS)
    with pytest.raises(NoteError):
        verify_proof(TEXT, leaf_hash(b"10"), signer(seed=5).verifier.note_verifiers)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        NOTE,
        TEXT[1:],
        TEXT[:-1],
        TEXT.replace(b"@v1", b"@v2"),
        TEXT.replace(b"index 10\n", b""),
        TEXT.replace(b"index 10", b"index 010"),
        TEXT.replace(b"index 10", b"index -1"),
        TEXT.replace(b"index 10", b"index  10"),
        TEXT.replace(b"index 10", b"index"),
        TEXT.replace(b"index 10", b"index " + b"9" * 5000),
        TEXT.replace(b"index 10", b"index 9223372036854775808"),
        TEXT.replace(b"index 10\n", b"index 10\nindex 10\n"),
        TEXT.replace(b"index 10\n", b"index 10\nextra AA==\n"),
        TEXT.replace(b"index 10\n", b"extra AA\nindex 10\n"),
        TEXT.replace(b"index 10\n", b"index 10\nAAAA\n"),
        TEXT.replace(b"index 10\n", b"index 10\n\n"),
        TEXT.replace(b"index 10\n", b"index 10\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64),
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"index", "índex".encode()),
        TEXT.replace(NOTE, b""),
        TEXT + b"\0" * (2 << 20),
    ],
)
def test_malformed_proofs(text: bytes) -> None:
    with pytest.raises(ProofError):
        LogProof.from_text(text)


@pytest.mark.parametrize(
    "call",
    [
        lambda: LogProof(-1, (), NOTE),
        lambda: LogProof(0, (b"x",), NOTE),
        lambda: LogProof(0, (bytes(32),) * 64, NOTE),
        lambda: LogProof(0, (), b"no note"),
        lambda: LogProof(0, (), NOTE, b"x" * 65_537),
    ],
)
def test_what_a_proof_cannot_be(call: Callable[[], object]) -> None:
    with pytest.raises(LogError):
        call()
