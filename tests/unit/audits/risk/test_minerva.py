"""Minerva: Arlo's test values (votingworks/arlo, server/tests/audit_math/test_minerva.py, computed by Athena 0.7 and later)."""

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


def test_the_chance_of_confirming_a_tie_in_rounds_is_within_the_limit_and_nearly_all_of_it_is_used() -> None:
    rng = np.random.default_rng(2008)
    minerva, runs, confirmed = Minerva(0.6, 0.1), 1_500, 0
    for _ in range(runs):
        rounds = [(winner := int(rng.binomial(size, 0.5)), size - winner) for size in (60, 90)]
        confirmed += min(minerva.p_values(rounds)) <= 0.1
    assert 0.04 < confirmed / runs <= 0.1 + 3 * (0.1 * 0.9 / runs) ** 0.5


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
