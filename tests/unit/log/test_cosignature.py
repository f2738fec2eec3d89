"""Cosignatures with Ed25519, what both kinds say of time and of lines after the root, and how checkpoints are read for them."""

import struct

import pytest

from scrutineer.errors import NoteError, UsageError
from scrutineer.log.checkpoint import Checkpoint, HeadLines
from scrutineer.log.cosignature import (
    MAX_TIME,
    Ed25519CosignatureVerifier,
    Ed25519Cosigner,
    MlDsa44Signer,
    MlDsa44Verifier,
    cosignature_time,
    cosignature_verifier,
    cosigned_text,
)
from scrutineer.log.merkle import EMPTY_ROOT
from scrutineer.log.note import ED25519, ED25519_COSIGNATURE, VerifierKey, open_note, sign_note
from scrutineer.statements import SigningKey

NAME = "witness.example/crane"
TIME = 1_679_315_147
ROOT = b"\x05" * 32
TEXT = Checkpoint("log.example/heron", 20_852_163, ROOT).to_text()
ED = Ed25519Cosigner(NAME, SigningKey(b"\x07" * 32))
PQ = MlDsa44Signer(NAME, SigningKey(b"\x08" * 32, "ml-dsa-44"))


def test_the_signed_text_has_the_lines_of_the_specification() -> None:
    assert cosigned_text(TIME, TEXT) == b"cosignature/v1\ntime 1679315147\n" + TEXT
    signature = ED.sign(TEXT, TIME)
    assert signature[:8] == struct.pack(">Q", TIME)
    assert len(signature) == 72
    assert cosignature_time(signature) == TIME
    assert signature[8:] == SigningKey(b"\x07" * 32).sign(cosigned_text(TIME, TEXT))


def test_key_ids_are_those_of_the_type() -> None:
    plain = VerifierKey(NAME, ED25519, ED.verifier.key.public_key)
    assert ED.verifier.key.signature_type == ED25519_COSIGNATURE == 4
    assert ED.key_id == ED.verifier.key.key_id != plain.key_id


@pytest.mark.parametrize("signer", [ED, PQ], ids=["ed25519", "ml-dsa-44"])
def test_a_note_is_opened_with_it(signer: Ed25519Cosigner | MlDsa44Signer) -> None:
    note, signed = open_note(sign_note(TEXT, [signer], TIME), [signer.verifier])
    assert note.text == TEXT
    assert signed == (signer.verifier,)
    assert cosignature_verifier(str(signer.verifier.key)) == signer.verifier


@pytest.mark.parametrize(
    ("text", "change"),
    [
        (TEXT.replace(b"20852163", b"20852164"), 0),
        (TEXT + b"an extension\n", 0),
        (b"heron\n", 0),
        (TEXT, 7),  # another time
        (TEXT, 8),
        (TEXT, 71),
    ],
)
def test_what_was_changed_does_not_verify(text: bytes, change: int) -> None:
    signature = bytearray(ED.sign(TEXT, TIME))
    if change:
        signature[change] ^= 1
    with pytest.raises(NoteError):
        ED.verifier.verify(text, bytes(signature))


@pytest.mark.parametrize("signature", [b"", b"1234567", bytes(64), bytes(71), bytes(73)])
def test_a_signature_of_another_length_does_not_verify(signature: bytes) -> None:
    with pytest.raises(NoteError, match="bytes, not 72"):
        ED.verifier.verify(TEXT, signature)


@pytest.mark.parametrize("time", [-1, MAX_TIME + 1])
def test_times_that_are_none(time: int) -> None:
    with pytest.raises(NoteError, match="not a time"):
        cosigned_text(time, TEXT)


def test_a_time_is_read_strictly() -> None:
    with pytest.raises(NoteError, match="too few"):
        cosignature_time(bytes(7))
    with pytest.raises(NoteError, match="not a time"):
        cosignature_time(b"\xff" * 8)
    for verifier, size in ((ED.verifier, 64), (PQ.verifier, 2420)):
        with pytest.raises(NoteError, match="not a time"):
            verifier.verify(TEXT, b"\xff" * 8 + bytes(size))


def test_lines_after_the_root_are_signed_by_ed25519_and_not_by_ml_dsa() -> None:
    more = TEXT + b"an extension\n"
    ED.verifier.verify(more, ED.sign(more, TIME))
    with pytest.raises(NoteError):
        ED.verifier.verify(TEXT, ED.sign(more, TIME))
    # The specification leaves them out of the message: such a signature says nothing about them.
    PQ.verifier.verify(TEXT, PQ.sign(more, TIME))


def test_keys_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(UsageError, match="cannot be made"):
        Ed25519Cosigner(NAME, SigningKey(bytes(32), "ml-dsa-44"))
    for key in (VerifierKey(NAME, ED25519, bytes(32)), VerifierKey(NAME, ED25519_COSIGNATURE, bytes(31))):
        with pytest.raises(NoteError, match="cosigner's key"):
            Ed25519CosignatureVerifier(key)
    with pytest.raises(NoteError, match="no cosignatures"):
        cosignature_verifier(str(VerifierKey(NAME, ED25519, bytes(32))))
    assert isinstance(cosignature_verifier(str(PQ.verifier.key)), MlDsa44Verifier)


def test_lines_are_read_before_they_are_believed() -> None:
    assert HeadLines.parse(TEXT + b"one\ntwo\n") == ("log.example/heron", 20_852_163, ROOT, ("one", "two"))
    # No empty tree has this root: a witness has to be able to read it in order to refuse it.
    assert HeadLines.parse(TEXT.replace(b"20852163", b"0")).root == ROOT != EMPTY_ROOT


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"heron\n3\n",
        TEXT[:-1],
        TEXT + b"\n",
        TEXT + b"one\n\ntwo\n",
        b"\n" + TEXT,
        b"\xff" + TEXT,
        b"h" * 256 + b"\n" + TEXT.split(b"\n", 1)[1],
        TEXT.replace(b"20852163", b"020852163"),
        TEXT.replace(b"20852163", b"+20852163"),
        TEXT.replace(b"20852163", str(2**63).encode()),
        TEXT.replace(b"20852163", b"9" * 5000),
        TEXT.replace(b"20852163", "٣".encode()),
        TEXT.replace(b"BQU=\n", b"BQV=\n"),
        TEXT.replace(b"BQU=\n", b"\n"),
    ],
)
def test_lines_that_are_no_checkpoint(text: bytes) -> None:
    with pytest.raises(NoteError):
        HeadLines.parse(text)
