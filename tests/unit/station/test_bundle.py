"""The bundle file: reads what it writes, and says where a file was torn or altered."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake_helpers import republic
from scrutineer.errors import StatementError, UsageError
from scrutineer.statements import statement_hash
from scrutineer.station.bundle import (
    MAGIC,
    MAX_BUNDLE_SIZE,
    MAX_ENTRIES,
    Bundle,
    decode_bundle,
    encode_bundle,
    read_bundle,
    write_bundle,
)
from scrutineer.station.relay_service import BUNDLE_TYPE

REPUBLIC = republic(6)
SHEETS = [REPUBLIC.sheet(station) for station in REPUBLIC.stations]
BUNDLE = Bundle.of_statements(REPUBLIC.election.hash, SHEETS)
DATA = encode_bundle(BUNDLE)
RECEIPTS = encode_bundle(
    Bundle.of_receipts(REPUBLIC.election.hash, [(statement_hash(sheet), b"receipt %d" % at) for at, sheet in enumerate(SHEETS)])
)
HEAD = 46
FIRST_ENTRY = HEAD + 32 * len(SHEETS)


def test_a_bundle_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "station.bundle"
    write_bundle(path, BUNDLE)
    assert read_bundle(path) == BUNDLE
    assert list(read_bundle(path).pairs()) == [(statement_hash(sheet), sheet) for sheet in SHEETS]
    assert path.stat().st_size == BUNDLE.size == len(DATA)
    assert [file.name for file in tmp_path.iterdir()] == ["station.bundle"]
    assert decode_bundle(RECEIPTS).entries[2] == b"receipt 2"


def test_the_definition_travels_with_the_election_that_it_defines() -> None:
    bundle = Bundle.of_statements(REPUBLIC.election.hash, [REPUBLIC.definition, SHEETS[0]])
    assert decode_bundle(encode_bundle(bundle)) == bundle


def test_a_statement_given_twice_is_carried_once() -> None:
    assert Bundle.of_statements(REPUBLIC.election.hash, [*SHEETS, SHEETS[0]]) == BUNDLE


@settings(max_examples=300)
@given(st.sampled_from([DATA, RECEIPTS]), st.data())
def test_every_torn_file_is_refused(whole: bytes, data: st.DataObject) -> None:
    with pytest.raises(StatementError):
        decode_bundle(whole[: data.draw(st.integers(0, len(whole) - 1))])


@settings(max_examples=300)
@given(st.sampled_from([DATA, RECEIPTS]), st.data(), st.integers(1, 255))
def test_every_altered_byte_is_found(whole: bytes, data: st.DataObject, change: int) -> None:
    altered = bytearray(whole)
    altered[data.draw(st.integers(0, len(whole) - 1))] ^= change
    with pytest.raises(StatementError) as caught:
        decode_bundle(bytes(altered))
    assert str(caught.value).isprintable()


@given(st.binary(max_size=400))
def test_hostile_bytes_are_refused(data: bytes) -> None:
    for begun in (data, MAGIC + data, DATA[:HEAD] + data, DATA + data + b"x"):
        with pytest.raises(StatementError):
            decode_bundle(begun)


@pytest.mark.parametrize("number", range(1, len(SHEETS) + 1))
def test_the_sentence_names_the_statement(number: int) -> None:
    start = FIRST_ENTRY + sum(2 + len(sheet) for sheet in SHEETS[: number - 1])
    with pytest.raises(StatementError, match=rf"torn: it ends within statement {number} of 6"):
        decode_bundle(DATA[: start + 100])
    altered = bytearray(DATA)
    altered[start + 100] ^= 1
    with pytest.raises(StatementError, match=rf"altered: statement {number} of 6"):
        decode_bundle(bytes(altered))


def test_a_bundle_carries_one_election_and_nothing_else() -> None:
    with pytest.raises(StatementError, match="statement 1 of 6 belongs to another election"):
        Bundle.of_statements(bytes(32), SHEETS)
    with pytest.raises(StatementError, match="statement 2 of 2: not a statement"):
        Bundle.of_statements(REPUBLIC.election.hash, [SHEETS[0], b"hello"])
    with pytest.raises(StatementError, match=f"1 to {MAX_ENTRIES:,}"):
        Bundle.of_statements(REPUBLIC.election.hash, [])
    with pytest.raises(StatementError, match="receipt 1 of 1 has 4,097 bytes"):
        Bundle.of_receipts(bytes(32), [(bytes(32), bytes(4_097))])
    with pytest.raises(StatementError, match="twice"):
        Bundle("receipts", bytes(32), (bytes(32), bytes(32)), (b"a", b"b"))


def test_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="absent"):
        read_bundle(tmp_path / "absent.bundle")
    with pytest.raises(UsageError, match="cannot be written"):
        write_bundle(tmp_path / "no-folder" / "a.bundle", BUNDLE)
    (tmp_path / "torn.bundle").write_bytes(DATA[:-1])
    with pytest.raises(StatementError, match=r"torn\.bundle: the bundle is torn"):
        read_bundle(tmp_path / "torn.bundle")


def test_the_form_is_described() -> None:
    text = (
        (Path(__file__).resolve().parents[3] / "docs" / "formats.md")
        .read_text()
        .partition("\n## Bundle\n")[2]
        .partition("\n## ")[0]
    )
    for said in (MAGIC.hex(" ").upper(), f"1 to {MAX_ENTRIES:,}", f"{MAX_BUNDLE_SIZE:,} bytes", BUNDLE_TYPE.decode()):
        assert said in text
