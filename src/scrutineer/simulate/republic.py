"""A synthetic election with known truth: an invented republic, its ballots, its sheets, and what goes wrong on the way.

Everything follows from the number of stations and the seed, to the byte and on every machine (see draws.py).
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from scrutineer.election import Contest, Issuer, Register, Units, station_issuer
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.folder import Draft
from scrutineer.errors import UsageError
from scrutineer.simulate.acts import Arrival, KeyOf
from scrutineer.simulate.ballots import ContestChoice, republic_contests
from scrutineer.simulate.disturbances import DISTURBANCES, Disturbance, DisturbanceKind, choose_disturbances
from scrutineer.simulate.places import COUNTRY_NAME, Places, invent_places
from scrutineer.simulate.shapes import invent_shapes
from scrutineer.simulate.sheets import SheetWriter, Times, draw_times
from scrutineer.simulate.truth import Truth, contest_truth
from scrutineer.simulate.votes import BallotBoxes, draw_contest, draw_president, draw_turnout

MEAN_ROLL: Final = 700
DATE: Final = "2025-05-18"
TIMEZONE: Final = "UTC"
AUTHORITY: Final = "Electoral Commission of Avia"
OFFICERS: Final = ("authority/officer-1", "authority/officer-2", "authority/officer-3")
"""Who signs the authority's acts; a decision takes two of them."""
THRESHOLDS: Final = {"decision": 2}
SNAPSHOT_SHARES: Final = (20, 50, 80, 95, 100)  # percent of all arrivals


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """A simulated election: what makes its definition, what arrives, and the truth. See `simulate_republic`."""

    seed: int
    places: Places
    contests: tuple[Contest, ...]
    boxes: tuple[BallotBoxes, ...]
    """What was really cast, by contest."""
    disturbances: tuple[Disturbance, ...]
    truth: Truth
    times: Times
    openings: bool
    """Whether every station declares itself open; otherwise only those whose sheets are dated before their opening do."""

    @property
    def id(self) -> str:
        """Identifier of the election."""
        return f"avia-{len(self.places.rolls)}-{self.seed}"

    @property
    def units(self) -> Units:
        """The units of the republic."""
        return self.places.units

    @property
    def close_time(self) -> int:
        """When the stations close, seconds since 1970: nothing is counted before."""
        return self.times.close

    def register(self, key_of: KeyOf) -> Register:
        """The register: the public key of every station and of the officers. Takes about 20 µs for each."""
        stations = b"".join(key_of(station_issuer(station)).public_key for station in self.units.station_index)
        return Register(self.units.station_index, stations, officer_issuers(key_of))

    def draft(self, register: Register | None = None) -> Draft:
        """What the organiser of this election would write. Without a register, all keys are still to be made."""
        stations = self.units.station_index
        return Draft(
            id=self.id,
            name=f"Presidential election, {COUNTRY_NAME}" if len(self.contests) == 1 else f"General election, {COUNTRY_NAME}",
            date=DATE,
            timezone=TIMEZONE,
            authority=AUTHORITY,
            contests=self.contests,
            units=self.units,
            register=register or Register(stations, bytes(32 * len(stations)), ()),
            thresholds=THRESHOLDS,
            rules={},
            provenance="simulated",
            calls=CallSettings(),
            shapes=invent_shapes(self.units, self.seed),
        )

    def sheets(self, election: bytes) -> Iterator[Arrival]:
        """Everything that reaches the intake service after the definition, unsigned, in the order of arrival.

        `election` is the hash of the definition's statement. Sign with `sign_arrivals`, in this order.
        """
        return self._writer(election).arrivals()

    @property
    def arrival_count(self) -> int:
        """How many arrivals `sheets` yields."""
        return self._writer(bytes(32)).arrival_count()

    def _writer(self, election: bytes) -> SheetWriter:
        return SheetWriter(self.places, self.boxes, self.disturbances, self.times, OFFICERS, election, openings=self.openings)


def simulate_republic(
    stations: int,
    seed: int,
    *,
    voters: int | None = None,
    contests: ContestChoice = "president",
    alliances: bool = False,
    openings: bool = False,
    disturbances: Collection[DisturbanceKind] = DISTURBANCES,
) -> Simulation:
    """Simulate an election, the same for the same arguments on every machine.

    `voters` is by default 700 for each station, so that 30,000 stations hold 21 million. `contests` is the contest for
    president alone, or one contest of every rule. Raises UsageError for numbers that no country can have.
    """
    if seed < 0:
        raise UsageError(f"seed {seed} cannot be used: write a whole number from 0 on")
    places = invent_places(stations, stations * MEAN_ROLL if voters is None else voters, seed)
    choice = republic_contests(places, contests, alliances=alliances)
    disturbed = choose_disturbances(list(places.units.station_index), seed, disturbances)
    ballots = draw_turnout(places, seed)
    full = [disturbance.station for disturbance in disturbed if disturbance.kind == "full-turnout"]
    ballots[full] = places.rolls[full]
    boxes = [draw_president(places, choice[0], ballots, seed)]
    for contest in choice[1:]:
        below = places.units.stations_below(places.units.position(contest.unit) if contest.unit else 0)
        boxes.append(draw_contest(places, contest, ballots[below.start : below.stop], below.start, seed))
    return Simulation(
        seed=seed,
        places=places,
        contests=choice,
        boxes=tuple(boxes),
        disturbances=disturbed,
        truth=_truth(seed, places, boxes, disturbed),
        times=draw_times(places, ballots, seed, DATE),
        openings=openings,
    )


def officer_issuers(key_of: KeyOf) -> tuple[Issuer, ...]:
    """The officers as the register has them."""
    return tuple(
        Issuer(officer, "authority", key_of(officer).public_key, name=f"Officer {number}")
        for number, officer in enumerate(OFFICERS, start=1)
    )


def snapshots(arrivals: int, shares: Sequence[int] = SNAPSHOT_SHARES) -> tuple[int, ...]:
    """After how many arrivals to issue bulletins: the given percentages of all arrivals, rounded up; rising, each once."""
    return tuple(sorted({max(1, -(-arrivals * share // 100)) for share in shares}))


def _truth(seed: int, places: Places, boxes: Sequence[BallotBoxes], disturbed: Sequence[Disturbance]) -> Truth:
    counted = []
    for number, box in enumerate(boxes):
        held_back = [disturbance.station for disturbance in disturbed if disturbance.holds_back(president=number == 0)]
        counted.append(contest_truth(box, held_back))
    stations = len(places.rolls)
    return Truth(
        election=f"avia-{stations}-{seed}",
        seed=seed,
        stations=stations,
        voters=int(places.rolls.sum()),
        contests=tuple(contest_truth(box) for box in boxes),
        counted=tuple(counted),
        disturbances=tuple(disturbed),
    )
