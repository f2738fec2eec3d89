"""Summaries merge to the same bytes however the lines were divided."""

import itertools
import random

import pytest
from gmpy2 import mpz

from ballot_equations import honest_ballots
from ballot_helpers import SMALL, every_contest, one_contest, one_hand, seeded
from scrutineer.ballots.failures import MAX_FAILURES, CheckFailure
from scrutineer.ballots.group import STANDARD
from scrutineer.ballots.record import encode_line
from scrutineer.ballots.summary import InputDigest, Summary, SummaryMaker, merge, read_summary
from scrutineer.errors import BallotError

KEYS = one_hand(every_contest()).keys
BALLOTS = [*honest_ballots(KEYS, 6, seeded("summary")), *honest_ballots(KEYS, 6, seeded("short"), style=2)]


def summary_of(places: list[int], failures: int = 0) -> Summary:
    maker = SummaryMaker(KEYS)
    for place in places:
        ballot = BALLOTS[place % len(BALLOTS)]
        maker.add_line(place, encode_line(ballot))
        maker.add_status(ballot.status)
        if ballot.status == "cast":
            for contest in ballot.contests:
                maker.add_cast(contest.contest, contest.selections)
        maker.add_failures(place, [CheckFailure("6.D", f"ballot {place}", f"finding {number}") for number in range(failures)])
    return maker.summary()


def test_what_a_summary_says() -> None:
    whole = summary_of(list(range(12)))
    assert whole.lines == 12
    assert dict(whole.statuses) == {"cast": 6, "challenged": 2, "provisional": 2, "spoiled": 2}
    assert whole.count("cast") == 6
    assert whole.count("uncast") == 0
    assert [product.contest for product in whole.products] == [1, 2, 3, 4, 5]
    for product in whole.products:
        for field, aggregate in enumerate(product.fields):
            for part in ("alpha", "beta"):
                expected = mpz(1)
                for ballot in BALLOTS:
                    for contest in ballot.contests:
                        if ballot.status == "cast" and contest.contest == product.contest:
                            expected = expected * SMALL.element(getattr(contest.selections[field], part)) % SMALL.p
                assert getattr(aggregate, part) == SMALL.element_bytes(expected)


def test_every_division_and_order_gives_the_same_bytes() -> None:
    whole = summary_of(list(range(30)), failures=2).encode()
    choice = random.Random(4)
    for _ in range(10):
        cuts = [0, *sorted(choice.sample(range(1, 30), 4)), 30]
        parts = [summary_of(list(range(start, end)), failures=2) for start, end in itertools.pairwise(cuts)]
        choice.shuffle(parts)
        assert merge(KEYS, parts).encode() == whole
        left = merge(KEYS, [merge(KEYS, parts[:2]), merge(KEYS, parts[2:])])
        right = merge(KEYS, [parts[0], merge(KEYS, [parts[1], merge(KEYS, parts[2:])])])
        assert left.encode() == right.encode() == whole


def test_nothing_is_neutral() -> None:
    one = summary_of([3], failures=1)
    assert merge(KEYS, [one, SummaryMaker(KEYS).summary()]) == one
    assert merge(KEYS, []).lines == 0


def test_reading_what_was_written() -> None:
    one = summary_of(list(range(12)), failures=1)
    assert read_summary(one.encode()) == one
    for data in (b"", b"{}", b"[]", one.encode()[:-1], one.encode().replace(b'"lines"', b'"rows"')):
        with pytest.raises(BallotError):
            read_summary(data)


def test_failures_are_bounded_and_those_of_the_first_lines_are_kept() -> None:
    parts = [summary_of([place], failures=300) for place in (9, 2, 7, 1, 5)]
    for order in itertools.permutations(parts):
        found = merge(KEYS, order)
        assert found.failed == 1500
        assert len(found.failures) == MAX_FAILURES
        assert [failure.line for failure in found.failures] == [1] * 300 + [2] * 300 + [5] * 300 + [7] * 100
    assert found.failures[0].failure() == CheckFailure("6.D", "ballot 1", "finding 0")


def test_the_digest_depends_on_every_line_and_its_number_and_not_on_their_order() -> None:
    def digest(*lines: tuple[int, bytes]) -> bytes:
        maker = SummaryMaker(KEYS)
        for number, line in lines:
            maker.add_line(number, line)
        return maker.summary().digest

    one = digest((1, b"a"), (2, b"b"))
    assert one == digest((2, b"b"), (1, b"a"))
    others = [
        digest((1, b"b"), (2, b"a")),
        digest((1, b"a")),
        digest((1, b"a"), (2, b"b"), (2, b"b")),
        digest(),
        digest((1, b"ab")),
    ]
    assert len({one, *others}) == 6


def test_the_digest_is_the_same_in_both_groups_of_one_size() -> None:
    for group in (SMALL, STANDARD):
        first, second = InputDigest(group), InputDigest(group)
        first.add(1, b"a")
        second.add(1, b"a")
        assert first.product == second.product
        assert len(first.product) == group.element_size


def test_a_ballot_that_is_not_of_its_form_enters_no_product() -> None:
    maker = SummaryMaker(KEYS)
    selections = BALLOTS[0].contests[0].selections
    maker.add_cast(9, selections)
    maker.add_cast(0, selections)
    maker.add_cast(1, selections[:-1])
    assert maker.summary().products == ()


def test_summaries_of_other_keys_are_refused() -> None:
    other = one_hand(one_contest(), STANDARD).keys
    with pytest.raises(BallotError, match="other keys"):
        merge(other, [summary_of([1])])
    same_size = one_hand(one_contest()).keys
    maker = SummaryMaker(same_size)
    maker.merge(summary_of([0]))
    with pytest.raises(BallotError, match="another manifest"):
        maker.merge(SummaryMakerOfOne().summary())


class SummaryMakerOfOne(SummaryMaker):
    """A summary of an election with another first contest."""

    def __init__(self) -> None:
        keys = one_hand(one_contest(2)).keys
        super().__init__(keys)
        for contest in honest_ballots(keys, 1, seeded("one"))[0].contests:
            self.add_cast(contest.contest, contest.selections)
