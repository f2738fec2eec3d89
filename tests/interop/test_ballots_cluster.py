"""Daft on this machine and on a Ray cluster of two nodes gives the same bytes as the pool of processes.

Needs the extra `cluster`; run it in an environment of its own, as Daft holds other packages back.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scrutineer.ballots.summary import read_summary

COUNT = 230
HERE = Path(__file__).parent
NEEDS: dict[str, tuple[str, ...]] = {"pool": (), "native": ("daft",), "ray": ("daft", "ray")}


def run(runner: str, folder: Path) -> list[str]:
    for module in NEEDS[runner]:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (extra `cluster`)")
    paths = [str(HERE), str(HERE.parent), str(HERE.parents[1] / "src"), *sys.path]
    done = subprocess.run(
        [sys.executable, str(HERE / "ballots_on_daft.py"), runner, str(folder), str(COUNT)],
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "RAY_DEDUP_LOGS": "0"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return run("pool", tmp_path_factory.mktemp("pool"))


def test_the_pool_checks_every_bundle(expected: list[str]) -> None:
    found = [read_summary(bytes.fromhex(line.split()[1])) for line in expected]
    assert [summary.lines for summary in found] == [45] * 5 + [5]
    assert any(summary.failed for summary in found)
    assert len(set(expected)) == 6


def test_daft_on_this_machine(expected: list[str], tmp_path: Path) -> None:
    assert run("native", tmp_path) == expected


def test_daft_on_a_cluster_of_two_nodes(expected: list[str], tmp_path: Path) -> None:
    found = run("ray", tmp_path)
    assert [line for line in found if line[0].isdigit() and " " in line] == expected
    assert len(list(tmp_path.glob("node-*"))) == 2
