"""The station of the demo that votes for real: trustees' keys, encrypted ballots, and totals that three of five decrypt."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import shake_256
from pathlib import Path
from typing import Final

from scrutineer.ballots.bundle import read_bundle, split_lines
from scrutineer.ballots.confirmation import tracking_words
from scrutineer.ballots.from_election import manifest_of, style_of, total_labels
from scrutineer.ballots.group import RandomBytes
from scrutineer.ballots.record import Ballot, Status
from scrutineer.cli.show import Progress
from scrutineer.durable import write_whole
from scrutineer.portal.ballot_record import BUNDLE_ENDING, TALLY_ENDING
from scrutineer.simulate import Arrival, Simulation
from scrutineer.simulate.encrypted import Choices, Trustees, Voted, deal, decrypt, hold_ceremony, vote
from scrutineer.statements import TallySheet

TRUSTEES: Final = ("Avocet", "Bittern", "Curlew", "Dunlin", "Egret")
QUORUM: Final = 3
PRESENT: Final = (1, 3, 4)
"""Who comes to decrypt the totals."""
_LEAST: Final = 30  # ballots of a station that votes for real
_CHALLENGED: Final = 2
_SPOILED: Final = 1


@dataclass(frozen=True)
class RealStation:
    """The station, its ballots, and what was decrypted of them."""

    station: str
    trustees: Trustees
    voted: Voted
    tally: bytes
    ballots: int
    words: str
    """The tracking code of one ballot that was cast."""

    def keep(self, folder: Path) -> None:
        """Write what is published to a folder. Raises OSError."""
        folder.mkdir(parents=True)
        write_whole(folder / f"{self.station}{BUNDLE_ENDING}", self.voted.bundle)
        write_whole(folder / f"{self.station}{TALLY_ENDING}", self.tally)

    def arrivals(self, arrivals: Iterator[Arrival]) -> Iterator[Arrival]:
        """What the simulation sends, with the bundle's hash in this station's sheets."""
        for arrival in arrivals:
            payload = arrival.payload
            if isinstance(payload, TallySheet) and payload.station == self.station:
                yield arrival._replace(payload=payload._replace(records=self.voted.digest))
            else:
                yield arrival


def vote_for_real(simulation: Simulation, progress: Progress) -> RealStation:
    """Have the voters of the smallest undisturbed station cast the ballots that its sheet counts."""
    seeded = _seeded(simulation.seed)
    draft = simulation.draft()
    manifest = manifest_of(draft.id, draft.name, draft.date, draft.contests, draft.units, draft.parties)
    progress("Trustees make their keys", 0, len(TRUSTEES))
    trustees = hold_ceremony(manifest, TRUSTEES, QUORUM, seeded)
    progress("Trustees make their keys", len(TRUSTEES), len(TRUSTEES))
    sheets = _sheets(simulation)
    station = sheets[0].station
    contests = {contest.id: number for number, contest in enumerate(draft.contests, 1)}
    shuffle = random.Random(simulation.seed)  # noqa: S311 - invented voters
    dealt = {}
    for sheet in sheets:
        number = contests[sheet.contest]
        dealt[number] = deal(manifest.contest(number), sheet, total_labels(draft.contests[number - 1]))
        shuffle.shuffle(dealt[number])
    cast = [{number: own[voter] for number, own in dealt.items()} for voter in range(len(dealt[min(dealt)]))]
    ballots: list[tuple[Choices, Status]] = [(choices, "cast") for choices in cast]
    # These voters put the machine to the test, or gave a ballot up, and then voted again.
    others: tuple[tuple[Status, int], ...] = (("challenged", _CHALLENGED), ("spoiled", _SPOILED))
    for status, times in others:
        for _ in range(times):
            ballots.insert(shuffle.randrange(len(ballots)), (shuffle.choice(cast), status))
    style = style_of(manifest, draft.units, draft.contests, draft.units.station_index[station])
    told = _told(ballots, progress)
    voted = vote(trustees.keys, station, f"Voting machine of station {station}", style, told, seeded)
    progress("Trustees decrypt the totals", 0, 1)
    tally = decrypt(trustees, PRESENT, voted, seeded)
    progress("Trustees decrypt the totals", 1, 1)
    return RealStation(station, trustees, voted, tally.encode(), len(ballots), _one_cast(voted))


def _sheets(simulation: Simulation) -> list[TallySheet]:
    """The sheets of the station with the fewest ballots, but enough of them, that nothing disturbs."""
    disturbed = {disturbance.station for disturbance in simulation.disturbances}
    ballots = simulation.boxes[0].ballots
    station = min(
        (number for number in range(len(ballots)) if ballots[number] >= _LEAST and number not in disturbed),
        key=lambda number: (int(ballots[number]), number),
    )
    name = list(simulation.units.station_index)[station]
    payloads = (arrival.payload for arrival in simulation.sheets(bytes(32)))
    return [sheet for sheet in payloads if isinstance(sheet, TallySheet) and sheet.station == name]


def _told(ballots: Sequence[tuple[Choices, Status]], progress: Progress) -> Iterator[tuple[Choices, Status]]:
    for done, ballot in enumerate(ballots, 1):
        yield ballot
        progress("Voters cast encrypted ballots", done, len(ballots))


def _one_cast(voted: Voted) -> str:
    items = read_bundle(split_lines([voted.bundle]))
    return next(
        tracking_words(item.value.code) for item in items if isinstance(item.value, Ballot) and item.value.status == "cast"
    )


def _seeded(seed: int) -> RandomBytes:
    """The demo is the same each time: nobody's vote is in it. Where ballots matter, randomness is the system's."""
    state, drawn = shake_256(b"scrutineer demo ballots %d" % seed), 0

    def draw(size: int) -> bytes:
        nonlocal drawn
        drawn += 1
        own = state.copy()
        own.update(drawn.to_bytes(8, "big"))
        return own.digest(size)

    return draw
