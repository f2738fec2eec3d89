"""p-values that pbstark/SHANGRLA (9d5db92, shangrla/core/NonnegMean.py) gives for two made-up samples, met to 1e-9.

Its history of p-values is one over the evidence after each draw, at most 1 and not the least so far; draws 10, 100, 200 and 400.
aGRAPA without replacement is left out: there it holds averages against the mean that was left one draw earlier.
"""

import numpy as np
import pytest

from scrutineer.audits.risk.alpha import Alpha
from scrutineer.audits.risk.betting import Agrapa, Betting, Diversified, Fixed
from scrutineer.audits.risk.kaplan import KaplanKolmogorov, KaplanMarkov
from scrutineer.audits.risk.model import Null, Values
from scrutineer.audits.risk.process import Process

CLEAN = 1 / (2 - 0.0289)
TINY = 2.0**-40


def _polled() -> Values:
    places = (np.arange(1, 401) * 0.6180339887498949) % 1
    return np.where(places < 0.52, 1.0, np.where(places < 0.9, 0.0, 0.5))


def _compared() -> Values:
    values = np.full(400, CLEAN)
    values[[57, 203, 310]] = CLEAN / 2, 0.0, 3 * CLEAN / 2
    return values


SHRUNK = Alpha(0.55, 100, 0.025, TINY)
CASES: list[tuple[Process, str, int | None, tuple[float, float, float, float]]] = [
    (SHRUNK, "polled", None, (0.9878411033421629, 0.49590910305641744, 0.20733306755348221, 0.030895891781381243)),
    (SHRUNK, "polled", 1000, (0.9917116651252892, 0.46130763007500314, 0.13379821603923522, 0.0021938637450321175)),
    (Alpha(0.55), "polled", None, (0.9463821415320152, 0.3858024782648669, 0.1488435522353131, 0.022154403042026375)),
    (Alpha(0.55), "polled", 1000, (0.9458429659313815, 0.3473519285690979, 0.09273316756034129, 0.001763806186751022)),
    (Alpha(CLEAN, 100), "compared", None, (0.997913935839761, 0.9881475361697727, 0.9705715674586289, 0.946810447379159)),
    (Alpha(CLEAN, 100), "compared", 1000, (0.9978949991591998, 0.9870876908673387, 0.9639908086438379, 0.9149113207989696)),
    (Betting(Fixed(1.5)), "compared", None, (0.8964042716405703, 0.5371615669762406, 0.17994679097172303, 0.05933352328909476)),
    (Betting(Fixed(1.5)), "compared", 1000, (0.8959628469036215, 0.5156190462897561, 0.14893121290343517, 0.024696173608998777)),
    (Betting(Agrapa(0.5), 0.1), "polled", None, (1.0, 1.0, 1.0, 0.16749852171418064)),
    (
        Betting(Diversified((0.1, 0.5, 1.0), (1.0, 1.0, 1.0))),
        "polled",
        None,
        (1.0, 0.7972866701895528, 0.4242134035530057, 0.11914339082732481),
    ),
    (KaplanMarkov(0.1), "compared", None, (0.8856425964557421, 0.5098209886915588, 0.15135705737503816, 0.05715076820830556)),
    (
        KaplanKolmogorov(0.1),
        "compared",
        1000,
        (0.8851526629284722, 0.4871157950136902, 0.12239716889325485, 0.021429495772403166),
    ),
]


@pytest.mark.parametrize(("function", "sample", "population", "p_values"), CASES)
def test_p_values_are_shangrlas(
    function: Process, sample: str, population: int | None, p_values: tuple[float, float, float, float]
) -> None:
    values, upper = (_polled(), 1.0) if sample == "polled" else (_compared(), 2 * CLEAN)
    evidence = function.log2_evidence(values, Null(0.5, upper, population))
    found = np.minimum(2.0 ** -evidence[[9, 99, 199, 399]], 1.0)
    np.testing.assert_allclose(found, p_values, rtol=0, atol=1e-9)
