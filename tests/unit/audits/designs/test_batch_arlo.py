"""Tally-sheet comparison against the sizes and P-values that Arlo's own tests expect (votingworks/arlo, 8d86156).

[M] server/tests/audit_math/test_macro.py with snapshots/snap_test_macro.py; its sizes are ours plus one (issue 1846 there).
[B] server/tests/batch_comparison/conftest.py with snapshots/snap_test_batch_comparison.py.
[C] server/tests/batch_comparison/test_multi_contest_batch_comparison.py with its snapshots.
"""

from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported, kaplan_markov
from scrutineer.audits.risk.kaplan import KaplanMarkov
from scrutineer.audits.sampling.sample import Sample, Ticket

QUARTER = Fraction(1, 4)


def designed(batches, unseen=0):
    """The first option against each other one; batches are (name, votes, cards)."""
    options = len(batches[0][1])
    votes = np.array([votes for _, votes, _ in batches])
    cards = np.array([cards for _, _, cards in batches])
    pairs = [tuple((at == 0) - (at == loser) for at in range(options)) for loser in range(1, options)]
    reported = tuple(
        Reported.of_votes(Assertion("c", f"0>{at}", pair), votes, cards, unseen=unseen) for at, pair in enumerate(pairs)
    )
    return BatchDesign(tuple(name for name, _, _ in batches), reported)


def p_value(design, drawn, counted=None):
    """By Kaplan-Markov, exactly; batches that are not among those counted otherwise are as reported."""
    sample = Sample(tuple(Ticket("", name, 0) for name in drawn))
    scores = {name: tuple(int(each.scores[design.names.index(name)]) for each in design.reported) for name in drawn}
    for name, votes in (counted or {}).items():
        scores[name] = tuple(each.assertion.votes_score(votes) for each in design.reported)
    exact = kaplan_markov(design.limit, design.taints(sample, scores))[-1]
    by_values = KaplanMarkov(2.0**-40).p_values(design.values(sample, scores), design.null())
    assert by_values[-1] == pytest.approx(float(exact), rel=1e-9) or exact == 1
    return exact


def halves(numbers, large, small):
    made = []
    for number in numbers:
        made += [(f"Batch {number}", large, 400), (f"Batch {number} AV", small, 200)]
    return made


A = designed(halves(range(200), (200, 180), (100, 90)))
B = designed(halves(range(100), (200, 160), (100, 80)))
C = designed(halves([*range(30), *range(100, 130)], (200, 140), (100, 70)))


def test_bounds_and_their_sums():
    # [M] test_max_error and the comments of test_compute_risk
    assert (A.limit, B.limit, C.limit) == (21, 11, Fraction(23, 3))
    bounds = [[float(Fraction(int(bound), design.scale)) for bound in design.bounds[:2]] for design in (A, B, C)]
    assert bounds == [[0.07, 0.035], pytest.approx([0.0733, 0.0367], abs=1e-4), pytest.approx([0.0852, 0.0426], abs=1e-4)]


def test_sizes_without_errors():
    # [M] test_get_sizes_extra_contests: 30, 16, 11 and 4
    small = designed([(f"Batch {number}", (40, 10), 50) for number in range(10)])
    assert [design.size(QUARTER) for design in (A, B, C, small)] == [29, 15, 10, 3]


def test_sizes_of_later_rounds():
    # [M] test_get_sample_sizes: 26, 12 and 7 after four batches without errors; 7 - 5 for C after five more; then 0
    four = [f"Batch {number}" for number in range(4)]
    assert [design.size(QUARTER / p_value(design, four)) for design in (A, B, C)] == [25, 11, 6]
    nine = [f"Batch {number}" for number in range(9)]
    tainted = dict.fromkeys(nine[4:], (190, 190))
    assert A.size(QUARTER / p_value(A, nine, tainted)) == 25
    assert C.size(QUARTER / p_value(C, nine)) == 1
    assert p_value(C, [*nine, "Batch 9"]) <= QUARTER


def test_p_values_with_errors():
    # [M] test_compute_risk: a taint of 1/21 neither raises nor lowers A's P-value; batches drawn again count again
    clean = [f"Batch {number}" for number in range(30)]
    later = [f"Batch {number}" for number in range(100, 106)]
    tainted = dict.fromkeys(later, (190, 190))
    assert p_value(A, clean + later, tainted) == Fraction(20, 21) ** 30
    assert p_value(B, clean) == Fraction(10, 11) ** 30
    assert p_value(C, clean + later) == Fraction(20, 23) ** 36
    assert p_value(A, clean + later + later[:3], tainted) == Fraction(20, 21) ** 30
    assert p_value(C, clean + later + later[:3]) == Fraction(20, 23) ** 39


def test_a_batch_wrong_in_every_vote_makes_the_p_value_1():
    # [M] test_worst_case
    design = designed([("Batch 1", (500, 0), 500), ("Batch 2", (500, 0), 500)])
    assert p_value(design, ["Batch 1"], {"Batch 1": (0, 500)}) == 1


def test_combined_batches():
    # [M] test_combined_batches_one_discrepancy and test_combined_batches_sampled_and_unsampled
    design = designed([("1", (30, 20), 50), ("2", (10, 40), 50), ("3", (40, 0), 40), ("4", (30, 30), 60)])
    taints = [design.taint("1", (2,)), design.taint("2", (2,)), Fraction(0)]
    factor = 1 - 1 / design.limit
    assert taints[:2] == [Fraction(2, 60), Fraction(2, 20)]
    assert kaplan_markov(design.limit, taints)[-1] == factor**3 / (Fraction(58, 60) * Fraction(18, 20))
    design = designed([("1", (30, 20, 0), 50), ("2", (0, 40, 10), 50), ("3", (60, 10, 30), 100), ("4", (30, 10, 10), 50)])
    assert design.taint("1", (3, 0)) == Fraction(3, 60), "of the bound of the first loser, whose margin is the least"


def test_pending_ballots():
    # [M] test_pending_ballots: U = 4.591836734693877551020408163
    rows = [("1", (60, 40, 0), 100), ("2", (0, 60, 40), 100), ("3", (90, 0, 10), 100), ("4", (50, 0, 0), 50)]
    design = designed(rows, unseen=2)
    assert design.limit == Fraction(450, 98)
    assert float(p_value(design, "123")) == 0.47861956652949245
    assert float(p_value(design, "123", {"3": (90, 2, 8)})) == 0.48371126404576364


def test_missing_ballots():
    # [M] test_unauditable_ballots, with all numbers twice as large: theirs takes half votes. Two votes of the first loser are in
    # no batch; Arlo subtracts them from the contest's margin, to which they still belong, hence four cards here.
    rows = [("1", (120, 79, 0), 199), ("2", (0, 119, 80), 199), ("3", (180, 0, 20), 200), ("4", (100, 0, 0), 100)]
    design = designed(rows, unseen=4)
    assert design.limit == Fraction(50, 11)
    assert float(p_value(design, "123")) == 0.474552


COUNTIES = [
    *((f"J1 {number}", (500, 250, 250), 500) for number in range(1, 5)),
    *((f"J1 {number}", (100, 50, 50), 100) for number in range(5, 10)),
    *((f"J2 {number}", (500, 250, 250), 500) for number in range(1, 5)),
    ("J2 5", (300, 100, 100), 250),
    ("J2 6", (200, 150, 150), 250),
]
ROUND = ["J1 1", "J1 2", "J1 4", "J1 6", "J1 8", "J2 3", "J2 3"]


def test_p_values_of_whole_audits():
    # [B]: batches sampled multiple times, pending ballots, combined batches, round 2
    design = designed(COUNTIES)
    assert f"{float(p_value(design, ['J1 1'] * 3 + ['J1 3', 'J1 4', 'J2 1', 'J2 5'])):.10f}" == "0.0585276635"
    assert float(p_value(designed(COUNTIES, unseen=250), [*ROUND, "J2 4"])) == pytest.approx(0.05764801, abs=1e-10)
    combined = [design.taint("J1 1", (0, 5)), design.taint("J1 2", (0, 5)), *[Fraction(0)] * 5]
    assert f"{float(kaplan_markov(design.limit, combined)[-1]):.10f}" == "0.0593159059"
    counted = {
        "J1 1": (400, 50, 40),
        "J1 2": (400, 50, 40),
        "J1 4": (500, 250, 240),
        "J1 6": (100, 50, 40),
        "J2 3": (100, 100, 40),
    }
    assert f"{float(p_value(design, ROUND, counted)):.10f}" == "0.1316872428"


def test_p_values_of_two_contests():
    # [C] test_multi_contest_batch_comparison_end_to_end
    small = [(75, 25), (25, 25), (25, 25), (25, 25)]
    one = [(f"J1 {number}", (50, 0) if number < 10 else (0, 50), 100) for number in range(1, 11)]
    for county in ("J2", "J3"):
        one += [(f"{county} {number}", votes, sum(votes)) for number, votes in enumerate(small, 1)]
    drawn = ["J1 2", "J1 2", "J1 5", "J1 5", "J1 6", "J1 6", "J1 7", "J2 1", "J2 1", "J3 1"]
    p = p_value(designed(one), drawn, {"J1 6": (49, 1), "J3 1": (74, 26)})
    assert f"{float(p):.10f}" == "0.0586274851"
    other = [(f"J1 {number}", (50, 0) if number < 9 else (25, 25), 100) for number in range(1, 11)]
    drawn = ["J1 1", "J1 1", "J1 3", "J1 5", "J1 5", "J1 7", "J1 7", "J1 9"]
    p = p_value(designed(other), drawn, {"J1 7": (49, 1), "J1 9": (26, 24)})
    assert f"{float(p):.10f}" == "0.0696040967"
