"""Checking ballots on a cluster with Daft: the engine behind `--engine daft`, from the extra `cluster`.

Daft (Apache-2.0) runs the work of engines.py on the cores of this machine, or on every machine of a Ray cluster: set
`DAFT_RUNNER=ray`, and `RAY_ADDRESS` to the address of the cluster, where the same version of this package has to be installed.
Imported only when it is asked for.
"""

import importlib
import itertools
from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from scrutineer.ballots.engines import INPUT, LineWork, own_cores
from scrutineer.errors import BallotError

AHEAD: Final = 4
"""Record batches for each core that are handed to the cluster at once: they and no more are in the memory of this process."""


class DaftEngine:
    """Checks ballots wherever Daft runs."""

    def __init__(self) -> None:
        """Raises BallotError where Daft is not installed."""
        try:
            self._daft: Any = importlib.import_module("daft")
        except ImportError as error:
            raise BallotError(
                "the engine `daft` is not installed: install the extra `cluster`, or take the engine `pool`"
            ) from error

        self._cluster = self._daft.get_or_infer_runner_type() == "ray"

    def cores(self) -> int:
        """How many cores there are to work on: those of the cluster, or of this machine."""
        if not self._cluster:
            return own_cores()
        self._daft.set_runner_ray(noop_if_initialized=True)
        return max(1, int(importlib.import_module("ray").cluster_resources().get("CPU", 1)))

    def run(self, work: LineWork, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The answers, in rounds of some batches for each core; nothing is taken from `batches` while a round is worked on.

        Raises BallotError where Daft fails.
        """
        daft, cores = self._daft, self.cores()
        binary = daft.DataType.binary()

        # A record batch is one value of Daft's, as it is to be checked as a whole; processes of their own let all cores work.
        @daft.func.batch(return_dtype=binary, batch_size=1, use_process=True)  # type: ignore[untyped-decorator]
        def answers(column: Any) -> Any:
            read = [pa.ipc.read_record_batch(pa.py_buffer(lines), INPUT) for lines in column.to_arrow().to_pylist()]
            return daft.Series.from_pylist([bytes(memoryview(work(lines).serialize())) for lines in read], dtype=binary)

        while held := [bytes(memoryview(batch.serialize())) for batch in itertools.islice(batches, AHEAD * cores)]:
            frame = daft.from_pydict({"lines": held})
            if self._cluster:
                frame = frame.into_partitions(len(held))
            try:
                found = frame.select(answers(frame["lines"]).alias("answer")).to_pydict()["answer"]
            except Exception as error:  # Daft raises many kinds, also those of Ray
                raise BallotError(f"the engine `daft` failed: {str(error)[:500]}; check with the engine `pool`") from error
            for data in found:
                yield pa.ipc.read_record_batch(pa.py_buffer(data), work.output)
