"""How many cards can lie in a box at most, how many have to be found, and what was reported: two numbers and their sources."""

from collections.abc import Mapping
from typing import Any

import pytest

from count_helpers import PRESIDENT, ROLL, STATIONS, Ballots, make_election
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.plan_reported import beyond_sheets, crowded, reported_totals, short_of_rolls
from scrutineer.count import Count
from scrutineer.election import Contest, Option
from scrutineer.errors import AuditError

COUNCIL = Contest("council", "Council", "plurality", PRESIDENT.options, seats=2, max_choices=2)
WARDEN = Contest("warden", "Warden", "ranked", (Option("heron", "Heron"), Option("wren", "Wren")))


def counted(
    *changes: tuple[str, Mapping[str, Any] | None], contests: tuple[Contest, ...] = (PRESIDENT,), **election: Any
) -> Count:
    """Every station of every contest with 85 cards (50, 20, 10, three blank, two null) but for changes; None: no sheet."""
    country = make_election(contests, **election)
    ballots, entries, given = Ballots(country), [], dict(changes)
    for station in STATIONS:
        for contest in contests:
            change = given.get(f"{station} {contest.id}", given.get(station, {}))
            if change is not None:
                entries.append(ballots.sheet(station, **{"contest": contest.id, **change}))
    count = Count(country)
    count.apply(entries)
    return count


def found(count: Count, manifest: Manifest | None = None) -> tuple[Mapping[str, int], Mapping[tuple[str, str], Any]]:
    own, totals = reported_totals(count, count.election.contests, manifest)
    return dict(zip(own.boxes, own.cards.tolist(), strict=True)), totals.rows


def listing(**cards: int) -> Manifest:
    return Manifest.of((dict.fromkeys(STATIONS, 85) | cards).items())


def test_without_a_manifest_a_box_has_at_most_as_many_cards_as_the_roll() -> None:
    """What a sheet admits has no part in it, however few it admits."""
    few = {"counts": (1, 0, 0), "blank": 0, "null": 0}
    most, rows = found(counted(("a1", few)))
    assert most == dict.fromkeys(STATIONS, ROLL)
    assert rows["a1", "president"] == (1, 0, (1, 0, 0))
    assert rows["a2", "president"] == (85, 5, (50, 20, 10))


def test_a_station_without_a_sheet_that_counts_has_reported_nothing() -> None:
    most, rows = found(counted(("b3", None)))
    assert (most["b3"], rows["b3", "president"]) == (ROLL, (0, 0, (0, 0, 0)))


def test_boxes_without_a_counted_sheet_that_a_manifest_makes_small() -> None:
    """Whoever says that nothing lies there has the outcome confirmed without them; of boxes with a sheet nothing is said."""
    count = counted(("b3", None), ("b2", None), ("a1", {"counts": (1, 0, 0), "blank": 0, "null": 0}))
    contests = count.election.contests
    assert short_of_rolls(count, contests, listing(b3=0, b2=ROLL - 7, a1=1)) == (2, ROLL + 7)
    assert short_of_rolls(count, contests, listing(b3=ROLL, b2=ROLL)) == (0, 0)
    assert short_of_rolls(count, contests, Manifest.of([("other", 9)])) == (0, 0)


@pytest.mark.parametrize(
    ("sheet", "cards"),
    [({"cast": 120, "voters": 120}, 120), ({"voters": 120}, 120), ({"counts": (90, 20, 10)}, 125), ({"voters": 99}, ROLL)],
)
def test_a_sheet_that_says_more_than_the_roll(sheet: Mapping[str, Any], cards: int) -> None:
    """It is in quarantine, and its box may have more cards than the roll all the same."""
    most, rows = found(counted(("a1", sheet)))
    assert most["a1"] == cards
    assert rows["a1", "president"] == ((85, 5, (50, 20, 10)) if cards == ROLL else (0, 0, (0, 0, 0)))


def test_people_who_voted_and_left_no_card_are_not_missing() -> None:
    most, rows = found(counted(("a1", {"voters": 90})))
    assert (most["a1"], rows["a1", "president"][0]) == (ROLL, 85)


@pytest.mark.parametrize(
    ("sheet", "cards"),
    [
        ({"cast": None}, 85),
        ({"cast": None, "blank": None}, 82),
        ({"cast": 86, "voters": 86}, 86),
    ],
)
def test_what_a_sheet_reports(sheet: Mapping[str, Any], cards: int) -> None:
    count = counted(("a1", sheet), rules={"sum": "warning"})
    assert count.contests[0].is_counted(0)
    assert found(count)[1]["a1", "president"][0] == cards


def test_a_card_that_marks_several_options_is_one_card() -> None:
    most, rows = found(counted(contests=(COUNCIL,)))
    assert (most["a1"], rows["a1", "council"]) == (ROLL, (85, 5, (50, 20, 10)))


def test_nobody_knows_the_roll() -> None:
    count = counted(rolls={"a2": None})
    with pytest.raises(AuditError, match=r"station 'a2': its roll is not known; give a manifest \(--manifest\), a list of boxes"):
        found(count)
    most, rows = found(count, listing())
    assert (most["a2"], rows["a2", "president"][0]) == (85, 85)


def test_cards_of_the_manifest_beyond_every_sheet_have_to_be_found_too() -> None:
    """They stand in no result; with two contests on papers of their own a box has not to have all cards of the other."""
    contests = (PRESIDENT, COUNCIL)
    count = counted(("a1 council", {"counts": (40, 20, 10)}), ("b3 council", None), contests=contests)
    most, rows = found(count, listing(a1=92))
    assert most == {**dict.fromkeys(STATIONS, 85), "a1": 92}
    assert (rows["a1", "president"][0], rows["a1", "council"][0]) == (92, 82)
    assert (rows["a2", "president"][0], rows["a2", "council"][0]) == (85, 85)
    assert rows["b3", "council"] == (85, 0, (0, 0, 0))
    assert beyond_sheets(count, contests, listing(a1=92)) == (1, 7)
    assert beyond_sheets(count, contests, listing()) == (0, 0)


def test_a_manifest_with_fewer_cards_than_a_sheet_reports() -> None:
    count = counted(("b1", {"cast": 87, "voters": 87}), rules={"sum": "warning"})
    manifest = listing(a1=84, a2=99)
    told = [each.text() for each in crowded(count, count.election.contests, manifest)]
    assert [each[:70] for each in told] == [
        "box 'a1': 85 cards of contest 'president' are published, and the manif",
        "box 'b1': 87 cards of contest 'president' are published, and the manif",
    ]
    with pytest.raises(AuditError, match="85 cards of contest 'president' are published, and the manifest has 84; count"):
        found(count, manifest)
    assert crowded(count, count.election.contests, listing(b1=87)) == ()
    # Boxes that are no stations are held against nothing: nobody published what lies in them.
    assert crowded(count, count.election.contests, Manifest.of([("cellar", 1)])) == ()


def test_a_ranked_contest_has_no_totals_and_its_boxes_are_held_against_the_manifest() -> None:
    country = make_election((WARDEN,))
    ballots = Ballots(country)
    count = Count(country)
    count.apply([ballots.ranked(station, {(0, 1): 50, (1,): 20}) for station in STATIONS])
    with pytest.raises(AuditError, match="is ranked: totals of boxes do not say who is elected"):
        reported_totals(count, country.contests, None)
    (few,) = crowded(count, country.contests, listing(b2=69))
    assert (few.box, few.manifest, few.published) == ("b2", 69, 70)
