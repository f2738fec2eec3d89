"""Risk functions by name and parameters: what a plan commits to, as text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Adaptive, Agrapa, Betting, Diversified, Fixed, Kelly
from scrutineer.audits.risk.bravo import Bravo
from scrutineer.audits.risk.kaplan import KaplanKolmogorov, KaplanMarkov
from scrutineer.audits.risk.model import RiskFunction
from scrutineer.audits.risk.process import RESERVE
from scrutineer.errors import AuditError

_DECIMAL: Final = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{0,39}[1-9])?", re.ASCII)
_MOST_NUMBERS: Final = 4096


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a named risk function: a decimal text, or several with commas between them."""

    name: str
    meaning: str
    default: str | None = None
    """None: it must be given. '': it may be left out, and has no value then."""
    several: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A risk function that a plan can name."""

    name: str
    sentence: str
    """What it is and when to use it."""
    parameters: tuple[Parameter, ...]
    make: Callable[[Mapping[str, tuple[float, ...]]], RiskFunction]


_RESERVE: Final = Parameter("reserve", "the least share of the evidence that one draw leaves", str(RESERVE))
_VALUES: Final = Parameter("values", "the values that are expected", several=True)
_PROBABILITIES: Final = Parameter("probabilities", "how often each of them is expected", several=True)

_ALL: Final = (
    Named(
        "alpha",
        "ALPHA: bets by a running estimate of the mean; for polling, and wherever little is known of the values.",
        (
            Parameter("eta", "the mean that is expected"),
            Parameter("weight", "how many draws that expectation is worth; left out: it is never revised", ""),
            Parameter("spread", "how far above the hypothetical mean the estimate is kept at first", ""),
            _RESERVE,
        ),
        lambda given: Alpha(given["eta"][0], _optional(given, "weight"), _optional(given, "spread"), given["reserve"][0]),
    ),
    Named(
        "betting-fixed",
        "Betting, the same bet at every draw; for a bet that was worked out when the plan was made.",
        (Parameter("rate", "the bet"), _RESERVE),
        lambda given: Betting(Fixed(given["rate"][0]), given["reserve"][0]),
    ),
    Named(
        "betting-kelly",
        "Betting, the best bet for an expected distribution of values; for comparison of cards, ONEAudit and batches.",
        (_VALUES, _PROBABILITIES, _RESERVE),
        lambda given: Betting(Kelly(given["values"], given["probabilities"]), given["reserve"][0]),
    ),
    Named(
        "betting-diversified",
        "Betting, evidence divided among several bets; for comparison where the rate of errors is not known.",
        (
            Parameter("rates", "the bets", several=True),
            Parameter("weights", "what share of the evidence goes to each", several=True),
            _RESERVE,
        ),
        lambda given: Betting(Diversified(given["rates"], given["weights"]), given["reserve"][0]),
    ),
    Named(
        "betting-adaptive",
        "Betting, the best bet for the distribution of the values seen so far; for comparison where errors are frequent.",
        (
            _VALUES,
            _PROBABILITIES,
            Parameter("weights", "how many draws each expectation but the first is worth", several=True),
            Parameter("least", "the least probability that any value but the first is given", "0.00001"),
            _RESERVE,
        ),
        lambda given: Betting(
            Adaptive(given["values"], given["probabilities"], given["weights"], given["least"][0]), given["reserve"][0]
        ),
    ),
    Named(
        "betting-agrapa",
        "Betting by the average and the spread of the values seen so far; for values of which nothing is known.",
        (Parameter("start", "the first bet", "0.5"), _RESERVE),
        lambda given: Betting(Agrapa(given["start"][0]), given["reserve"][0]),
    ),
    Named(
        "bravo",
        "BRAVO: Wald's test of single ballots; for polling audits that have to be compared with other people's.",
        (Parameter("share", "the winner's share of the votes for the two options"),),
        lambda given: Bravo(given["share"][0]),
    ),
    Named(
        "kaplan-markov",
        "Kaplan–Markov: values over their hypothetical mean, padded; what SuperSimple and MACRO audits use.",
        (Parameter("padding", "what is added to every value"),),
        lambda given: KaplanMarkov(given["padding"][0]),
    ),
    Named(
        "kaplan-kolmogorov",
        "Kaplan–Kolmogorov: Kaplan–Markov for draws without replacement.",
        (Parameter("padding", "what is added to every value"),),
        lambda given: KaplanKolmogorov(given["padding"][0]),
    ),
)

RISK_FUNCTIONS: Final[Mapping[str, Named]] = MappingProxyType({each.name: each for each in _ALL})
"""Every risk function that a plan can name, by name."""


def risk_function(name: str, parameters: Mapping[str, str]) -> RiskFunction:
    """The risk function of a plan. Raises AuditError for a name or parameter that is not known, or not written canonically.

    Parameters are decimal texts as in "0.05": digits, a point where needed, no sign, no exponent, no zeros to spare; several
    numbers have a comma between them and nothing else. Each is rounded once, to the nearest float64.
    """
    named = RISK_FUNCTIONS.get(name)
    if named is None:
        raise AuditError(f"no risk function is called {name[:60]!r}; there are {', '.join(RISK_FUNCTIONS)}")
    unknown = sorted(set(parameters) - {each.name for each in named.parameters})
    if unknown:
        raise AuditError(
            f"{name} has no parameter {unknown[0][:60]!r}; it has {', '.join(each.name for each in named.parameters)}"
        )
    return named.make({each.name: _numbers(name, each, parameters) for each in named.parameters})


def _numbers(name: str, parameter: Parameter, parameters: Mapping[str, str]) -> tuple[float, ...]:
    text = parameters.get(parameter.name)
    if text is None:
        if parameter.default is None:
            raise AuditError(f"{name} needs the parameter {parameter.name}: {parameter.meaning}")
        if not parameter.default:
            return ()
        text = parameter.default
    parts = text.split(",", _MOST_NUMBERS) if parameter.several else [text]
    if len(parts) > _MOST_NUMBERS or not all(_DECIMAL.fullmatch(part) for part in parts):
        wanted = f"up to {_MOST_NUMBERS} decimals with commas" if parameter.several else "a decimal"
        raise AuditError(f"parameter {parameter.name} of {name} is not {wanted} in plain form, such as 0.05: {text[:60]!r}")
    return tuple(float(part) for part in parts)


def _optional(given: Mapping[str, tuple[float, ...]], name: str) -> float | None:
    return given[name][0] if given[name] else None
