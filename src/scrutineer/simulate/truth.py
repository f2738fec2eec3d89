"""What really happened in a simulated election: the figures that a count is held against."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from scrutineer.count import outcome as outcomes
from scrutineer.count.results import rule_of
from scrutineer.election import Contest
from scrutineer.election.contests import LIST_RULES
from scrutineer.simulate.disturbances import Disturbance
from scrutineer.simulate.draws import Ints
from scrutineer.simulate.votes import BallotBoxes


@dataclass(frozen=True, slots=True)
class ContestTruth:
    """Exact totals of one contest, and what they decide."""

    contest: str
    stations: int
    votes: tuple[int, ...]
    """Votes per option; first preferences in a ranked contest."""
    blank: int
    null: int
    ballots: int
    elected: tuple[str, ...]
    """Candidates who are elected, in the order of the definition; lists once per seat."""
    runoff: tuple[str, ...]
    margin: int | None


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of a simulation. `contests` is what was cast; `counted` what a correct count ends with, disturbances and all."""

    election: str
    seed: int
    stations: int
    voters: int
    contests: tuple[ContestTruth, ...]
    counted: tuple[ContestTruth, ...]
    disturbances: tuple[Disturbance, ...]

    def to_json(self) -> bytes:
        """The truth as a JSON file, the same bytes for the same simulation."""
        return (json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode()


def contest_truth(boxes: BallotBoxes, without: Sequence[int] = ()) -> ContestTruth:
    """Totals and outcome of the ballot boxes, leaving out some stations (by number)."""
    contest = boxes.contest
    kept = np.ones(len(boxes.votes), dtype=np.bool_)
    kept[[station - boxes.first for station in without if boxes.first <= station < boxes.stop]] = False
    votes = boxes.votes[kept].sum(axis=0, dtype=np.int64)
    blank, null = (int(column[kept].sum(dtype=np.int64)) for column in (boxes.blank, boxes.null))
    ballots = int(boxes.ballots[kept].sum())
    tally = _tally(boxes, votes.tolist(), blank, null, ballots)
    outcome = outcomes.decide(rule_of(contest), tally)
    names = [candidate.id for candidate in contest.standing()]
    if contest.rule in LIST_RULES:
        elected = tuple(name for name, seats in zip(names, outcome.seats, strict=True) for _ in range(seats))
    else:
        elected = tuple(names[place] for place in sorted(outcome.elected))
    runoff = tuple(names[place] for place in outcome.runoff)
    shown = first_preferences(boxes, votes) if boxes.orders else votes
    return ContestTruth(contest.id, int(kept.sum()), tuple(shown.tolist()), blank, null, ballots, elected, runoff, outcome.margin)


def first_preferences(boxes: BallotBoxes, by_order: Ints) -> Ints:
    """First preferences per option from ballots per order."""
    votes = np.zeros(len(boxes.contest.options), dtype=np.int64)
    for order, ballots in zip(boxes.orders, by_order.tolist(), strict=True):
        votes[order[0]] += ballots
    return votes


def _tally(boxes: BallotBoxes, votes: list[int], blank: int, null: int, ballots: int) -> outcomes.Tally | outcomes.RankedTally:
    contest: Contest = boxes.contest
    if boxes.orders:
        return outcomes.RankedTally(len(contest.options), tuple(zip(boxes.orders, votes, strict=True)), blank, null)
    by_candidate = [0] * len(contest.standing())
    for option, candidate in enumerate(contest.candidate_of_option()):
        by_candidate[candidate] += votes[option]
    valid = None if contest.single_choice() else ballots - blank - null
    return outcomes.Tally(tuple(by_candidate), blank, null, valid)
