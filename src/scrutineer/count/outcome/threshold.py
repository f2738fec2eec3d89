"""The threshold of list rules: a list takes part with at least a share of the valid votes."""

from collections.abc import Collection
from fractions import Fraction
from math import ceil, floor

from scrutineer.count.outcome.model import Caps, Reach, nearest, total_cap, within


def qualified(votes: tuple[int, ...], threshold: Fraction | None) -> list[int]:
    """The lists that take part: v_i >= t N, with N the sum of all votes."""
    if threshold is None:
        return list(range(len(votes)))
    needed = threshold * sum(votes)
    return [index for index, own in enumerate(votes) if own >= needed]


def votes_to_qualify(own: int, total: int, threshold: Fraction) -> int:
    """The fewest votes x for a list with which own + x >= t (total + x)."""
    return max(0, ceil((threshold * total - own) / (1 - threshold)))


def votes_to_disqualify(own: int, total: int, threshold: Fraction) -> int:
    """The fewest votes x for others with which own < t (total + x)."""
    return max(0, floor(own / threshold) + 1 - total)


def reach_entry(votes: tuple[int, ...], inside: Collection[int], threshold: Fraction, caps: Caps, need: int) -> Reach:
    """The fewest votes with which a list that does not take part qualifies and has at least `need` votes."""
    total = sum(votes)
    reaches = []
    for index, own in enumerate(votes):
        if index not in inside:
            ballots = max(votes_to_qualify(own, total, threshold), need - own)
            if within(ballots, caps[index]):
                reaches.append(Reach(ballots, f"threshold:{index}"))
    return nearest(*reaches)


def reach_fall(votes: tuple[int, ...], seated: Collection[int], threshold: Fraction, caps: Caps) -> Reach:
    """The fewest votes with which a list that has a seat no longer qualifies."""
    total = sum(votes)
    reaches = []
    for index in seated:
        ballots = votes_to_disqualify(votes[index], total, threshold)
        if within(ballots, total_cap(caps, without={index})):
            reaches.append(Reach(ballots, f"threshold:{index}"))
    return nearest(*reaches)
