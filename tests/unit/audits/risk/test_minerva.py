"""Minerva: Arlo's test values (votingworks/arlo, server/tests/audit_math/test_minerva.py, computed by Athena 0.7 and later).

And those of r2b2 (gwexploratoryaudits/r2b2, src/r2b2/tests/test_minerva.py and test_so_bravo.py).
"""

from functools import cache
from math import ceil, exp, lgamma, log

import numpy as np
import pytest

from scrutineer.audits.risk.minerva import Minerva
from scrutineer.errors import AuditError


@pytest.mark.parametrize(
    ("reported", "rounds", "p_values"),
    [
        ((600, 400), [(56, 40)], [0.0933945799801079]),
        ((600, 400), [(40, 40), (70, 30)], [0.5596434615209632, 0.006382031505998192]),
        ((1270718, 978667), [(276, 234)], [0.039858047805999164]),
        ((400, 200), [(40, 18)], [0.0064653703790821795]),
        ((400, 200), [(30, 30), (50, 25)], [0.552702598296842, 0.083535346859948]),
        ((5100000, 4900000), [(5100, 4990), (5100, 4900)], [0.16896200607848647, 0.03907953348498701]),
        ((5100000, 4900000), [(50100, 49900), (51000, 49000)], [None, 0.0016102827517693026]),
        ((2453876, 2358432), [(17605, 0)], [0.0]),
    ],
)
def test_p_values_are_arlos(reported: tuple[int, int], rounds: list[tuple[int, int]], p_values: list[float | None]) -> None:
    found = Minerva(reported[0] / sum(reported), 0.1).p_values(rounds)
    assert len(found) == len(p_values)
    for ours, theirs in zip(found, p_values, strict=True):
        assert theirs is None or ours == pytest.approx(theirs, rel=1e-9, abs=1e-30)


# r2b2, test_minerva_kmins and test_minerva_georgia_senate_2020: three rounds, and the count that ends each; risks of one round.
def test_counts_that_end_rounds_are_those_of_r2b2() -> None:
    assert Minerva(0.6, 0.1).enough([100, 100, 200]) == (58, 113, 221)
    senate = Minerva(2453876 / (2453876 + 2358432), 0.1)
    assert senate.p_values([(8900, 17605 - 8900)])[0] == pytest.approx(0.081750333563781, abs=1e-6)
    assert senate.p_values([(4950, 9903 - 4950)])[0] == pytest.approx(0.527638189598802, abs=1e-6)
    assert senate.p_values([(0, 17605)])[0] == pytest.approx(1, abs=1e-6)


def _tail(votes: int, share: float, least: int) -> float:
    """The chance of at least so many votes for the winner."""
    logs = (
        lgamma(votes + 1) - lgamma(won + 1) - lgamma(votes - won + 1) + won * log(share) + (votes - won) * log(1 - share)
        for won in range(least, votes + 1)
    )
    return sum(exp(each) for each in logs)


@cache
def _chance(votes: int, share: float) -> float:
    """Of ending at a first round of so many votes for the two options, if the reported share is right."""
    return _tail(votes, share, Minerva(share, 0.1).enough([votes])[0])


# Ballots to draw at first so that the audit ends with a chance of 70, 80 and 90 %, at a risk limit of 10 %: Arlo's and r2b2's
# tests. The last number is how many ballots are drawn for one with a vote for the two options.
FIRST_ROUNDS = [
    (600, 400, (134, 166, 215), 1.2),
    (600, 200, (20, 25, 35), 900 / 800),
    (300, 200, (222, 276, 358), 2.0),
    (400, 200, (79, 87, 114), 1100 / 600),
    (5076, 4925, (17663, 22233, 30319), 1.0),
    (2453876, 2358432, (10486, 13205, 18005), 1.0238785631),
    (51000, 49000, (None, None, 17272), 1.0),
    (60000, 40000, (None, None, 179), 1.0),
]


@pytest.mark.parametrize(("winner", "loser", "sizes", "drawn"), FIRST_ROUNDS)
def test_first_rounds_are_where_the_chance_of_ending_rises_to_what_was_asked(
    winner: int, loser: int, sizes: tuple[int | None, ...], drawn: float
) -> None:
    """A size is one vote fewer than which the chance is below what was asked. There are several, as the chance falls wherever one
    more vote for the winner is needed: which of them a search finds depends on where it starts (see the next test).
    """
    share = winner / (winner + loser)
    for size, asked in zip(sizes, (0.7, 0.8, 0.9), strict=True):
        if size is not None:
            votes = next(each for each in range(int(size / drawn) + 1, 0, -1) if ceil(each * drawn) <= size)
            assert _chance(votes - 1, share) < asked <= _chance(votes, share)


def test_several_sizes_are_first_rounds_for_the_same_chance() -> None:
    """60 % of the votes, a chance of 90 %: r2b2 gives 179, and 173 with other versions of what it is built on; both are right."""
    rising = [votes for votes in range(150, 200) if _chance(votes - 1, 0.6) < 0.9 <= _chance(votes, 0.6)]
    assert rising == [173, 175, 177, 179, 186]


def test_a_second_round_of_r2b2() -> None:
    """54 of 100 votes: 305 in all for a chance of 90 % (test_minerva_second_round_estimate)."""
    chances = [_tail(more, 0.6, Minerva(0.6, 0.1).enough([100, more])[1] - 54) for more in (204, 205)]
    assert chances[0] < 0.9 <= chances[1]


def test_the_chance_of_confirming_a_tie_in_rounds_is_within_the_limit_and_nearly_all_of_it_is_used() -> None:
    """20,000 ties, in rounds of 60 and 90; what is alike is measured once."""
    rng = np.random.default_rng(2008)
    minerva, runs = Minerva(0.6, 0.1), 20_000
    pairs, times = np.unique(rng.binomial([60, 90], 0.5, size=(runs, 2)), axis=0, return_counts=True)
    wrong = [min(minerva.p_values([(first, 60 - first), (second, 90 - second)])) <= 0.1 for first, second in pairs.tolist()]
    assert 0.05 < times[wrong].sum() / runs <= 0.1 + 3 * (0.1 * 0.9 / runs) ** 0.5


def test_looking_after_every_ballot_breaks_the_limit_that_rounds_keep() -> None:
    """Why it is no risk function for single draws: each p-value of a first round is met at some draw far more often."""
    rng = np.random.default_rng(2315)
    minerva, runs, confirmed = Minerva(0.7, 0.1), 300, 0
    for _ in range(runs):
        votes = np.add.accumulate(rng.random(60) < 0.5)
        confirmed += any(minerva.p_values([(int(votes[at]), at + 1 - int(votes[at]))])[0] <= 0.1 for at in range(4, 60))
    assert confirmed / runs > 0.15


@pytest.mark.parametrize(("share", "limit"), [(0.5, 0.1), (1.0, 0.1), (0.6, 0.0), (0.6, 1.0)])
def test_parameters_out_of_range_are_refused(share: float, limit: float) -> None:
    with pytest.raises(AuditError):
        Minerva(share, limit)


@pytest.mark.parametrize("counts", [(-1, 5), (5, -1), (10**8, 0)])
def test_rounds_that_cannot_be_are_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(AuditError, match="cannot be tested"):
        Minerva(0.6, 0.1).p_values([counts])
    with pytest.raises(AuditError, match="cannot be tested"):
        Minerva(0.6, 0.1).enough([min(counts) if min(counts) < 0 else 10**8])
