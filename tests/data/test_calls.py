"""Calls on real partial counts: what was decided when, and what was not, whatever the end turned out to be."""

import functools
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from scrutineer.calls import Call, PartialCount, make_call
from scrutineer.calls.partial import unrelated_order
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_reader import read_published
from scrutineer.simulate.nights import FinalCount, Night, final_of_published, recorded_order
from shared_data import shared

pytestmark = pytest.mark.data


@functools.cache
def bolivia() -> FinalCount:
    """The final count of 2019 by table, in the departments (and those abroad)."""
    layout = load_layout("bolivia-2019-computo")
    return final_of_published(read_published(shared("bolivia-2019/computo_final.csv"), layout), layout.strata)


def state(file: str) -> PartialCount:
    """The tables of a state of the preliminary count, with the figures of their final sheets; their order is not recorded."""
    final = bolivia()
    known = {sheet.station for sheet in read_published(shared(f"bolivia-2019/{file}"), load_layout("bolivia-2019-trep")).sheets}
    counted = np.array([station in known for station in final.stations])
    partial = Night(final, np.argsort(~counted, kind="stable")).partial(int(counted.sum()))
    return replace(partial, arrival=unrelated_order(partial.counted), ordered=False)


def call(partial: PartialCount, gamma: str) -> Call:
    return make_call(bolivia().contest, partial, CallSettings(gamma=gamma), committed=True)


@pytest.mark.parametrize("gamma", ["2", "3", "8"])
def test_bolivia_at_84_percent_who_has_most_votes_is_decided_and_ten_points_are_not(gamma: str) -> None:
    made = call(state("trep_2019-10-20T1940.csv"), gamma)
    assert made.counted == 28_975
    assert made.open_ballots == 1_178_136
    runner_up = min(made.leads, key=lambda lead: lead.value)
    assert (runner_up.value, runner_up.verdict) == (406_438, "statistics")
    assert made.outcome.runoff
    assert made.verdict == "not-decided"
    below_ten_points = [c for clause in made.clauses for c in clause if c.condition.code.startswith("short:") and c.value >= 0]
    assert below_ten_points[0].verdict == "not-decided"


@pytest.mark.parametrize("gamma", ["1", "3", "8"])
def test_bolivia_at_95_percent_the_lead_is_certain_and_ten_points_are_not_decided(gamma: str) -> None:
    made = call(state("trep_2019-10-21T1829.csv"), gamma)
    runner_up = min(made.leads, key=lambda lead: lead.value)
    assert (runner_up.value, runner_up.verdict) == (594_394, "arithmetic")
    assert made.open_ballots == 350_388
    assert len(made.outcome.elected) == 1
    assert made.verdict == "not-decided"
    ahead = [c for clause in made.clauses for c in clause if c.condition.code.startswith("ahead")]
    assert any(c.verdict == "not-decided" for c in ahead)


def test_mexico_in_its_real_order_never_decides_that_the_leader_is_below_half() -> None:
    layout = load_layout("mexico-2018-quickcount")
    final = final_of_published(read_published(shared("mexico-2018-quickcount/REMESAS0100020000.txt"), layout), layout.strata)
    assert final.times is not None
    night = Night(final, recorded_order(final.times))
    majority = msgspec.structs.replace(final.contest, rule="majority", threshold="1/2")
    leader = final.ranking[0]
    for partial in night.looks((4, 6, 8, 10, 13, 20, 30, 40, 50, 60, 70, 80, 90, 95)):
        made = make_call(majority, partial, CallSettings(), committed=True)
        for clause in made.clauses:
            for condition in clause:
                if condition.condition.code == f"below:{leader}":
                    assert condition.verdict == "not-decided"
