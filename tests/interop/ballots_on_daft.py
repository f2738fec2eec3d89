"""Checks ballots with the pool or with Daft in a process of its own, as its runner is chosen once for a process.

    python ballots_on_daft.py pool|native|ray FOLDER BALLOTS

Prints the summaries as hexadecimal digits, one a line. With `ray`, a cluster of two nodes of one core each is started on this
machine, and every node that checks a batch leaves a file in FOLDER.
"""

import os
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from ballot_equations import honest_ballots
from ballot_helpers import SMALL, every_contest, one_hand, seeded
from ballot_mutations import mutated
from scrutineer.ballots.daft_engine import DaftEngine
from scrutineer.ballots.engines import BallotLine, LineCheck, ProcessPool, check_lines
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import encode_line
from scrutineer.ballots.summary import Summary


class Noted(LineCheck):
    """The check, which also notes the node that runs it: the process of Ray's that all workers of a node descend from."""

    def __init__(self, keys: ElectionKeys, folder: str) -> None:
        super().__init__(keys, window=6)
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return _noted, (super().__reduce__(), self.folder)

    def __call__(self, lines: pa.RecordBatch) -> pa.RecordBatch:
        process = os.getpid()
        while process > 1:
            if b"/raylet/raylet" in Path(f"/proc/{process}/cmdline").read_bytes():
                (Path(self.folder) / f"node-{process}").touch()
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        return super().__call__(lines)


def _noted(reduced: tuple[Any, ...], folder: str) -> Noted:
    make, arguments = reduced
    return Noted(make(*arguments).keys, folder)


def checked(runner: str, folder: str, count: int) -> list[tuple[int, Summary]]:
    """Ballots of several bundles, some of them changed."""
    keys = one_hand(every_contest()).keys
    ballots = honest_ballots(keys, 10, seeded("cluster"), style=2)
    ballots[4] = mutated(SMALL, ballots[4], 5)[1]
    data = [encode_line(ballot) for ballot in ballots]
    lines = (BallotLine(number // 45, number % 45 + 2, data[number % 10]) for number in range(count))
    engine = ProcessPool(2) if runner == "pool" else DaftEngine()
    return list(check_lines(keys, lines, engine, check=Noted(keys, folder)))


def main(runner: str, folder: str, count: int) -> None:
    if runner != "pool":
        os.environ["DAFT_RUNNER"] = runner
    if runner == "ray":
        import daft
        import ray
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        daft.set_runner_ray(cluster.address, noop_if_initialized=True)
    for bundle, summary in checked(runner, folder, count):
        print(f"{bundle} {summary.encode().hex()}")
    if runner == "ray":
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
