"""Party lists: divisor methods and Hamilton's, on the examples that textbooks use."""

from fractions import Fraction

import pytest

from scrutineer.count.outcome import Bound, DHondt, Hamilton, Outcome, Rule, SainteLague, Tally, can_change, decide

# The example of most introductions: 230,000 votes, 8 seats.
FOUR_LISTS = Tally((100_000, 80_000, 30_000, 20_000))


@pytest.mark.parametrize(
    ("rule", "seats"),
    [(DHondt(8), (4, 3, 1, 0)), (SainteLague(8), (3, 3, 1, 1)), (Hamilton(8), (3, 3, 1, 1))],
)
def test_four_lists_and_eight_seats(rule: Rule, seats: tuple[int, ...]) -> None:
    assert decide(rule, FOUR_LISTS).seats == seats


def test_a_dearer_first_seat_makes_the_last_one_a_tie() -> None:
    # 20,000 / 1.4 and 100,000 / 7 are the same quotient.
    outcome = decide(SainteLague(8, first_divisor=Fraction(7, 5)), FOUR_LISTS)
    assert outcome == Outcome(elected=(0, 1, 2), seats=(3, 3, 1, 0), tied=(0, 3), open_seats=1, margin=0)


def test_the_alabama_paradox() -> None:
    # Populations 6, 6, 2: one more seat costs the smallest one of its two. Balinski and Young, Fair Representation,
    # chapter 5, tell the case of 1880 that gave it its name.
    tally = Tally((6, 6, 2))
    assert decide(Hamilton(10), tally).seats == (4, 4, 2)
    assert decide(Hamilton(11), tally).seats == (5, 5, 1)
    for rule in (DHondt, SainteLague):
        fewer, more = (decide(rule(size), tally) for size in (10, 11))
        assert all(a <= b for a, b in zip(fewer.seats, more.seats, strict=True))


def test_dhondt_can_exceed_the_quota_where_hamilton_cannot() -> None:
    # The first list's quota is 7.5 of 10 seats.
    tally = Tally((750, 84, 83, 83))
    assert decide(DHondt(10), tally).seats == (9, 1, 0, 0)
    assert decide(Hamilton(10), tally).seats == (7, 1, 1, 1)


def test_a_threshold_keeps_lists_out() -> None:
    tally = Tally((510, 441, 49))
    for method in (DHondt, SainteLague, Hamilton):
        assert decide(method(20), tally).seats[2] > 0 or method is DHondt
        assert decide(method(20, Fraction(1, 20)), tally).seats[2] == 0
    assert decide(Hamilton(20, Fraction(49, 1000)), tally).seats[2] > 0


@pytest.mark.parametrize("method", [DHondt, SainteLague, Hamilton])
def test_no_list_reaches_the_threshold(method: type[DHondt] | type[SainteLague] | type[Hamilton]) -> None:
    rule, tally = method(3, Fraction(2, 5)), Tally((30, 35, 35))
    assert decide(rule, tally) == Outcome(seats=(0, 0, 0))
    # 9 more for the second: 44 of 109.
    assert can_change(rule, tally, 9) == Bound(True, True, 9, 0, "threshold:1")
    assert not can_change(rule, tally, 8).changeable


@pytest.mark.parametrize("rule", [DHondt(5), SainteLague(5), Hamilton(5)])
def test_level_lists(rule: Rule) -> None:
    assert decide(rule, Tally((70, 70))) == Outcome((0, 1), (2, 2), tied=(0, 1), open_seats=1, margin=0)
    assert decide(rule, Tally((0, 0))) == Outcome((), (0, 0), tied=(0, 1), open_seats=5, margin=0)
    assert decide(rule, Tally((9,))) == Outcome((0,), (5,))
    assert can_change(rule, Tally((70, 70)), 1) == Bound(True, True, 1, 0, "tie:0:1")
    assert can_change(rule, Tally((9,)), None) == Bound(False, True, None, None, "none")


def test_a_tie_whose_lists_get_no_further_votes_changes_with_who_joins_it() -> None:
    rule, tally = DHondt(5), Tally((70, 70, 10))
    assert decide(rule, tally) == Outcome((0, 1), (2, 2, 0), tied=(0, 1), open_seats=1, margin=0)
    # 70 / 3 is more than 23.
    bound = can_change(rule, tally, 14, per_option_max=(0, 0, None))
    assert (bound.changeable, bound.exact, bound.margin) == (True, True, 14)
    assert decide(rule, Tally((70, 70, 24))).seats == (2, 2, 1)
    assert not can_change(rule, tally, 99, per_option_max=(0, 0, 13)).changeable


@pytest.mark.parametrize("threshold", [None, Fraction(1, 20)])
@pytest.mark.parametrize("method", [DHondt, SainteLague, Hamilton])
def test_lists_without_votes_that_can_get_none_stay_tied(
    method: type[DHondt] | type[SainteLague] | type[Hamilton], threshold: Fraction | None
) -> None:
    for open_ballots in (0, 5):
        bound = can_change(method(3, threshold), Tally((0, 0)), open_ballots, per_option_max=(0, 0))
        assert bound == Bound(False, True, None, None, "none")


def test_the_closest_quotients_bind() -> None:
    # The eighth quotient is 100,000 / 4 = 25,000, the ninth 80,000 / 4 and 20,000 / 1: list 3 is 5,000 votes away.
    bound = can_change(DHondt(8), FOUR_LISTS, 4_999)
    assert bound == Bound(False, True, 5_000, 1, "pair:0:3")
    assert decide(DHondt(8), FOUR_LISTS).margin == 5_000
    assert decide(DHondt(8), Tally((100_000, 80_000, 30_000, 25_000))).tied == (0, 3)


def test_votes_for_others_can_push_a_list_below_the_threshold() -> None:
    # 52 of 1,000: with 41 more for others it is 52 of 1,041, below one in twenty.
    rule, tally = DHondt(20, Fraction(1, 20)), Tally((500, 448, 52))
    assert can_change(rule, tally, 41) == Bound(True, True, 41, 0, "threshold:2")
    assert can_change(DHondt(20), tally, 41) == Bound(False, True, 48, 7, "pair:1:0")
    assert decide(rule, tally).seats == (10, 9, 1)
    assert decide(rule, Tally((500, 448 + 41, 52))).seats[2] == 0


def test_hamilton_votes_for_a_third_list_can_move_a_seat_between_two_others() -> None:
    assert decide(Hamilton(10), Tally((22, 14, 3))).seats == (6, 3, 1)
    assert decide(Hamilton(10), Tally((22, 14, 5))).seats == (5, 4, 1)
    only_the_third = (0, 0, None)
    assert can_change(Hamilton(10), Tally((22, 14, 3)), 2, per_option_max=only_the_third) == Bound(True, True, 1, -1, "pair:0:1")
    assert decide(Hamilton(10), Tally((22, 14, 4))).tied == (0, 1)


def test_hamilton_margin_is_the_distance_of_the_remainders() -> None:
    # Quotas 3.478, 2.783, 1.043, 0.696: seats left go to lists 1 and 3; .696 - .478 of a quota of 28,750 is 6,250.
    assert decide(Hamilton(8), FOUR_LISTS).margin == 6_250
    assert decide(Hamilton(2), Tally((50, 50))) == Outcome((0, 1), (1, 1), margin=None)


def test_hamilton_says_when_a_threshold_makes_its_bound_a_limit() -> None:
    # 20 votes for list 1, 4.505 quotas then, exchange a seat before list 2, which needs 43 more, can qualify.
    assert can_change(Hamilton(10, Fraction(1, 20)), Tally((555, 435, 10)), 5) == Bound(False, True, 20, 15, "pair:0:1")
    leaping = can_change(Hamilton(10, Fraction(1, 20)), Tally((500, 402, 49, 49)), 5)
    assert not leaping.exact
    assert leaping.changeable
    capped = can_change(Hamilton(10, Fraction(1, 20)), Tally((500, 402, 49, 49)), 5, per_option_max=(0, 0, 0, 0))
    assert not capped.changeable
