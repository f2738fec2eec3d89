from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported, clean_size, kaplan_markov
from scrutineer.audits.risk.betting import Betting, Fixed
from scrutineer.audits.risk.kaplan import KaplanMarkov
from scrutineer.audits.sampling.canonical import draw_boxes, draw_boxes_uniformly
from scrutineer.audits.sampling.sample import Sample, Ticket
from scrutineer.errors import AuditError

SEED = "31415926535897932384"
PAIR = Assertion("mayor", "0>1", (1, -1))
NAMES = ("a", "b", "c", "d")
TWENTIETH = Fraction(1, 20)


def reported(scores, cards, assertion=PAIR, unseen=0):
    return Reported(assertion, np.array(scores), np.array(cards), unseen)


def drawn(*names):
    return Sample(tuple(Ticket("", name, 0) for name in names))


MAYOR = reported([30, -10, 20, 0], [100, 50, 40, 0])
DESIGN = BatchDesign(NAMES, (MAYOR,))


def test_bounds_are_what_the_cards_of_a_box_allow():
    assert MAYOR.margin == 40
    assert DESIGN.scale == 40
    assert DESIGN.bounds.tolist() == [130, 40, 60, 0]
    assert DESIGN.limit == Fraction(230, 40)
    assert (DESIGN.irrelevant(), DESIGN.relevant()) == (("d",), ("a", "b", "c"))


def test_scores_of_votes():
    half = Assertion("vote", "more than half", (1, -1), rest=-1)
    votes = np.array([[60, 30], [20, 10]])
    made = Reported.of_votes(half, votes, np.array([100, 40]), rest=np.array([5, 10]))
    assert made.scores.tolist() == [25, 0]
    assert made.bounds.tolist() == [125, 40]
    assert Reported.of_votes(PAIR, votes, np.array([100, 40])).scores.tolist() == [30, 10]
    for wrong in (np.array([[1, 2, 3]]), np.array([1, 2])):
        with pytest.raises(AuditError, match="votes of 2 options of an unranked contest"):
            Reported.of_votes(PAIR, wrong, np.array([6]))


def test_what_has_to_be_overstated_for_an_assertion_to_be_false():
    # Zero will do for one and not for the other; cards that lie in no box count as the worst card.
    at_least = Assertion("mayor", "0>=1", (1, -1), need=0)
    assert reported([5, 0], [9, 9], at_least).margin == 6
    assert reported([5, 0], [9, 9], Assertion("list", "d'hondt", (2, -3)), unseen=1).margin == 2
    assert reported([0, 0], [9, 9], at_least).margin == 1
    for scores, unseen in (([2, -2], 0), ([5, 0], 5)):
        with pytest.raises(
            AuditError, match="contest mayor: the reported scores and the cards that lie in no box do not make it"
        ):
            reported(scores, [9, 9], unseen=unseen)


def test_taints_and_values():
    counted = {"a": (17,), "b": (-50,), "c": (26,)}
    sample = drawn("a", "b", "c", "a")
    assert DESIGN.taints(sample, counted) == (Fraction(13, 130), 1, 0, Fraction(1, 10))
    assert DESIGN.values(sample, counted).tolist() == pytest.approx([0.9, 0, 1, 0.9], rel=1e-15)
    # By the largest bound where boxes are drawn alike
    assert DESIGN.uniform_values(sample, counted).tolist() == pytest.approx([0.9, 90 / 130, 1, 0.9], rel=1e-15)


def test_understatements_count_as_far_as_the_plan_says():
    credited = BatchDesign(NAMES, (MAYOR,), Fraction(1, 20))
    counted = {"a": (17,), "b": (-10,), "c": (26,)}
    assert credited.taints(drawn("b", "c"), counted) == (0, Fraction(-1, 20))
    assert credited.taint("c", (-6,)) == Fraction(-1, 10)
    assert credited.values(drawn("a", "b", "c"), counted).tolist() == pytest.approx([0.9, 1, 1.05], rel=1e-15)
    assert credited.null().upper == pytest.approx(1.05, rel=1e-15)
    assert credited.values(drawn("c"), {"c": (21,)})[0] == pytest.approx(1 + 1 / 60, rel=1e-15)
    with pytest.raises(AuditError, match="0 or more"):
        BatchDesign(NAMES, (MAYOR,), Fraction(-1, 20))


def test_missing_illegible_and_pending_boxes_are_as_wrong_as_they_can_be():
    assert DESIGN.taints(drawn("a", "b", "c"), {"a": (30,), "b": (None,)}) == (0, 1, 1)
    assert DESIGN.values(drawn("b"), {}).tolist() == [0]


def test_the_larger_share_of_a_margin_is_what_counts():
    council = reported([40, 0, 10, 30], [60, 0, 10, 30], Assertion("council", "0>2", (1, 0, -1)))
    both = BatchDesign(NAMES, (MAYOR, council))
    assert both.scale == 80
    assert both.bounds.tolist() == [260, 80, 120, 60]
    # a: 13 of 40 against 27 of 80; d: only the council's
    assert both.taints(drawn("a", "a", "d"), {"a": (17, 13), "d": (0, 15)}) == (Fraction(27, 260),) * 2 + (Fraction(15, 60),)
    assert both.taints(drawn("a"), {"a": (17, 40)}) == (Fraction(26, 260),)
    # One contest of a box that cannot be counted is at its bound: 100 of 80 for the council, 130 of 40 for the mayor
    assert both.taints(drawn("a"), {"a": (30, None)}) == (Fraction(100, 260),)
    assert both.taints(drawn("a"), {"a": (None, 40)}) == (Fraction(1),)


def test_margins_without_a_common_measure_are_rounded_up():
    chance = np.random.default_rng(3)
    cards = chance.integers(100, 900, 2000)
    primes = (10007, 10009, 10037, 10039, 10061, 10067)
    made = []
    for number, prime in enumerate(primes):
        scores = chance.integers(-50, 50, 2000)
        scores[0] += prime - scores.sum()
        made.append(reported(scores, np.maximum(cards, abs(scores)), Assertion("c", str(number), (1, -1))))
    design = BatchDesign(tuple(map(str, range(2000))), tuple(made))
    assert design.scale == 10**15
    for box in range(0, 2000, 97):
        exact = max(Fraction(int(each.bounds[box]) * design.scale, each.margin) for each in made)
        assert int(design.bounds[box]) == -(-exact.numerator // exact.denominator)
        overstated = [int(each.bounds[box]) // 3 for each in made]
        exact = max(Fraction(amount, each.margin) for amount, each in zip(overstated, made, strict=True))
        assert 0 <= design.taint(str(box), overstated) * int(design.bounds[box]) - exact * design.scale < 1
    assert int(design.bounds.sum()) < 2**62


def test_a_sample_that_needs_no_box_and_one_that_no_sample_confirms():
    certain = BatchDesign(("a", "b"), (reported([4, 4], [4, 4], Assertion("c", "x", (1, -1), need=0)),))
    assert certain.limit == Fraction(16, 9)
    # Two cards in favour of a statement that zero makes true: three would have to speak against it.
    sure = BatchDesign(("a", "b"), (Reported(Assertion("c", "x", (9, -1), need=0), np.array([9, 9]), np.array([1, 1])),))
    assert sure.limit == Fraction(20, 19)
    none = BatchDesign(("a",), (Reported(Assertion("c", "x", (9, -1)), np.array([9]), np.array([0])),))
    assert (none.limit, none.size(TWENTIETH)) == (1, 1)
    assert none.null().mean == 2.0**-50
    less = BatchDesign(("a",), (Reported(Assertion("c", "x", (9, -1), need=0), np.array([9]), np.array([0])),))
    assert (less.limit, less.size(TWENTIETH)) == (Fraction(9, 10), 0)
    for null in (less.null, less.uniform_null):
        with pytest.raises(AuditError, match="no sample is needed"):
            null()


def test_sizes_are_exact_where_a_power_is_the_risk_limit():
    two = BatchDesign(("a", "b"), (reported([10, 0], [5, 5]),))
    assert two.limit == 2
    assert [two.size(Fraction(1, 2**k)) for k in (1, 2, 10, 60)] == [1, 2, 10, 60]
    assert two.size(Fraction(1, 2**10) - Fraction(1, 10**40)) == 11
    assert two.size(Fraction(1, 2**10) + Fraction(1, 10**40)) == 10
    for risk_limit in (Fraction(0), Fraction(1), Fraction(-1, 2)):
        with pytest.raises(AuditError, match="between 0 and 1"):
            two.size(risk_limit)


def state(margin_share=0.0306, boxes=10_000, cards=1000):
    """Boxes alike, of a contest with such a margin."""
    lead = round(margin_share * cards * boxes)
    scores = np.full(boxes, lead // boxes)
    scores[: lead % boxes] += 1
    return BatchDesign(tuple(f"{number:05}" for number in range(boxes)), (reported(scores, np.full(boxes, cards)),))


@pytest.mark.parametrize("at", [0, 60, 99])
def test_one_box_wrong_in_every_vote_does_not_end_an_audit(at):
    """A margin of 3.06 % takes 100 draws without an error; Kaplan-Markov without padding would be infinite for good."""
    design = state()
    assert design.size(TWENTIETH) == 100
    null = design.null()
    values = np.ones(400)
    values[at] = 0
    for rate, clean, with_it in ((0.6, 165, 217), (0.8, 124, 192)):
        bet = Betting(Fixed(rate / null.mean))
        assert clean_size(bet, null, TWENTIETH, 1000) == clean
        assert int(np.flatnonzero(bet.p_values(values, null) <= 0.05)[0]) + 1 == with_it
    taints = [Fraction(int(each == 0)) for each in values]
    assert set(kaplan_markov(design.limit, taints)[at:]) == {1}


def test_from_the_draw_to_the_risk():
    design = state(boxes=2000)
    counted = {name: (int(score),) for name, score in zip(design.names, design.reported[0].scores, strict=True)}
    sample = draw_boxes(SEED, design.bounds, design.names, 100)
    risk = KaplanMarkov(2.0**-40).p_values(design.values(sample, counted), design.null())
    assert risk[98] > 0.05 >= risk[99]
    alike = draw_boxes_uniformly(SEED, design.relevant(), 100)
    null = design.uniform_null()
    assert null.population == 2000
    values = design.uniform_values(alike, counted)
    assert (values == 1).all(), "no box is overstated"
    assert clean_size(KaplanMarkov(2.0**-40), null, TWENTIETH, 5000) < 100, "without replacement fewer are needed"
    assert clean_size(KaplanMarkov(2.0**-40), null, TWENTIETH, 50) is None


@pytest.mark.parametrize(
    ("sample", "counted", "problem"),
    [
        (drawn("e"), {}, "not in the design"),
        (drawn("d"), {"d": (0,)}, "cannot matter"),
        (drawn("a"), {"a": (1, 2)}, "2 scores were counted, and the design has 1"),
        (drawn("a"), {"a": (101,)}, "with at most 100 cards of contest mayor its score cannot be 101"),
        (drawn("b"), {"b": (-51,)}, "cannot be -51; count again"),
    ],
)
def test_counts_that_fit_no_box_are_refused(sample, counted, problem):
    for values in (DESIGN.values, DESIGN.uniform_values, DESIGN.taints):
        with pytest.raises(AuditError, match=problem):
            values(sample, counted)


def test_an_overstatement_beyond_the_bound_is_refused():
    assert DESIGN.taint("c", (60,)) == 1
    with pytest.raises(AuditError, match="61 is more than the 60 that its cards allow"):
        DESIGN.taint("c", (61,))


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: BatchDesign(NAMES, ()), "at least one assertion"),
        (lambda: BatchDesign(("a",), (MAYOR,)), "scores for each of these"),
        (lambda: BatchDesign(("a", "b", "c", "a"), (MAYOR,)), "stands twice"),
        (lambda: reported([1, 2], [3]), "one score and one number of cards"),
        (lambda: reported([], []), "at least one box"),
        (lambda: reported([1, 2], [3, -3]), "0 or more"),
        (lambda: reported([1, 2], [3, 3], unseen=-1), "0 or more"),
        (lambda: reported([2**61, 1], [2**61, 1]), "more than any election has"),
        (
            lambda: BatchDesign(("a", "b"), (reported([2**60, 1 - 2**60], [2**60, 2**60]), reported([5, 6], [9, 9]))),
            "no sample can confirm",
        ),
    ],
)
def test_what_is_no_design_is_refused(make, problem):
    with pytest.raises(AuditError, match=problem):
        make()
