"""The settings of calls: read exactly, and refused where they could mean nothing."""

from fractions import Fraction

import pytest

from scrutineer.election.call_settings import CallSettings
from scrutineer.errors import DefinitionError


def test_the_defaults_are_risk_five_percent_gamma_three_and_the_regions() -> None:
    own = CallSettings()
    assert (own.risk_limit(), own.order_limit(), own.strata, own.extra_ballots) == (Fraction(1, 20), Fraction(3), 1, 0)


@pytest.mark.parametrize(("text", "value"), [("0.05", Fraction(1, 20)), ("1/20", Fraction(1, 20)), ("0.5", Fraction(1, 2))])
def test_risk_is_read_exactly(text: str, value: Fraction) -> None:
    assert CallSettings(risk=text).risk_limit() == value


@pytest.mark.parametrize("text", ["0", "0.51", "-0.1", "", "many", "1/0", "1e-9", "5 %", "0." + "0" * 40 + "1"])
def test_a_risk_that_is_no_risk_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="risk"):
        CallSettings(risk=text)


@pytest.mark.parametrize("text", ["0.99", "100.01", "2.505", "1/3", "inf", "nan", "three"])
def test_a_gamma_that_is_not_in_hundredths_from_one_to_a_hundred_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="gamma"):
        CallSettings(gamma=text)


@pytest.mark.parametrize("settings", [{"strata": -1}, {"strata": 33}, {"extra_ballots": -1}, {"extra_ballots": 100_001}])
def test_depths_and_ballots_are_bounded(settings: dict[str, int]) -> None:
    with pytest.raises(DefinitionError, match=next(iter(settings))):
        CallSettings(**settings)  # type: ignore[arg-type]
