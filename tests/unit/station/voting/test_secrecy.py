"""What could leave a plaintext ballot where somebody finds it: folders of others, and core dumps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scrutineer.errors import BallotError
from scrutineer.station.voting.printer import FolderPrinter


def test_papers_go_into_a_folder_of_this_user_alone(tmp_path: Path) -> None:
    printer = FolderPrinter(tmp_path / "papers")
    printer.print(b"%PDF")
    assert printer.file.read_bytes() == b"%PDF"
    assert printer.file.stat().st_mode & 0o777 == 0o600
    printer.clear()
    assert not printer.file.exists()


@pytest.mark.parametrize("mode", [0o777, 0o750, 0o701])
def test_a_folder_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(BallotError, match="others could read the papers"):
        FolderPrinter(folder).print(b"%PDF")
    assert not list(folder.iterdir())


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    """The path is known, and lies in a folder where everybody may write."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "papers").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BallotError, match="others could read the papers"):
        FolderPrinter(tmp_path / "papers").print(b"%PDF")
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder of somebody else")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir(mode=0o700)
    os.chown(tmp_path / "papers", 65534, 65534)
    with pytest.raises(BallotError, match="others could read the papers"):
        FolderPrinter(tmp_path / "papers").print(b"%PDF")


def test_a_file_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir(mode=0o700)
    (tmp_path / "papers" / "papers.pdf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BallotError, match="cannot be written"):
        FolderPrinter(tmp_path / "papers").print(b"%PDF")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel of Linux")
def test_no_core_dump_is_written() -> None:
    asked = (
        "import ctypes, resource; from scrutineer.station.voting.secrecy import forbid_core_dumps; forbid_core_dumps(); "
        "print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "(0, 0) 0"
