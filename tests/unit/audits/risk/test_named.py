"""Risk functions by name: what a plan may commit to."""

import pytest

from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Adaptive, Agrapa, Betting, Diversified, Fixed, Kelly
from scrutineer.audits.risk.bravo import Bravo
from scrutineer.audits.risk.kaplan import KaplanKolmogorov, KaplanMarkov
from scrutineer.audits.risk.model import RiskFunction
from scrutineer.audits.risk.named import RISK_FUNCTIONS, risk_function
from scrutineer.errors import AuditError

NAMED: list[tuple[str, dict[str, str], RiskFunction]] = [
    ("alpha", {"eta": "0.55"}, Alpha(0.55)),
    ("alpha", {"eta": "0.55", "weight": "100", "spread": "0.01", "reserve": "0.25"}, Alpha(0.55, 100, 0.01, 0.25)),
    ("betting-fixed", {"rate": "1.5"}, Betting(Fixed(1.5))),
    (
        "betting-kelly",
        {"values": "0.51,0.255,0", "probabilities": "0.998,0.001,0.001"},
        Betting(Kelly((0.51, 0.255, 0.0), (0.998, 0.001, 0.001))),
    ),
    ("betting-diversified", {"rates": "0.5,1,1.5", "weights": "1,2,1"}, Betting(Diversified((0.5, 1.0, 1.5), (1.0, 2.0, 1.0)))),
    (
        "betting-adaptive",
        {"values": "0.51,0.255,0", "probabilities": "0.998,0.001,0.001", "weights": "100,1000"},
        Betting(Adaptive((0.51, 0.255, 0.0), (0.998, 0.001, 0.001), (100.0, 1000.0))),
    ),
    ("betting-agrapa", {}, Betting(Agrapa())),
    ("bravo", {"share": "0.6"}, Bravo(0.6)),
    ("kaplan-markov", {"padding": "0.02"}, KaplanMarkov(0.02)),
    ("kaplan-kolmogorov", {"padding": "0.1"}, KaplanKolmogorov(0.1)),
]


@pytest.mark.parametrize(("name", "parameters", "function"), NAMED, ids=lambda case: case if isinstance(case, str) else "")
def test_a_name_and_parameters_give_the_function(name: str, parameters: dict[str, str], function: RiskFunction) -> None:
    found = risk_function(name, parameters)
    assert found == function
    assert found.name == name


def test_every_function_has_a_name_that_is_tested_here_and_a_sentence() -> None:
    assert {name for name, _, _ in NAMED} == set(RISK_FUNCTIONS)
    for name, named in RISK_FUNCTIONS.items():
        assert named.name == name
        assert named.sentence.endswith(".")
        assert all(parameter.meaning for parameter in named.parameters)


@pytest.mark.parametrize(
    "text", ["", " 0.5", "0.50", ".5", "0.", "00.5", "+0.5", "-0.5", "5e-1", "0,5", "nan", "inf", "0.5\n", "٠.٥", "1" * 30, "1_0"]
)
def test_numbers_have_one_form(text: str) -> None:
    with pytest.raises(AuditError, match="rate of betting-fixed is not a decimal"):
        risk_function("betting-fixed", {"rate": text})


@pytest.mark.parametrize("text", ["", "0.5,", ",0.5", "0.5, 1", "0.5,,1", ",".join(["1"] * 5000)])
def test_lists_have_one_form(text: str) -> None:
    with pytest.raises(AuditError, match="rates of betting-diversified is not up to 4096 decimals"):
        risk_function("betting-diversified", {"rates": text, "weights": "1"})


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("wald", {}, "no risk function is called 'wald'; there are alpha, betting-fixed"),
        ("bravo", {}, "bravo needs the parameter share"),
        ("bravo", {"share": "0.6", "luck": "1"}, "bravo has no parameter 'luck'; it has share"),
        ("bravo", {"share": "0.5"}, "between 1/2 and 1"),
        ("alpha", {"eta": "0"}, "not above 0"),
        ("alpha", {"eta": "0.6", "weight": "0"}, "never revised"),
        ("betting-kelly", {"values": "1,0", "probabilities": "1"}, "one for every value"),
        ("betting-kelly", {"values": "1,0", "probabilities": "0.5,0.4"}, "sum to 0.9"),
        ("betting-diversified", {"rates": "1,2", "weights": "1"}, "one weight for every bet"),
        ("betting-adaptive", {"values": "1,0", "probabilities": "0.5,0.5", "weights": "1,1"}, "one weight above 0"),
        ("betting-fixed", {"rate": "1", "reserve": "1"}, "a reserve of 1.0"),
        ("betting-fixed", {"rate": "1", "reserve": "0"}, "a reserve of 0.0"),
        ("kaplan-markov", {"padding": "0"}, "a padding of 0.0"),
    ],
)
def test_plans_that_name_no_function_are_told_why(name: str, parameters: dict[str, str], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        risk_function(name, parameters)
