"""Everything that can be wrong in a store or in what was published is found, and named by its index."""

from pathlib import Path

import pytest

from log_helpers import signer
from scrutineer.errors import LogError
from scrutineer.log import SqliteStore, findings, leaf_hash
from scrutineer.log.audit import StoreReport, audit_store
from store_helpers import VERIFIER, Site, batched, change, entries, made

COUNT, WIDTH = 1500, 7


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return made(tmp_path / "log.db", batched(COUNT, WIDTH))


def audited(path: Path, *sites: Site, first: bytes | None = None) -> StoreReport:
    store = SqliteStore.open_reader(path)
    try:
        return audit_store(store, VERIFIER, sites=[site.log for site in sites], first=first)
    finally:
        store.close()


def said(report: StoreReport) -> list[str]:
    return [str(finding) for finding in report.findings]


def test_a_sound_store_passes(place: Path) -> None:
    site = Site(place)
    report = audited(place, site, first=leaf_hash(entries(1)[0]))
    assert said(report) == []
    assert (report.size, report.heads) == (COUNT, -(-COUNT // WIDTH))
    assert report.site_files == len(site.files) - 1
    assert site.head is not None
    assert report.root == site.head.root


def test_a_changed_entry_is_found_in_its_batch_and_with_a_site_by_its_index(place: Path) -> None:
    site = Site(place)
    change(place, "UPDATE entry SET body = ? WHERE idx = 777", b"kite")
    (alone,) = said(audited(place))
    assert alone.startswith("entries 777 to 783: they lead to the root ")
    found = said(audited(place, site))
    assert alone in found
    named = f"nest: tile/entries/003, entry 777: has the leaf hash {leaf_hash(entries(1, 777)[0]).hex()}"
    assert any(line.startswith(named) and leaf_hash(b"kite").hex() in line for line in found)
    assert not any("entry 776" in line or "entry 778" in line for line in found)


def test_the_first_changed_batch_is_named_once(place: Path) -> None:
    change(place, "UPDATE entry SET body = ? WHERE idx = 70", b"kite")
    change(place, "UPDATE entry SET body = ? WHERE idx = 1400", b"wren")
    (found,) = said(audited(place))
    assert found.startswith("entries 70 to 76: ")


def test_missing_entries_are_named(place: Path) -> None:
    change(place, "DELETE FROM entry WHERE idx IN (5, 1200)")
    assert said(audited(place)) == ["entry 5: is missing", "entry 1200: is missing"]


def test_an_entry_twice_is_named_with_the_first(place: Path, tmp_path: Path) -> None:
    change(place, "UPDATE entry SET body = (SELECT body FROM entry WHERE idx = 3) WHERE idx = 900")
    assert "entry 900: is there twice: it is entry 3 already" in said(audited(place))


def test_every_head_is_verified_and_not_the_last_alone(place: Path) -> None:
    change(place, "UPDATE head SET signature = ? WHERE size = 14", b"s" * 64)
    change(place, "UPDATE head SET root = ? WHERE size = 700", b"r" * 32)
    change(place, "UPDATE head SET root = ?, signature = ? WHERE size = 770", b"r" * 32, b"s" * 64)
    found = said(audited(place))
    assert [line.partition(":")[0] for line in found] == ["head 14", "head 700", "head 770"]
    assert "signature does not verify" in found[0]
    assert f"its root is {(b'r' * 32).hex()}, and " in found[1]
    assert "neither was signed" in found[2]


def test_an_entry_behind_the_last_head_is_named(place: Path) -> None:
    change(place, "INSERT INTO entry VALUES (?, ?)", COUNT, b"kite")
    assert said(audited(place)) == [f"entry {COUNT}: stands behind the last head, which covers {COUNT} entries"]


def test_an_impossible_entry_is_named(place: Path) -> None:
    change(place, "UPDATE entry SET body = ? WHERE idx = 8", b"")
    assert "entry 8: has 0 bytes; 1 to 65535 are allowed" in said(audited(place))


def test_another_log_and_another_definition_are_named(place: Path) -> None:
    change(place, "UPDATE meta SET value = ? WHERE key = 'origin'", b"kite")
    found = said(audited(place, first=bytes(32)))
    assert found[0].startswith("store: is of another log")
    assert found[1].startswith("entry 0: has the leaf hash ")


def test_published_files_are_compared_byte_by_byte(place: Path) -> None:
    site = Site(place)
    tile = bytearray(site.files["tile/0/002"])
    tile[32 * 9] ^= 1
    site.files["tile/0/002"] = bytes(tile)
    site.files["tile/1/000.p/5"] += b"x"
    del site.files["tile/entries/001"]
    site.files["tile/entries/004"] = site.files["tile/entries/003"]
    site.files["tile/entries/005.p/220"] = b"\0"
    found = said(audited(place, site))
    assert f"nest: tile/0/002, hash 9: is {bytes(tile[288:320]).hex()}, and the store gives" in "\n".join(found)
    assert "nest: tile/1/000.p/5: has 161 bytes instead of 160" in found
    assert "nest: tile/entries/001: tile/entries/001 is missing" in found
    assert sum(line.startswith("nest: tile/entries/004, entry 1") for line in found) == 256
    assert any(line.startswith("nest: tile/entries/005.p/220: entry bundle: ends within") for line in found)
    assert len(found) == 4 + 256


def test_an_earlier_publication_is_compared_up_to_its_size(tmp_path: Path) -> None:
    site = Site(made(tmp_path / "earlier.db", batched(700, WIDTH)))
    place = made(tmp_path / "log.db", [*batched(700, WIDTH), entries(300, 700)])
    assert said(audited(place, site)) == []


def test_a_store_behind_or_beside_what_was_published_is_named(tmp_path: Path) -> None:
    site = Site(made(tmp_path / "later.db", batched(700, WIDTH)))
    behind = said(audited(made(tmp_path / "behind.db", batched(300, WIDTH)), site))
    assert "nest: checkpoint: shows the log at 700 entries, and the store holds 300: restore what is missing" in behind
    beside = said(audited(made(tmp_path / "beside.db", [*batched(693, WIDTH), entries(7, 5000)]), site))
    assert any("nest: checkpoint: shows the root" in line for line in beside)
    assert sum("has the leaf hash" in line for line in beside) == 7


def test_a_checkpoint_that_the_log_did_not_sign_is_refused(place: Path) -> None:
    site = Site(place)
    site.files["checkpoint"] = site.files["checkpoint"].replace(b"1500", b"1501")
    with pytest.raises(LogError):
        audited(place, site)


def test_an_empty_store_has_nothing_wrong(tmp_path: Path) -> None:
    path = made(tmp_path / "log.db", [])
    report = audited(path)
    assert (report.size, report.heads, said(report)) == (0, 0, [])
    assert signer().verifier == VERIFIER


def test_findings_without_end_are_counted(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "MAX_FINDINGS", 100)
    site = Site(place)
    change(place, "UPDATE entry SET body = CAST(body || 'x' AS BLOB)")
    report = audited(place, site)
    assert len(report.findings) == 100
    # One for the entries, one for the checkpoint, one for each entry that the site shows otherwise.
    assert report.dropped == COUNT + 2 - 100
