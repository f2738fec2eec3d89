"""A call that is kept up to date is the call that is made from scratch, after every sheet of random nights."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from scrutineer.calls import PartialCount, make_call
from scrutineer.calls.call import NEVER, Call
from scrutineer.calls.partial import Rankings
from scrutineer.calls.watch import MAX_KEPT, Watch
from scrutineer.election import UNKNOWN, Alternative, Contest, Option
from scrutineer.election.call_settings import CallSettings
from scrutineer.errors import CallError

BIRDS = ("avocet", "bittern", "curlew", "dunlin")
RULES: tuple[dict[str, Any], ...] = (
    {"rule": "plurality"},
    {"rule": "plurality", "recount": "0.5 %"},
    {"rule": "approval", "max_choices": 2},
    {"rule": "majority", "threshold": "1/2"},
    {"rule": "majority", "threshold": "1/2", "base": "cast"},
    {"rule": "majority", "threshold": "1/2", "alternative": Alternative(share="40 %", lead="10 %")},
    {"rule": "dhondt", "seats": 5, "threshold": "5 %"},
)


def night(rng: np.random.Generator, rule: dict[str, Any]) -> tuple[Contest, PartialCount, CallSettings]:
    """The end of a night: every station that takes part is counted."""
    k, strata = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    n = int(rng.integers(60, 180))
    contest = Contest(id="c", title="C", options=tuple(Option(bird, bird) for bird in BIRDS[:k]), **rule)
    shares = rng.dirichlet(np.full(k, 3.0)) * np.exp(rng.normal(0, 0.3, (n, k)))
    capacity = rng.integers(1, int(rng.choice([5, 400, 1 << 31])), n)
    used = capacity * rng.uniform(0.4, 1.0, n)
    votes = np.floor(shares / shares.sum(axis=1, keepdims=True) * used[:, np.newaxis]).astype(np.int64)
    others = rng.binomial(1, 0.5, n)
    if rng.random() < 0.5:
        others[:] = np.minimum(others, capacity - votes.sum(axis=1))
    empty = rng.random(n) < rng.choice([0, 0.1])
    votes[empty], others[empty], capacity[empty] = 0, 0, 0
    capacity[rng.random(n) < rng.choice([0, 0, 0.02, 1])] = UNKNOWN
    if rng.random() < 0.3:
        capacity = np.where(rng.random(n) < 0.1, capacity // 2, capacity)  # Sheets beyond what their stations can hold.
    counted = rng.random(n) < 0.95
    arrival = np.full(n, -1, dtype=np.int64)
    arrival[counted] = rng.permutation(int(counted.sum()))
    partial = PartialCount(
        candidates=BIRDS[:k],
        votes=np.where(counted[:, np.newaxis], votes, 0),
        others=np.where(counted, others, 0),
        counted=counted,
        open=np.zeros(n, dtype=np.bool_),
        arrival=arrival,
        capacity=capacity,
        stratum=rng.integers(0, strata, n).astype(np.int32),
        strata=tuple(f"s{number}" for number in range(strata)),
        previous=rng.permuted(votes, axis=0) if rng.random() < 0.4 else None,
        ordered=bool(rng.random() < 0.9),
    )
    return contest, partial, CallSettings(gamma=str(rng.choice(["1", "1.5", "3"])))


@pytest.mark.parametrize("number", range(len(RULES)))
def test_every_sheet_of_a_night_gives_the_call_from_scratch(number: int) -> None:
    met: Counter[str] = Counter()
    for seed in range(4):
        contest, end, settings = night(np.random.default_rng([number, seed]), RULES[number])
        order = end.in_order().tolist()
        watch = Watch(contest, end.first(20), settings, committed=True)
        for place, row in enumerate(order[20:], start=21):
            made = watch.add(row, tuple(end.votes[row].tolist()), int(end.others[row]))
            assert made == make_call(contest, end.first(place), settings, committed=True), (seed, place)
            assert watch.call is made
            met.update(_kinds(made))
    assert met["arithmetic"]
    assert met["flips"]
    assert met["differs"]


def _kinds(call: Call) -> list[str]:
    found = [each.sensitivity for each in call.leads if each.sensitivity is not None]
    flips = [each.flips_at for each in found if each.flips_at not in (100, NEVER)]
    differs = [each.seen for each in found if each.seen not in (100, NEVER)]
    return [each.verdict for each in call.leads] + ["flips"] * len(flips) + ["differs"] * len(differs)


def test_sheets_that_are_withdrawn_come_back_later() -> None:
    rng = np.random.default_rng(5)
    contest, end, settings = night(rng, RULES[0])
    rows = end.in_order().tolist()
    watch = Watch(contest, end.first(60), settings, committed=False, unit="north")
    order = rows[:60]
    for _ in range(40):
        waiting = [row for row in rows if row not in order]
        if rng.random() < 0.4 or not waiting:
            made = watch.withdraw(order.pop(int(rng.integers(len(order)))))
        else:
            row = waiting[int(rng.integers(len(waiting)))]
            order.append(row)
            made = watch.add(row, tuple(end.votes[row].tolist()), int(end.others[row]))
        counted = np.isin(np.arange(len(end.counted)), order)
        arrival = np.full(len(counted), -1, dtype=np.int64)
        arrival[order] = np.arange(len(order))
        now = replace(
            end,
            votes=np.where(counted[:, np.newaxis], end.votes, 0),
            others=np.where(counted, end.others, 0),
            counted=counted,
            open=end.counted & ~counted,
            arrival=arrival,
        )
        assert made == make_call(contest, now, settings, committed=False, unit="north")
        assert made == make_call(contest, watch.partial(), settings, committed=False, unit="north")


def test_more_conditions_than_are_kept_are_worked_out_from_scratch(monkeypatch: pytest.MonkeyPatch) -> None:
    contest, end, settings = night(np.random.default_rng(8), RULES[0])
    monkeypatch.setattr("scrutineer.calls.watch.MAX_KEPT", len(end.counted))
    assert len(end.counted) < MAX_KEPT
    watch = Watch(contest, end.first(60), settings, committed=True)
    for place, row in enumerate(end.in_order()[60:90].tolist(), start=61):
        made = watch.add(row, tuple(end.votes[row].tolist()), int(end.others[row]))
        assert made == make_call(contest, end.first(place), settings, committed=True)


def test_a_ranked_contest_is_worked_out_from_scratch() -> None:
    rng = np.random.default_rng(3)
    contest = Contest(id="c", title="C", rule="ranked", options=tuple(Option(bird, bird) for bird in BIRDS[:3]))
    rankings: dict[int, Rankings] = {}
    for row in range(80):
        ballots = rng.multinomial(200, [0.4, 0.35, 0.25]).tolist()
        rankings[row] = (((0, 1), ballots[0]), ((1,), ballots[1]), ((2, 1), ballots[2]))
    votes = np.array([[ballots for _, ballots in rankings[row]] for row in range(80)])
    end = PartialCount(
        candidates=BIRDS[:3],
        votes=votes,
        others=np.zeros(80, dtype=np.int64),
        counted=np.ones(80, dtype=np.bool_),
        open=np.zeros(80, dtype=np.bool_),
        arrival=rng.permutation(80),
        capacity=np.full(80, 250),
        stratum=np.zeros(80, dtype=np.int32),
        strata=("s",),
        rankings=rankings,
    )
    watch = Watch(contest, end.first(40), CallSettings(), committed=True)
    order = end.in_order().tolist()
    with pytest.raises(CallError, match="no rankings"):
        watch.add(order[40], tuple(votes[order[40]].tolist()), 0)
    for place, row in enumerate(order[40:], start=41):
        made = watch.add(row, tuple(votes[row].tolist()), 0, rankings[row])
        assert made == make_call(contest, end.first(place), CallSettings(), committed=True)


@pytest.mark.parametrize(
    ("row", "votes", "others", "message"),
    [
        (0, (1, 1), 0, "row 0: it is not open"),
        (-1, (1, 1), 0, "row -1: it is not open"),
        (99, (1, 1), 0, "row 99: it is not open"),
        (2, (1,), 0, "row 2: give 2 numbers"),
        (2, (1, -1), 0, "row 2: give 2 numbers"),
        (2, (1, 1), -1, "row 2: give 2 numbers"),
        (2, (1 << 40, 1), 0, "more than"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_and_changes_nothing(
    row: int, votes: tuple[int, ...], others: int, message: str
) -> None:
    watch = small()
    before = watch.call
    with pytest.raises(CallError, match=message):
        watch.add(row, votes, others)
    with pytest.raises(CallError, match="row 2: it is not counted"):
        watch.withdraw(2)
    assert watch.call is before
    assert watch.partial().totals == (4, 2)
    assert watch.add(2, (1, 0), 0).counted == 3


def small() -> Watch:
    """Two of three stations are counted."""
    contest = Contest(id="c", title="C", rule="plurality", options=(Option("avocet", "A"), Option("bittern", "B")))
    partial = PartialCount(
        candidates=BIRDS[:2],
        votes=np.array([[3, 1], [1, 1], [0, 0]]),
        others=np.zeros(3, dtype=np.int64),
        counted=np.array([True, True, False]),
        open=np.array([False, False, True]),
        arrival=np.array([0, 1, -1]),
        capacity=np.full(3, 5),
        stratum=np.zeros(3, dtype=np.int32),
        strata=("s",),
    )
    return Watch(contest, partial, CallSettings(), committed=True)


def test_what_is_handed_out_does_not_change_with_later_sheets() -> None:
    watch = small()
    before, counted = watch.call, watch.partial()
    watch.add(2, (1, 0), 0)
    assert (before.counted, counted.counted_stations, counted.totals) == (2, 2, (4, 2))
