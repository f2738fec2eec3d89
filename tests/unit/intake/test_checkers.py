"""The checker processes: verdicts, accreditations, and workers that die."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from intake_helpers import AUTHORITIES, republic, station_key
from scrutineer.errors import DefinitionError
from scrutineer.intake.checkers import Checkers, ElectionFiles
from scrutineer.intake.frames import Verdict
from scrutineer.statements import Accreditation, Endorsement, SigningKey, statement_hash

OWL = SigningKey(b"o" * 32)
LAND = republic()


def with_checkers(tmp_path: Path, work: Callable[[Checkers], Coroutine[object, object, None]], workers: int = 2) -> None:
    async def run() -> None:
        checkers = await Checkers.start(LAND.write(tmp_path), workers)
        try:
            await asyncio.wait_for(work(checkers), 60)
        finally:
            await checkers.close()

    asyncio.run(run())


async def verdicts(checkers: Checkers, statements: list[bytes]) -> list[Verdict]:
    results: list[Verdict] = [("", "")] * len(statements)
    left = len(statements)
    ready = asyncio.Event()

    def done(position: int, verdict: Verdict) -> None:
        nonlocal left
        results[position] = verdict
        left -= 1
        if not left:
            ready.set()

    for position, statement in enumerate(statements):
        checkers.check(statement, lambda verdict, position=position: done(position, verdict))  # type: ignore[misc]
    await ready.wait()
    return results


def children(checkers: Checkers) -> list[int]:
    """Process ids of the workers."""
    parent = checkers._parent.pid
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def test_verdicts_belong_to_their_statements(tmp_path: Path) -> None:
    good = [LAND.sheet(time=1_735_700_000 + number) for number in range(300)]
    bad = [sheet[:-1] + bytes([sheet[-1] ^ 1]) for sheet in good]

    async def work(checkers: Checkers) -> None:
        assert checkers.election_hash == LAND.election.hash
        mixed = [sheet for pair in zip(good, bad, strict=True) for sheet in pair]
        result = await verdicts(checkers, mixed)
        assert result[::2] == [None] * 300
        assert {verdict[0] for verdict in result[1::2] if verdict} == {"bad-signature"}

    with_checkers(tmp_path, work)


def test_an_accreditation_holds_for_what_comes_after_it_in_old_and_new_workers(tmp_path: Path) -> None:
    sheet = LAND.sign(LAND.sheet_of("n1"), "station/n1", OWL)
    act = Accreditation(election=LAND.election.hash, action="admit", issuer="station/n1", role="station", key=OWL.public_key)
    accreditation = LAND.sign(act, "authority/0", AUTHORITIES[0])

    async def work(checkers: Checkers) -> None:
        (before,) = await verdicts(checkers, [sheet])
        assert before is not None
        assert before[0] == "unknown-key"
        checkers.apply(accreditation)
        assert await verdicts(checkers, [sheet] * 200) == [None] * 200
        for pid in children(checkers):
            os.kill(pid, signal.SIGKILL)
        while checkers.restarts < 2:
            await asyncio.sleep(0.01)
        assert await verdicts(checkers, [sheet] * 200) == [None] * 200

    with_checkers(tmp_path, work)


def test_a_worker_that_is_being_started_hears_of_what_is_logged_meanwhile(tmp_path: Path) -> None:
    sheet = LAND.sign(LAND.sheet_of("n1"), "station/n1", OWL)
    act = Accreditation(election=LAND.election.hash, action="admit", issuer="station/n1", role="station", key=OWL.public_key)

    async def work(checkers: Checkers) -> None:
        starting = asyncio.ensure_future(checkers._start_worker())
        await asyncio.sleep(0)  # It is forked, and not connected.
        checkers.apply(LAND.sign(act, "authority/0", AUTHORITIES[0]))
        await starting
        assert await verdicts(checkers, [sheet] * 400) == [None] * 400

    with_checkers(tmp_path, work, workers=1)


def test_killed_workers_lose_nothing(tmp_path: Path) -> None:
    sheets = [LAND.sheet(time=1_735_700_000 + number) for number in range(1500)]

    async def work(checkers: Checkers) -> None:
        checking = asyncio.ensure_future(verdicts(checkers, sheets))
        for _ in range(2):
            while not (found := children(checkers)):
                await asyncio.sleep(0.001)
            os.kill(found[0], signal.SIGKILL)
            await asyncio.sleep(0.01)
        assert await checking == [None] * len(sheets)
        assert checkers.restarts >= 1

    with_checkers(tmp_path, work)


def test_the_end_of_the_parent_is_reported(tmp_path: Path) -> None:
    async def work(checkers: Checkers) -> None:
        errors: list[object] = []
        checkers.failed = errors.append
        for pid in [checkers._parent.pid, *children(checkers)]:
            os.kill(pid, signal.SIGKILL)
        while not errors:
            await asyncio.sleep(0.01)

    with_checkers(tmp_path, work)


def test_an_election_that_cannot_be_opened(tmp_path: Path) -> None:
    files = LAND.write(tmp_path)
    files.units.write_bytes(b"")

    async def run(broken: ElectionFiles) -> None:
        await Checkers.start(broken, 1)

    with pytest.raises(DefinitionError, match=r"units\.csv"):
        asyncio.run(run(files))
    with pytest.raises(DefinitionError, match="No such file"):
        asyncio.run(run(files._replace(register=tmp_path / "missing")))


def test_all_processes_end_with_the_service(tmp_path: Path) -> None:
    pids: list[int] = []

    async def work(checkers: Checkers) -> None:
        while len(children(checkers)) < 2:
            await asyncio.sleep(0.01)
        pids.extend([checkers._parent.pid, *children(checkers)])

    with_checkers(tmp_path, work)
    assert len(pids) == 3
    assert not Path(f"/proc/{pids[0]}").exists()


@pytest.mark.parametrize("needed", [1, 2])
def test_what_a_revoked_key_signs_passes_and_is_noticed_from_the_last_signature_on(tmp_path: Path, needed: int) -> None:
    land = republic(needed=needed)
    key = station_key("n1")
    revocation = land.by_authority(
        Accreditation(
            election=land.election.hash, action="revoke", issuer="station/n1", role="station", key=key.public_key, reason="Lost."
        )
    )
    endorsement = land.by_authority(
        Endorsement(election=land.election.hash, statement=statement_hash(revocation), verdict="sign"), 1
    )
    sheets = [land.sheet("n1"), land.sheet("n2"), land.sheet("n1")[:-1] + b"?"]

    async def run() -> None:
        checkers = await Checkers.start(land.write(tmp_path), 2)
        heard: list[list[str]] = []

        async def check() -> list[list[str]]:
            heard.clear()
            for sheet in sheets:
                said: list[str] = []
                heard.append(said)
                done = asyncio.get_running_loop().create_future()
                checkers.check(sheet, done.set_result, said.append)
                verdict = await asyncio.wait_for(done, 30)
                said.append("passed" if verdict is None else verdict[0])
            return heard

        try:
            assert await check() == [["passed"], ["passed"], ["bad-signature"]]
            checkers.apply(revocation)
            if needed == 2:
                assert await check() == [["passed"], ["passed"], ["bad-signature"]]
                checkers.apply(endorsement)
            assert await check() == [["revoked-key", "passed"], ["passed"], ["bad-signature"]]
            # Who does not ask to hear it is told that it passes.
            assert await verdicts(checkers, sheets[:2]) == [None, None]
        finally:
            await checkers.close()

    asyncio.run(run())
