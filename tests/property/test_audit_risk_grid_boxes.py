"""The guarantee over its whole grid, for boxes: a wrong outcome is confirmed no more often than the risk limit says.

And the three functions that are wrong, which the same populations find.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from risk_grid import ALLOWED, BLANKS, FUNCTIONS, KINDS, STOPPING, population, rates, rates_of, reason
from scrutineer.audits.risk.evidence import Evidence, running_product
from scrutineer.audits.risk.process import Draws, Process, product_of_bets


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("design", ["batch-betting", "batch-macro"])
def test_wrong_outcomes_of_boxes(design: str, replacement: bool, blank: float, kind: str) -> None:
    found = rates(design, replacement, blank, kind)
    assert {name for name, _ in found} == {name for name in FUNCTIONS if not reason(name, design, replacement)}
    assert {key: by for key, by in found.items() if max(by.values()) > ALLOWED} == {}


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("design", ["batch-betting", "batch-macro"])
def test_populations_of_boxes_are_hard_enough_to_see_what_exceeds_the_limit(design: str, replacement: bool) -> None:
    used = max(max(by.values()) for by in rates(design, replacement, 0.0, "usual").values())
    assert used > 0.035


class _Broken(Process):
    @property
    def name(self) -> str:
        return "broken"


@dataclass(frozen=True)
class _TermsTwice(_Broken):
    """Multiplies the products once more, as if they were the terms."""

    def evidence(self, draws: Draws) -> Evidence:
        once = product_of_bets(draws, 0.4, 0.01)
        return running_product(np.ldexp(once.fraction, once.exponent))


@dataclass(frozen=True)
class _Peeking(_Broken):
    """Learns from a draw before it bets on it."""

    def evidence(self, draws: Draws) -> Evidence:
        averages = np.add.accumulate(draws.values, axis=1) / (draws.earlier + 1.0)
        return product_of_bets(draws, 4.0 * (averages - 0.5), 0.01)


@dataclass(frozen=True)
class _FixedTime(_Broken):
    """Is a p-value for one look, and is looked at after every draw: one less the normal distribution, by a bound from below."""

    def evidence(self, draws: Draws) -> Evidence:
        counts = draws.earlier + 1.0
        scores = (np.add.accumulate(draws.values, axis=1) - counts / 2) / np.sqrt(counts / 4)
        return Evidence(*np.frexp(np.where((scores > 1.645) & (counts >= 4), 20.1, 1.0)))


@pytest.mark.parametrize("broken", [_TermsTwice(), _Peeking(), _FixedTime()], ids=lambda broken: type(broken).__name__)
@pytest.mark.parametrize("replacement", [True, False])
def test_the_grid_finds_functions_that_break_the_promise(broken: Process, replacement: bool) -> None:
    found = rates_of(broken, population("polling", replacement=replacement, blank=0.0, kind="usual"), [7, int(replacement)])
    print(found)
    assert set(found) == set(STOPPING)
    assert found["every draw"] > 1.2 * ALLOWED
