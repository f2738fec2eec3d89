"""Which files are taken, how a format is recognised, and that no card is read twice."""

import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from scrutineer.audits.cards import assembly, sources
from scrutineer.audits.cards.reading import FORMATS, read_cards, recognise
from scrutineer.audits.cards.sources import opened
from scrutineer.errors import AuditError

RAIRE = "1\nContest,20,2,1,2\n20,a,1\n20,b,2\n"


def test_files_of_folders_and_zips_come_in_the_order_of_their_names(tmp_path):
    folder = tmp_path / "folder"
    (folder / "b").mkdir(parents=True)
    for name in ("b/2.txt", "a.txt", ".hidden", "b/10.txt"):
        (folder / name).write_text(name)
    path = tmp_path / "packed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("b/2.txt", "a.txt", ".hidden", "__MACOSX/a.txt", "b/10.txt"):
            archive.writestr(name, name)
    for each in (folder, path):
        with opened(each) as found:
            assert [source.name for source in found] == ["a.txt", "b/10.txt", "b/2.txt"]
            assert [source.small() for source in found] == [b"a.txt", b"b/10.txt", b"b/2.txt"]
            assert [source.size for source in found] == [5, 8, 7]


def test_a_zip_that_holds_a_file_twice_is_refused(tmp_path):
    path = tmp_path / "cards.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.raire", RAIRE)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.raire", RAIRE)
    with pytest.raises(AuditError, match=r"cards.zip: holds a.raire twice"):
        read_cards(path)


def test_a_file_that_is_larger_than_its_kind_is_refused(tmp_path):
    path = tmp_path / "cards.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"0" * 5_000_000)
    with opened(path) as found, pytest.raises(AuditError, match=r"a.xml: more than 1000 bytes"):
        found[0].small(1000)
    with pytest.raises(AuditError, match=r"a.xml: more than"):
        read_cards(path, "hart")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "cannot be read"),
        (lambda path: path.mkdir(), "holds no file"),
        (lambda path: path.write_bytes(b""), "not recognised as records of cards"),
        (lambda path: path.write_text("station,votes\n1,2\n"), "not recognised as records of cards"),
    ],
)
def test_nothing_to_read(tmp_path, make, message):
    path = tmp_path / "cards"
    make(path)
    with pytest.raises(AuditError, match=message):
        read_cards(path)


def test_a_zip_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "cards.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.raire", RAIRE)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 99
    path.write_bytes(data)
    with pytest.raises(AuditError, match=r"cards.zip: cannot be read"):
        recognise(path)


def test_a_format_that_there_is_not(tmp_path):
    with pytest.raises(AuditError, match="there is no format 'xml' of records; choose one of compact, raire"):
        read_cards(tmp_path, "xml")


def test_one_file_of_a_folder_is_found_by_its_content(tmp_path):
    (tmp_path / "read me.txt").write_text("about the birds")
    (tmp_path / "votes").write_text(RAIRE)
    assert recognise(tmp_path) == "raire"
    assert read_cards(tmp_path).ids.to_pylist() == ["a", "b"]
    (tmp_path / "votes again").write_text(RAIRE)
    with pytest.raises(AuditError, match="2 files of this format; name one of them"):
        read_cards(tmp_path)


def test_progress_is_told_in_bytes(tmp_path):
    path = tmp_path / "cards.raire"
    path.write_text(RAIRE)
    seen: list[tuple[str, int, int]] = []
    read_cards(path, progress=lambda *told: seen.append(told))
    assert seen[-1] == ("reading records", len(RAIRE), len(RAIRE))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_refuses_a_file_that_is_not_its_own(tmp_path: Path, name):
    path = tmp_path / "cards"
    path.write_bytes(b"\x00\xff\n,\n")
    with pytest.raises(AuditError):
        read_cards(path, name)


def test_ids_that_only_seem_alike_are_told_apart(monkeypatch):
    monkeypatch.setattr(assembly, "_POWERS", assembly._POWERS * 0 + 1)
    assert assembly.repeated(pa.array(["ab", "ba", "c"])) is None
    assert assembly.repeated(pa.array(["ab", "ba", "c", "ba"])) == "ba"
    assert assembly.repeated(pa.array(["x", "ab", "ba", "c", "ab"]).slice(1)) == "ab"


def test_ids_of_many_cards_with_long_offsets():
    assert assembly.repeated(pa.array(["a", "b", "a"], pa.large_string())) == "a"


def test_a_damaged_member_of_a_zip_is_named(tmp_path):
    path = tmp_path / "cards.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.raire", RAIRE * 50)
    data = bytearray(path.read_bytes())
    for place in range(40, 60):
        data[place] ^= 0x5A
    path.write_bytes(data)
    with pytest.raises(AuditError, match=r"a.raire: cannot be"):
        read_cards(path, "raire")


def test_nothing_of_a_kind_is_kept_open(tmp_path):
    path = tmp_path / "cards.raire"
    path.write_text(RAIRE)
    with opened(path) as found:
        assert found[0].first() == RAIRE.encode()[: sources.FIRST_BYTES]
    path.unlink()
    with pytest.raises(AuditError, match=r"cards.raire: cannot be read"):
        found[0].first()
