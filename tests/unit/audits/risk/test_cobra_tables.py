"""COBRA's tables 1 and 2, row by row: J. V. Spertus, COBRA, arXiv 2304.01010v2, sections 5.1 and 5.2.

Draws are with replacement, the risk limit is 5 %. Published are the mean and the 90th percentile of 400 simulated audits, so
what is compared are two samples: of 126 pairs, means may differ by 3.5 standard errors of their difference. An audit that has
not ended by the size of the population (10,000 and 20,000) counts as that.
"""

import numpy as np
import pytest

from scrutineer.audits.risk.betting import Bets, Betting, Fixed, Kelly
from scrutineer.audits.risk.cobra import ErrorRates, adaptive, diversified, fixed, values_of
from scrutineer.audits.risk.model import Null, Values

PUBLISHED_RUNS = 400
_NO_RESERVE = 2.0**-40


def _sizes(bets: Bets, clean: float, one_vote: float, two_vote: float, cap: int, runs: int) -> Values:
    """Stopping times, drawn as far as they are needed."""
    rng = np.random.default_rng([2304, 1010, round(1e6 * one_vote), round(1e6 * two_vote), round(1e6 * clean)])
    values, null = np.array(values_of(clean)), Null(0.5, 2 * clean)
    drawn = rng.choice(3, size=(runs, cap), p=[1 - one_vote - two_vote, one_vote, two_vote]).astype(np.int8)
    times = np.concatenate(
        [Betting(bets, _NO_RESERVE).stopping_times(values[drawn[start : start + 25]], null, 0.05) for start in range(0, runs, 25)]
    )
    sizes: Values = np.minimum(times, cap).astype(np.float64)
    return sizes


def _agrees(sizes: Values, mean: float, high: float) -> None:
    """With a published mean, and with a 90th percentile above which 400 audits would have between 5.5 % and 14.5 % (3 errors)."""
    error = sizes.std() * (1 / len(sizes) + 1 / PUBLISHED_RUNS) ** 0.5
    assert abs(sizes.mean() - mean) <= 3.5 * error + 0.5
    slack = 0.045 * (1 + PUBLISHED_RUNS / len(sizes)) ** 0.5
    low, top = np.quantile(sizes, (max(0.9 - slack, 0), min(0.9 + slack, 1)))
    assert low - 1 <= high <= top + 1


# Table 1: diluted margin, rate of 2-vote overstatements, a priori Kelly's bet 4 x mean - 2, and the oracle's.
TABLE_1 = [
    (0.05, 0.015, (10_000, 10_000), (1283, 2398)),
    (0.05, 0.01, (10_000, 10_000), (482, 813)),
    (0.05, 0.005, (7154, 7516), (242, 389)),
    (0.05, 0.001, (4946, 5072), (146, 257)),
    (0.05, 0.0, (4559, 4559), (119, 119)),
    (0.1, 0.015, (2233, 2464), (177, 323)),
    (0.1, 0.01, (1705, 1844), (131, 233)),
    (0.1, 0.005, (1346, 1429), (83, 116)),
    (0.1, 0.001, (1130, 1167), (65, 60)),
    (0.1, 0.0, (1083, 1083), (59, 59)),
    (0.2, 0.015, (339, 371), (52, 78)),
    (0.2, 0.01, (304, 335), (42, 57)),
    (0.2, 0.005, (272, 289), (35, 61)),
    (0.2, 0.001, (249, 258), (30, 29)),  # printed as 0.5 % once more
    (0.2, 0.0, (245, 245), (29, 29)),
]


@pytest.mark.parametrize(("margin", "rate", "of_a_priori", "of_oracle"), TABLE_1)
def test_table_1(margin: float, rate: float, of_a_priori: tuple[int, int], of_oracle: tuple[int, int]) -> None:
    clean = 1 / (2 - margin)
    oracle = _sizes(Kelly(values_of(clean), (1 - rate, 0.0, rate)), clean, 0.0, rate, 10_000, 1000)
    _agrees(oracle, *of_oracle)
    a_priori = _sizes(Fixed(4 * clean * (1 - rate) - 2), clean, 0.0, rate, 10_000, 200)
    _agrees(a_priori, *of_a_priori)


# Table 2, diluted margin 5 %: true rates of 2-vote and 1-vote overstatements, rates that were expected, and the mean and 90th
# percentile of the oracle's, fixed, adaptive and diversified bets.
TABLE_2 = """
0.0001 0.001 0.0001 0.001 124 147   125 119     124 147    131 152
0.0001 0.001 0.0001 0.01  124 147   125 147     125 147    131 154
0.0001 0.001 0.001  0.001 125 147   129 151     131 151    133 155
0.0001 0.001 0.001  0.01  127 147   132 153     130 152    135 157
0.0001 0.01  0.0001 0.001 174 229   167 229     166 229    177 236
0.0001 0.01  0.0001 0.01  168 229   172 229     167 229    180 235
0.0001 0.01  0.001  0.001 176 229   169 232     175 262    181 262
0.0001 0.01  0.001  0.01  159 205   174 233     180 265    184 264
0.001  0.001 0.0001 0.001 146 256   153 338     159 350    149 271
0.001  0.001 0.0001 0.01  151 256   154 174     150 147    145 154
0.001  0.001 0.001  0.001 147 256   152 256     146 182    153 259
0.001  0.001 0.001  0.01  149 256   151 244     147 256    152 265
0.001  0.01  0.0001 0.001 209 351   227 420     225 460    214 400
0.001  0.01  0.0001 0.01  200 324   240 457     232 500    211 378
0.001  0.01  0.001  0.001 204 351   208 364     210 358    208 344
0.001  0.01  0.001  0.01  208 324   205 324     205 341    219 371
0.01   0.001 0.0001 0.001 526 996   13654 20000 1581 3517  888 2090
0.01   0.001 0.0001 0.01  525 984   12685 20000 1585 3731  739 1708
0.01   0.001 0.001  0.001 528 1032  9589 20000  1112 2710  812 1982
0.01   0.001 0.001  0.01  534 985   7247 20000  915 2294   686 1586
0.01   0.01  0.0001 0.001 999 1908  15205 20000 3855 7811  2637 5873
0.01   0.01  0.0001 0.01  1110 2002 15641 20000 3477 7529  1803 4331
0.01   0.01  0.001  0.001 1030 1868 13113 20000 2795 5996  2064 4884
0.01   0.01  0.001  0.01  1127 2256 13094 20000 2437 5452  1604 3758
"""
ROWS = [tuple(map(float, row.split())) for row in TABLE_2.strip().splitlines()]
STRATEGIES = ("oracle", "fixed", "adaptive", "diversified")


def _strategy(name: str, clean: float, row: tuple[float, ...]) -> Bets:
    two_vote, one_vote, expected_two, expected_one = row[:4]
    thought = ErrorRates(expected_one, expected_two, one_vote_spread=0.005, two_vote_spread=0.0025)
    if name == "oracle":
        return Kelly(values_of(clean), (1 - one_vote - two_vote, one_vote, two_vote))
    if name == "fixed":
        return fixed(clean, thought)
    return adaptive(clean, thought) if name == "adaptive" else diversified(clean, thought)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(f"{rate:g}" for rate in row[:4]))
def test_table_2(row: tuple[float, ...], strategy: str) -> None:
    clean = 1 / (2 - 0.05)
    mean, high = row[4 + 2 * STRATEGIES.index(strategy) :][:2]
    runs = 400 if mean < 600 else 100
    _agrees(_sizes(_strategy(strategy, clean, row), clean, row[1], row[0], 20_000, runs), mean, high)
