"""p-values to the last bit: whoever replays an audit, on whatever machine, finds these numbers."""

from math import frexp, ldexp

import numpy as np
import pytest

from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.named import risk_function
from scrutineer.audits.risk.suite import ComparedStratum, PolledStratum, suite

_EXPECTED = {"values": "1,0.5,0", "probabilities": "0.5,0.15,0.35"}
BITS: list[tuple[str, dict[str, str], str, str]] = [
    ("alpha", {"eta": "0.55", "weight": "100"}, "0x1.6c491e49f444bp-20", "0x1.4fcd2652efd28p-29"),
    ("alpha", {"eta": "0.55"}, "0x1.41ad8e7c90634p-15", "0x1.0ecda7ef0b272p-21"),
    ("betting-fixed", {"rate": "0.3"}, "0x1.b9afd2a7b2856p-20", "0x1.9ca55e8a7ca5ap-25"),
    ("betting-kelly", _EXPECTED, "0x1.1a80f7aec4a98p-21", "0x1.197cceb59eb8cp-27"),
    ("betting-diversified", {"rates": "0.1,0.3,0.6", "weights": "3,2,1"}, "0x1.abfe14546f225p-20", "0x1.c9b8e91b2d294p-30"),
    ("betting-adaptive", {**_EXPECTED, "weights": "50,50"}, "0x1.443a6105fb417p-21", "0x1.31a244b0d5cb2p-29"),
    ("betting-agrapa", {}, "0x1.5f8eb283267bcp-19", "0x1.0b9b185eea9d9p-28"),
    ("bravo", {"share": "0.6"}, "0x1.17e0e0c39b370p-22", "0x1.3cec0337f4847p-29"),
    ("kaplan-markov", {"padding": "3"}, "0x1.3fde3ac7a8853p-19", "0x1.4a286fdb1f8bap-24"),
]
"""Name, parameters, and the last p-value with replacement and out of 2,000."""


def _values() -> Values:
    """600 values 0, 1/2, 1 and a few in between, from whole numbers alone."""
    places = np.arange(1, 601) * 7919 % 1009
    values = np.where(places < 560, 1.0, np.where(places < 900, 0.0, 0.5))
    values[::37] = (places[::37] % 64) / 64
    return values


@pytest.mark.parametrize(("name", "parameters", "with_replacement", "without"), BITS)
def test_p_values_have_these_bits(name: str, parameters: dict[str, str], with_replacement: str, without: str) -> None:
    function = risk_function(name, parameters)
    assert float(function.p_values(_values(), Null(0.5, 1.0))[-1]).hex() == with_replacement
    assert float(function.p_values(_values(), Null(0.5, 1.0, 2000))[-1]).hex() == without


def test_the_bits_are_those_of_a_plain_loop() -> None:
    """Without numpy: what a verifier in another language has to do for 'betting-fixed', out of 2,000."""
    fraction, exponent, p_value = 0.5, 1, 1.0
    unit = 2.0**-40
    drawn, room = 0, 2000 * 2**39
    for number, value in enumerate(_values().tolist()):
        mean = (room - drawn) * unit / (2000 - number)
        factor = 1.0 + min(0.3, (1.0 - 1 / 128) / mean) * (value - mean)
        fraction, power = frexp(fraction * factor)
        exponent += power
        p_value = min(p_value, ldexp(1.0 / fraction, -exponent))
        drawn += max(int(value * 2**40) - 1, 0)
    assert p_value.hex() == BITS[2][3]


def test_suite_has_these_bits() -> None:
    bound = suite(ComparedStratum(10_000, -400, 500), PolledStratum(1000, 750, 150, 250, 187, 37))
    assert (bound.p_value.hex(), bound.split.hex()) == ("0x1.2104ed73fc210p-4", "0x1.3c04000000000p+7")
