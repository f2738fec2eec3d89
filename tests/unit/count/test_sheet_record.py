"""Sheets of one station that state the same figures and name ballot records: when they repeat each other, and when not."""

from itertools import permutations

import pytest

from count_helpers import NOON, PRESIDENT, Ballots, make_election, rules_of, status_of
from scrutineer.count import Count, unit_result
from scrutineer.election import Contest
from scrutineer.statements import Figures

ONE, OTHER = b"1" * 32, b"2" * 32
FIGURES = Figures(counts=(48, 22, 10), blank=3, null=2, cast=85, voters=85, roll=100)


@pytest.fixture
def ballots() -> Ballots:
    """Decisions need one officer."""
    return Ballots(make_election())


def naming(ballots: Ballots, *records: bytes | None) -> list[bytes]:
    """Sheets of one station with equal figures, a second apart, that name these ballot records."""
    return [ballots.sheet("a1", records=named, time=NOON + place) for place, named in enumerate(records)]


def state(count: Count) -> tuple[str, tuple[str, ...]]:
    return status_of(count, "a1"), rules_of(count, "a1")


def test_equal_figures_from_other_ballot_records_contradict_each_other(ballots: Ballots) -> None:
    count = ballots.count(*naming(ballots, ONE, OTHER))
    assert state(count) == ("quarantined", ("conflict",))
    assert unit_result(count, 0, 0).votes == (0, 0, 0)
    assert [sheet.records for sheet in count.contests[0].sheets_of(0)] == [ONE, OTHER]


@pytest.mark.parametrize("records", [(ONE, ONE), (ONE, None), (None, ONE), (None, None), (None, ONE, ONE, None)])
def test_a_sheet_that_names_the_same_records_or_none_is_the_same_again(
    ballots: Ballots, records: tuple[bytes | None, ...]
) -> None:
    assert state(ballots.count(*naming(ballots, *records))) == ("counted", ("duplicate",))


@pytest.mark.parametrize("records", sorted(permutations([ONE, OTHER, b""])))
def test_a_sheet_without_records_does_not_hide_a_contradiction(ballots: Ballots, records: tuple[bytes, ...]) -> None:
    status, rules = state(ballots.count(*naming(ballots, *(named or None for named in records))))
    assert (status, "conflict" in rules) == ("quarantined", True)


def test_records_of_nothing_but_zeros_are_named_all_the_same(ballots: Ballots) -> None:
    assert state(ballots.count(*naming(ballots, bytes(32), ONE)))[0] == "quarantined"
    assert state(ballots.count(*naming(ballots, None, bytes(32), ONE)))[0] == "quarantined"


def test_a_decision_ends_the_contradiction_and_the_same_again_changes_nothing(ballots: Ballots) -> None:
    first, second = naming(ballots, ONE, OTHER)
    count = ballots.count(first, second, ballots.accept(second, "a1"))
    assert status_of(count, "a1") == "counted"
    for again in (ONE, OTHER, None):
        count.apply([ballots.sheet("a1", records=again, time=NOON + 60)])
        assert status_of(count, "a1") == "counted"
    count.apply([ballots.sheet("a1", records=b"3" * 32)])
    assert status_of(count, "a1") == "quarantined"


@pytest.mark.parametrize(("records", "status"), [(ONE, "counted"), (None, "counted"), (OTHER, "quarantined")])
def test_corrected_figures_stand_with_the_records_of_the_corrected_sheet(
    ballots: Ballots, records: bytes | None, status: str
) -> None:
    slip = ballots.sheet("a1", cast=84, records=ONE)
    count = ballots.count(slip, ballots.correct(slip, "a1", FIGURES), ballots.sheet("a1", (48, 22, 10), records=records))
    assert status_of(count, "a1") == status


def test_many_sheets_read_together_are_compared_as_single_ones_are(ballots: Ballots) -> None:
    sheets = naming(ballots, *[ONE] * 70, OTHER)
    together = ballots.count(*sheets)
    singly = Count(ballots.election)
    for sheet in sheets:
        singly.apply([sheet])
    assert state(together) == state(singly) == ("quarantined", ("conflict", "duplicate"))


def test_ranked_ballots_of_other_records_contradict_each_other() -> None:
    contest = Contest("warden", "Warden", "ranked", PRESIDENT.options)
    ballots = Ballots(make_election([contest]))
    one, again, other = (
        ballots.ranked("a1", {(0, 1): 5, (2,): 3}, records=named, time=NOON + place)
        for place, named in enumerate((ONE, ONE, OTHER))
    )
    assert state(ballots.count(one, again)) == ("counted", ("duplicate",))
    assert state(ballots.count(one, other)) == ("quarantined", ("conflict",))
