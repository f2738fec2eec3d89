"""The guarantee over its whole grid, for cards: a wrong outcome is confirmed no more often than the risk limit says.

Each cell is 20,000 seeded nulls (200,000 with SCRUTINEER_EXPLORE=1). `risk_grid.CELLS` has all cells written out; one that is
not measured says why.
"""

from itertools import product
from typing import get_args

import pytest

from risk_grid import (
    ALLOWED,
    BLANKS,
    BY_DRAWS,
    BY_STRATA,
    CELLS,
    FUNCTIONS,
    IN_ADVANCE,
    KINDS,
    STOPPING,
    STRATA,
    population,
    rates,
    reason,
)
from scrutineer.audits.plan import PlanDesign
from scrutineer.audits.risk.named import RISK_FUNCTIONS
from scrutineer.errors import AuditError

CARD_DESIGNS = [*product(("polling", "comparison", "oneaudit"), (True, False)), ("two-stage", True)]


def test_no_function_and_no_design_of_a_plan_is_left_out() -> None:
    assert set(FUNCTIONS) == set(RISK_FUNCTIONS)
    assert set(BY_DRAWS) == set(get_args(PlanDesign)) - {STRATA}, "a new design of plans needs its populations in the grid"


def test_every_cell_is_measured_or_says_why_not() -> None:
    assert len(CELLS) == len(set(CELLS)) == (len(RISK_FUNCTIONS) + 2) * (len(BY_DRAWS) + 1) * 2 * 4 * 4
    measured = [cell for cell in CELLS if not reason(cell[0], cell[1], cell[2], cell[4])]
    by_draws = {(design, replacement) for _, design, replacement, _, _ in measured}
    assert by_draws == set(product((*BY_DRAWS, STRATA), (True, False))) - {("two-stage", False)}
    for name in (*FUNCTIONS, *BY_STRATA):
        assert {blank for function, _, _, blank, _ in measured if function == name} == set(BLANKS)
    assert {cell[4] for cell in measured if cell[0] not in BY_STRATA} == set(STOPPING)
    assert {cell[4] for cell in measured if cell[0] == "suite"} == {IN_ADVANCE}


def test_what_is_said_not_to_apply_is_refused() -> None:
    made = population("comparison", replacement=True, blank=0.0, kind="usual")
    for name in ("bravo", "kaplan-kolmogorov"):
        with pytest.raises(AuditError):
            next(iter(FUNCTIONS[name].values()))(made.null).p_values(made.values, made.null)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(("design", "replacement"), CARD_DESIGNS)
def test_wrong_outcomes_of_cards(design: str, replacement: bool, blank: float, kind: str) -> None:
    found = rates(design, replacement, blank, kind)
    assert {name for name, _ in found} == {name for name in FUNCTIONS if not reason(name, design, replacement)}
    assert {key: by for key, by in found.items() if max(by.values()) > ALLOWED} == {}


@pytest.mark.parametrize(("design", "replacement"), CARD_DESIGNS)
def test_populations_of_cards_are_hard_enough_to_see_what_exceeds_the_limit(design: str, replacement: bool) -> None:
    """Where hardly any of the limit were used, a function that exceeds its share would pass unseen."""
    used = {kind: max(max(by.values()) for by in rates(design, replacement, 0.0, kind).values()) for kind in KINDS}
    assert min(used.values()) > 0.02
    assert max(used.values()) > 0.02
