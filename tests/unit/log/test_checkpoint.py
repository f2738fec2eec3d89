import struct

import pytest

from log_helpers import ORIGIN, signer
from scrutineer.errors import NoteError, UsageError
from scrutineer.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from scrutineer.log.cosignature import MlDsa44Signer, MlDsa44Verifier, cosigned_message
from scrutineer.log.merkle import EMPTY_ROOT
from scrutineer.log.note import Ed25519Signer, Note, VerifierKey, format_note, parse_note, sign_note
from scrutineer.log.signer import LogVerifier
from scrutineer.statements.keys import SigningKey

LOG = signer()
ROOT = bytes(range(32))
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, ROOT)
TEXT = CHECKPOINT.to_text()
WITNESS = MlDsa44Signer("witness.example/crane", SigningKey(b"\x09" * 32, "ml-dsa-44"))


def test_text_form() -> None:
    assert TEXT == b"log.example/heron\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert Checkpoint.from_text(TEXT) == CHECKPOINT


def test_the_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert Checkpoint.from_text(empty.to_text()) == empty
    with pytest.raises(NoteError):
        Checkpoint(ORIGIN, 0, ROOT)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        TEXT[:-1],
        TEXT + b"\n",
        TEXT + b"extension\n",
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(ORIGIN.encode(), b""),
        TEXT.replace(ORIGIN.encode(), b"a\tb"),
        TEXT.replace(ORIGIN.encode(), b"\xff"),
        TEXT.replace(ORIGIN.encode(), b"x" * 256),
        TEXT.replace(b"2085", b"02085"),
        TEXT.replace(b"20852163", b"-1"),
        TEXT.replace(b"20852163", b"+5"),
        TEXT.replace(b"20852163", b"1_0"),
        TEXT.replace(b"20852163", "\u0664".encode()),
        TEXT.replace(b"20852163", b""),
        TEXT.replace(b"20852163", b"9223372036854775808"),
        TEXT.replace(b"20852163", b"9" * 5000),
        TEXT.replace(b"20852163", b"0"),
        TEXT.replace(b"Hh8=", b"Hh9="),
        TEXT.replace(b"Hh8=", b"Hh8"),
        TEXT.replace(b"Hh8=", b""),
    ],
)
def test_malformed_texts(text: bytes) -> None:
    with pytest.raises(NoteError):
        Checkpoint.from_text(text)


def test_both_signatures_of_the_log_are_required() -> None:
    data = sign_checkpoint(CHECKPOINT, LOG.note_signers, 1_700_000_000)
    verifiers = LOG.verifier.note_verifiers
    assert open_checkpoint(data, verifiers).checkpoint == CHECKPOINT
    note = parse_note(data)
    for line in note.signatures:
        with pytest.raises(NoteError, match="is missing"):
            open_checkpoint(format_note(Note(note.text, (line,))), verifiers)
    with pytest.raises(NoteError, match="no key"):
        open_checkpoint(data, [])


def test_another_logs_keys_are_refused() -> None:
    data = sign_checkpoint(CHECKPOINT, LOG.note_signers)
    for other in (signer(seed=5), signer("log.example/egret")):
        with pytest.raises(NoteError):
            open_checkpoint(data, other.verifier.note_verifiers)


def test_the_origin_must_be_the_name_of_the_key() -> None:
    data = sign_checkpoint(Checkpoint("log.example/egret", 1, ROOT), LOG.note_signers)
    with pytest.raises(NoteError, match="not the name of its key"):
        open_checkpoint(data, LOG.verifier.note_verifiers)


def test_witnesses_are_reported_and_not_required() -> None:
    verifiers = LOG.verifier.note_verifiers
    plain = sign_checkpoint(CHECKPOINT, LOG.note_signers)
    cosigned = sign_checkpoint(CHECKPOINT, [*LOG.note_signers, WITNESS], 1_700_000_000)
    assert open_checkpoint(plain, verifiers, [WITNESS.verifier]).witnesses == ()
    assert open_checkpoint(cosigned, verifiers, [WITNESS.verifier]).witnesses == ("witness.example/crane",)
    assert open_checkpoint(cosigned, verifiers).witnesses == ()


def test_the_cosigned_message_has_the_layout_of_the_specification() -> None:
    message = cosigned_message("ab", 258, Checkpoint("xyz", 3, ROOT))
    assert message == (
        b"subtree/v1\n\x00"
        b"\x02ab"
        b"\x00\x00\x00\x00\x00\x00\x01\x02"
        b"\x03xyz"
        b"\x00\x00\x00\x00\x00\x00\x00\x00"
        b"\x00\x00\x00\x00\x00\x00\x00\x03" + ROOT
    )


def test_a_cosignature_fixes_time_name_and_text() -> None:
    signature = WITNESS.sign(TEXT, 1_700_000_000)
    WITNESS.verifier.verify(TEXT, signature)
    renamed = MlDsa44Verifier(VerifierKey("witness.example/stork", 6, WITNESS.verifier.key.public_key))
    attempts = [
        (WITNESS.verifier, TEXT, struct.pack(">Q", 1_700_000_001) + signature[8:]),
        (WITNESS.verifier, TEXT, struct.pack(">Q", 2**63) + signature[8:]),
        (WITNESS.verifier, TEXT.replace(b"2085", b"3085"), signature),
        (WITNESS.verifier, TEXT, signature[:-1]),
        (WITNESS.verifier, TEXT, b""),
        (WITNESS.verifier, b"no checkpoint\n", signature),
        (renamed, TEXT, signature),
    ]
    for verifier, text, attempt in attempts:
        with pytest.raises(NoteError):
            verifier.verify(text, attempt)


def test_what_cannot_be_cosigned() -> None:
    for name, time in (("a", -1), ("a", 2**63), ("x" * 256, 0)):
        with pytest.raises(NoteError):
            cosigned_message(name, time, CHECKPOINT)
    with pytest.raises(NoteError):
        sign_note(b"no checkpoint\n", [WITNESS])
    with pytest.raises(NoteError):
        MlDsa44Verifier(VerifierKey("a", 6, bytes(1311)))
    with pytest.raises(UsageError):
        MlDsa44Signer("a", SigningKey(bytes(32)))


def test_verifier_keys_travel_as_text() -> None:
    vkeys = LOG.verifier.vkeys
    assert LogVerifier.from_vkeys(*vkeys) == LOG.verifier
    with pytest.raises(NoteError):
        LogVerifier.from_vkeys(*reversed(vkeys))
    with pytest.raises(NoteError, match="two different logs"):
        LogVerifier.from_vkeys(vkeys[0], signer("log.example/egret").verifier.vkeys[1])


def test_a_log_cannot_have_any_name_or_key() -> None:
    good = LOG.verifier
    for origin in ("", "two words", "a+b", "x" * 256):
        with pytest.raises(NoteError):
            LogVerifier(origin, good.ed25519_public_key, good.mldsa44_public_key)
    with pytest.raises(NoteError):
        LogVerifier(ORIGIN, good.mldsa44_public_key, good.mldsa44_public_key)
    assert isinstance(LOG.note_signers[0], Ed25519Signer)
    assert LOG.origin == ORIGIN
