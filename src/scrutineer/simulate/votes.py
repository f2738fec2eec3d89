"""How the invented republic votes: national shares, regional leanings, and the noise of single stations."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scrutineer.election import Contest
from scrutineer.errors import UsageError
from scrutineer.simulate.draws import Draws, Floats, Ints
from scrutineer.simulate.places import Places

SMALLEST_LEAD: Final = Fraction(2, 100)
LARGEST_LEAD: Final = Fraction(8, 100)
_ATTEMPTS: Final = 10_000
_STATION_SPREAD: Final = 0.008  # intraclass correlation: neighbours vote alike
_LEANING: Final = 0.16  # how far regions lean by chance, relative to the national share
_REMOTE_LEANING: Final = 0.14  # how much better the leader does at the far end of the country, which reports last


@dataclass(frozen=True, slots=True, eq=False)
class BallotBoxes:
    """What was really cast in one contest, by station of the contest, from station number `first` on."""

    contest: Contest
    first: int
    ballots: Ints
    """Ballots in the box."""
    votes: NDArray[np.int32]
    """Votes per option, shape (stations, options); for a ranked contest ballots per order, shape (stations, orders)."""
    blank: NDArray[np.int32]
    null: NDArray[np.int32]
    orders: tuple[tuple[int, ...], ...] = ()
    """The orders of options that ballots of a ranked contest bear, sorted."""

    @property
    def stop(self) -> int:
        """One more than the last station's number."""
        return self.first + len(self.votes)


def draw_turnout(places: Places, seed: int) -> Ints:
    """Ballots in the box of each station: 35 to 97 % of its roll."""
    draws = Draws(seed, "turnout")
    regional = 0.76 - 0.06 * places.region_remoteness + 0.03 * draws.bell(len(places.region_ids))
    share = np.clip(regional[places.region] + 0.05 * draws.bell(len(places.rolls)), 0.35, 0.97)
    return np.floor(places.rolls * share).astype(np.int64)


def draw_president(places: Places, contest: Contest, ballots: Ints, seed: int) -> BallotBoxes:
    """The votes for president, drawn until the leader leads by 2 to 8 % of the valid votes.

    In a country of many stations the first draw does; in one of a few, chance is large and it takes several.
    """
    for attempt in range(_ATTEMPTS):
        draws = Draws(seed, f"president/{attempt}")
        shares = _president_shares(draws, contest)
        boxes = _draw(draws, places, contest, ballots, _regional(draws, places, places.region, shares, ballots))
        if SMALLEST_LEAD <= lead(contest, boxes.votes.sum(axis=0, dtype=np.int64).tolist()) <= LARGEST_LEAD:
            return boxes
    raise UsageError(f"{_ATTEMPTS} draws gave no lead between 2 and 8 %: ask for more stations")


def draw_contest(places: Places, contest: Contest, ballots: Ints, first: int, seed: int) -> BallotBoxes:
    """The votes of any other contest, from the ballots of its stations."""
    draws = Draws(seed, f"contest/{contest.id}")
    orders = _orders(draws, len(contest.options)) if contest.rule == "ranked" else ()
    shares = _falling_shares(draws, len(orders) or len(contest.options))
    region = places.region[first : first + len(ballots)]
    return _draw(draws, places, contest, ballots, _regional(draws, places, region, shares, ballots), first, orders)


def lead(contest: Contest, votes: list[int]) -> Fraction:
    """The first candidate's votes less the second's, as a share of all votes for candidates."""
    by_candidate = [0] * len(contest.standing())
    for option, candidate in enumerate(contest.candidate_of_option()):
        by_candidate[candidate] += votes[option]
    first, second = sorted(by_candidate, reverse=True)[:2]
    return Fraction(first - second, max(1, sum(by_candidate)))


def _president_shares(draws: Draws, contest: Contest) -> list[float]:
    """National shares per option; the leader is the candidate whom chance puts first."""
    candidates = len(contest.standing())
    difference = int(draws.between(30, 70, 1)[0]) / 1_000
    first = int(draws.between(320, 370, 1)[0]) / 1_000
    small = [1.0 / (rank + 1.5) for rank in range(candidates - 2)]
    left = 1.0 - first - (first - difference)
    by_rank = [first, first - difference, *(left * weight / math.fsum(small) for weight in small)]
    order = draws.order(candidates).tolist()
    by_candidate = [by_rank[order[candidate]] for candidate in range(candidates)]
    options_of = contest.candidate_of_option()
    seen: dict[int, int] = {}
    shares = []
    for candidate in options_of:
        several = options_of.count(candidate) > 1
        part = 1.0 if not several else (0.7, 0.3)[seen.get(candidate, 0)]
        seen[candidate] = seen.get(candidate, 0) + 1
        shares.append(by_candidate[candidate] * part)
    return shares


def _falling_shares(draws: Draws, options: int) -> list[float]:
    weights = [1.0 / (rank + 2) for rank in range(options)]
    order = draws.order(options).tolist()
    return [weights[rank] / math.fsum(weights) for rank in order]


def _orders(draws: Draws, options: int) -> tuple[tuple[int, ...], ...]:
    """Two dozen orders, some of them naming only the first few."""
    found: set[tuple[int, ...]] = set()
    while len(found) < 24:
        length = 1 + int(draws.below(options, 1)[0])
        found.add(tuple(draws.order(options).tolist()[:length]))
    return tuple(sorted(found))


def _regional(draws: Draws, places: Places, region: Ints, shares: list[float], ballots: Ints) -> Floats:
    """Shares by region whose mean, weighted by ballots, is the national share; remote regions lean to the leader."""
    regions, options = len(places.region_ids), len(shares)
    ranked = sorted(range(options), key=lambda option: -shares[option])
    slope = [0.0] * options
    slope[ranked[0]] = _REMOTE_LEANING
    slope[ranked[1]] = -_REMOTE_LEANING
    chance = draws.bell(regions * options).reshape(regions, options).tolist()
    far = places.region_remoteness.tolist()
    weight = [int(ballots[region == number].sum()) for number in range(regions)]
    table = [
        [shares[o] * max(0.3, 1.0 + _LEANING * chance[r][o] + slope[o] * far[r]) for o in range(options)] for r in range(regions)
    ]
    for _ in range(8):
        for row in table:
            total = math.fsum(row)
            row[:] = [value / total for value in row]
        for option in range(options):
            mean = math.fsum(weight[r] * table[r][option] for r in range(regions)) / max(1, sum(weight))
            for row in table:
                row[option] *= shares[option] / mean
    for row in table:
        total = math.fsum(row)
        row[:] = [value / total for value in row]
    return np.array(table, dtype=np.float64)


def _draw(
    draws: Draws,
    places: Places,
    contest: Contest,
    ballots: Ints,
    vectors: Floats,
    first: int = 0,
    orders: tuple[tuple[int, ...], ...] = (),
) -> BallotBoxes:
    region = places.region[first : first + len(ballots)]
    flat = np.ones(len(ballots), dtype=np.float64)
    blank = draws.share(ballots, 0.014 * flat, 0.004)
    null = draws.share(ballots - blank, 0.021 * flat, 0.004)
    valid = ballots - blank - null
    if contest.single_choice() or orders:
        votes = draws.divide(valid, vectors, region, _STATION_SPREAD)
    else:
        votes = np.empty((len(ballots), vectors.shape[1]), dtype=np.int32)
        choices = contest.max_choices if contest.max_choices > 1 else len(contest.options)
        marks_left = choices * valid
        for option in range(vectors.shape[1]):
            part = np.minimum(0.9, 2.2 * vectors[:, option])
            votes[:, option] = np.minimum(draws.share(valid, part[region], _STATION_SPREAD), marks_left)
            marks_left -= votes[:, option]
    return BallotBoxes(contest, first, ballots, votes, blank.astype(np.int32), null.astype(np.int32), orders)
