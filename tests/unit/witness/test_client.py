"""Cosignatures are collected from real witnesses; what liars, sleepers and strangers say counts for nothing."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from log_helpers import ORIGIN
from scrutineer.errors import LogError, NoteError, UsageError
from scrutineer.log import open_checkpoint
from scrutineer.log.note import Note, SignatureLine, format_note, parse_note
from scrutineer.witness import Collected, Trouble, WitnessAddress, WitnessService, collect
from scrutineer.witness.answers import Cosigned, OtherSize, read_answer
from witness_helpers import LOG, NAME, TIME, Bench, History, address, signers

HISTORY = History()
OTHER = History(name="stork")
CRANE = address("http://127.0.0.1:1")
CHECKPOINT = HISTORY.checkpoint(8)
BIRDS = ("crane", "owl", "wren")


@contextmanager
def witness(folder: Path, name: str, seed: int) -> Iterator[tuple[WitnessAddress, Bench]]:
    bench = Bench(folder, name=name, seed=seed)
    started = threading.Event()
    urls: list[str] = []

    def ready(url: str) -> None:
        urls.append(url)
        started.set()

    service = WitnessService(bench.witness, ready=ready)
    thread = threading.Thread(target=service.run)
    thread.start()
    assert started.wait(10)
    try:
        yield address(urls[0], name, seed), bench
    finally:
        service.stop()
        thread.join()
        bench.close()


@contextmanager
def answering(*answers: bytes, pause: float = 0.0) -> Iterator[str]:
    """A server that gives these bytes, whatever it is asked, one after the other on each connection."""
    started, ended = threading.Event(), threading.Event()
    ports: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(length)
                await asyncio.sleep(pause)
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()
        while not ended.is_set():
            await asyncio.sleep(0.01)
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    assert started.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        ended.set()
        thread.join()


def ask(size: int, witnesses: list[WitnessAddress], quorum: int, history: History = HISTORY, **options: object) -> Collected:
    return collect(
        history.checkpoint(size),
        lambda old: history.tree.consistency(old, size),
        witnesses,
        quorum,
        **options,  # type: ignore[arg-type]
    )


def test_a_quorum_of_real_witnesses(tmp_path: Path) -> None:
    with ExitStack() as stack:
        made = [stack.enter_context(witness(tmp_path / bird, f"{bird}.example/w", 10 * n + 7)) for n, bird in enumerate(BIRDS)]
        addresses = [found for found, _ in made]
        for size in (3, 8, 8, 20):
            found = ask(size, addresses, 3)
            assert found.complete, found.troubles
            assert found.size == size
            verifiers = [verifier for found in addresses for verifier in found.verifiers]
            opened = open_checkpoint(found.checkpoint, LOG.verifier.note_verifiers, verifiers)
            assert opened.checkpoint.size == size
            assert sorted(opened.witnesses) == sorted(2 * [f"{bird}.example/w" for bird in BIRDS])
        assert ask(20, addresses, 3, sizes={found.name: 20 for found in addresses}).complete
        assert {bench.state.count for _, bench in made} == {3}


def test_without_a_quorum_the_checkpoint_is_not_complete(tmp_path: Path) -> None:
    with witness(tmp_path, NAME, 7) as (crane, _):
        owl = address("http://127.0.0.1:1", "owl.example/w", 30)
        found = ask(8, [owl, crane], 2)
        assert not found.complete
        assert found.cosigners == (NAME,)
        assert [(trouble.witness, trouble.kind) for trouble in found.troubles] == [("owl.example/w", "unreachable")]
        assert ask(8, [owl, crane], 1).complete


def test_a_witness_that_knows_another_history_refuses(tmp_path: Path) -> None:
    with witness(tmp_path, NAME, 7) as (crane, bench):
        assert ask(8, [crane], 1, OTHER).complete
        found = ask(20, [crane], 1)
        assert not found.complete
        assert found.checkpoint == HISTORY.checkpoint(20)
        assert found.troubles[0].kind == "contradicted"
        assert "bad-proof" in found.troubles[0].detail
        assert len(list((bench.folder / "evidence").iterdir())) == 1


def test_a_witness_that_has_seen_more_is_reported(tmp_path: Path) -> None:
    with witness(tmp_path, NAME, 7) as (crane, _):
        assert ask(20, [crane], 1).complete
        (trouble,) = ask(8, [crane], 1, sizes={NAME: 20}).troubles
        assert (trouble.kind, trouble.size) == ("ahead", 20)
        assert "20 entries" in trouble.detail


def test_a_silent_witness_is_left_behind(tmp_path: Path) -> None:
    with witness(tmp_path, NAME, 7) as (crane, _), answering(b"", pause=30.0) as url:
        owl = address(url, "owl.example/w", 30)
        started = time.monotonic()
        found = ask(8, [owl, crane], 1, grace=0.1)
        assert found.complete
        assert "quorum was complete" in found.troubles[0].detail
        found = ask(8, [owl, crane], 2, timeout=0.2)
        assert not found.complete
        assert "no answer within 0.2 seconds" in found.troubles[0].detail
        assert time.monotonic() - started < 20


OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b"
SIZE = b"HTTP/1.1 409 Conflict\r\ncontent-type: text/x.tlog.size\r\ncontent-length: 2\r\n\r\n%d\n"


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([b"heron\r\n\r\n"], "unreachable"),
        ([b""], "unreachable"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"], "unreachable"),
        ([OK % (0, b"")], "nonsense"),
        ([OK % (6, b"heron\n")], "nonsense"),
        ([OK % (200_000, b"x" * 200_000)], "nonsense"),
        ([b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"], "nonsense"),
        ([b"HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\n3\n"], "nonsense"),
        ([SIZE % 1, SIZE % 2, SIZE % 3], "refused"),
        ([SIZE % 9], "ahead"),
    ],
)
def test_what_counts_for_nothing(answers: list[bytes], kind: str) -> None:
    with answering(*answers) as url:
        found = ask(8, [address(url)], 1)
    assert not found.complete
    assert found.checkpoint == CHECKPOINT
    assert [trouble.kind for trouble in found.troubles] == [kind]


def test_a_proof_that_cannot_be_had_is_the_witnesses_trouble(tmp_path: Path) -> None:
    def proofs(size: int) -> tuple[bytes, ...]:
        raise LogError(f"no size {size}")

    with witness(tmp_path, NAME, 7) as (crane, _):
        assert collect(HISTORY.checkpoint(3), proofs, [crane], 1).complete
        found = collect(CHECKPOINT, proofs, [crane], 1)
    assert found.troubles[0].detail.endswith("no size 3")


def cosignatures(checkpoint: bytes = CHECKPOINT, time: int = TIME, keys: int = 2, seed: int = 7) -> bytes:
    text = parse_note(checkpoint).text
    lines = tuple(SignatureLine(key.name, key.key_id, key.sign(text, time)) for key in signers(NAME, seed)[:keys])
    return format_note(Note(text, lines))[len(text) + 1 :]


def judged(status: int, body: bytes, kind: str = "text/plain") -> Cosigned | OtherSize | Trouble:
    return read_answer(CRANE, CHECKPOINT, status, kind, body, TIME)


def test_good_cosignatures_are_taken_and_those_of_others_ignored() -> None:
    found = judged(200, cosignatures(seed=90) + cosignatures())
    assert isinstance(found, Cosigned)
    assert [line.key_id for line in found.lines] == [key.key_id for key in signers()]


@pytest.mark.parametrize(
    "body",
    [
        cosignatures(keys=1),
        cosignatures(seed=90),
        cosignatures(HISTORY.checkpoint(9)),
        cosignatures(time=0),
        cosignatures(time=TIME + 100_000),
        cosignatures() + cosignatures(time=TIME - 1),
        cosignatures()[:-1],
        cosignatures() + b"\n",
        b"\xff\n",
        CHECKPOINT,
    ],
)
def test_cosignatures_that_do_not_hold_are_nonsense(body: bytes) -> None:
    found = judged(200, body)
    assert isinstance(found, Trouble)
    assert found.kind == "nonsense"


@pytest.mark.parametrize(
    "body", [b"", b"3", b"03\n", b"3\n\n", b" 3\n", b"-3\n", b"three\n", b"9" * 19 + b"\n", b"9" * 5000 + b"\n"]
)
def test_a_size_is_read_strictly(body: bytes) -> None:
    assert judged(409, b"3\n", "text/x.tlog.size") == OtherSize(3)
    found = judged(409, body, "text/x.tlog.size")
    assert isinstance(found, Trouble)
    assert found.kind == "nonsense"


def test_words_of_a_refusal_cannot_draw_on_the_screen() -> None:
    found = judged(403, b"no\x1b[2J\xff\nmore" + b"x" * 1000)
    assert isinstance(found, Trouble)
    assert found.kind == "refused"
    assert found.detail.isprintable()
    assert len(found.detail) < 400


def test_witnesses_must_be_different_and_enough() -> None:
    owl = address("http://127.0.0.1:1", "owl.example/w", 30)
    for witnesses, quorum in (([CRANE], 2), ([CRANE], 0), ([], 1)):
        with pytest.raises(UsageError, match="quorum"):
            ask(8, witnesses, quorum)
    for twice in (CRANE, address("http://127.0.0.1:2", "owl.example/w", 7)):
        with pytest.raises(UsageError, match="count twice"):
            ask(8, [CRANE, owl, twice] if twice is CRANE else [CRANE, twice], 2)
    with pytest.raises(NoteError):
        collect(b"heron", lambda _: (), [CRANE], 1)


def test_addresses() -> None:
    vkeys = [str(key.verifier.key) for key in signers()]
    assert WitnessAddress.from_vkeys("https://witness.example/w/", vkeys) == address("https://witness.example/w")
    for url, keys in (("ftp://witness.example", vkeys), ("https://witness.example", [])):
        with pytest.raises(UsageError):
            WitnessAddress.from_vkeys(url, keys)
    with pytest.raises(NoteError, match="no cosignatures"):
        WitnessAddress.from_vkeys("https://witness.example", [LOG.verifier.vkeys[0]])
    assert LOG.origin == ORIGIN
