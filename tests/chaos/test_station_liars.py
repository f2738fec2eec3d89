"""Endpoints that lie, dawdle, point elsewhere or say nothing: real servers, beside an honest one or alone."""

import itertools
import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from intake_helpers import Republic, opened_log, republic
from scrutineer.intake import running
from scrutineer.intake.lanes import read_retry_after
from scrutineer.log import Log, LogSigner, SqliteStore, verify_entry_receipt
from scrutineer.statements import statement_hash
from scrutineer.station.outbox import Tally
from scrutineer.station.ways import FALSE_PAUSE, LONGEST_ASKED, Way
from station_helpers import VERIFIER, Behaviour, answer, intakes, misbehaving, outbox_of, send, unused_url

LAND: Republic = republic()
PATIENCE = 0.7  # seconds that these tests let an endpoint take
_times = itertools.count()


def sheets(count: int) -> list[bytes]:
    """Sheets that no other test has sent."""
    return [LAND.sheet(time=next(_times)) for _ in range(count)]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Log]]:
    folder = tmp_path_factory.mktemp("honest")
    files = LAND.write(folder)
    with opened_log(folder, LAND.definition) as (log, _), running(log, files) as address:
        yield address.url, log


def check(folder: Path, log: Log, sent: list[bytes]) -> None:
    outbox = outbox_of(folder, [])
    assert outbox.tally() == Tally(len(sent), 0, 0, 0)
    everything = list(log.entries())
    for sheet in sent:
        entry = outbox.find(statement_hash(sheet))
        assert entry is not None
        assert entry.receipt is not None
        assert everything.count(sheet) == 1
        assert everything[verify_entry_receipt(entry.receipt, sheet, VERIFIER).index] == sheet


def drip(_statement: bytes, connection: socket.socket) -> None:
    with suppress(OSError):
        for byte in answer("201 Created", b"x" * 600):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)


def endless(opening: bytes, more: bytes) -> Behaviour:
    def behave(_statement: bytes, connection: socket.socket) -> None:
        with suppress(OSError):
            connection.sendall(opening)
            while True:
                connection.sendall(more)

    return behave


def silent(_statement: bytes, connection: socket.socket) -> None:
    with suppress(OSError):
        connection.recv(1)


def hang_up(_statement: bytes, connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


UNUSABLE: dict[str, tuple[Behaviour, str, str]] = {
    "never answers": (silent, "unreachable", "no answer in time"),
    "hangs up": (hang_up, "unreachable", "does not answer"),
    "drips": (drip, "unreachable", "no answer in time"),
    "body without end": (
        endless(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n"),
        "unreachable",
        "too long",
    ),
    "length without end": (
        endless(b"HTTP/1.1 201 Created\r\ncontent-length: 99999999999\r\n\r\n", b"x" * 4096),
        "unreachable",
        "long",
    ),
    "header without end": (endless(b"HTTP/1.1 201 Created\r\nx: ", b"y" * 4096), "unreachable", "too long"),
    "headers without end": (endless(b"HTTP/1.1 201 Created\r\n", b"x: y\r\n" * 500), "unreachable", "too long"),
    "early hints without end": (endless(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100), "unreachable", "too long"),
    "not HTTP": (lambda _, __: b"\x16\x03\x01 heron\r\n\r\n", "unreachable", "not HTTP"),
    "redirect": (lambda _, __: answer("302 Found", b"", "location: http://127.0.0.1:1/"), "nonsense", "another address"),
    "permanent redirect": (lambda _, __: answer("308 Permanent", b"", "location: /x"), "nonsense", "another address"),
    "sign-in page": (lambda _, __: answer("200 OK", b"<html>Sign in", media_type="text/html"), "nonsense", "sign-in"),
    "no type at all": (lambda _, __: b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "nonsense", "without a type"),
    "no reason": (lambda _, __: answer("404 Not Found", b"nothing here", media_type="text/plain"), "nonsense", "no reason"),
    "strange status": (lambda _, __: answer("799 Heron"), "busy", "come again later"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_endpoint_of_no_use_keeps_nothing_from_another(honest: tuple[str, Log], tmp_path: Path, name: str) -> None:
    url, log = honest
    behaviour, outcome, said = UNUSABLE[name]
    sent = sheets(20)
    outbox = outbox_of(tmp_path, sent)
    with misbehaving(behaviour) as bad:
        sender = send(outbox, intakes(bad.url, url), tmp_path, patience=PATIENCE)
        last = sender.attempts.last[bad.url]
        assert (last.outcome, said in last.said) == (outcome, True), last
        assert sender.attempts.worked == url
        # It got one statement, and the answer that it gave was not taken for more than it is.
        assert bad.statements == sent[:1]
    check(tmp_path, log, sent)
    assert not (tmp_path / "evidence").exists()


def lies(folder: Path, log: Log) -> dict[str, Behaviour]:
    """Receipts that prove nothing, each kind from a server that answers every statement with one."""
    other = LogSigner("log.example/wetland", b"7" * 32, b"8" * 32)
    store = SqliteStore.open(folder / "other.sqlite", create=True)
    forged = Log.open(store, other)
    true = log.append([LAND.sheet(time=10**9 + next(_times))])[0].receipt
    chance = random.Random(1)

    def of_another_log(statement: bytes, _: object) -> bytes:
        return answer("201 Created", forged.append([statement])[0].receipt)

    def one_bit_off(statement: bytes, _: object) -> bytes:
        receipt = bytearray(true)
        receipt[chance.randrange(len(receipt))] ^= 1 << chance.randrange(8)
        return answer("201 Created", bytes(receipt))

    return {
        "another log": of_another_log,
        "another statement": lambda _, __: answer("200 OK", true),
        "one bit": one_bit_off,
        "garbage": lambda _, __: answer("201 Created", chance.randbytes(700)),
        "nothing": lambda _, __: answer("201 Created"),
        "its own statement": lambda statement, _: answer("201 Created", statement),
    }


def test_false_receipts_are_kept_as_evidence_and_their_endpoints_avoided(tmp_path: Path) -> None:
    with opened_log(tmp_path, LAND.definition) as (log, _):
        behaviours = lies(tmp_path, log)
        for number, (name, behaviour) in enumerate(behaviours.items()):
            folder = tmp_path / str(number)
            folder.mkdir()
            sent = sheets(30)
            outbox = outbox_of(folder, sent)
            with misbehaving(behaviour) as liar:
                sender = send(outbox, intakes(liar.url, unused_url()), folder, once=True, patience=PATIENCE)
                last = sender.attempts.last[liar.url]
                assert last.outcome == "false", name
                assert last.pause >= FALSE_PAUSE
                assert "proves nothing" in last.said
                # Avoided: also by a later process, also by one in a hurry.
                again = send(outbox, intakes(liar.url), folder, once=True)
                again.hurry()
                send(outbox, intakes(liar.url), folder, once=True)
                assert liar.statements == sent[:1], name
            assert outbox.tally() == Tally(0, 30, 0, 0)
            (described,) = (folder / "evidence").glob("*.json")
            about = json.loads(described.read_bytes())
            assert about["address"] == liar.url
            assert about["statement"] == statement_hash(sent[0]).hex()
            assert described.name in last.said
            evidence = (folder / "evidence" / about["receipt"]).read_bytes()
            assert answer("", evidence).endswith(evidence)
            with pytest.raises(Exception, match="receipt"):
                verify_entry_receipt(evidence, sent[0], VERIFIER)


def test_one_that_begins_to_lie_halfway(honest: tuple[str, Log], tmp_path: Path) -> None:
    url, log = honest
    sent = sheets(400)
    with opened_log(tmp_path, LAND.definition) as (own, _):
        told = itertools.count()
        liar_of_another_log = lies(tmp_path, own)["another log"]

        def halfway(statement: bytes, connection: socket.socket) -> bytes | None:
            # It passes on what the honest one would say, for a while.
            if next(told) < 100:
                return answer("201 Created", log.append([statement])[0].receipt)
            return liar_of_another_log(statement, connection)

        outbox = outbox_of(tmp_path, sent)
        with misbehaving(halfway) as liar:
            sender = send(outbox, [Way("intake", liar.url), *intakes(url)], tmp_path)
            assert sender.attempts.last[liar.url].outcome == "false"
            assert len(list((tmp_path / "evidence").glob("*.json"))) == 1
    check(tmp_path, log, sent)


ASKED = {
    b"0": 0.0,
    b"7": 7.0,
    b" 7 ": 7.0,
    b"999999999": 999_999_999.0,
    b"-5": None,
    b"+5": None,
    b"1e9": None,
    b"0x10": None,
    b"3.5": None,
    b"": None,
    b"soon": None,
    b"9" * 5_000: None,
    "٣".encode(): None,
    b"Fri, 31 Dec 9999 23:59:59 GMT": None,
    b"7, 9": None,
    b"NaN": None,
    b"\xff\xfe": None,
}


@pytest.mark.parametrize("value", ASKED, ids=lambda value: repr(value[:12]))
def test_retry_after_in_any_form(tmp_path: Path, value: bytes) -> None:
    assert read_retry_after(value) == ASKED[value]
    outbox = outbox_of(tmp_path, sheets(3))

    def busy(_statement: bytes, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 429 Too Many\r\nretry-after: " + value + b"\r\ncontent-length: 0\r\n\r\n")

    with misbehaving(busy) as server:
        sender = send(outbox, intakes(server.url), tmp_path, once=True, chance=lambda: 0.5, patience=PATIENCE)
        last = sender.attempts.last[server.url]
        assert len(server.statements) == 1
    assert last.outcome == "busy"
    asked = min(ASKED[value] or 0.0, LONGEST_ASKED)
    assert asked <= last.pause <= 0.75 + 1.25 * asked
    assert sender.pause() > 0


def test_one_statement_that_always_fails_does_not_keep_out_the_others(honest: tuple[str, Log], tmp_path: Path) -> None:
    url, log = honest
    sent = sheets(30)
    poison = sent[0]

    def choking(statement: bytes, connection: socket.socket) -> bytes | None:
        if statement == poison:
            connection.shutdown(socket.SHUT_RDWR)
            return None
        return answer("201 Created", log.append([statement])[0].receipt)

    outbox = outbox_of(tmp_path, sent)
    with misbehaving(choking) as server:
        # Each is a program of its own, as where a clock starts one every minute.
        for _ in range(2):
            sender = send(outbox, intakes(server.url), tmp_path, once=True, chance=lambda: 0.0)
            time.sleep(sender.pause())
    assert outbox.tally() == Tally(29, 1, 0, 0)
    send(outbox, intakes(url), tmp_path)
    check(tmp_path, log, sent)
