"""`store check`, `backup`, `restore` and `migrate` on an election folder, with a published site, a mirror and a real database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_helpers import call, opened, refused, rows, run, serving, signed
from postgresql_server import PASSWORD, Server, running
from store_helpers import change


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def empty(folder: Path) -> None:
    """What a lost disk leaves: everything but the store."""
    for path in (folder / "record").glob("log.db*"):
        path.unlink()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An election of which an early backup was made, then more was recorded, published, and more recorded again."""
    base = tmp_path_factory.mktemp("prepared")
    folder = opened(base / "aviary")
    call("store", "backup", folder, base / "early")
    call("bulletin", folder)
    call("bulletin", folder)
    call("publish", folder, "--to", base / "site")
    call("bulletin", folder)
    call("store", "backup", folder, base / "late")
    return base


@pytest.fixture
def base(prepared: Path, tmp_path: Path) -> Path:
    shutil.copytree(prepared, tmp_path / "base")
    return tmp_path / "base"


def test_check_passes_with_and_without_the_site(base: Path) -> None:
    assert "PASS: every entry" in call("store", "check", base / "aviary").out
    report = call("store", "check", base / "aviary", "--site", base / "site", "--json").json
    assert report["passed"]
    assert (report["size"], report["heads"], report["site_files"]) == (4, 4, 2)
    assert report["published"][0]["size"] == 3


def test_check_names_what_was_changed(base: Path) -> None:
    change(base / "aviary/record/log.db", "UPDATE entry SET body = ? WHERE idx = 1", b"kite")
    out = call("store", "check", base / "aviary", code=1).out
    assert "entries 1 to 1: they lead to the root" in out
    assert "FAIL" in out
    findings = call("store", "check", base / "aviary", "--site", base / "site", "--json", code=1).json["findings"]
    assert any(finding["where"].endswith("tile/entries/000.p/3, entry 1") for finding in findings)


def test_check_finds_an_older_copy(base: Path) -> None:
    folder = base / "aviary"
    empty(folder)
    mark = (folder / "record/log.mark").read_bytes()
    (folder / "record/log.mark").unlink()
    call("store", "restore", base / "early", folder)
    (folder / "record/log.mark").write_bytes(mark)
    assert "store: holds 1 entries, and 4 were signed from this folder" in call("store", "check", folder, code=1).out
    assert "holds 1 entries, and 4 were signed" in refused("bulletin", folder)
    assert "store restore" in run("serve", folder, "--port", 0, code=1).err


def test_restore_brings_everything_back(base: Path) -> None:
    folder = base / "aviary"
    before = call("store", "check", folder, "--json").json
    assert "holds a log of 4 entries already" in refused("store", "restore", base / "late", folder)
    empty(folder)
    out = call("store", "restore", base / "late", folder, "--site", base / "site").out
    assert "Restored 4 entries" in out
    assert "Nothing is lost of what" in out
    assert call("store", "check", folder, "--json").json == before
    call("bulletin", folder)


def test_restore_alone_says_what_it_cannot_know(base: Path) -> None:
    folder = base / "aviary"
    empty(folder)
    assert "cannot be said from the backup alone" in call("store", "restore", base / "late", folder).out


def test_restore_completes_an_early_backup_and_names_a_loss(base: Path) -> None:
    folder = base / "aviary"
    empty(folder)
    said = refused("store", "restore", base / "early", folder, "--site", base / "site")
    assert "3 entries can be had, and 4 were signed" in said
    assert "--accept-loss" in said
    result = call("store", "restore", base / "early", folder, "--site", base / "site", "--accept-loss").out
    assert "The backup ends at 1 entries; the other 2 are from what was published" in result
    assert "LOSS ACCEPTED: 4 entries were signed from this folder, and 3 are left" in result
    assert "PASS" in call("store", "check", folder, "--site", base / "site").out
    call("bulletin", folder)
    call("publish", folder, "--to", base / "site")
    assert "PASS" in call("verify", base / "site").out


def test_a_checkpoint_alone_proves_or_refuses(base: Path) -> None:
    folder, checkpoint = base / "aviary", base / "site/log/checkpoint"
    empty(folder)
    assert "not its checkpoint alone" in refused("store", "restore", base / "early", folder, "--site", checkpoint)
    out = call("store", "restore", base / "late", folder, "--site", checkpoint).out
    assert f"Nothing is lost of what {checkpoint} shows: 3 entries" in out


def test_a_mirrors_folder_is_a_site(base: Path) -> None:
    folder = base / "aviary"
    (base / "mirror").mkdir()
    shutil.move(base / "site", base / "mirror/site")
    empty(folder)
    assert "Nothing is lost" in call("store", "restore", base / "late", folder, "--site", base / "mirror").out


def test_a_damaged_backup_and_that_of_another_election_are_refused(base: Path) -> None:
    folder = base / "aviary"
    empty(folder)
    data = bytearray((base / "late").read_bytes())
    data[-200] ^= 1
    (base / "damaged").write_bytes(data)
    assert "the block of the entries from 0 on" in refused("store", "restore", base / "damaged", folder)
    other = opened(base / "other")
    empty(other)
    assert "other keys than those of this election" in refused("store", "restore", base / "late", other)
    assert "is not a backup" in refused("store", "restore", base / "site/index.html", folder)
    report = call("store", "check", folder, "--json", code=1).json
    assert report["size"] == 0
    assert report["findings"][0]["message"].startswith("is empty")


def test_backup_beside_a_running_service(base: Path) -> None:
    folder = base / "aviary"
    bundle = signed(folder, rows())
    with serving(folder) as service:
        run("submit", bundle, "--to", service.address, "--definition", folder / "record/definition.cose")
        assert call("store", "backup", folder, base / "now", "--json").json["size"] == 10
        assert call("store", "check", folder, "--json").json["size"] == 10
    assert "is there already" in refused("store", "backup", folder, base / "now")


def test_a_served_log_is_held_against_what_was_published(base: Path) -> None:
    """A copy of the whole folder, mark included, goes back together: then the published checkpoint tells."""
    folder = base / "aviary"
    empty(folder)
    (folder / "record/log.mark").unlink()
    call("store", "restore", base / "early", folder)
    said = run("serve", folder, "--port", 0, "--site", base / "site", "--site-port", 0, code=1).err
    assert "shows the log at 3" in said
    assert "store restore" in said


def test_the_log_moves_to_postgresql_and_back(base: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver")
    folder, url = base / "aviary", server.database()
    before = call("store", "check", folder, "--json").json
    out = call("store", "migrate", folder, "--store", url).out
    assert "Moved 4 entries and 4 signed heads" in out
    assert PASSWORD not in (folder / "record/log.db").read_bytes().decode(errors="replace")
    assert call("store", "check", folder, "--store", url, "--site", base / "site", "--json").json["root"] == before["root"]
    # The folder knows where the log is. Without that, the file is not served, written or published any more.
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    call("bulletin", folder)
    assert call("store", "check", folder, "--json").json["size"] == 5
    (folder / "record/store.url").unlink()
    for command in (["serve", folder, "--port", 0], ["bulletin", folder], ["publish", folder, "--to", base / "again"]):
        said = run(*command, code=1).err
        assert "this log was moved to postgresql://heron@127.0.0.1" in said
        assert "--store" in said
    assert "This log was moved to" in call("store", "check", folder).out
    again = call("store", "migrate", folder, "--store", url).out
    assert "tables are up to date" in again
    assert "holds the log already, with 5 entries: nothing to move" in again
    assert call("store", "backup", folder, base / "from-postgresql", "--store", url, "--json").json["heads"] == 5
    before = call("store", "check", folder, "--json").json
    assert "holds a log of 5 entries already" in refused("store", "restore", base / "late", folder, "--store", url)
    other = server.database()
    assert "moved to" in refused("store", "migrate", folder, "--store", other)
    empty(folder)
    call("store", "restore", base / "from-postgresql", folder, "--site", base / "site")
    assert call("store", "check", folder, "--json").json == before
    call("store", "restore", base / "early", folder, "--store", other, "--site", base / "site", "--accept-loss")
    assert call("store", "check", folder, "--json").json["size"] == 3


def test_a_second_machines_folder_gives_way_to_the_database(base: Path, server: Server) -> None:
    pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver")
    url = server.database()
    shutil.copytree(base / "aviary", base / "second")
    call("store", "migrate", base / "aviary", "--store", url)
    assert "nothing to move" in call("store", "migrate", base / "second", "--store", url).out
    (base / "second/record/store.url").unlink()
    assert "moved to" in refused("bulletin", base / "second")


def test_a_log_that_went_on_elsewhere_is_not_hidden(base: Path, server: Server) -> None:
    pytest.importorskip("psycopg", reason="needs psycopg, PostgreSQL's driver")
    url = server.database()
    shutil.copytree(base / "aviary", base / "second")
    call("store", "migrate", base / "aviary", "--store", url)
    call("bulletin", base / "second")
    said = refused("store", "migrate", base / "second", "--store", url)
    assert "does not continue the 5 here" in said
    call("bulletin", base / "second")


def test_addresses_and_folders_that_cannot_be_used(base: Path) -> None:
    assert "does not begin with postgresql://" in refused("store", "check", base / "aviary", "--store", "mysql://heron")
    call("new", base / "fresh")
    assert "has not been opened" in refused("store", "check", base / "fresh", code=2)
    assert "no such file" in refused("store", "check", _without_log(base))


def _without_log(base: Path) -> Path:
    empty(base / "aviary")
    return base / "aviary"
