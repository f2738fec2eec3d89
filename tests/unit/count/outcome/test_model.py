"""What a tally refuses, and what it counts."""

from collections.abc import Callable
from fractions import Fraction

import pytest

from scrutineer.count.outcome import (
    Approval,
    DHondt,
    Hamilton,
    InstantRunoff,
    Majority,
    Outcome,
    Plurality,
    RankedTally,
    SainteLague,
    Tally,
    YesNo,
    can_change,
    decide,
)
from scrutineer.errors import CountError


def test_ballots_valid_and_cast() -> None:
    tally = Tally((5, 3), blank=2, null=1)
    assert (tally.valid, tally.cast) == (8, 11)
    several = Tally((5, 4), blank=2, null=1, ballots=6)
    assert (several.valid, several.cast) == (6, 9)
    ranked = RankedTally(2, (((0, 1), 4), ((1,), 3)), blank=1, null=2)
    assert (ranked.valid, ranked.cast) == (7, 10)


BAD: dict[str, tuple[Callable[[], object], str]] = {
    "no options": (lambda: Tally(()), "1 to 10000 options, got 0"),
    "too many options": (lambda: Tally((0,) * 10_001), "got 10001"),
    "negative votes": (lambda: Tally((3, -1)), "votes of option 1: -1 is below zero"),
    "votes as a float": (lambda: Tally((3.0,)), "expected an integer, got 3.0"),  # type: ignore[arg-type]
    "votes as a truth value": (lambda: Tally((True,)), "expected an integer, got True"),
    "negative blank": (lambda: Tally((3,), blank=-1), "blank ballots: -1"),
    "negative null": (lambda: Tally((3,), null=-2), "null ballots: -2"),
    "negative ballots": (lambda: Tally((0,), ballots=-2), "valid ballots: -2"),
    "more votes for one option than ballots": (lambda: Tally((2, 7), ballots=6), "option 1 has 7 votes on 6"),
    "ballots without votes": (lambda: Tally((2, 2), ballots=6), "6 valid ballots bear only 4 votes"),
    "ranked without options": (lambda: RankedTally(0, ()), "1 to 200 options, got 0"),
    "ranked with too many options": (lambda: RankedTally(201, ()), "1 to 200 options, got 201"),
    "empty ranking": (lambda: RankedTally(2, (((), 3),)), "ranking 0 ranks nobody"),
    "option twice in a ranking": (lambda: RankedTally(2, (((0,), 1), ((1, 1), 3))), "ranking 1 names an option twice"),
    "unknown option in a ranking": (lambda: RankedTally(2, (((2,), 3),)), "not one of 0 to 1"),
    "negative option in a ranking": (lambda: RankedTally(2, (((-1,), 3),)), "not one of 0 to 1"),
    "negative ranking count": (lambda: RankedTally(2, (((0,), -3),)), "ballots of ranking 0: -3"),
    "no seats": (lambda: Plurality(0), "seats: 0 is not from 1 to 10000"),
    "no approval seats": (lambda: Approval(0), "seats: 0"),
    "too many seats": (lambda: DHondt(10_001), "seats: 10001"),
    "seats as a float": (lambda: Hamilton(2.0), "seats: expected an integer"),  # type: ignore[arg-type]
    "no choices": (lambda: Plurality(1, 0), "at least 1 choice"),
    "threshold of one": (lambda: Majority(Fraction(1)), "threshold of a majority: 1 is not strictly"),
    "threshold as a float": (lambda: YesNo(0.5), "write one half as Fraction"),  # type: ignore[arg-type]
    "threshold of a list": (lambda: SainteLague(3, Fraction(0)), "threshold of a list: 0"),
    "threshold of a Hamilton list": (lambda: Hamilton(3, Fraction(3, 2)), "threshold of a list: 3/2"),
    "share above one": (lambda: Majority(alternative=(Fraction(2), Fraction(1, 10))), "share of the alternative"),
    "lead of zero": (lambda: Majority(alternative=(Fraction(2, 5), Fraction(0))), "lead of the alternative"),
    "unknown base": (lambda: Majority(base="all"), "'all' is not 'valid' or 'cast'"),  # type: ignore[arg-type]
    "first divisor below one": (lambda: SainteLague(3, None, Fraction(1, 2)), "first divisor"),
    "first divisor as an integer": (lambda: SainteLague(3, None, 1), "first divisor"),  # type: ignore[arg-type]
    "three options in a question": (lambda: decide(YesNo(), Tally((1, 2, 3))), "the tally has 3"),
    "several votes in a plurality": (lambda: decide(Plurality(), Tally((5, 4), ballots=6)), "each ballot bears one"),
    "too many votes on the ballots": (
        lambda: decide(Plurality(2, 2), Tally((5, 5, 5), ballots=6)),
        "15 votes on 6 valid ballots, but each ballot bears at most 2",
    ),
    "several votes in a majority": (lambda: decide(Majority(), Tally((5, 4), ballots=6)), "majority: 9 votes"),
    "several votes in a question": (lambda: decide(YesNo(), Tally((5, 4), ballots=6)), "yes/no question: 9 votes"),
    "several votes for lists": (lambda: decide(DHondt(2), Tally((5, 4), ballots=6)), "party list: 9 votes"),
    "several votes for Hamilton": (lambda: decide(Hamilton(2), Tally((5, 4), ballots=6)), "party list: 9 votes"),
    "rankings for a plurality": (lambda: decide(Plurality(), RankedTally(1, ())), "Plurality is decided from votes"),
    "votes for a ranked contest": (lambda: decide(InstantRunoff(), Tally((1,))), "give a RankedTally"),
    "votes for a ranked bound": (lambda: can_change(InstantRunoff(), Tally((1,)), 3), "give a RankedTally"),
    "rankings for a bound": (lambda: can_change(DHondt(1), RankedTally(1, ()), 3), "DHondt is decided from votes"),
    "negative open ballots": (lambda: can_change(Plurality(), Tally((1,)), -1), "open ballots: -1"),
    "caps of another length": (
        lambda: can_change(Plurality(), Tally((1, 2)), 1, per_option_max=(1,)),
        "expected 2 entries, one per option, got 1",
    ),
    "negative cap": (
        lambda: can_change(Plurality(), Tally((1, 2)), 1, per_option_max=(None, -1)),
        "most further votes of option 1: -1",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_refuses(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(CountError) as refusal:
        make()
    assert message in str(refusal.value)


def test_the_decision_ignores_order_and_figures() -> None:
    assert Outcome(elected=(0, 1), margin=3).decision == Outcome(elected=(1, 0), margin=9).decision
    assert Outcome(elected=(0,)).decision != Outcome(runoff=(0,)).decision
    assert Outcome(tied=(0, 1), open_seats=1).decision != Outcome(tied=(0, 1), open_seats=2).decision
