"""SUITE: Arlo's test values (votingworks/arlo, server/tests/audit_math/test_suite.py, after Stark's CORLA18 notebooks)."""

from dataclasses import dataclass

import numpy as np
import pytest

from scrutineer.audits.risk.suite import ComparedStratum, PolledStratum, fisher, suite
from scrutineer.errors import AuditError


@dataclass(frozen=True)
class Case:
    compared: ComparedStratum
    polled: PolledStratum
    of_compared: float
    """p-value of the compared stratum for 30 % of the margin; of the polled one for 70 %."""
    of_polled: float
    combined: float
    """The greatest of a grid of splits in steps of 5 % of the margin."""


CASES = {
    "notebook": Case(
        ComparedStratum(10000, -400, 500), PolledStratum(1000, 750, 150, 250, 187, 37), 0.23557770396, 0.0060681851, 0.07049896663
    ),
    "polled stratum for the loser": Case(
        ComparedStratum(1000, 600, 250),
        PolledStratum(10000, 4550, 4950, 500, 227, 247),
        0.00065926498,
        0.96704034931,
        0.99616009103,
    ),
    "many other ballots": Case(
        ComparedStratum(10000, 0, 500), PolledStratum(1000, 450, 400, 250, 112, 100), 0.69695327089, 0.81069777314, 0.92506018031
    ),
    "first round": Case(
        ComparedStratum(700, 100, 56), PolledStratum(300, 200, 100, 24, 14, 10), 0.09453457985, 0.45408756368, 0.21456844367
    ),
    "second round": Case(
        ComparedStratum(700, 100, 101, one_over=4, two_over=1),
        PolledStratum(300, 200, 100, 43, 32, 11),
        1.0,
        9.572332760803416e-05,
        0.00912863119,
    ),
    "very close": Case(
        ComparedStratum(700, 2, 699), PolledStratum(300, 151, 149, 299, 151, 148), 0.56165719134, 0.0, 0.40032246260
    ),
    "several candidates": Case(
        ComparedStratum(700, 200, 33), PolledStratum(300, 200, 100, 14, 10, 4), 0.12153023774, 0.00820155392, 0.015691091069
    ),
    "wrong outcome": Case(ComparedStratum(950, 930, 500, two_over=100), PolledStratum(50, 50, 0, 49, 0, 49), 1.0, 1.0, 1.0),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_p_values_of_strata_are_arlos(case: Case) -> None:
    margin = case.compared.margin + case.polled.margin
    assert case.compared.p_value(0.3 * margin) == pytest.approx(case.of_compared, abs=1e-9)
    assert case.polled.p_value(0.7 * margin) == pytest.approx(case.of_polled, abs=1e-9)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_combined_p_value_is_at_least_that_of_any_split(case: Case) -> None:
    """Arlo's is the greatest of a grid (refined where it matters), so the bound is never below it, and not far above."""
    bound = suite(case.compared, case.polled)
    assert bound.p_value >= case.combined - 1e-9
    assert bound.least <= bound.p_value <= bound.least * (1 + 1e-4) + 1e-12
    margin = case.compared.margin + case.polled.margin
    for split in np.linspace(-2 * margin, 3 * margin, 301).tolist():
        pair = case.compared.p_value(split), case.polled.p_value(margin - split)
        assert fisher(pair) <= bound.p_value + 1e-12


@pytest.mark.parametrize(
    ("case", "slack"), [("notebook", 1e-4), ("second round", 1e-6), ("several candidates", 1e-5), ("first round", 1e-3)]
)
def test_the_combined_p_value_is_arlos(case: str, slack: float) -> None:
    found = suite(CASES[case].compared, CASES[case].polled).p_value
    assert found == pytest.approx(CASES[case].combined, abs=slack)


# Arlo, expected_sprt_pvalues and expected_analytic_sprt_pvalues: whole elections of polled ballots, the whole margin overstated.
@pytest.mark.parametrize(
    ("stratum", "p_value"),
    [
        (PolledStratum(10, 5, 4, 4, 2, 2), 1.0),
        (PolledStratum(10, 6, 4, 4, 3, 1), 0.625),
        (PolledStratum(10, 6, 4, 3, 2, 1), 0.83333333),
    ],
)
def test_polled_ballots_of_a_small_election(stratum: PolledStratum, p_value: float) -> None:
    assert stratum.p_value(stratum.margin) == pytest.approx(p_value, abs=0.00005)


# P. B. Stark, ALPHA, arXiv 2201.02707, table of p-values of 1/2 in every stratum by Fisher's combination.
@pytest.mark.parametrize(
    ("strata", "p_value"), [(2, 0.5966), (5, 0.7319), (10, 0.8374), (25, 0.9514), (50, 0.9917), (100, 0.9997)]
)
def test_fishers_combination(strata: int, p_value: float) -> None:
    assert fisher([0.5] * strata) == pytest.approx(p_value, abs=0.00005)


def test_overstatements_that_no_cards_can_hold_are_excluded() -> None:
    compared, polled = ComparedStratum(100, 20, 0), PolledStratum(50, 30, 20, 0, 0, 0)
    assert compared.p_value(120) == 1
    assert compared.p_value(121) == 0
    assert polled.p_value(60) == 1
    assert polled.p_value(61) == 0
    assert suite(compared, polled).p_value == 1


def test_fishers_combination_at_its_ends() -> None:
    assert fisher([1.0, 1.0]) == 1
    assert fisher([0.0, 1.0]) == 0
    assert fisher([1.0, 0.05]) > 0.05


def test_a_polled_stratum_that_was_read_to_its_end_leaves_one_margin_possible() -> None:
    polled = PolledStratum(100, 60, 40, 100, 60, 40)
    assert polled.p_value_at_least(0) == 1
    assert polled.p_value_at_least(1) == 0
    compared = ComparedStratum(1000, 100, 40)
    assert suite(compared, polled).p_value == pytest.approx(fisher([compared.p_value(120), 1.0]), rel=1e-5)


def test_overstatements_by_at_least_so_much_never_speak_more_the_less_they_are() -> None:
    stratum = PolledStratum(300, 200, 90, 60, 38, 20)
    found = [stratum.p_value_at_least(votes) for votes in np.linspace(-150, 260, 83).tolist()]
    assert found == sorted(found, reverse=True)
    assert found[0] == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: ComparedStratum(100, 101, 5),
        lambda: ComparedStratum(100, 10, 5, one_over=6),
        lambda: ComparedStratum(100, 10, 5, gamma=1.0),
        lambda: PolledStratum(100, 60, 50, 0, 0, 0),
        lambda: PolledStratum(100, 60, 40, 10, 6, 5),
        lambda: PolledStratum(100, 60, 40, 101, 60, 40),
        lambda: suite(ComparedStratum(100, -10, 5), PolledStratum(100, 50, 40, 0, 0, 0)),
    ],
)
def test_counts_that_contradict_each_other_are_refused(make: object) -> None:
    with pytest.raises(AuditError):
        make()  # type: ignore[operator]
