"""What every rule promises for every tally, and the rules against slower ways of stating them."""

from collections import Counter
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from scrutineer.count.outcome import (
    Approval,
    DHondt,
    Hamilton,
    InstantRunoff,
    Majority,
    Plurality,
    RankedTally,
    Rule,
    SainteLague,
    Tally,
    can_change,
    decide,
)

UNTIMED = settings(deadline=None)
VOTES = st.lists(st.integers(0, 40) | st.integers(0, 10**9), min_size=1, max_size=8).map(tuple)
SEATS = st.integers(1, 30)
RULES = st.one_of(
    st.builds(Plurality, SEATS),
    st.builds(Approval, SEATS),
    st.builds(Majority, st.just(Fraction(1, 2)), st.none() | st.just((Fraction(2, 5), Fraction(1, 10)))),
    st.builds(DHondt, SEATS, st.none() | st.just(Fraction(1, 20))),
    st.builds(SainteLague, SEATS, st.none() | st.just(Fraction(1, 20)), st.sampled_from([Fraction(1), Fraction(7, 5)])),
    st.builds(Hamilton, SEATS, st.none() | st.just(Fraction(1, 20))),
)
DIVISOR_METHODS = st.sampled_from([DHondt, SainteLague])
RANKINGS = st.integers(2, 5).flatmap(
    lambda options: st.builds(
        RankedTally,
        st.just(options),
        st.lists(
            st.tuples(
                st.permutations(range(options)).flatmap(
                    lambda order: st.integers(1, len(order)).map(lambda size: tuple(order[:size]))
                ),
                st.integers(0, 6),
            ),
            max_size=8,
        ).map(tuple),
    )
)


@UNTIMED
@given(RULES, VOTES, st.randoms(use_true_random=False))
def test_names_and_order_of_options_do_not_matter(rule: Rule, votes: tuple[int, ...], random) -> None:  # type: ignore[no-untyped-def]
    new = list(range(len(votes)))
    random.shuffle(new)
    moved = [0] * len(votes)
    for old, own in enumerate(votes):
        moved[new[old]] = own
    before, after = decide(rule, Tally(votes)), decide(rule, Tally(tuple(moved)))
    for name in ("elected", "runoff", "tied"):
        assert {new[option] for option in getattr(before, name)} == set(getattr(after, name))
    if before.seats:
        assert all(after.seats[new[option]] == seats for option, seats in enumerate(before.seats))
    assert (before.open_seats, before.margin) == (after.open_seats, after.margin)
    bounds = [can_change(rule, Tally(given), 7) for given in (votes, tuple(moved))]
    assert bounds[0].margin == bounds[1].margin


@UNTIMED
@given(RULES, VOTES)
def test_every_place_is_filled_or_open(rule: Rule, votes: tuple[int, ...]) -> None:
    outcome = decide(rule, Tally(votes))
    assert (outcome.open_seats > 0) == bool(outcome.tied)
    assert outcome.open_seats == 0 or outcome.margin == 0
    if isinstance(rule, Majority):
        places = len(outcome.elected) or len(outcome.runoff)
        winner = bool(outcome.elected) or (outcome.open_seats == 1 and not outcome.runoff)
        assert places + outcome.open_seats == (1 if winner else min(2, len(votes)))
    elif isinstance(rule, DHondt | SainteLague | Hamilton):
        if not any(outcome.seats) and not outcome.tied:
            assert all(20 * own < sum(votes) for own in votes)
            return
        assert sum(outcome.seats) + outcome.open_seats == rule.seats
        assert set(outcome.elected) == {option for option, seats in enumerate(outcome.seats) if seats}
    else:
        assert isinstance(rule, Plurality | Approval)
        assert len(outcome.elected) + outcome.open_seats == min(rule.seats, len(votes))
        assert len(outcome.tied) > outcome.open_seats or not outcome.tied


@UNTIMED
@given(VOTES, SEATS, st.sampled_from([Fraction(1), Fraction(7, 5), Fraction(5, 2), None]))
def test_divisor_methods_take_the_largest_quotients(votes: tuple[int, ...], seats: int, first: Fraction | None) -> None:
    rule = DHondt(seats) if first is None else SainteLague(seats, None, first)
    outcome = decide(rule, Tally(votes))
    quotients = sorted(
        ((Fraction(own) / rule.divisor(seat), option) for option, own in enumerate(votes) for seat in range(seats)),
        reverse=True,
    )
    last = quotients[seats - 1][0]
    level = [option for quotient, option in quotients if quotient == last]
    certain = Counter(option for quotient, option in quotients if quotient > last)
    if len(set(level)) > 1 and certain.total() + len(level) > seats:
        assert outcome.tied == tuple(sorted(set(level)))
    else:
        assert not outcome.tied
        certain = Counter(option for _, option in quotients[:seats])
    assert outcome.seats == tuple(certain[option] for option in range(len(votes)))


@UNTIMED
@given(DIVISOR_METHODS, VOTES, SEATS)
def test_divisor_methods_are_house_monotone(method: type[DHondt] | type[SainteLague], votes: tuple[int, ...], seats: int) -> None:
    smaller, larger = (decide(method(size), Tally(votes)) for size in (seats, seats + 1))
    assert all(less <= more for less, more in zip(smaller.seats, larger.seats, strict=True) if not larger.tied)


@UNTIMED
@given(VOTES.filter(any), SEATS)
def test_hamilton_stays_within_quota_and_dhondt_above_its_floor(votes: tuple[int, ...], seats: int) -> None:
    hamilton, dhondt = decide(Hamilton(seats), Tally(votes)), decide(DHondt(seats), Tally(votes))
    for option, own in enumerate(votes):
        lower, upper = own * seats // sum(votes), -(-own * seats // sum(votes))
        most = hamilton.seats[option] + (option in hamilton.tied)
        assert lower <= hamilton.seats[option] <= most <= upper
        assert lower <= dhondt.seats[option] + (option in dhondt.tied)


def winners_of_all_orders(tally: RankedTally, inside: frozenset[int]) -> frozenset[int]:
    """The instant run-off in its plainest form: whoever is last leaves, in every possible order."""
    if len(inside) == 1:
        return inside
    votes = dict.fromkeys(inside, 0)
    for ranking, ballots in tally.rankings:
        first = next((option for option in ranking if option in inside), None)
        if first is not None:
            votes[first] += ballots
    last = [option for option in inside if votes[option] == min(votes.values())]
    return frozenset().union(*(winners_of_all_orders(tally, inside - {option}) for option in last))


@UNTIMED
@given(RANKINGS)
def test_instant_runoff_elects_who_wins_in_every_order(tally: RankedTally) -> None:
    outcome = decide(InstantRunoff(), tally)
    winners = winners_of_all_orders(tally, frozenset(range(tally.options)))
    assert set(outcome.elected or outcome.tied) == winners
    assert bool(outcome.elected) == (len(winners) == 1)
    for shown in outcome.rounds:
        assert sum(votes for votes in shown.votes if votes is not None) + shown.exhausted == tally.valid


@UNTIMED
@given(RULES, VOTES, st.integers(0, 50))
def test_more_open_ballots_never_settle_a_contest(rule: Rule, votes: tuple[int, ...], ballots: int) -> None:
    fewer, more = (can_change(rule, Tally(votes), number) for number in (ballots, ballots + 1))
    assert more.changeable or not fewer.changeable
    assert not can_change(rule, Tally(votes), 0).changeable
    if fewer.slack is not None:
        assert fewer.changeable == (fewer.slack <= 0)
