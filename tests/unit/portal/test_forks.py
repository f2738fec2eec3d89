import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scrutineer.errors import LogError, PublicationError
from scrutineer.portal.forks import in_forks


def squares(number: int) -> Iterator[tuple[int, int]]:
    yield from ((number, part * part) for part in range(number % 4))


@pytest.mark.parametrize("workers", [1, 2, 3, 50])
@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_results_come_in_order(workers: int, count: int) -> None:
    assert list(in_forks(squares, count, workers)) == [list(squares(number)) for number in range(count)]


def test_results_larger_than_a_pipe() -> None:
    made = list(in_forks(lambda number: [bytes([number]) * 1_000_000], 5, 2))
    assert made == [[bytes([number]) * 1_000_000] for number in range(5)]


def test_several_processes_do_the_work() -> None:
    processes = {process for part in in_forks(lambda _: [os.getpid()], 8, 2) for process in part}
    assert len(processes) == 2
    assert os.getpid() not in processes
    assert {process for part in in_forks(lambda _: [os.getpid()], 8, 1) for process in part} == {os.getpid()}


def test_nothing_waits_for_a_process_that_is_long_at_work(tmp_path: Path) -> None:
    def work(number: int) -> Iterator[int]:
        while number == 0 and not (tmp_path / "5").exists():
            time.sleep(0.001)
        (tmp_path / str(number)).touch()
        yield os.getpid()

    first, *others = in_forks(work, 6, 2)
    assert others == [others[0]] * 5
    assert first != others[0]


def test_an_error_of_the_work_is_raised_where_it_was_started() -> None:
    def work(number: int) -> Iterator[int]:
        if number == 3:
            raise LogError("entry 3 is missing: look for it")
        yield number

    made = in_forks(work, 6, 2)
    assert [next(made) for _ in range(3)] == [[0], [1], [2]]
    with pytest.raises(LogError, match="entry 3 is missing"):
        next(made)


def test_an_error_of_the_system_keeps_its_number() -> None:
    def work(_number: int) -> Iterator[int]:
        raise OSError(28, "No space left on device", "/site/page")
        yield 0

    with pytest.raises(OSError, match="No space left") as raised:
        list(in_forks(work, 4, 2))
    assert (raised.value.errno, raised.value.filename) == (28, "/site/page")


def test_an_error_that_cannot_travel_says_what_it_says() -> None:
    class LocalError(Exception):
        pass

    def work(_number: int) -> Iterator[int]:
        raise LocalError("of its own kind")
        yield 0

    with pytest.raises(PublicationError, match="of its own kind"):
        list(in_forks(work, 4, 2))


def test_a_process_that_is_killed_is_noticed() -> None:
    def work(number: int) -> Iterator[int]:
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        yield number

    before = children()
    with pytest.raises(PublicationError, match=r"killed by signal 9.*--workers 1"):
        list(in_forks(work, 6, 2))
    assert children() <= before


def test_processes_end_with_whoever_stops_listening() -> None:
    def work(number: int) -> Iterator[int]:
        yield number
        time.sleep(0.01)

    before = children()  # What other tests keep, such as a browser.
    with closing(in_forks(work, 10_000, 3)) as made:
        assert next(made) == [0]
        assert len(children() - before) == 3
    assert children() <= before


def test_what_asks_the_program_to_stop_asks_the_parent_alone() -> None:
    def work(number: int) -> Iterator[int]:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        yield number

    assert list(in_forks(work, 4, 2)) == [[0], [1], [2], [3]]


def test_a_parent_that_is_gone_ends_its_processes() -> None:
    reading, writing = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.close(reading)

        def work(_number: int) -> Iterator[int]:
            os.write(writing, b"%d " % os.getpid())
            for number in range(10_000):
                yield number
                time.sleep(0.01)

        for _ in in_forks(work, 2, 2):
            pass
        os._exit(0)
    os.close(writing)
    said = b""
    while said.count(b" ") < 2:
        said += os.read(reading, 100)
    os.kill(middle, signal.SIGKILL)
    os.waitpid(middle, 0)
    # The pipe ends when the last process that could write to it has ended.
    assert os.read(reading, 100) == b""
    os.close(reading)


def children() -> set[int]:
    """The processes that this one has started and not yet seen the end of."""
    return {int(process) for process in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}
