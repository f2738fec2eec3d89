"""Engines: every one gives the same summaries to the byte, in bounded memory, and none can lose a line."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from msgspec.structs import replace

from ballot_equations import honest_ballots
from ballot_helpers import SMALL, every_contest, one_hand, seeded
from ballot_mutations import mutated
from scrutineer.ballots.ballot_check import check_ballot
from scrutineer.ballots.engines import (
    EXACT_ROWS,
    FEW_LINES,
    INPUT,
    OUTPUT,
    BallotLine,
    Engine,
    InProcess,
    LineCheck,
    ProcessPool,
    check_lines,
    own_cores,
)
from scrutineer.ballots.exact import CheckTables
from scrutineer.ballots.record import SIMPLE_CHAINING, BundleHeader, encode_line
from scrutineer.ballots.sidecar import make_commitments
from scrutineer.ballots.summary import Summary
from scrutineer.errors import BallotError

KEYS = one_hand(every_contest()).keys
TABLES = CheckTables(KEYS, 6)
BALLOTS = honest_ballots(KEYS, 10, seeded("engines"), style=2)
BALLOTS[3] = mutated(SMALL, BALLOTS[3], 11)[1]
BALLOTS[7] = mutated(SMALL, BALLOTS[7], 12)[1]
DATA = [encode_line(ballot) for ballot in BALLOTS]
SIDES = [make_commitments(KEYS, ballot, TABLES) for ballot in BALLOTS]
CHECK = LineCheck(KEYS, window=6)


def lines(count: int, in_bundle: int = 67, sides: bool = False) -> Iterator[BallotLine]:
    for number in range(count):
        side = SIDES[number % 10] if sides else None
        yield BallotLine(number // in_bundle, number % in_bundle + 2, DATA[number % 10], side)


def check(count: int, engine: Engine, **options: object) -> list[tuple[int, Summary]]:
    return list(check_lines(KEYS, lines(count, **options), engine, check=CHECK))  # type: ignore[arg-type]


def test_what_the_check_of_ten_ballots_says() -> None:
    ((bundle, found),) = check(10, InProcess())
    assert bundle == 0
    assert found.lines == 10
    expected = [(place + 2, *failure) for place, ballot in enumerate(BALLOTS) for failure in check_ballot(KEYS, ballot, TABLES)]
    assert [(one.line, one.check, one.where, one.message) for one in found.failures] == sorted(expected)
    assert {line for line, *_ in expected} == {5, 9}


def test_all_engines_and_side_cars_give_the_same_bytes() -> None:
    alone = [(bundle, found.encode()) for bundle, found in check(150, InProcess())]
    assert [bundle for bundle, _ in alone] == [0, 1, 2]
    assert len({data for _, data in alone}) == 3
    for engine, sides in ((ProcessPool(2), False), (ProcessPool(2), True), (InProcess(), True), (ProcessPool(1), True)):
        assert [(bundle, found.encode()) for bundle, found in check(150, engine, sides=sides)] == alone


def test_progress_reaches_the_number_of_lines() -> None:
    told: list[int] = []
    list(check_lines(KEYS, lines(100), ProcessPool(2), told.append, CHECK))
    assert told == sorted(told)
    assert told[-1] == 100
    assert len(told) == -(-100 // EXACT_ROWS)


def test_nothing_to_check() -> None:
    for engine in (InProcess(), ProcessPool(2)):
        assert list(check_lines(KEYS, [], engine)) == []


def test_few_ballots_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(ProcessPool, "_spread", refuse)
    assert check(FEW_LINES, ProcessPool(2))[0][1].lines == FEW_LINES
    with pytest.raises(RuntimeError):
        check(FEW_LINES + 1, ProcessPool(2))


def test_lines_that_are_no_ballot() -> None:
    header = BundleHeader("f", bytes(32), "station", "device", bytes(32), SIMPLE_CHAINING + bytes(32), bytes(32))
    bad = [b"", b"{}", b"\xff\xfe", DATA[0][:-1], DATA[0] + b" ", b"[" * 100_000, b'{"kind":"ballot"}', encode_line(header)]
    ((_, found),) = check_lines(KEYS, [BallotLine(0, number, line) for number, line in enumerate(bad)], InProcess(), check=CHECK)
    assert found.lines == len(bad)
    assert found.statuses == ()
    assert [(failure.line, failure.check) for failure in found.failures] == [(number, "R.2") for number in range(7)] + [
        (7, "R.3")
    ]


def test_wrong_commitments_change_nothing() -> None:
    wrong = [
        BallotLine(0, number, DATA[0], side) for number, side in enumerate((b"", b"x", SIDES[1], bytes(len(SIDES[0])), None))
    ]
    ((_, found),) = check_lines(KEYS, wrong, InProcess(), check=CHECK)
    assert (found.lines, found.failed) == (5, 0)


def test_a_record_batch_in_and_a_record_batch_out() -> None:
    rows = [BallotLine(4, 1, DATA[0]), BallotLine(4, 2, DATA[1], SIDES[1]), BallotLine(6, 9, DATA[2])]
    batch = pa.RecordBatch.from_arrays([pa.array(column) for column in zip(*rows, strict=True)], schema=INPUT)
    answer = pickle.loads(pickle.dumps(CHECK))(batch)
    assert answer.schema == OUTPUT
    assert answer.column("bundle").to_pylist() == [4, 6]
    assert answer == CHECK(batch)


class Broken:
    """An engine that changes what it answers."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def run(self, check: LineCheck, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for number, batch in enumerate(batches):
            if self.fault == "lost" and number == 1:
                continue
            if self.fault == "repeated" and number == 1:
                yield check(batch)
            if self.fault == "other" and number == 1:
                batch = batch.set_column(1, "number", pa.array([1000 + row for row in range(batch.num_rows)]))
            answer = check(batch)
            if self.fault == "bundle" and number == 1:
                answer = answer.set_column(0, "bundle", pa.array([77]))
            yield answer


@pytest.mark.parametrize("fault", ["lost", "repeated", "other", "bundle"])
def test_an_engine_that_answers_for_other_lines_is_noticed(fault: str) -> None:
    with pytest.raises(BallotError, match="other lines"):
        check(3 * EXACT_ROWS, Broken(fault))
    assert check(3 * EXACT_ROWS, Broken("none")) == check(3 * EXACT_ROWS, InProcess())


def test_bundles_come_in_order() -> None:
    mixed = [BallotLine(1, 1, DATA[0]), BallotLine(0, 1, DATA[0])]
    with pytest.raises(BallotError, match="order"):
        list(check_lines(KEYS, mixed, InProcess(), check=CHECK))


def test_batches_are_taken_only_as_fast_as_they_are_checked() -> None:
    taken = 0

    def endless() -> Iterator[BallotLine]:
        nonlocal taken
        for number in range(10**9):
            taken += 1
            yield BallotLine(number, 1, DATA[0])

    found = check_lines(KEYS, endless(), ProcessPool(2), check=CHECK)
    assert [bundle for bundle, _ in (next(found) for _ in range(100))] == list(range(100))
    # What is answered, one batch with each process, one that is made, and the few that came first.
    assert taken <= 100 + 6 * EXACT_ROWS + FEW_LINES
    found.close()


def children() -> set[int]:
    own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    if not own.is_file():
        pytest.skip("the kernel does not list children of a process")
    return {int(child) for child in own.read_text().split()}


def test_closing_ends_the_processes() -> None:
    before = children()
    found = check_lines(KEYS, lines(10**9, in_bundle=10), ProcessPool(2), check=CHECK)
    next(found)
    assert len(children() - before) >= 2
    found.close()
    assert {child for child in children() - before if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()} == set()


def test_a_process_that_is_lost_is_an_error_and_no_result() -> None:
    before = children()

    def lose() -> None:
        for _ in range(200):
            time.sleep(0.05)
            for child in children() - before:
                with contextlib.suppress(OSError):
                    if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                        os.kill(child, signal.SIGKILL)
                        return

    thread = threading.Thread(target=lose)
    found = check_lines(KEYS, lines(10**9, in_bundle=10), ProcessPool(2), check=CHECK)
    thread.start()
    with pytest.raises(BallotError, match="was lost"):
        for _ in found:
            pass
    thread.join()


def test_an_interruption_from_the_keyboard_ends_everything(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(
        textwrap.dedent("""
        import sys
        from test_engines import KEYS, CHECK, lines
        from scrutineer.ballots.engines import ProcessPool, check_lines

        if __name__ == "__main__":
            try:
                for bundle, _ in check_lines(KEYS, lines(10**9, in_bundle=10), ProcessPool(2), check=CHECK):
                    print(bundle, flush=True)
            except KeyboardInterrupt:
                sys.exit(130)
        """)
    )
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2]), *sys.path])
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == b""
    # The process in which Python keeps track of shared memory ends by itself, a moment after the first.
    for _ in range(100):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 0)
            time.sleep(0.1)
            continue
        return
    pytest.fail("a process is left behind")


def test_daft_that_is_not_installed_is_said_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    from scrutineer.ballots.daft_engine import DaftEngine

    monkeypatch.setitem(sys.modules, "daft", None)
    with pytest.raises(BallotError, match="extra `cluster`"):
        DaftEngine()


def test_statuses_are_those_of_the_ballots() -> None:
    ((_, found),) = check(10, InProcess())
    assert sum(count for _, count in found.statuses) == 10
    challenged = [replace(BALLOTS[0], status="challenged")] * 3
    rows = [BallotLine(0, number, encode_line(ballot)) for number, ballot in enumerate(challenged)]
    ((_, found),) = check_lines(KEYS, rows, InProcess(), check=CHECK)
    assert found.statuses == (("challenged", 3),)
    assert found.products == ()


def test_a_process_knows_how_many_cores_it_may_use() -> None:
    assert 1 <= own_cores() <= (os.cpu_count() or 1)
