"""An announcement against a record: bounds as exhaustive search gives them, and statements that say what is compared."""

import itertools
import random
from typing import Any

import numpy as np
import pytest

from scrutineer.calls.claims.announcement import Announcement, Figure
from scrutineer.calls.claims.percent import Percent
from scrutineer.calls.claims.record import Record, against
from scrutineer.calls.partial import PartialCount
from scrutineer.election import Contest, Option
from scrutineer.errors import CallError

CONTEST = Contest("president", "President", "plurality", (Option("heron", "Grey Heron"), Option("owl", "Tawny Owl")))


def partial(votes: list[tuple[int, ...] | None], capacity: list[int], others: list[int] | None = None) -> PartialCount:
    """Stations in order; None for one that is open."""
    counted = np.array([row is not None for row in votes])
    k = max((len(row) for row in votes if row is not None), default=2)
    arrival = np.where(counted, np.cumsum(counted) - 1, -1)
    return PartialCount(
        tuple(f"c{number}" for number in range(k)),
        np.array([row or (0,) * k for row in votes], dtype=np.int64).reshape(len(votes), k),
        np.array(others or [0] * len(votes), dtype=np.int64),
        counted,
        ~counted,
        arrival.astype(np.int64),
        np.array(capacity, dtype=np.int64),
        np.zeros(len(votes), dtype=np.int32),
        ("all",),
    )


def record(votes: list[tuple[int, ...] | None], capacity: list[int], *, complete: bool = True) -> Record:
    return Record.of_contest(partial(votes, capacity), CONTEST, "The Aviary Gazette", complete=complete)


def announced(heron: int | None, owl: int | None, **fields: Any) -> Announcement:
    figures = [Figure("Grey Heron", heron)] if heron is not None else []
    figures += [Figure("owl", owl)] if owl is not None else []
    return Announcement("The Commission", "at night", "radio", "president", tuple(figures), **fields)


def test_bounds_are_those_of_exhaustive_search() -> None:
    draw = random.Random(20260607)
    for _ in range(300):
        n = draw.randint(1, 5)
        capacity = [draw.randint(0, 4) for _ in range(n)]
        votes: list[tuple[int, ...] | None] = []
        for size in capacity:
            a = draw.randint(0, size)
            votes.append((a, draw.randint(0, size - a)) if draw.random() < 0.6 else None)
        size = draw.randint(0, n)
        answer = against(announced(1, 0, stations=n, stations_counted=size), record(votes, capacity))
        fills = [
            [row] if row is not None else [(a, b) for a in range(c + 1) for b in range(c + 1 - a)]
            for row, c in zip(votes, capacity, strict=True)
        ]
        reached: dict[str, list[int]] = {"option": [], "total": [], "lead": []}
        for chosen in itertools.combinations(range(n), size):
            for rows in itertools.product(*(fills[at] for at in chosen)):
                a, b = (sum(row[column] for row in rows) for column in (0, 1))
                for kind, value in (("option", a), ("total", a + b), ("lead", a - b)):
                    reached[kind].append(value)
        for row in answer.compared:
            if row.name != "owl":
                assert (row.low, row.high) == (min(reached[row.kind]), max(reached[row.kind])), (votes, capacity, size, row)


def test_what_is_true_never_contradicts_the_record() -> None:
    draw = random.Random(7)
    for _ in range(500):
        n = draw.randint(1, 30)
        capacity = [draw.randint(1, 500) for _ in range(n)]
        truth = []
        for size in capacity:
            a = draw.randint(0, size)
            truth.append((a, draw.randint(0, size - a)))
        listed = draw.sample(range(n), draw.randint(1, n))
        votes = [truth[at] if draw.random() < 0.8 else None for at in listed]
        rolls = [capacity[at] if row is None or draw.random() < 0.5 else -1 for at, row in zip(listed, votes, strict=True)]
        included = draw.sample(range(n), draw.randint(0, n))
        fields: dict[str, Any] = {"stations": n} if draw.random() < 0.8 else {}
        if draw.random() < 0.7:
            fields["roll"] = sum(capacity)
        if draw.random() < 0.8:
            share = len(included) * 100 // n
            fields["counted_percent"] = Percent(str(share))
            if draw.random() < 0.5:
                fields["stations_counted"] = len(included)
        elif len(included) < n:
            included = list(range(n))
        if fields.get("counted_percent") == Percent("100") and len(included) < n:
            continue
        a, b = (sum(truth[at][column] for at in included) for column in (0, 1))
        answer = against(announced(a, b, **fields), record(votes, rolls, complete=False))
        assert answer.fits is not False, (answer, truth)
        for row in answer.compared:
            if row.needed is not None:
                assert row.needed[0] <= row.needed[1]
                assert row.needed[1] >= 0


def test_every_outstanding_vote_is_not_enough() -> None:
    answer = against(announced(400, 90), record([(100, 50), (80, 20), None], [200, 150, 180]))
    assert answer.fits is False
    assert answer.statement == (
        "The announced totals and these 2 published sheets cannot both be right: even if every outstanding station had voted "
        "entirely for Grey Heron, Grey Heron could have at most 360, which is 40 fewer than the 400 announced."
    )


def test_more_is_counted_than_was_announced() -> None:
    answer = against(announced(100, 90, counted_percent=Percent("100")), record([(100, 50), (80, 20), None], [200, 150, 180]))
    assert answer.fits is False
    assert answer.statement == (
        "The announced totals and these 2 published sheets cannot both be right: even if no outstanding station had a vote for "
        "Grey Heron, Grey Heron could have at least 180, which is 80 more than the 100 announced."
    )


def test_without_the_share_counted_more_is_a_condition() -> None:
    answer = against(announced(100, 90), record([(100, 50), (80, 20), None], [200, 150, 180]))
    assert answer.fits is None
    assert answer.statement.startswith("If the announcement is of all stations: The announced totals and these 2 published")
    assert "The announcement does not say how much of the count it is of, so that it may leave sheets out." in answer.notes


def test_an_earlier_moment_may_leave_sheets_out() -> None:
    sheets: list[tuple[int, ...] | None] = [(100, 50), (80, 20), (10, 60), None]
    answer = against(announced(100, 60, stations_counted=2), record(sheets, [200] * 4))
    assert answer.fits is True
    assert answer.moment.left_out == (2, 2)
    assert "2 sheets, an earlier moment: at least 1 sheet fewer" in answer.explained
    later = against(announced(150, 100, stations_counted=3, stations=4), record(sheets, [200] * 4))
    assert later.fits is True
    again = against(announced(5, 100, stations_counted=3, stations=4), record(sheets, [200] * 4))
    assert again.fits is False
    assert (
        "even if the 1 sheet that the announcement may leave out was that with the most votes for Grey Heron" in again.statement
    )


def test_what_the_outstanding_would_have_to_hold() -> None:
    answer = against(announced(230, 120, counted_percent=Percent("100")), record([(100, 50), (80, 20), None], [200, 150, 180]))
    assert answer.fits is True
    assert answer.statement == (
        "The announced totals and these 2 published sheets are compatible: the sheets outside the record would have to hold "
        "50 for Grey Heron (50.00%), 50 for owl (50.00%)."
    )


def test_the_final_count_to_the_vote() -> None:
    answer = against(announced(180, 70, valid=250), record([(100, 50), (80, 20)], [200, 150]))
    assert answer.fits is True
    assert [row.difference for row in answer.compared] == [0, 0, 0, 0]
    wrong = against(announced(181, 70), record([(100, 50), (80, 20)], [200, 150]))
    assert wrong.fits is False
    assert "Grey Heron has 180, which is 1 fewer than the 181 announced." in wrong.statement


def test_unknown_rolls_make_the_answer_partial() -> None:
    answer = against(announced(10_000, 90), record([(100, 50), None], [200, -1]))
    assert answer.fits is None
    assert any("the answer is partial" in note for note in answer.notes)
    bounded = against(announced(10_000, 90, roll=1_000), record([(100, 50), None], [200, -1]))
    assert bounded.fits is False
    assert any("hold at most 800 voters together, if the announced roll of 1,000 is right" in note for note in bounded.notes)


def test_stations_outside_a_published_set() -> None:
    published = record([(100, 50), (80, 20)], [200, 150], complete=False)
    assert against(announced(300, 90), published).fits is None
    assert against(announced(300, 90, stations=3, roll=500), published).fits is True
    beyond = against(announced(400, 90, stations=3, roll=500), published)
    assert beyond.fits is False
    assert "could have at most 330, which is 70 fewer than the 400 announced" in beyond.statement
    small = against(announced(400, 90, stations=3, roll=300), published)
    assert small.fits is None
    assert any("is smaller than that of the record's stations" in note for note in small.notes)


def test_others_are_all_that_is_not_listed() -> None:
    contest = Contest("p", "P", "plurality", tuple(Option(name, name.title()) for name in ("heron", "owl", "ibis")))
    own = Record.of_contest(partial([(5, 3, 2), (1, 1, 1)], [10, 10]), contest, "x", complete=True)
    rest = Announcement("a", "b", "c", "p", (Figure("HERON", 6), Figure("others", 7, others=True)))
    answer = against(rest, own)
    assert answer.fits is True
    assert {row.name: row.counted for row in answer.compared} == {"HERON": 6, "others": 7, "the listed options together": 13}


def test_what_cannot_be_compared_is_said() -> None:
    own = record([(100, 50)], [200])
    mixed = Announcement("a", "b", "c", "p", (Figure("heron", 100), Figure("Somebody", 5), Figure("owl", None, Percent("10"))))
    answer = against(mixed, own)
    assert "Not compared, because the record names no such option: Somebody." in answer.notes
    assert any("by percentage alone" in note for note in answer.notes)
    with pytest.raises(CallError, match="name the options as it does"):
        against(Announcement("a", "b", "c", "p", (Figure("Somebody", 5),)), own)
    with pytest.raises(CallError, match="the same option"):
        against(Announcement("a", "b", "c", "p", (Figure("heron", 5), Figure("Grey Heron", 6))), own)


def test_ranked_contests_are_not_compared() -> None:
    contest = Contest("p", "P", "ranked", (Option("heron", "Heron"), Option("owl", "Owl")))
    with pytest.raises(CallError, match="ranked"):
        Record.of_contest(partial([(1, 2)], [5]), contest, "x", complete=True)


def test_the_candidate_of_an_alliance_is_found_by_its_own_id_alone() -> None:
    options = (Option("h1", "Heron (Lakes)", "heron"), Option("h2", "Heron (Rivers)", "heron"), Option("owl", "Owl"))
    from scrutineer.election import Candidate

    contest = Contest("p", "P", "plurality", options, candidates=(Candidate("heron", "Heron"),))
    own = Record.of_contest(partial([(3, 2)], [5]), contest, "x", complete=True)
    assert own.find(Figure("heron", 1)) == 0
    assert own.find(Figure("x", 1, option="owl")) == 1
    assert own.find(Figure("Heron (Lakes)", 1)) is None
