from base64 import b64encode

import pytest

from scrutineer.errors import NoteError, UsageError
from scrutineer.log.note import (
    MAX_SIGNATURES,
    Ed25519Signer,
    Ed25519Verifier,
    Note,
    SignatureLine,
    VerifierKey,
    format_note,
    open_note,
    parse_note,
    sign_note,
)
from scrutineer.statements.keys import SigningKey

# The example of the specification.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

HERON = Ed25519Signer("log.example/heron", SigningKey(b"\x01" * 32))
EGRET = Ed25519Signer("log.example/egret", SigningKey(b"\x02" * 32))
TEXT = b"one\n\ntwo\n"


def test_the_example_of_the_specification_verifies() -> None:
    verifier = Ed25519Verifier(VerifierKey.parse(VKEY))
    note, signed = open_note(NOTE, [verifier])
    assert note.text == b"This is an example message.\n"
    assert signed == (verifier,)
    assert str(verifier.key) == VKEY


def test_a_text_with_blank_lines_ends_at_the_last_one() -> None:
    note, signed = open_note(sign_note(TEXT, [HERON, EGRET]), [EGRET.verifier, HERON.verifier])
    assert note.text == TEXT
    assert signed == (HERON.verifier, EGRET.verifier)


def test_unknown_keys_are_ignored_even_with_a_known_name_or_id() -> None:
    line = parse_note(sign_note(TEXT, [HERON])).signatures[0]
    strangers = (
        SignatureLine("log.example/stork", b"\0\0\0\0", b"?"),
        SignatureLine(line.name, b"\0\0\0\0", b"?"),
        SignatureLine("log.example/stork", line.key_id, b"?"),
    )
    data = format_note(Note(TEXT, (*strangers, line)))
    assert open_note(data, [HERON.verifier])[1] == (HERON.verifier,)


def test_one_failing_known_key_rejects_the_note() -> None:
    good, bad = parse_note(sign_note(TEXT, [HERON, EGRET])).signatures
    forged = SignatureLine(bad.name, bad.key_id, good.signature)
    data = format_note(Note(TEXT, (good, forged)))
    assert open_note(data, [HERON.verifier])[1] == (HERON.verifier,)
    with pytest.raises(NoteError, match="egret does not verify"):
        open_note(data, [HERON.verifier, EGRET.verifier])


def test_a_second_bad_signature_by_the_same_key_rejects_the_note() -> None:
    (good,) = parse_note(sign_note(TEXT, [HERON])).signatures
    data = format_note(Note(TEXT, (good, SignatureLine(good.name, good.key_id, b"\0" * 64))))
    with pytest.raises(NoteError, match="does not verify"):
        open_note(data, [HERON.verifier])


def test_a_note_by_nobody_known_is_rejected() -> None:
    with pytest.raises(NoteError, match="not signed by any"):
        open_note(sign_note(TEXT, [HERON]), [EGRET.verifier])


def test_two_verifiers_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(NoteError, match="same name and id"):
        open_note(sign_note(TEXT, [HERON]), [HERON.verifier, HERON.verifier])


def test_sixteen_and_more_signatures_are_accepted() -> None:
    signers = [Ed25519Signer(f"log.example/{number}", SigningKey(bytes([number]) * 32)) for number in range(100)]
    data = sign_note(TEXT, signers)
    assert len(open_note(data, [signer.verifier for signer in signers])[1]) == MAX_SIGNATURES


LINE = sign_note(b"x\n", [HERON])[3:].decode()


@pytest.mark.parametrize(
    "data",
    {
        "empty": b"",
        "no signatures": b"x\n\n",
        "no blank line": b"x\n" + LINE.encode(),
        "no text": b"\n" + LINE.encode(),
        "no final newline": b"x\n\n" + LINE.encode()[:-1],
        "control character": b"x\ty\n\n" + LINE.encode(),
        "carriage return": b"x\r\n\n" + LINE.encode(),
        "text not UTF-8": b"\xff\n\n" + LINE.encode(),
        "signature not UTF-8": b"x\n\n" + LINE.encode() + b"\xff\n",
        "hyphen for dash": b"x\n\n" + LINE.replace("—", "-").encode(),
        "two spaces": b"x\n\n" + LINE.replace("heron ", "heron  ").encode(),
        "trailing space": b"x\n\n" + LINE.replace("\n", " \n").encode(),
        "no name": b"x\n\n" + LINE.replace("log.example/heron", "").encode(),
        "plus in name": b"x\n\n" + LINE.replace("heron", "he+ron").encode(),
        "no-break space in name": b"x\n\n" + LINE.replace("heron", "he\u00a0ron").encode(),
        "base64 without padding": b"x\n\n" + LINE.replace("=", "").encode(),
        "base64 with unused bits": b"x\n\n" + f"— a {'A' * 7 + 'B'}==\n".encode(),
        "base64 of the web": b"x\n\n" + "— a ____AAAA\n".encode(),
        "key id alone": b"x\n\n" + f"— a {b64encode(b'1234').decode()}\n".encode(),
        "half a key id": b"x\n\n" + f"— a {b64encode(b'12').decode()}\n".encode(),
        "too many signatures": b"x\n\n" + LINE.encode() * 101,
        "too long": b"x" * (1 << 20) + b"\n\n" + LINE.encode(),
    }.items(),
    ids=lambda item: item[0],
)
def test_malformed_notes(data: tuple[str, bytes]) -> None:
    with pytest.raises(NoteError):
        parse_note(data[1])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903a+",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("example.com/foo", "example.com/fo"),
        VKEY.replace("example.com/foo", ""),
        VKEY.replace("example.com/foo", "example.com /foo"),
        VKEY + "=",
        VKEY[:-1],
        VKEY + "\n",
        "é" + VKEY,
    ],
)
def test_malformed_verifier_keys(text: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


def test_verifier_keys_of_the_wrong_kind() -> None:
    for key in (VerifierKey("a", 2, bytes(32)), VerifierKey("a", 1, bytes(31))):
        with pytest.raises(NoteError, match="not an Ed25519 key"):
            Ed25519Verifier(key)
    for arguments in (("a", 1, b""), ("a", 256, bytes(32)), ("a b", 1, bytes(32))):
        with pytest.raises(NoteError):
            VerifierKey(*arguments)
    with pytest.raises(UsageError):
        Ed25519Signer("a", SigningKey(bytes(32), "ml-dsa-44"))


@pytest.mark.parametrize("text", [b"", b"x", b"\x00\n", b"x\x1f\n", b"\xc3\n"])
def test_texts_that_cannot_be_signed(text: bytes) -> None:
    with pytest.raises(NoteError):
        sign_note(text, [HERON])


def test_a_note_needs_a_signer() -> None:
    with pytest.raises(NoteError, match="0 signatures"):
        sign_note(b"x\n", [])
