"""`store backup`, `restore` and `migrate`, killed at random moments and on full disks: nothing is lost, half there or twice."""

import os
import random
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli_helpers import call, command, opened
from postgresql_server import Server, running
from scrutineer.cli.office import Office
from scrutineer.errors import LogError, StoreError
from scrutineer.log import Log, SqliteStore
from scrutineer.log.backup import Backup
from store_helpers import entries

KILLS = max(4, int(os.environ.get("SCRUTINEER_CHAOS", "0")))
COUNT = 8_000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with some thousand entries, and a backup of it."""
    base = tmp_path_factory.mktemp("prepared")
    folder = opened(base / "aviary")
    log = Office.load(folder).open_log()
    for at in range(0, COUNT, 40):
        log.append(entries(40, at))
    log.close()
    call("store", "backup", folder, base / "backup")
    return base


@pytest.fixture
def base(prepared: Path, tmp_path: Path) -> Path:
    shutil.copytree(prepared, tmp_path / "base")
    return tmp_path / "base"


def killed(arguments: Sequence[object], seconds: float) -> bool:
    """Run a command and kill it after so long; whether it had ended well before that."""
    process = subprocess.Popen(command(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        _, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert process.returncode == 0, err
    return True


def moments(arguments: Sequence[object], reset: Callable[[], None]) -> Iterator[float]:
    """Moments within the time that the command takes, the start of Python left out."""
    begun = time.monotonic()
    assert killed(["store", "--help"], 60)
    start = time.monotonic() - begun
    begun = time.monotonic()
    assert killed(arguments, 60)
    whole = time.monotonic() - begun
    reset()
    dice = random.Random(4)
    for _ in range(KILLS):
        yield dice.uniform(start, max(whole, start + 0.1))


def limited(arguments: Sequence[object], size: int) -> tuple[int, str]:
    """Run a command that may write no file larger than so many bytes."""
    done = subprocess.run(
        command(arguments),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of this size at a folder; skips the test where none may be mounted."""
    folder.mkdir(exist_ok=True)
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("needs the right to mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def lose(folder: Path) -> None:
    for path in (folder / "record").glob("log.db*"):
        path.unlink()


def usable(folder: Path) -> int:
    """Entries of the log in the folder's file if it can be opened for writing, 0 where there is none or it is refused."""
    office = Office.load(folder)
    if not office.log_path.exists():
        return 0
    store = SqliteStore.open(office.log_path)
    try:
        return Log.open(store, office.log_signer(), mark=office.mark()).size
    except LogError:
        return 0
    finally:
        store.close()


def test_a_killed_backup_is_not_there_or_whole(base: Path) -> None:
    file = base / "again"
    arguments = ["store", "backup", base / "aviary", file]
    root = Backup(base / "backup").root
    for seconds in moments(arguments, file.unlink):
        if file.exists():
            file.unlink()
        if killed(arguments, seconds):
            assert file.exists()
        if file.exists():
            assert Backup(file).check().tree.root() == root
    file.unlink(missing_ok=True)
    call(*arguments)
    assert file.read_bytes() == (base / "backup").read_bytes()
    assert sorted(path.name for path in base.iterdir()) == ["again", "aviary", "backup"]


def test_a_killed_restore_is_gone_on_with_and_never_served_half(base: Path) -> None:
    folder = base / "aviary"
    before = call("store", "check", folder, "--json").json
    arguments = ["store", "restore", base / "backup", folder]
    lose(folder)
    for number, seconds in enumerate(moments(arguments, lambda: lose(folder))):
        if usable(folder) or number % 3 == 2:
            lose(folder)
        killed(arguments, seconds)
        assert usable(folder) in {0, before["size"]}
    if not usable(folder):
        call(*arguments)
    assert call("store", "check", folder, "--json").json == before
    assert usable(folder) == before["size"]


def test_a_killed_migration_leaves_one_log(base: Path, server: Server) -> None:
    postgresql = pytest.importorskip("scrutineer.log.postgresql")
    folder, urls = base / "aviary", [server.database()]
    original = base / "original"
    shutil.copytree(folder, original)
    verifier = Office.load(folder).log_signer().verifier
    size = usable(folder)

    def reset() -> None:
        shutil.rmtree(folder)
        shutil.copytree(original, folder)
        urls.append(server.database())

    def in_database() -> int:
        try:
            reader = postgresql.PostgresqlStore.open_reader(urls[-1])
        except StoreError:
            return 0
        try:
            return Log.open(reader, verifier).size if reader.last_head() else 0
        except LogError:
            return 0
        finally:
            reader.close()

    for number, seconds in enumerate(moments(["store", "migrate", folder, "--store", urls[0]], reset)):
        if in_database() or number % 3 == 2:
            reset()
        killed(["store", "migrate", folder, "--store", urls[-1]], seconds)
        assert [usable(folder), in_database()] in ([size, 0], [0, 0], [0, size])
    call("store", "migrate", folder, "--store", urls[-1])
    assert [usable(folder), in_database()] == [0, size]
    passed = call("store", "check", folder, "--store", urls[-1], "--json").json
    assert passed["root"] == Backup(base / "backup").root.hex()


def test_a_backup_on_a_full_disk_is_not_there(base: Path) -> None:
    whole = (base / "backup").stat().st_size
    for size in (40_000, whole // 2, whole - 1):  # what SQLite itself writes beside the store is smaller
        code, err = limited(["store", "backup", base / "aviary", base / "again"], size)
        assert code == 1, err
        assert "again: the backup cannot be written" in err
        assert "may not become so large" in err
        assert not list(base.glob("again*"))
    with small_disk(base / "stick", "1m"):
        err = call("store", "backup", base / "aviary", base / "stick" / "backup", code=1).err
        assert "make room and back up again" in err
        assert not list((base / "stick").iterdir())


def test_a_restore_on_a_full_disk_is_gone_on_with_elsewhere(base: Path) -> None:
    folder = base / "aviary"
    before = call("store", "check", folder, "--json").json
    lose(folder)
    for size in (20_000, 600_000):
        code, err = limited(["store", "restore", base / "backup", folder], size)
        assert code == 1, err
        assert "log store" in err
        assert usable(folder) == 0
    call("store", "restore", base / "backup", folder)
    assert call("store", "check", folder, "--json").json == before
    kept = base / "kept"
    shutil.copytree(folder, kept)
    lose(kept)
    with small_disk(base / "disk", "2m"):
        shutil.copytree(kept, base / "disk/aviary")
        err = call("store", "restore", base / "backup", base / "disk/aviary", code=1).err
        assert "the disk is full; make room and try again" in err
        assert usable(base / "disk/aviary") == 0
        subprocess.run(["mount", "-o", "remount,size=40m", str(base / "disk")], check=True)
        call("store", "restore", base / "backup", base / "disk/aviary")
        assert usable(base / "disk/aviary") == before["size"]
