"""The relay: what it takes, what it says of it, and where it stops taking."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from intake_helpers import AGENT, log_signer, opened_log, republic, station_key
from relay_helpers import Reply, ask
from scrutineer.http import Address
from scrutineer.http.problems import Problem
from scrutineer.log import verify_receipt
from scrutineer.statements import SigningKey, statement_hash
from scrutineer.statements.policy import Policy, Reading
from scrutineer.station.bundle import Bundle, decode_bundle, encode_bundle
from scrutineer.station.outbox import Outbox, Refusal, Tally
from scrutineer.station.relay import Answer, Kept, Limits, Progress, Relay
from scrutineer.station.relay_service import BUNDLE_TYPE, MAX_POSTED, RelayService

REPUBLIC = republic(6)
ELECTION = REPUBLIC.election.hash
SHEET = REPUBLIC.sheet()
STRANGER = SigningKey(b"x" * 32)
VERIFIER = log_signer().verifier


def stranger(number: int) -> bytes:
    """A well-formed statement by somebody whom nobody has accredited."""
    return REPUBLIC.sign(REPUBLIC.sheet_of(time=number), "observer/nobody", STRANGER)


def made(folder: Path, *, knows: bool = True, limits: Limits | None = None, progress: Progress | None = None) -> Relay:
    folder.mkdir(exist_ok=True)
    outbox = Outbox.open(folder / "outbox.sqlite", create=True)
    return Relay(outbox, ELECTION, VERIFIER, Policy(REPUBLIC.election) if knows else None, limits, progress)


def taken(relay: Relay, *statements: bytes, peer: str = "192.0.2.7") -> list[Answer]:
    """What a relay answers, in order."""

    async def work() -> list[Answer]:
        writing = asyncio.create_task(relay.run())
        answers: list[Answer] = []
        for data in statements:
            answered = asyncio.Event()
            relay.take(data, peer, lambda answer, e=answered: (answers.append(answer), e.set()))  # type: ignore[misc]
            await answered.wait()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        return answers

    return asyncio.run(work())


def codes(answers: list[Answer]) -> list[str]:
    return [answer.code if isinstance(answer, Problem) else "held" for answer in answers]


def test_what_is_held_is_on_the_disk(tmp_path: Path) -> None:
    relay = made(tmp_path)
    assert taken(relay, SHEET, SHEET) == [Kept(statement_hash(SHEET)), Kept(statement_hash(SHEET))]
    relay.outbox.close()
    again = Outbox.open(tmp_path / "outbox.sqlite")
    assert [entry.statement for entry in again.waiting()] == [SHEET]


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (b"hello", "malformed"),
        (SHEET[:-1], "malformed"),
        (REPUBLIC.definition, "second-definition"),
        (REPUBLIC.sheet(election=bytes(32)), "wrong-election"),
    ],
)
def test_what_cannot_belong_here_is_refused(statement: bytes, code: str, knows: bool, tmp_path: Path) -> None:
    relay = made(tmp_path, knows=knows)
    assert codes(taken(relay, statement)) == [code]
    assert relay.outbox.tally().all == 0
    assert relay.size == 0


def test_with_the_tables_policy_and_signature_are_checked(tmp_path: Path) -> None:
    forged = SHEET[:-1] + bytes([SHEET[-1] ^ 1])
    relay = made(tmp_path)
    other = REPUBLIC.sign(REPUBLIC.sheet_of("n2"), "station/n1", station_key("n1"))
    assert codes(taken(relay, forged, other)) == ["bad-signature", "out-of-scope"]
    assert codes(taken(made(tmp_path, knows=False), forged)) == ["held"]


def test_a_key_is_given_only_so_much(tmp_path: Path) -> None:
    relay = made(tmp_path, limits=Limits(for_each_key=2))
    sheets = [REPUBLIC.sheet(time=number) for number in range(4)]
    assert codes(taken(relay, *sheets, REPUBLIC.sheet("n2"))) == ["held", "held", "key-busy", "key-busy", "held"]
    # After a restart the same holds.
    assert codes(taken(made(tmp_path, limits=Limits(for_each_key=2)), sheets[3], sheets[0])) == ["key-busy", "held"]


def settle(relay: Relay, data: bytes, folder: Path, *, recorded: bool) -> None:
    """What the sender keeps once the log has answered."""
    if not recorded:
        relay.outbox.record(refused=[Refusal(statement_hash(data), "http://log.example", Problem("unknown-key", "not here"))])
        return
    with opened_log(folder, REPUBLIC.definition) as (log, _):
        (result,) = log.append([data])
        assert relay.outbox.take_receipts([(statement_hash(data), result.receipt)], VERIFIER).accepted == 1


@pytest.mark.parametrize("recorded", [True, False])
def test_only_what_waits_counts_against_a_key(recorded: bool, tmp_path: Path) -> None:
    limits = Limits(for_each_key=2)
    relay = made(tmp_path, limits=limits)
    sheets = [REPUBLIC.sheet(time=number) for number in range(6)]
    assert codes(taken(relay, *sheets[:3])) == ["held", "held", "key-busy"]
    settle(relay, sheets[0], tmp_path, recorded=recorded)
    assert codes(taken(relay, *sheets[2:4])) == ["held", "key-busy"]
    # A relay that is started again counts the same.
    relay.outbox.close()
    again = made(tmp_path, limits=limits)
    assert codes(taken(again, sheets[3])) == ["key-busy"]
    settle(again, sheets[1], tmp_path, recorded=False)
    assert codes(taken(again, *sheets[3:5])) == ["held", "key-busy"]


def test_what_is_offered_to_the_log_again_waits_again(tmp_path: Path) -> None:
    relay = made(tmp_path, limits=Limits(for_each_key=2))
    sheets = [REPUBLIC.sheet(time=number) for number in range(4)]
    assert codes(taken(relay, *sheets[:2])) == ["held", "held"]
    settle(relay, sheets[0], tmp_path, recorded=False)
    # Told, and sent again after that.
    first, second = taken(relay, sheets[0], sheets[0])
    assert isinstance(first, Kept)
    assert first.problem is not None
    assert second == Kept(statement_hash(sheets[0]))
    assert codes(taken(relay, sheets[2])) == ["key-busy"]


def test_a_bundle_that_would_be_too_much_leaves_nothing_counted(tmp_path: Path) -> None:
    relay = made(tmp_path, limits=Limits(for_each_key=3))
    sheets = [REPUBLIC.sheet(time=number) for number in range(4)]
    heard: list[Problem | None] = []
    relay.take_all(sheets, "192.0.2.7", heard.append)
    (problem,) = heard
    assert problem is not None
    assert problem.code == "key-busy"
    assert codes(taken(relay, *sheets)) == ["held", "held", "held", "key-busy"]


def test_what_a_relay_verified_it_does_not_verify_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was taken without the tables, in anybody's name, never counts against them."""
    limits = Limits(for_each_key=1)
    other = REPUBLIC.sheet(time=5)
    assert codes(taken(made(tmp_path / "known", limits=limits), SHEET)) == ["held"]
    forged = SHEET[:-1] + bytes([SHEET[-1] ^ 1])
    assert codes(taken(made(tmp_path / "unknown", knows=False), forged)) == ["held"]
    checks: list[Reading] = []
    check = Reading.check_signature
    monkeypatch.setattr(Reading, "check_signature", lambda reading: (checks.append(reading), check(reading)))
    seen: list[tuple[int, int]] = []
    known = made(tmp_path / "known", limits=limits, progress=lambda done, held: seen.append((done, held)))
    assert (checks, seen) == ([], [(1, 1)])
    assert codes(taken(known, other)) == ["key-busy"]
    for _ in range(2):
        checks.clear()
        unknown = made(tmp_path / "unknown", limits=limits)
        assert len(checks) == 1
        unknown.outbox.close()
    assert codes(taken(made(tmp_path / "unknown", limits=limits), other)) == ["held"]


def test_strangers_do_not_fill_the_store(tmp_path: Path) -> None:
    size = len(stranger(1_000))
    relay = made(tmp_path, limits=Limits(size=size * 32, share_of_unknown=8))
    flood = [stranger(number) for number in range(1_000, 1_020)]
    assert codes(taken(relay, *flood)) == ["held"] * 4 + ["relay-full"] * 16
    assert codes(taken(relay, *(REPUBLIC.sheet(station) for station in REPUBLIC.stations))) == ["held"] * 6
    # What the flood took is remembered by a relay that is started again.
    again = made(tmp_path, limits=Limits(size=size * 32, share_of_unknown=8))
    assert codes(taken(again, flood[-1], REPUBLIC.sheet("n1", time=5))) == ["relay-full", "held"]


def test_a_network_is_given_only_so_much(tmp_path: Path) -> None:
    relay = made(tmp_path, limits=Limits(for_each_network=2))
    flood = [stranger(number) for number in range(1_000, 1_012)]
    assert codes(taken(relay, *flood[:3], peer="2001:db8::1")) == ["held", "held", "network-busy"]
    assert codes(taken(relay, flood[3], peer="2001:db8::ffff:2")) == ["network-busy"]
    assert codes(taken(relay, flood[4], peer="2001:db8:0:1::1")) == ["held"]
    assert codes(taken(relay, *flood[5:8], peer="::ffff:192.0.2.1")) == ["held", "held", "network-busy"]
    assert codes(taken(relay, flood[8], peer="192.0.2.1")) == ["network-busy"]
    assert codes(taken(relay, REPUBLIC.sheet(), peer="192.0.2.1")) == ["held"]


def test_the_store_has_a_size(tmp_path: Path) -> None:
    relay = made(tmp_path, limits=Limits(size=len(SHEET) + 10))
    assert codes(taken(relay, SHEET, REPUBLIC.sheet("n2"))) == ["held", "relay-full"]
    assert relay.size == len(SHEET)


def test_a_store_that_fails_is_not_answered_with_held(tmp_path: Path) -> None:
    relay = made(tmp_path)
    relay.outbox.close()
    assert codes(taken(relay, SHEET, REPUBLIC.sheet("n2"))) == ["store-failed", "store-failed"]
    assert relay.failure is not None


@contextmanager
def served(relay: Relay) -> Iterator[str]:
    """The service on a port."""
    address: list[Address] = []
    listening = threading.Event()
    service = RelayService(relay, ready=lambda at: (address.append(at), listening.set()))
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        assert listening.wait(10)
        yield address[0].url
    finally:
        service.stop()
        thread.join(20)
        assert not thread.is_alive()


def posted(url: str, bundle: Bundle) -> Reply:
    return ask(url, "POST", "/statements", encode_bundle(bundle), BUNDLE_TYPE.decode())


def test_the_conversation(tmp_path: Path) -> None:
    relay = made(tmp_path)
    name = statement_hash(SHEET).hex()
    with served(relay) as url, opened_log(tmp_path, REPUBLIC.definition) as (log, _):
        assert ask(url, "GET", f"/receipts/{name}").problem.code == "not-found"
        for path in ("/entries", "/statements"):
            held = ask(url, "POST", path, SHEET)
            assert (held.status, held.headers["location"]) == (202, f"/receipts/{name}")
            assert held.body.startswith(b"held, not recorded")
            assert int(held.headers["retry-after"]) > 0
        waits = ask(url, "GET", f"/receipts/{name}")
        assert (waits.status, waits.problem.code) == (404, "not-recorded-yet")
        assert int(waits.headers["retry-after"]) > 0
        (result,) = log.append([SHEET])
        relay.outbox.take_receipts([(statement_hash(SHEET), result.receipt)], VERIFIER)
        for reply in (ask(url, "POST", "/entries", SHEET), ask(url, "GET", f"/receipts/{name}")):
            assert (reply.status, reply.headers["content-type"]) == (200, "application/cose")
            assert verify_receipt(reply.body, statement_hash(SHEET), VERIFIER).index == 1
        assert ask(url, "GET", "/health").status == 200


def test_bundles_are_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    relay = made(tmp_path)
    sheets = [REPUBLIC.sheet(station) for station in REPUBLIC.stations]
    bundle = Bundle.of_statements(ELECTION, sheets)
    false = REPUBLIC.sign(REPUBLIC.sheet_of("n2"), "station/n1", station_key("n1"))
    with served(relay) as url, opened_log(tmp_path, REPUBLIC.definition) as (log, _):
        refused = posted(url, Bundle.of_statements(ELECTION, [*sheets[:3], false]))
        assert refused.problem.code == "out-of-scope"
        assert "statement 4 of 4" in refused.problem.detail
        assert relay.outbox.tally().all == 0
        assert relay.size == 0
        assert posted(url, bundle).status == posted(url, bundle).status == 202
        assert relay.outbox.tally().waiting == 6
        assert relay.size == sum(map(len, sheets))
        results = log.append(sheets)
        relay.outbox.take_receipts(
            [(statement_hash(sheet), result.receipt) for sheet, result in zip(sheets, results, strict=True)], VERIFIER
        )
        reply = posted(url, bundle)
        assert (reply.status, reply.headers["content-type"]) == (200, BUNDLE_TYPE.decode())
        assert decode_bundle(reply.body).names == bundle.names
        many = [REPUBLIC.sheet(time=number) for number in range(MAX_POSTED + 1)]
        assert posted(url, Bundle.of_statements(ELECTION, many)).problem.code == "malformed"
        assert ask(url, "POST", "/statements", encode_bundle(bundle)[:-1], BUNDLE_TYPE.decode()).problem.code == "malformed"


def test_a_bundle_is_answered_with_what_is_there_and_never_for_ever_with_held(tmp_path: Path) -> None:
    relay = made(tmp_path)
    sheets = [REPUBLIC.sheet(station) for station in REPUBLIC.stations]
    names = [statement_hash(sheet) for sheet in sheets]
    bundle = Bundle.of_statements(ELECTION, sheets)

    def state(reply: Reply) -> tuple[int, str]:
        return reply.status, reply.headers["scrutineer-bundle"]

    def refuse(*which: int) -> None:
        codes = ["unknown-key", "out-of-scope"]
        relay.outbox.record(refused=[Refusal(names[n], "http://log.example", Problem(codes[n % 2], f"no {n}")) for n in which])

    with served(relay) as url, opened_log(tmp_path, REPUBLIC.definition) as (log, _):
        posted(url, Bundle.of_statements(ELECTION, sheets[:4]))
        refuse(0)
        held = posted(url, bundle)
        assert state(held) == (202, "0 recorded, 5 waiting, 1 refused (1 unknown-key)")
        assert held.body.startswith(b"held, not recorded")
        assert held.body.endswith(b"0 recorded, 5 waiting, 1 refused (1 unknown-key)\n")
        results = log.append(sheets[3:])
        pairs = [(name, result.receipt) for name, result in zip(names[3:], results, strict=True)]
        relay.outbox.take_receipts(pairs, VERIFIER)
        some = posted(url, bundle)
        assert state(some) == (202, "3 recorded, 2 waiting, 1 refused (1 unknown-key)")
        assert int(some.headers["retry-after"]) > 0
        refuse(1, 2)
        for _ in range(2):
            whole = posted(url, bundle)
            assert state(whole) == (200, "3 recorded, 0 waiting, 3 refused (1 out-of-scope, 2 unknown-key)")
            for reply in (some, whole):
                assert reply.headers["content-type"] == BUNDLE_TYPE.decode()
                assert list(decode_bundle(reply.body).pairs()) == pairs
        none = posted(url, Bundle.of_statements(ELECTION, sheets[:3]))
        assert state(none) == (400, "0 recorded, 0 waiting, 3 refused (1 out-of-scope, 2 unknown-key)")
        assert none.problem.code == "unknown-key"
        assert none.problem.detail.startswith("the log refused all 3 statements (1 out-of-scope, 2 unknown-key); the first: no 0")


def test_what_the_log_refused_is_told(tmp_path: Path) -> None:
    relay = made(tmp_path)
    with served(relay) as url:
        assert ask(url, "POST", "/entries", SHEET).status == 202
        relay.outbox.record(refused=[Refusal(statement_hash(SHEET), "http://log.example", Problem("unknown-key", "not here"))])
        for reply in (ask(url, "POST", "/entries", SHEET), ask(url, "GET", f"/receipts/{statement_hash(SHEET).hex()}")):
            assert (reply.status, reply.problem) == (400, Problem("unknown-key", "not here"))
        # Who sends it again has heard that, and has perhaps been enrolled meanwhile.
        assert ask(url, "POST", "/entries", SHEET).status == 202
        assert relay.outbox.tally() == Tally(0, 1, 0, 0)


@pytest.mark.parametrize(
    ("method", "path", "media_type", "code"),
    [
        ("GET", "/entries", "application/cose", "method-not-allowed"),
        ("POST", "/receipts/00", "application/cose", "method-not-allowed"),
        ("POST", "/entries", "text/plain", "media-type"),
        ("POST", "/entries", BUNDLE_TYPE.decode(), "media-type"),
        ("GET", "/receipts/" + "0" * 63, "", "not-found"),
        ("GET", "/receipts/" + "0" * 64, "", "not-found"),
        ("GET", "/receipts/" + "A" * 64, "", "not-found"),
        ("GET", "/", "", "not-found"),
    ],
)
def test_every_refusal_has_a_reason(method: str, path: str, media_type: str, code: str, tmp_path: Path) -> None:
    with served(made(tmp_path)) as url:
        assert ask(url, method, path, b"", media_type).problem.code == code


def test_the_agent_of_a_party_may_use_a_relay(tmp_path: Path) -> None:
    """Not stations alone: whoever is in the register counts as known."""
    relay = made(tmp_path, limits=Limits(for_each_network=0))
    statement = REPUBLIC.sign(REPUBLIC.sheet_of(), "agent/heron", AGENT)
    assert codes(taken(relay, statement)) == ["role-not-allowed"]
