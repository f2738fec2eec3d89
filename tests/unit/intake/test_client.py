"""The client against the real service and against services that misbehave."""

import asyncio
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intake_helpers import Republic, opened_log, republic
from scrutineer.errors import PolicyError, TransportError, UsageError
from scrutineer.http.problems import Problem
from scrutineer.intake import Refused, Registered, running, submit, submit_statements
from scrutineer.intake.client import LONGEST_ASKED
from scrutineer.log import Log, LogSigner
from scrutineer.statements import statement_hash

LAND: Republic = republic()
SHEETS = [LAND.sheet(time=number) for number in range(300)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, Log]]:
    files = LAND.write(tmp_path)
    with opened_log(tmp_path, LAND.definition) as (log, _), running(log, files) as address:
        yield address.url, log


def test_receipts_come_in_the_order_given(service: tuple[str, Log]) -> None:
    url, log = service
    seen: list[tuple[int, int]] = []
    receipts = submit_statements(SHEETS, url, log.verifier, progress=lambda done, total: seen.append((done, total)))
    assert [log.entry(receipt.index) for receipt in receipts] == SHEETS
    assert seen[-1] == (300, 300)
    assert submit_statements(iter(SHEETS), url + "/", log.verifier, connections=3) == receipts
    assert submit_statements([], url, log.verifier) == []


def test_resumes_from_its_journal(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    journal = tmp_path / "journal"
    first = submit_statements(SHEETS[:200], url, log.verifier, journal=journal)
    data = journal.read_bytes()
    # The interruption tears the last record, and the disk spoils one receipt.
    journal.write_bytes(data[:40] + b"\0" + data[41:-5])
    sent = log.size
    again = submit_statements(SHEETS, url, log.verifier, journal=journal)
    assert again[:200] == first
    assert log.size == sent + 100
    complete = submit_statements(SHEETS, "http://127.0.0.1:9", log.verifier, journal=journal)
    assert complete == again


def test_refused_statements_are_named_and_the_others_done(service: tuple[str, Log]) -> None:
    url, log = service
    bad = LAND.sheet(counts=(1, 2))
    with pytest.raises(PolicyError, match=r"1 of 301 .* number 101") as refusal:
        submit_statements([*SHEETS[:100], bad, *SHEETS[100:]], url, log.verifier)
    assert refusal.value.code == "wrong-shape"
    assert log.size == 301


def test_receipts_of_another_log_are_not_believed(service: tuple[str, Log]) -> None:
    url, _ = service
    other = LogSigner("log.example/wetland", b"3" * 32, b"4" * 32).verifier
    with pytest.raises(TransportError, match="proves nothing"):
        submit_statements(SHEETS[:3], url, other)


def test_addresses_that_are_none(service: tuple[str, Log]) -> None:
    _, log = service
    for url in ("", "127.0.0.1:80", "ftp://x", "http://", "http://[::1", "http://x:99999999"):
        with pytest.raises(UsageError, match="not the address"):
            submit_statements(SHEETS[:1], url, log.verifier)


def test_nobody_there(service: tuple[str, Log]) -> None:
    _, log = service
    with pytest.raises(TransportError, match="does not answer"):
        run(SHEETS[:1], "http://127.0.0.1:9", log, patience=0.2)


def run(sheets: list[bytes], url: str, log: Log, patience: float = 30.0) -> tuple[list[Registered], list[Refused]]:
    registered: list[Registered] = []
    refused: list[Refused] = []
    jitter = random.Random(7).random
    submit(sheets, url, log.verifier, registered=registered.append, refused=refused.append, jitter=jitter, patience=patience)
    return registered, refused


@contextmanager
def answering(answer: Callable[[int, socket.socket, bytes], None]) -> Iterator[str]:
    """A server that reads one request after the other and lets `answer` do what it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        stop = threading.Event()
        number = 0

        def serve() -> None:
            nonlocal number
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(0.05)
                    data = b""
                    while not stop.is_set():
                        try:
                            data += (chunk := connection.recv(65536))
                        except TimeoutError:
                            continue
                        except ConnectionError:
                            break
                        if not chunk:
                            break
                        head, found, body = data.partition(b"\r\n\r\n")
                        if found and len(body) >= int(head.rpartition(b"content-length: ")[2]):
                            data = b""
                            number += 1
                            answer(number, connection, body)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def response(status: int, body: bytes, fields: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\n%bcontent-length: %d\r\n\r\n%b" % (status, fields, len(body), body)


def test_waits_when_told_to_and_survives_broken_answers(service: tuple[str, Log], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.intake.client.FIRST_PAUSE", 0.01)
    _, log = service
    (integrated,) = log.append([SHEETS[0]])

    def answer(number: int, connection: socket.socket, body: bytes) -> None:
        assert statement_hash(body) == statement_hash(SHEETS[0])
        if number == 1:
            connection.sendall(response(503, Problem("queue-full", "later").encode(), b"retry-after: 0\r\n"))
        elif number == 2:
            connection.shutdown(socket.SHUT_RDWR)
        elif number == 3:
            connection.sendall(b"what?\r\n\r\n")
        elif number == 4:
            connection.sendall(response(201, integrated.receipt)[:-1])
            connection.shutdown(socket.SHUT_RDWR)
        elif number == 5:
            connection.sendall(response(200, bytes(70_000)))
        else:
            connection.sendall(response(201, integrated.receipt))

    with answering(answer) as url:
        registered, refused = run(SHEETS[:1], url, log)
    assert [result.receipt for result in registered] == [integrated.receipt]
    assert refused == []


def test_something_else_than_an_intake_service(service: tuple[str, Log]) -> None:
    _, log = service
    with (
        answering(lambda _, connection, __: connection.sendall(response(404, b"<html>"))) as url,
        pytest.raises(TransportError, match="status 404"),
    ):
        run(SHEETS[:1], url, log)


def test_who_waits_is_told_why_once_for_each_reason(service: tuple[str, Log], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scrutineer.intake.client.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("scrutineer.intake.client.TOLD_PAUSE", 0.05)
    _, log = service
    (integrated,) = log.append([SHEETS[0]])
    answers = [
        response(503, Problem("queue-full", "later").encode(), b"retry-after: 0\r\n"),  # Too short a pause to speak of it.
        *[response(429, Problem("key-busy", "one\nkey").encode(), b"retry-after: 1\r\n")] * 2,
        response(502, b"<html>", b"retry-after: 1\r\n"),
        response(201, integrated.receipt),
    ]
    told: list[tuple[str, float]] = []
    with answering(lambda number, connection, _: connection.sendall(answers[number - 1])) as url:
        submit(
            SHEETS[:1],
            url,
            log.verifier,
            registered=lambda _: None,
            refused=lambda _: None,
            waiting=lambda why, seconds: told.append((why, seconds)),
            jitter=lambda: 0.0,
            patience=0.5,  # What the service asks for is no silence.
        )
    where = url.removeprefix("http://").replace(":", ", port ")
    assert told == [
        (f"{where}: one\N{REPLACEMENT CHARACTER}key (key-busy)", 1.0),
        (f"{where}: it answered with status 502 and no reason", 1.0),
    ]


@pytest.mark.parametrize(("asked", "kept"), [(b"300", 300.0), (b"999999", LONGEST_ASKED)])
def test_pauses_that_the_service_asks_for_are_kept(
    service: tuple[str, Log], asked: bytes, kept: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, log = service
    (integrated,) = log.append([SHEETS[0]])
    pauses: list[float] = []
    requests: list[int] = []
    sleep = asyncio.sleep

    async def passed(seconds: float) -> None:
        if seconds >= 10:
            pauses.append(seconds)
            await sleep(0.3)
            assert requests == [1]
        else:
            await sleep(seconds)

    monkeypatch.setattr("scrutineer.intake.client.asyncio.sleep", passed)

    def answer(number: int, connection: socket.socket, _: bytes) -> None:
        requests.append(number)
        busy = response(429, Problem("key-busy", "x").encode(), b"retry-after: %b\r\n" % asked)
        connection.sendall(busy if number == 1 else response(201, integrated.receipt))

    with answering(answer) as url:
        run(SHEETS[:1], url, log)
    (pause,) = pauses
    assert kept <= pause <= 2 * kept
