"""The sender against the real service: over several endpoints, with TLS, with clocks that are wrong."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop

from intake_helpers import opened_log, republic
from scrutineer.errors import UsageError
from scrutineer.http.port import Tls
from scrutineer.http.problems import Problem
from scrutineer.intake import running
from scrutineer.intake.lanes import Trust
from scrutineer.log import Log, verify_entry_receipt
from scrutineer.statements import statement_hash
from scrutineer.station.outbox import Outbox, Tally
from scrutineer.station.sender import Sender
from scrutineer.station.ways import Moment, Way
from station_helpers import (
    VERIFIER,
    Behaviour,
    answer,
    certificates,
    intakes,
    misbehaving,
    outbox_of,
    send,
    serving_tls,
    unused_url,
)

LAND = republic()
SHEETS = [LAND.sheet(time=number) for number in range(700)]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, Log]]:
    files = LAND.write(tmp_path)
    with opened_log(tmp_path, LAND.definition) as (log, _), running(log, files) as address:
        yield address.url, log


def check(outbox: Outbox, log: Log, sheets: list[bytes]) -> None:
    """Every sheet is in the log exactly once, and the outbox has a receipt that proves it."""
    assert sorted(log.entries()) == sorted([LAND.definition, *sheets])
    for sheet in sheets:
        entry = outbox.find(statement_hash(sheet))
        assert entry is not None
        assert entry.receipt is not None
        assert log.entry(verify_entry_receipt(entry.receipt, sheet, VERIFIER).index) == sheet
    assert outbox.tally() == Tally(len(sheets), 0, 0, 0)


def test_sends_everything_and_keeps_the_receipts(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    outbox = outbox_of(tmp_path, SHEETS)
    sender = send(outbox, intakes(url), tmp_path)
    check(outbox, log, SHEETS)
    assert sender.attempts.worked == url
    assert sender.attempts.last[url].outcome == "done"
    # Once more sends nothing.
    send(outbox, intakes(unused_url()), tmp_path)


def test_endpoints_in_their_order_and_the_one_that_worked_first(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    nobody = unused_url()
    outbox = outbox_of(tmp_path, SHEETS[:3])
    heard: list[tuple[str, str]] = []
    ways = intakes(nobody, url)
    send(outbox, ways, tmp_path, heard=lambda way, ended, _: heard.append((way.url, ended.outcome)))
    assert heard == [(nobody, "unreachable"), (url, "done")]
    outbox.add(SHEETS[3:6])
    heard.clear()
    send(outbox, ways, tmp_path, heard=lambda way, ended, _: heard.append((way.url, ended.outcome)))
    assert heard == [(url, "done")]
    check(outbox, log, SHEETS[:6])


def test_once_comes_back_whatever_happens_and_pauses_are_kept(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, SHEETS[:2])
    ways = intakes(unused_url(), unused_url())
    first = send(outbox, ways, tmp_path, once=True, chance=lambda: 1.0)
    assert [first.attempts.last[way.url].failures for way in ways] == [1, 1]
    assert all("does not answer" in last.said for last in first.attempts.last.values())
    # Another process, at once: the pause still holds, and what is tried then fails a second time.
    second = send(outbox, ways, tmp_path, once=True, chance=lambda: 1.0)
    assert second.attempts == first.attempts
    assert 0 < second.pause() <= 1.0
    second.hurry()
    uvloop.run(second.run(once=True))
    assert all(last.tried for last in second.attempts.last.values())
    assert outbox.tally().waiting == 2


def test_a_wrong_clock_changes_nothing_but_shown_times(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    times = random.Random(4)
    outbox = Outbox.open(tmp_path / "outbox.sqlite", create=True, clock=lambda: 1_780_000_000 + times.uniform(-9, 9) * 3_600)
    outbox.add(SHEETS[:40])
    wrong = lambda: 1_780_000_000 + times.uniform(-9, 9) * 3_600  # noqa: E731
    heard: list[float] = []
    turned_away = 0

    def busy(_statement: bytes, _connection: object) -> bytes:
        nonlocal turned_away
        turned_away += 1
        return answer("503 Busy", b"", "retry-after: 1")

    with misbehaving(busy) as server:
        sender = Sender(
            outbox, intakes(server.url), VERIFIER, tmp_path, clock=wrong, heard=lambda _, __, pause: heard.append(pause)
        )

        async def for_a_while() -> None:
            async with asyncio.timeout(3.5):
                await sender.run()

        with pytest.raises(TimeoutError):
            uvloop.run(for_a_while())
    # About one attempt for each second that was asked for, by whatever hour the clock showed.
    assert 2 <= turned_away <= 4
    assert all(1 <= pause <= 10 for pause in heard)
    send(outbox, intakes(url), tmp_path, clock=wrong)
    check(outbox, log, SHEETS[:40])


def test_a_pause_is_over_after_a_restart_of_the_machine(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, SHEETS[:1])
    ways = intakes(unused_url())
    for _ in range(6):
        moments = iter([Moment("first", 5_000.0)] * 3)
        sender = Sender(outbox, ways, VERIFIER, tmp_path, steady=lambda moments=moments: next(moments))  # type: ignore[misc]
        sender.hurry()
        uvloop.run(sender.run(once=True))
    again = Sender(outbox, ways, VERIFIER, tmp_path, steady=lambda: Moment("first", 5_000.2))
    assert again.pause() > 0
    after = Sender(outbox, ways, VERIFIER, tmp_path, steady=lambda: Moment("second", 3.0))
    assert after.pause() == 0


@pytest.mark.parametrize("mutual", [False, True])
def test_tls(tmp_path: Path, mutual: bool) -> None:
    files = LAND.write(tmp_path)
    made = certificates(tmp_path)
    tls = Tls(made.server, made.server_key, made.authority if mutual else None)
    outbox = outbox_of(tmp_path, SHEETS[:200])
    with opened_log(tmp_path, LAND.definition) as (log, _), serving_tls(log, files, tls) as url:
        assert url.startswith("https://")
        # The system's authorities do not know this one.
        stranger = send(outbox, intakes(url), tmp_path, once=True)
        assert "certificate" in stranger.attempts.last[url].said.lower()
        assert outbox.tally().receipted == 0
        if mutual:
            nobody = send(outbox, intakes(url + "/"), tmp_path, once=True, trust=Trust(made.authority))
            assert nobody.attempts.last[url + "/"].outcome == "unreachable"
            assert outbox.tally().receipted == 0
        trust = Trust(made.authority, made.client, made.client_key) if mutual else Trust(made.authority)
        sender = Sender(outbox, intakes(url), VERIFIER, tmp_path, trust=trust)
        sender.hurry()
        uvloop.run(sender.run())
        check(outbox, log, SHEETS[:200])


def test_tls_files_that_are_none(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, [])
    (tmp_path / "nothing.pem").write_text("a heron")
    for trust in (Trust(tmp_path / "nothing.pem"), Trust(None, tmp_path / "missing.pem")):
        with pytest.raises(UsageError, match="TLS cannot be set up"):
            Sender(outbox, intakes("https://127.0.0.1"), VERIFIER, tmp_path, trust=trust)


def test_refused_statements_are_reported_and_the_rest_goes_on(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    bad = LAND.sheet(counts=(1, 2))
    outbox = outbox_of(tmp_path, [bad, *SHEETS[:50]])
    send(outbox, intakes(url), tmp_path)
    assert outbox.tally() == Tally(50, 0, 1, 0)
    (entry,) = outbox.entries("refused")
    assert entry.problem is not None
    assert (entry.problem.code, entry.refused_by) == ("wrong-shape", url)
    assert log.size == 51


def test_a_refusal_by_one_endpoint_is_not_the_end(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    body = Problem("unknown-key", "we do not know you").encode()
    with misbehaving(lambda _, __: answer("400 No", body, media_type="application/concise-problem-details+cbor")) as refuser:
        outbox = outbox_of(tmp_path, SHEETS[:30])
        send(outbox, intakes(refuser.url, url), tmp_path)
        check(outbox, log, SHEETS[:30])
        # Alone, its refusals stand, until someone asks again.
        outbox.add(SHEETS[30:32])
        send(outbox, intakes(refuser.url), tmp_path)
        assert outbox.tally() == Tally(30, 0, 2, 0)
    outbox.send_again()
    send(outbox, intakes(url), tmp_path)
    check(outbox, log, SHEETS[:32])


def test_what_a_relay_refuses_waits_for_an_intake_service(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    body = Problem("unknown-key", "we do not know you").encode()
    with misbehaving(lambda _, __: answer("400 No", body)) as relay:
        outbox = outbox_of(tmp_path, SHEETS[:5])
        ways = [Way("relay", relay.url), *intakes(unused_url())]
        sender = send(outbox, ways, tmp_path, once=True)
        assert outbox.tally() == Tally(0, 5, 0, 0)
        assert "we do not know you" in sender.attempts.last[relay.url].said
        send(outbox, [Way("relay", relay.url)], tmp_path, once=True)
        assert outbox.tally() == Tally(0, 0, 5, 0)
        outbox.send_again()
        send(outbox, [Way("relay", relay.url), *intakes(url)], tmp_path)
        check(outbox, log, SHEETS[:5])


def test_held_by_a_relay_is_no_receipt(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    with misbehaving(lambda _, __: answer("202 Accepted", b"held", media_type="text/plain")) as relay:
        outbox = outbox_of(tmp_path, SHEETS[:20])
        ways = [Way("relay", relay.url), *intakes(unused_url())]
        sender = send(outbox, ways, tmp_path, once=True)
        assert outbox.tally() == Tally(0, 20, 0, 20)
        assert sender.attempts.last[relay.url].outcome == "held"
        assert "no receipt" in sender.attempts.last[relay.url].said
        assert sender.pause() > 0
    send(outbox, intakes(url), tmp_path)
    check(outbox, log, SHEETS[:20])


def test_stays_and_sends_what_comes_in(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    outbox = outbox_of(tmp_path, SHEETS[:2])

    async def scenario() -> None:
        wake = asyncio.Event()
        sender = Sender(outbox, intakes(url), VERIFIER, tmp_path)
        running_on = asyncio.create_task(sender.run(stay=True, wake=wake))
        for stop in (4, 6):
            while outbox.tally().waiting:
                await asyncio.sleep(0.01)
            outbox.add(SHEETS[:stop])
            wake.set()
        while outbox.tally().waiting:
            await asyncio.sleep(0.01)
        running_on.cancel()

    uvloop.run(scenario())
    check(outbox, log, SHEETS[:6])


def test_the_log_counts_once_what_comes_by_several_ways(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    folders = [tmp_path / name for name in ("station", "office", "neighbour")]
    for folder in folders:
        folder.mkdir()
        outbox = outbox_of(folder, SHEETS[:100])
        send(outbox, intakes(url), folder)
        check(outbox, log, SHEETS[:100])


def refuses(code: str = "unknown-key") -> Behaviour:
    body = Problem(code, "we do not know you").encode()
    return lambda _, __: answer("400 No", body, media_type="application/concise-problem-details+cbor")


def test_what_one_relay_refuses_another_may_take(tmp_path: Path) -> None:
    outbox = outbox_of(tmp_path, SHEETS[:5])
    with misbehaving(refuses()) as one, misbehaving(lambda _, __: answer("202 Accepted")) as other:
        send(outbox, [Way("relay", one.url), Way("relay", other.url)], tmp_path, once=True)
        assert outbox.tally() == Tally(0, 5, 0, 5)
        # All that there are must have refused it.
        send(outbox, [Way("relay", one.url), Way("relay", unused_url())], tmp_path, once=True)
        assert outbox.tally() == Tally(0, 5, 0, 5)
        send(outbox, [Way("relay", one.url)], tmp_path, once=True)
        assert outbox.tally() == Tally(0, 0, 5, 0)


def test_a_later_sender_asks_those_who_were_not_asked(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    outbox = outbox_of(tmp_path, SHEETS[:5])
    with misbehaving(refuses()) as refuser:
        send(outbox, intakes(refuser.url, unused_url()), tmp_path)
        assert outbox.tally() == Tally(0, 0, 5, 0)
        asked = len(refuser.statements)
        send(outbox, intakes(refuser.url, url), tmp_path)
        assert len(refuser.statements) == asked
    check(outbox, log, SHEETS[:5])


def test_what_is_let_wait_again_is_sent_again_by_the_same_sender(service: tuple[str, Log], tmp_path: Path) -> None:
    _, log = service
    outbox = outbox_of(tmp_path, SHEETS[:5])
    with misbehaving(refuses()) as endpoint:
        sender = Sender(outbox, intakes(endpoint.url), VERIFIER, tmp_path)
        uvloop.run(sender.run())
        assert outbox.tally() == Tally(0, 0, 5, 0)
        endpoint.behaviour = lambda statement, _: answer("201 Created", log.append([statement])[0].receipt)
        assert outbox.send_again([statement_hash(sheet) for sheet in SHEETS[:6]]) == 5
        uvloop.run(sender.run())
    check(outbox, log, SHEETS[:5])


def test_evidence_that_cannot_be_kept_keeps_nothing_from_other_ways(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service
    outbox = outbox_of(tmp_path, SHEETS[:5])
    (tmp_path / "evidence").write_bytes(b"a file where a folder should be")
    with misbehaving(lambda _, __: answer("201 Created", b"owl")) as liar:
        sender = send(outbox, intakes(liar.url, url), tmp_path)
        assert sender.attempts.last[liar.url].outcome == "false"
        assert "cannot be kept" in sender.attempts.last[liar.url].said
    check(outbox, log, SHEETS[:5])


def test_a_slow_way_is_left_for_others(service: tuple[str, Log], tmp_path: Path) -> None:
    url, log = service

    def dawdle(_: bytes, __: object) -> bytes:
        time.sleep(0.5)
        return answer("202 Accepted", b"held", media_type="text/plain")

    outbox = outbox_of(tmp_path, SHEETS[:300])
    with misbehaving(dawdle) as slow:
        sender = send(outbox, intakes(slow.url, url), tmp_path, connections=2, longest_slow=0.2)
        assert sender.attempts.last[slow.url].outcome == "busy"
        assert "answers slowly" in sender.attempts.last[slow.url].said
        assert len(slow.statements) < 300
    check(outbox, log, SHEETS[:300])
