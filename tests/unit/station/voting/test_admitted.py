"""Poll workers, agents and observers whom the centre admits, or whose keys it revokes, after the machine was made."""

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cli_helpers import call, refused
from intake_helpers import AUTHORITIES
from poll_day_helpers import KEY, STATION, WORKERS, day, end, pair, station_folder, vote
from scrutineer.election import Election, Issuer, Register
from scrutineer.election.register import Role
from scrutineer.errors import BallotError, PolicyError, SignatureError, StoreError
from scrutineer.statements import Accreditation, Endorsement, SigningKey, StationOpened, sign_statement, statement_hash
from scrutineer.station.voting.admitted import MAX_ADMITTED, People, take_in
from scrutineer.station.voting.day import PollDay
from scrutineer.station.voting.people import SIGNERS, Pair
from scrutineer.station.voting.place import Place
from scrutineer.station.voting.totals import MAX_WORKERS, TotalsFile

NINA = SigningKey(b"n" * 32)


def admission(
    election: Election,
    key: SigningKey = NINA,
    *,
    issuer: str = "poll-worker/nina",
    unit: str = "reed",
    by: SigningKey = AUTHORITIES[0],
    revoke: bool = False,
) -> bytes:
    """An accreditation by the first officer."""
    role: Role = issuer.partition("/")[0]  # type: ignore[assignment]
    statement = Accreditation(
        election=election.hash,
        action="revoke" if revoke else "admit",
        issuer=issuer,
        role=role,
        key=key.public_key,
        unit=unit,
        name="" if revoke else "Nina Nightjar",
        reason="The key was lost." if revoke else "",
    )
    return sign_statement(statement, "authority/0", by)


@pytest.fixture
def of(tmp_path: Path) -> Iterator[PollDay]:
    made = day(station_folder(tmp_path))
    yield made
    end(made)


def admit(of: PollDay, *statements: bytes) -> People:
    return take_in(of.place.election, of.place.name, of.place.folder, statements)


def with_nina(of: PollDay, other: str = "finch") -> Pair:
    return Pair(of.place.person(NINA), of.place.person(WORKERS[f"poll-worker/{other}"]))


def test_admitted_before_the_opening_they_open(of: PollDay) -> None:
    with pytest.raises(PolicyError, match="not registered for this station"):
        of.place.person(NINA)
    admit(of, admission(of.place.election))
    of.open(with_nina(of))
    assert of.opening is not None
    assert of.opening.people[0] == "Nina Nightjar"
    of.suspend()
    of.resume(with_nina(of))
    assert of.close(with_nina(of)).cast == 0


def test_admitted_while_it_is_open_they_count_once_two_have_enabled_it_again(of: PollDay) -> None:
    of.open(pair(of))
    chance = random.Random(1)
    vote(of, chance)
    admit(of, admission(of.place.election))
    vote(of, chance)
    of.suspend()
    with pytest.raises(BallotError, match="two of the others have suspended the machine and enabled it again"):
        of.resume(with_nina(of))
    of.resume(pair(of))
    vote(of, chance)
    of.suspend()
    of.resume(with_nina(of, "tern"))
    assert of.close(with_nina(of)).cast == 3


def test_a_program_that_starts_again_knows_them(tmp_path: Path) -> None:
    station = station_folder(tmp_path)
    of = day(station)
    of.open(pair(of))
    admit(of, admission(of.place.election))
    vote(of, random.Random(1))
    end(of)
    of = day(station)
    of.resume(pair(of))
    end(of)
    of = day(station)
    of.resume(with_nina(of))
    assert of.close(with_nina(of)).cast == 1
    end(of)


def test_a_revoked_key_opens_nothing_any_more(of: PollDay) -> None:
    of.open(pair(of))
    vote(of, random.Random(1))
    lark = WORKERS["poll-worker/lark"]
    before = pair(of)
    admit(of, admission(of.place.election, lark, issuer="poll-worker/lark", revoke=True))
    with pytest.raises(PolicyError, match="not registered for this station"):
        of.place.person(lark)
    of.suspend()
    of.resume(pair(of, "finch", "tern"))
    of.suspend()
    # Nor do the totals open for whoever found the key and goes past the program.
    with pytest.raises(BallotError, match="not one of those to which the totals are sealed"):
        of.machine.resume(before.first.key, lark)
    of.resume(pair(of, "tern", "finch"))
    assert of.close(pair(of, "tern", "finch")).cast == 1


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize("waiting", [False, True])
def test_the_disk_fails_while_totals_are_sealed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, persisted: bool, waiting: bool
) -> None:
    station = station_folder(tmp_path)
    of = day(station)
    of.open(pair(of))
    vote(of, random.Random(1))
    if waiting:
        of.machine.activate(1)
    admit(of, admission(of.place.election))
    end(of)
    of = day(station)
    commit = TotalsFile.commit

    def failing(file: TotalsFile) -> None:
        if persisted:
            commit(file)
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(TotalsFile, "commit", failing)
        with pytest.raises(StoreError, match="Input/output error"):
            of.resume(pair(of))
    assert of.stage == "halted"
    end(of)
    of = day(station)
    if not persisted:
        with pytest.raises(BallotError, match="not one of those"):
            of.resume(with_nina(of))
    of.resume(pair(of) if not persisted else with_nina(of))
    if waiting:
        of.machine.cancel()
    assert of.close(with_nina(of)).cast == 1
    end(of)


def test_agents_and_observers_sign_at_once(of: PollDay) -> None:
    of.open(pair(of))
    of.close(pair(of))
    with pytest.raises(PolicyError):
        of.place.person(NINA, signers=True)
    assert of.place.watchers() == 0
    admit(of, admission(of.place.election, issuer="observer/nina", unit=STATION))
    assert of.place.watchers() == 1
    assert of.countersign(of.place.person(NINA, signers=True)).signatures[-1].who == "observer/nina"
    with pytest.raises(PolicyError, match="not for this act"):
        of.place.person(NINA)


def test_the_newest_admission_of_a_key_says_what_it_speaks_for(of: PollDay) -> None:
    people = admit(of, admission(of.place.election), admission(of.place.election, unit="reed-2"))
    assert "poll-worker/nina" not in [one.id for one in people.at(STATION)]
    assert "poll-worker/nina" in [one.id for one in people.at("reed-2")]


def test_an_act_of_two_officers_takes_two(of: PollDay) -> None:
    plain = of.place.election
    definition = msgspec.structs.replace(plain.definition, thresholds={"accreditation": 2})
    second = Issuer("authority/1", "authority", AUTHORITIES[1].public_key)
    register = Register(plain.units.station_index, plain.register.station_keys, [*plain.register.others(), second])
    election = Election(definition, plain.units, register, plain.hash)
    admitted = admission(election)
    endorsed = sign_statement(
        Endorsement(election=election.hash, statement=statement_hash(admitted), verdict="sign"), "authority/1", AUTHORITIES[1]
    )

    def known(*statements: bytes) -> bool:
        return "poll-worker/nina" in [one.id for one in People(election, statements).at(STATION)]

    assert not known(admitted)
    assert not known(endorsed)
    assert known(admitted, endorsed)
    assert known(endorsed, admitted)


def test_what_is_not_good_changes_nothing(of: PollDay) -> None:
    election = of.place.election
    workers = [admission(election, key, issuer=name, revoke=True) for name, key in WORKERS.items()]
    crowd = [
        admission(election, SigningKey(bytes([0, number]) * 16), issuer=f"poll-worker/n{number}") for number in range(MAX_WORKERS)
    ]
    opened = sign_statement(StationOpened(election=election.hash, station=STATION, time=1), f"station/{STATION}", KEY)
    for statements, why in (
        ([admission(election, by=AUTHORITIES[1])], "."),
        ([admission(election)[:-1] + b"\0"], "."),
        ([opened], "admits nobody"),
        (workers, "there are 1 poll workers for this station"),
        (crowd, f"there are {MAX_WORKERS + 4} poll workers"),
        ([opened] + [bytes([0, number % 256, number // 256]) for number in range(MAX_ADMITTED)], "at most"),
    ):
        with pytest.raises((PolicyError, SignatureError), match=why):
            admit(of, admission(election), *statements)
        assert len(of.place.people().at(STATION, SIGNERS)) == 5
        assert not (of.place.folder / "admitted.json").exists()


@pytest.mark.parametrize("data", [b"", b"{}", b'{"statements":["AAAA"]}', b'{"statements":[],"more":1}'])
def test_a_changed_file_is_told(of: PollDay, data: bytes) -> None:
    (of.place.folder / "admitted.json").write_bytes(data)
    with pytest.raises(StoreError, match="take in the accreditations again"):
        of.place.people()


def test_the_command_says_who_is_known_now(tmp_path: Path) -> None:
    station = station_folder(tmp_path)
    # The trustees' keys of this election are of a small group, which the command does not take.
    election = day(station)
    place = election.place
    end(election)
    for name, data in {
        "in.cose": admission(place.election),
        "out.cose": admission(place.election, revoke=True),
        "false.cose": admission(place.election, by=AUTHORITIES[1]),
    }.items():
        (tmp_path / name).write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Place, "load", classmethod(lambda cls, station: place))
        assert "nobody was admitted: " in refused("station", "admit", station.folder, tmp_path / "false.cose")
        said = call("station", "admit", station.folder, tmp_path / "in.cose").out
        assert said.startswith("Admitted: Nina Nightjar (poll-worker/nina)\nIf the machine is open: suspend it")
        assert "Nobody new" in call("station", "admit", station.folder, tmp_path / "in.cose").out
        told = call("station", "admit", station.folder, tmp_path / "out.cose", "--json").json
        assert (told["admitted"], told["removed"], len(told["known"])) == ([], ["poll-worker/nina"], 5)
