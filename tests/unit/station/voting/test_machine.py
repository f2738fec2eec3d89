"""The machine: each step is durable, none leads back from a vote to a voter, and whatever was interrupted is settled."""

import base64
import random
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ballot_helpers import OneHand, every_contest, one_hand
from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.encrypt import ContestChoice
from scrutineer.ballots.record import Ballot
from scrutineer.errors import BallotError, StoreError
from scrutineer.statements import SigningKey
from scrutineer.station.voting.folder_lock import LOCK_FILE
from scrutineer.station.voting.journal import Journal
from scrutineer.station.voting.machine import JOURNAL_FILE, TOTALS_FILE, Counters, VotingMachine
from scrutineer.station.voting.totals import RunningTotals, TotalsFile
from voting_helpers import DEVICE, PUBLIC, STATION, WORKERS, choices, decrypted, machine, opened

HAND = one_hand(every_contest())
MANIFEST = HAND.keys.manifest
SECRET = ContestChoice((0, 1, 0, 0, 0))


def some(chance: random.Random | None = None, style: int = 1) -> dict[int, ContestChoice]:
    return choices(MANIFEST, style, chance or random.Random(7))


def again(folder: Path, hand: OneHand = HAND) -> VotingMachine:
    """The machine after a start, enabled by two other poll workers."""
    found = machine(folder, hand)
    found.resume(*WORKERS[2:])
    return found


def state(of: VotingMachine) -> str:
    """Where it stands now, whatever was found a moment ago."""
    return of.state


def again_interrupted(of: VotingMachine) -> object:
    """What it says of an interruption now."""
    return of.interrupted


def stopped(of: VotingMachine) -> bool:
    """Whether it takes nothing any more until a new start."""
    return state(of) == "halted"


def ended(of: VotingMachine) -> tuple[list[Ballot], RunningTotals]:
    """Close it, and hold the sealed totals against the decrypted record."""
    totals = of.close(*WORKERS[1:3])
    writer = BundleWriter(HAND.keys, STATION, DEVICE, of.styles)
    ballots = []
    for ballot, opening in of.ballots():
        assert (opening is not None) == (ballot.status == "challenged")
        writer.add(ballot)
        ballots.append(ballot)
    assert decrypted(HAND, writer.closing()) == {contest: totals.of(contest) for contest in totals.contests}
    assert of.counters.cast == totals.cast == writer.counts["cast"]
    of.stop()
    return ballots, totals


def test_a_day_of_every_kind_of_ballot(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    chance = random.Random(1)
    told: dict[bytes, str] = {}
    for number in range(24):
        of.activate(1, provisional=number % 6 == 5)
        for wish in ("challenge", "spoil")[: number % 3]:
            code = of.prepare(some(chance)).code
            getattr(of, wish)()
            told[code] = "challenged" if wish == "challenge" else "spoiled"
        code = of.prepare(some(chance)).code
        of.cast()
        told[code] = "provisional" if number % 6 == 5 else "cast"
    assert of.counters == Counters(24, 20, 16, 8, 4, 0)
    ballots, _ = ended(of)
    assert {ballot.code: ballot.status for ballot in ballots} == told
    assert len(ballots) == len(told)


def test_only_what_the_state_allows(tmp_path: Path) -> None:
    of = machine(tmp_path, HAND)
    acts: dict[str, Callable[[], object]] = {
        "activate": lambda: of.activate(1),
        "prepare": lambda: of.prepare(some()),
        "cast": of.cast,
        "challenge": of.challenge,
        "spoil": of.spoil,
        "cancel": of.cancel,
        "suspend": of.suspend,
        "resume": lambda: of.resume(*WORKERS[:2]),
        "begin": lambda: of.begin(PUBLIC),
        "close": lambda: of.close(*WORKERS[:2]),
        "ballots": lambda: list(of.ballots()),
    }
    allowed = {
        "new": {"begin"},
        "ready": {"activate", "suspend", "close"},
        "active": {"prepare", "cancel"},
        "prepared": {"cast", "challenge", "spoil", "cancel"},
        "suspended": {"resume"},
        "closed": {"close", "ballots"},
    }
    ways = {"ready": ["begin"], "active": ["activate"], "prepared": ["prepare"], "suspended": ["cast", "suspend"]}
    for state, fitting in allowed.items():
        for act in ways.get(state, []):
            acts[act]()
        if state == "closed":
            acts["resume"]()
            acts["close"]()
        assert of.state == state
        for name in set(acts) - fitting:
            with pytest.raises(BallotError):
                acts[name]()
            assert of.state == state, name
    of.stop()
    assert stopped(of)


def test_two_poll_workers_of_the_day_are_needed(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    of.suspend()
    for pair in ((WORKERS[0], WORKERS[0]), (WORKERS[0], SigningKey(b"x" * 32))):
        with pytest.raises(BallotError):
            of.resume(*pair)
        assert of.state == "suspended"
    of.resume(WORKERS[3], WORKERS[0])
    for pair in ((WORKERS[1], WORKERS[1]), (SigningKey(b"x" * 32), WORKERS[0])):
        with pytest.raises(BallotError):
            of.close(*pair)
        assert of.state == "ready"
    of.stop()


def test_choices_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    with pytest.raises(BallotError, match="no ballot style 2"):
        of.activate(2)
    of.activate(1)
    wrong = some()
    for bad in ({1: SECRET}, {**wrong, 1: ContestChoice((1, 1, 0, 0, 0))}, {**wrong, 9: SECRET}):
        with pytest.raises(BallotError):
            of.prepare(bad)
        assert (of.state, of.prepared) == ("active", None)
    of.prepare(wrong)
    of.cast()
    ended(of)


def test_power_fails_before_the_voter_decides(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    of.activate(1)
    prepared = of.prepare(some())
    of.stop()
    of = again(tmp_path)
    assert of.interrupted is not None
    assert (of.interrupted.status, of.interrupted.words) == ("spoiled", prepared.words)
    # The same voter goes on; the activation counts once.
    assert (of.state, of.counters.activated, of.counters.spoiled) == ("active", 1, 1)
    of.prepare(some())
    of.cast()
    assert again_interrupted(of) is None
    ended(of)


def test_power_fails_between_totals_and_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = opened(tmp_path, HAND)
    of.activate(1)
    code = of.prepare(some()).code
    with monkeypatch.context() as broken:
        broken.setattr(Journal, "append", _no_disk)
        with pytest.raises(StoreError, match="start it again"):
            of.cast()
    assert stopped(of)
    for act in (of.cast, of.spoil, lambda: of.activate(1)):
        with pytest.raises(BallotError, match="end the program"):
            act()
    of.stop()
    of = again(tmp_path)
    assert of.interrupted is not None
    assert of.interrupted.status == "cast"
    assert (state(of), of.counters.cast) == ("ready", 1)
    ballots, _ = ended(of)
    assert [(ballot.code, ballot.status) for ballot in ballots] == [(code, "cast")]


@pytest.mark.parametrize("persisted", [False, True])
def test_the_commit_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, persisted: bool) -> None:
    of = opened(tmp_path, HAND)
    of.activate(1)
    of.prepare(some())
    commit = TotalsFile.commit

    def failing(file: TotalsFile) -> None:
        if persisted:
            commit(file)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(TotalsFile, "commit", failing)
        with pytest.raises(StoreError, match="Input/output error"):
            of.cast()
    of.stop()
    of = again(tmp_path)
    assert of.interrupted is not None
    assert of.interrupted.status == ("cast" if persisted else "spoiled")
    if not persisted:
        of.cancel()
    ballots, totals = ended(of)
    assert len(ballots) == 1
    assert totals.cast == int(persisted)


@pytest.mark.parametrize("act", ["prepare", "challenge", "spoil", "activate", "cancel", "close"])
@pytest.mark.parametrize("persisted", [False, True])
def test_any_write_fails_or_fails_but_persists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, persisted: bool
) -> None:
    of = opened(tmp_path, HAND)
    of.activate(1)
    of.prepare(some())
    of.cast()
    if act not in ("activate", "close"):
        of.activate(1)
    if act in ("challenge", "spoil"):
        of.prepare(some())
    append = Journal.append

    def failing(journal: Journal, *frame: object) -> None:
        if persisted:
            append(journal, *frame)  # type: ignore[arg-type]
        raise OSError(5, "Input/output error")

    deeds: dict[str, Callable[[], object]] = {
        "prepare": lambda: of.prepare(some()),
        "activate": lambda: of.activate(1),
        "close": lambda: of.close(*WORKERS[:2]),
    }
    with monkeypatch.context() as broken:
        broken.setattr(Journal, "append", failing)
        with pytest.raises(StoreError):
            deeds.get(act, getattr(of, act, lambda: None))()
    assert stopped(of)
    of.stop()
    of = machine(tmp_path, HAND)
    if state(of) == "suspended":
        of.resume(*WORKERS[:2])
        if state(of) == "active":
            of.cancel()
    ballots, totals = ended(of)
    assert totals.cast == 1
    assert sum(ballot.status == "cast" for ballot in ballots) == 1


def test_no_room_for_the_next_totals_lets_the_voter_try_again(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    of.activate(1)
    code = of.prepare(some()).code
    blocker = tmp_path / f"{TOTALS_FILE}.partial"
    blocker.mkdir()
    with pytest.raises(StoreError, match="make room"):
        of.cast()
    assert of.state == "prepared"
    blocker.rmdir()
    of.cast()
    ballots, _ = ended(of)
    assert [ballot.code for ballot in ballots] == [code]


def test_an_older_copy_is_refused(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    old = {name: (tmp_path / name).read_bytes() for name in (TOTALS_FILE, JOURNAL_FILE)}
    of.activate(1)
    of.prepare(some())
    of.cast()
    of.stop()
    new = {name: (tmp_path / name).read_bytes() for name in old}
    for name in old:
        (tmp_path / name).write_bytes(old[name])
        of = machine(tmp_path, HAND)
        with pytest.raises(StoreError, match="do not belong together"):
            of.resume(*WORKERS[:2])
        of.stop()
        (tmp_path / name).write_bytes(new[name])
    ended(again(tmp_path))


def test_another_machine_or_election_is_refused(tmp_path: Path) -> None:
    opened(tmp_path, HAND).stop()
    with pytest.raises(StoreError, match="another machine or election"):
        VotingMachine(tmp_path, HAND.keys, STATION, "north-1/machine-2", styles=(1,))
    with pytest.raises(StoreError, match="another machine or election"):
        machine(tmp_path, one_hand(every_contest(), seed="another"))


def test_one_program_at_a_time_also_before_the_opening(tmp_path: Path) -> None:
    first = machine(tmp_path, HAND)
    for _ in range(2):
        with pytest.raises(StoreError, match="used by another program") as caught:
            machine(tmp_path, HAND)
        assert caught.value.code == "in-use"
        if first.state == "new":
            first.begin(PUBLIC)
    first.stop()
    machine(tmp_path, HAND).stop()


def test_a_challenged_ballot_shows_what_was_chosen(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    of.activate(1)
    wish = some()
    code = of.prepare(wish).code
    shown = of.challenge()
    assert shown.code == code
    assert {contest.label: tuple(field.value for field in contest.fields) for contest in shown.contests} == {
        MANIFEST.contest(number).label: choice.values for number, choice in wish.items()
    }
    assert of.state == "active"
    of.cancel()
    ended(of)


def test_several_threads_cast_one_ballot_once(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    refused: list[BallotError] = []
    gate = threading.Barrier(4)

    def press() -> None:
        gate.wait()
        try:
            of.cast()
        except BallotError as error:
            refused.append(error)

    for _ in range(5):
        of.activate(1)
        of.prepare(some())
        threads = [threading.Thread(target=press) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refused) == 15
    assert of.counters.cast == 5
    ended(of)


def test_pads_are_made_between_voters_and_never_twice(tmp_path: Path) -> None:
    of = opened(tmp_path, HAND)
    identifiers = set()
    for _ in range(12):
        of.activate(1)
        of.prepare(some())
        of.cast()
    ballots, _ = ended(of)
    identifiers = {ballot.identifier for ballot in ballots}
    points = [selection.alpha for ballot in ballots for contest in ballot.contests for selection in contest.selections]
    assert len(identifiers) == len(ballots)
    assert len(set(points)) == len(points)


def without_encoding(data: bytes) -> bytes:
    """Files with every number in base64 as the bytes that it stands for: among so many letters short words come by chance."""

    def decoded(run: re.Match[bytes]) -> bytes:
        letters = run[0].rstrip(b"=")
        return base64.b64decode(letters[: len(letters) // 4 * 4])

    return re.sub(rb"[A-Za-z0-9+/]{40,}={0,2}", decoded, data)


def test_nothing_in_the_folder_leads_from_a_voter_to_a_vote(tmp_path: Path) -> None:
    """After many votes: no file orders plaintexts by name, time or size, and none holds a selection in plain."""
    chance = random.Random(3)
    of = opened(tmp_path, HAND)
    seen = []
    for _ in range(30):
        of.activate(1)
        of.prepare(some(chance))
        of.cast()
        files = {path.name: path.stat() for path in tmp_path.iterdir()}
        seen.append({name: (state.st_size, state.st_mtime_ns, state.st_atime_ns) for name, state in files.items()})
    # Names, sizes and times were the same after every vote.
    assert set(seen[0]) == {JOURNAL_FILE, TOTALS_FILE, LOCK_FILE}
    assert all(state == seen[0] for state in seen)
    assert {state[1] for state in seen[0].values()} == {0}
    # Ballots of a style have one size, whatever was chosen.
    assert of._journal is not None
    sizes = {
        len(frame.content) for frame in of._journal.frames() if frame.content.startswith(b"{") and b'"nonce"' in frame.content
    }
    assert len(sizes) == 1
    totals = of._totals
    assert totals is not None
    journal, sealed = (tmp_path / JOURNAL_FILE).read_bytes(), (tmp_path / TOTALS_FILE).read_bytes()
    data = journal.rstrip(b"\0") + sealed
    # Neither totals nor choices nor labels stand anywhere, in bytes, as text or in base64.
    plain = totals.encode()[40:]
    for needle in (plain, plain[:16], plain[-16:], base64.b64encode(plain)[:20]):
        assert needle not in data, needle
    labels = [label.encode() for contest in MANIFEST.contests for label in (contest.label, *contest.labels()) if len(label) > 4]
    readable = without_encoding(data)
    assert b'"nonce"' in readable
    for needle in (*labels, b'"time', b'"date', b'"voter'):
        assert needle not in readable, needle
    # Of a ballot there is what will be published, and no number that could be a time or a place in a row.
    assert not [part for part in journal.split(b'"') if part.isdigit()]
    ballots, _ = ended(of)
    assert [ballot.status for ballot in ballots] == ["cast"] * 30


def _no_disk(*_: object) -> None:
    raise OSError(5, "Input/output error")
