import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_helpers import log_signer
from scrutineer.errors import NoteError, PublicationError
from scrutineer.log.note import sign_note
from scrutineer.portal.manifest import TITLE, Manifest, check_path, open_manifest, peek_manifest, sign_manifest

SIGNER = log_signer()
FILES = {"index.html": bytes(32), "log/tile/0/x001/234.p/5": bytes([1]) * 32, "units/a~p2.html": bytes([2]) * 32}


def signed(text: str) -> bytes:
    return sign_note(text.encode(), SIGNER.note_signers[:1])


parts = st.from_regex(r"[A-Za-z0-9_~-][A-Za-z0-9_.~-]{0,20}", fullmatch=True)
paths = st.lists(parts, min_size=1, max_size=5).map("/".join)


@given(st.integers(1, 2**40), st.dictionaries(paths, st.binary(min_size=32, max_size=32), max_size=20))
def test_what_was_signed_is_read_back(size: int, files: dict[str, bytes]) -> None:
    manifest = Manifest(size, files)
    data = sign_manifest(manifest, SIGNER)
    assert open_manifest(data, SIGNER.verifier) == manifest
    assert peek_manifest(data) == manifest


def test_the_lines_are_hash_two_spaces_path_in_order() -> None:
    lines = Manifest(7, dict(reversed(FILES.items()))).to_text().decode().split("\n")
    assert lines[:2] == ["scrutineer-site-manifest/v1", "size 7"]
    assert lines[2] == f"{'00' * 32}  index.html"
    assert [line[66:] for line in lines[2:-1]] == sorted(FILES)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "a/",
        ".git",
        "a/.b",
        "a\\b",
        "a\nb",
        "a b",
        "ä",
        "a/" * 20 + "b",
        "x" * 300,
        "C:x",
    ],
)
def test_paths_that_could_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(PublicationError):
        check_path(path)
    with pytest.raises(PublicationError):
        Manifest(1, {path: bytes(32)})
    with pytest.raises(NoteError):
        open_manifest(signed(f"{TITLE}\nsize 1\n{'00' * 32}  {path}\n"), SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    [
        f"{TITLE}\n",
        "other\nsize 1\n",
        f"{TITLE}\nsize 01\n",
        f"{TITLE}\nsize 0\n",
        f"{TITLE}\nsize -1\n",
        f"{TITLE}\nsize 99999999999999999999\n",
        f"{TITLE}\nsize 1\n{'00' * 32} a\n",
        f"{TITLE}\nsize 1\n{'0A' * 32}  a\n",
        f"{TITLE}\nsize 1\n{'00' * 31}  a\n",
        f"{TITLE}\nsize 1\n{'00' * 32}  b\n{'00' * 32}  a\n",
        f"{TITLE}\nsize 1\n{'00' * 32}  a\n{'00' * 32}  a\n",
        f"{TITLE}\nsize 1\n\n{'00' * 32}  a\n",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        open_manifest(signed(text), SIGNER.verifier)


def test_only_the_log_signs() -> None:
    data = sign_manifest(Manifest(1, FILES), SIGNER)
    with pytest.raises(NoteError):
        open_manifest(data, log_signer(5).verifier)
    with pytest.raises(NoteError):
        open_manifest(data.replace(b"index", b"yndex"), SIGNER.verifier)
    both = data + sign_manifest(Manifest(1, FILES), log_signer(5)).rpartition(b"\n\n")[2]
    with pytest.raises(NoteError):
        open_manifest(both, SIGNER.verifier)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_clear_error(data: bytes) -> None:
    with pytest.raises(NoteError):
        open_manifest(data, SIGNER.verifier)
