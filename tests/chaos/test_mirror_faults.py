"""A mirror is killed, or its disk is full, at bad moments: what readers are served is whole at every one of them."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import pytest

import verify_helpers as helpers
from mirror_helpers import at, do_round, files_of
from scrutineer.portal.formats import MANIFEST_FILE
from site_servers import answering, mirror, reading

KILLS = 25
RUN = [sys.executable, "-c", "from scrutineer.cli import main; main()", "mirror"]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One election as it was published at three sizes."""
    story = helpers.told()
    folder = tmp_path_factory.mktemp("sites")
    for before, size in ((0, 20), (20, 26), (26, 32)):
        if before:
            # A publication keeps what was published before it.
            shutil.copytree(folder / str(before), folder / str(size))
        at(story, size).published().publish(folder / str(size))
    return [folder / str(size) for size in (20, 26, 32)]


def test_killed_at_any_moment(sites: list[Path], tmp_path: Path) -> None:
    """`fork` keeps each attempt short: the program is loaded once, and killed somewhere within a round."""
    dice = random.Random(20_241_122)
    whole = [files_of(site) for site in sites]
    folder = tmp_path / "m"
    shown = [0]

    def answer(handler, path: str) -> None:  # type: ignore[no-untyped-def]
        time.sleep(0.001)
        mirror(sites[shown[0]], {})(handler, path)

    server = _Rounds(folder)
    seen = -1
    with answering(answer) as address, server:
        for kill in range(KILLS):
            shown[0] = min(len(sites) - 1, kill * len(sites) // KILLS)
            server.begin(address)
            time.sleep(dice.uniform(0, 0.35))
            server.kill()
            if not (folder / "site").exists():
                assert seen == -1
                continue
            now = whole.index(files_of(folder / "site"))
            assert now >= seen
            seen = now
        assert do_round(folder, address).good
    assert files_of(folder / "site") == whole[-1]
    assert not (folder / ".staging").exists()


class _Rounds:
    """A process that forks one that does a round, so that each can be killed without the time that Python takes to start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        tests = Path(__file__).parents[1]
        path = os.pathsep.join([str(tests), str(tests.parent / "src")])
        program = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from mirror_helpers import do_round\n"
            "for line in sys.stdin:\n"
            "    child = os.fork()\n"
            "    if child == 0:\n"
            f"        do_round(Path({str(self._folder)!r}), line.strip())\n"
            "        os._exit(0)\n"
            "    print(child, flush=True)\n"
            "    sys.stdin.readline()\n"  # the number stays the child's until it has been killed
            "    os.waitpid(child, 0)\n"
            "    print('gone', flush=True)\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        return self

    def begin(self, address: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{address}\n")
        self._process.stdin.flush()
        self._child = int(self._process.stdout.readline())

    def kill(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.kill(self._child, signal.SIGKILL)
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "gone\n"

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()


def test_readers_see_one_publication_or_the_next(sites: list[Path], tmp_path: Path) -> None:
    """Whoever opens the folder once and reads through it finds the files that its manifest names, while it is replaced."""
    whole = [files_of(site) for site in sites]
    stop = threading.Event()
    found: list[int] = []

    def read() -> None:
        while not stop.is_set():
            if (tmp_path / "m/site").exists():
                found.append(whole.index(files_of((tmp_path / "m/site").resolve())))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for site in sites:
            with answering(mirror(site, {})) as address:
                assert do_round(tmp_path / "m", address).good
            time.sleep(0.05)
    finally:
        stop.set()
        reader.join()
    assert found == sorted(found)
    assert found[-1] == len(sites) - 1


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="a small disk can be mounted by root alone")
def test_a_full_disk_leaves_the_copy_whole(sites: list[Path], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        with reading(sites[0]) as address:
            assert do_round(disk / "m", address).good
        before = files_of(disk / "m/site")
        assert before == files_of(sites[0])
        ballast = disk / "ballast"
        for room in (0, 8192, 40_960):
            _fill(ballast, disk, room)
            with reading(sites[-1]) as address:
                run = subprocess.run([*RUN, address, disk / "m"], capture_output=True, text=True, check=False)
            assert run.returncode == 1, run
            assert "no space is left" in run.stderr
            assert "Traceback" not in run.stderr
            assert files_of(disk / "m/site") == before
        ballast.unlink()
        with reading(sites[-1]) as address:
            assert do_round(disk / "m", address).good
        assert files_of(disk / "m/site") == files_of(sites[-1])
        assert (disk / "m/site" / MANIFEST_FILE).exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _fill(ballast: Path, disk: Path, room: int) -> None:
    """Leave so many bytes of a disk free."""
    ballast.unlink(missing_ok=True)
    free = os.statvfs(disk)
    ballast.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - room)))
