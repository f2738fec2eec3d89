"""The invented republic: the same everywhere, within its limits, and counted to exactly what is known of it."""

import hashlib
import json
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from scrutineer.count import STATUS_NAMES, Count, contest_result, unit_result
from scrutineer.election import LogIdentity, Units
from scrutineer.errors import DefinitionError, UsageError
from scrutineer.simulate import (
    DISTURBANCES,
    OFFICERS,
    RULE_OF_KIND,
    Arrival,
    OpenedElection,
    Pending,
    Recall,
    Simulation,
    open_republic,
    sign_arrivals,
    simulate_republic,
    snapshots,
)
from scrutineer.simulate.votes import lead
from scrutineer.statements import SigningKey, TallySheet, parse_statement
from scrutineer.statements.bootstrap import open_election
from scrutineer.statements.policy import Policy

MASTER = SigningKey(b"simulation tests".ljust(32, b"."))
LOG = LogIdentity("log.example/avia", ("key",))


def opened(simulation: Simulation) -> tuple[OpenedElection, list[bytes]]:
    election = open_republic(simulation, MASTER.derive, LOG)
    return election, [election.definition, *sign_arrivals(simulation.sheets(election.election.hash), MASTER.derive)]


@pytest.fixture(scope="module")
def everything() -> Simulation:
    return simulate_republic(400, 11, contests="all", alliances=True, openings=True)


@pytest.fixture(scope="module")
def whole(everything: Simulation) -> tuple[OpenedElection, list[bytes]]:
    return opened(everything)


def test_the_same_arguments_give_the_same_bytes_on_every_machine() -> None:
    simulation = simulate_republic(200, 5, contests="all")
    digest = hashlib.sha256(simulation.truth.to_json())
    digest.update(repr(list(simulation.units.rows())).encode())
    for arrival in simulation.sheets(b"e" * 32):
        if not isinstance(arrival.payload, Pending):
            digest.update(repr(arrival).encode())
    assert digest.hexdigest() == "eb6540078075d2aab52b97ba62577bae469e66f85ae8164400e2404512ee185d"


def test_another_seed_or_size_gives_another_election() -> None:
    truths = {simulate_republic(size, seed).truth.to_json() for size, seed in ((50, 1), (50, 2), (51, 1))}
    assert len(truths) == 3


def test_thirty_thousand_stations_hold_exactly_21_million_voters() -> None:
    simulation = simulate_republic(30_000, 1)
    rolls = simulation.units.rolls
    assert int(rolls.sum()) == simulation.truth.voters == 21_000_000
    assert int(rolls.min()) >= 80
    assert int(rolls.max()) <= 1_000
    assert Counter(simulation.units.kinds)["station"] == 30_000
    assert len(simulation.contests[0].standing()) == 10
    assert len(simulation.disturbances) == 90


@pytest.mark.parametrize("stations", [1, 2, 9, 10, 95, 640])
def test_sizes(stations: int) -> None:
    simulation = simulate_republic(stations, 3)
    units = simulation.units
    assert units.station_count == stations
    assert int(units.rolls.sum()) == 700 * stations
    # Taken through the constructor once more, which checks every identifier and name.
    assert list(Units(units.rows()).rows()) == list(units.rows())
    assert {len(units.path(unit)) for unit in units.station_units.tolist()} == {6}
    assert len(simulation.disturbances) == min(9, stations // 10)
    assert sum(1 for _ in simulation.sheets(bytes(32))) == simulation.arrival_count


@pytest.mark.parametrize(("voters", "good"), [(7_999, False), (8_000, True), (100_000, True), (100_001, False)])
def test_the_number_of_voters_must_fit(voters: int, good: bool) -> None:
    if good:
        assert int(simulate_republic(100, 1, voters=voters).units.rolls.sum()) == voters
    else:
        with pytest.raises(UsageError, match="ask for 8000 to 100000"):
            simulate_republic(100, 1, voters=voters)


@pytest.mark.parametrize(("stations", "seed"), [(0, 1), (-1, 1), (5_000_000, 1), (10, -1)])
def test_impossible_countries_are_refused(stations: int, seed: int) -> None:
    with pytest.raises(UsageError):
        simulate_republic(stations, seed)


def test_an_unknown_disturbance_is_refused() -> None:
    with pytest.raises(UsageError, match="no disturbance 'flood'"):
        simulate_republic(100, 1, disturbances=["flood"])  # type: ignore[list-item]


@pytest.mark.parametrize("stations", [1, 30, 1_000])
@pytest.mark.parametrize("alliances", [False, True])
def test_the_leader_leads_by_two_to_eight_points(stations: int, alliances: bool) -> None:
    for seed in range(6):
        simulation = simulate_republic(stations, seed, alliances=alliances)
        truth = simulation.truth.contests[0]
        assert Fraction(2, 100) <= lead(simulation.contests[0], list(truth.votes)) <= Fraction(8, 100)
        assert len(truth.elected) == 1


def test_boxes_hold_what_voters_cast(everything: Simulation) -> None:
    rolls = everything.places.rolls
    for boxes in everything.boxes:
        ballots, own_rolls = boxes.ballots, rolls[boxes.first : boxes.stop]
        assert bool((boxes.votes >= 0).all())
        assert bool((boxes.blank >= 0).all())
        assert bool((boxes.null >= 0).all())
        assert bool((ballots <= own_rolls).all())
        valid = ballots - boxes.blank - boxes.null
        if boxes.contest.single_choice() or boxes.orders:
            assert np.array_equal(boxes.votes.sum(axis=1), valid)
        else:
            most = boxes.contest.max_choices if boxes.contest.max_choices > 1 else len(boxes.contest.options)
            assert bool((boxes.votes <= valid[:, None]).all())
            assert bool((boxes.votes.sum(axis=1) <= most * valid).all())


def test_early_counts_are_not_a_fair_sample() -> None:
    simulation = simulate_republic(5_000, 2)
    boxes, order = simulation.boxes[0], simulation.times.order
    early = boxes.votes[order[: len(order) // 5]].sum(axis=0).tolist()
    final = boxes.votes.sum(axis=0).tolist()
    contest = simulation.contests[0]
    assert lead(contest, final) - lead(contest, early) > Fraction(1, 100)


def test_arrivals_come_in_order_and_acts_after_what_they_name(everything: Simulation) -> None:
    seen: set[str] = set()
    last = 0
    for arrival in everything.sheets(bytes(32)):
        assert arrival.time >= last
        last = arrival.time
        seen.add(arrival.name)
        if isinstance(arrival.payload, TallySheet):
            assert arrival.time > everything.close_time
    assert len([name for name in seen if name.startswith("decision/")]) == 2


def test_everything_that_arrives_is_admitted(whole: tuple[OpenedElection, list[bytes]]) -> None:
    election, entries = whole
    read = open_election(election.definition, election.units_csv, election.register_csv)
    assert read.hash == election.election.hash
    policy = Policy(read)
    for entry in entries[1:]:
        policy.apply(policy.admit(entry))


def test_the_count_reconciles_with_the_truth(everything: Simulation, whole: tuple[OpenedElection, list[bytes]]) -> None:
    count = Count(whole[0].election)
    count.apply(whole[1])
    assert not count.notes
    assert not count.strays
    for number, (truth, expected) in enumerate(zip(everything.truth.contests, everything.truth.counted, strict=True)):
        result = contest_result(count, number)
        assert (result.blank, result.null, result.ballots, result.counted) == (
            expected.blank,
            expected.null,
            expected.ballots,
            expected.stations,
        )
        assert (result.votes, result.elected, result.margin) == (expected.votes, expected.elected, expected.margin)
        assert set(result.runoff) == set(expected.runoff)
        # Station by station: what is missing from the totals is exactly what was cast at the stations held back.
        boxes = everything.boxes[number]
        held = [d.station for d in everything.disturbances if d.holds_back(president=number == 0)]
        rows = [station - boxes.first for station in held if boxes.first <= station < boxes.stop]
        assert truth.ballots - result.ballots == int(boxes.ballots[rows].sum())
        assert truth.blank - (result.blank or 0) == int(boxes.blank[rows].sum())
        if not boxes.orders:
            missing = tuple(cast - counted for cast, counted in zip(truth.votes, result.votes, strict=True))
            assert missing == tuple(boxes.votes[rows].sum(axis=0).tolist())
        assert result.quarantined + result.outstanding == len(rows)


def test_every_disturbance_is_noticed_and_nothing_else(everything: Simulation, whole: tuple[OpenedElection, list[bytes]]) -> None:
    count = Count(whole[0].election)
    count.apply(whole[1])
    state = count.contests[0]
    disturbed = {disturbance.station: disturbance for disturbance in everything.disturbances}
    assert sorted(Counter(d.kind for d in disturbed.values())) == sorted(DISTURBANCES)
    for station in range(len(state.status)):
        rules, status = count.book.names(int(state.flags[station])), STATUS_NAMES[int(state.status[station])]
        disturbance = disturbed.get(station)
        if disturbance is None:
            assert (rules, status) == ((), "counted")
        elif disturbance.kind == "missing":
            assert status == "outstanding"
        elif disturbance.holds_back(president=True):
            assert RULE_OF_KIND[disturbance.kind] in rules
            assert status == "quarantined"
        else:
            assert status == "counted"


@pytest.mark.parametrize("kind", [kind for kind in DISTURBANCES if kind != "missing"])
def test_each_kind_trips_its_rule(kind: str) -> None:
    simulation = simulate_republic(40, 9, disturbances=[kind])  # type: ignore[list-item]
    election, entries = opened(simulation)
    count = Count(election.election)
    tripped: set[str] = set()
    (disturbance,) = simulation.disturbances
    for entry in entries:
        count.apply([entry])
        tripped |= set(count.book.names(int(count.contests[0].flags[disturbance.station])))
    assert RULE_OF_KIND[disturbance.kind] in tripped
    assert unit_result(count, 0, 0).counted == (39 if disturbance.holds_back(president=True) else 40)


def test_without_disturbances_the_count_is_the_truth() -> None:
    simulation = simulate_republic(60, 4, disturbances=())
    election, entries = opened(simulation)
    count = Count(election.election)
    count.apply(entries)
    result = contest_result(count, 0)
    truth = simulation.truth.contests[0]
    assert simulation.truth.counted == simulation.truth.contests
    assert (result.votes, result.blank, result.null, result.elected) == (truth.votes, truth.blank, truth.null, truth.elected)
    assert (result.outstanding, result.quarantined, result.changeable) == (0, 0, False)


def test_the_truth_as_a_file(everything: Simulation) -> None:
    read = json.loads(everything.truth.to_json())
    assert read["voters"] == 280_000
    assert read["contests"][0]["votes"] == list(everything.truth.contests[0].votes)
    assert {entry["kind"] for entry in read["disturbances"]} == set(DISTURBANCES)
    assert read["counted"][0]["contest"] == "president"


def test_a_draft_without_register_has_every_key_still_to_be_made(everything: Simulation) -> None:
    draft = everything.draft()
    assert (draft.provenance, draft.units, draft.thresholds) == ("simulated", everything.units, {"decision": 2})
    assert not any(draft.register.station_keys)
    assert [issuer.id for issuer in everything.draft(everything.register(MASTER.derive)).issuers] == list(OFFICERS)


def test_snapshots() -> None:
    assert snapshots(1_000) == (200, 500, 800, 950, 1_000)
    assert snapshots(3) == (1, 2, 3)
    assert snapshots(1) == (1,)
    assert snapshots(7, (100, 50)) == (4, 7)


def test_an_act_signed_before_what_it_names_is_refused(everything: Simulation) -> None:
    pending = [arrival for arrival in everything.sheets(bytes(32)) if isinstance(arrival.payload, Pending) and arrival.name]
    with pytest.raises(UsageError, match="not signed yet"):
        list(sign_arrivals(pending, MASTER.derive))


def test_names_are_kept_for_later_acts() -> None:
    sheet = TallySheet(bytes(32), "s1", "president", (1,))

    def again(recall: Recall) -> TallySheet:
        return sheet._replace(image=recall.statement("first"))

    first, second = sign_arrivals(
        [Arrival(1, "station/s1", sheet, "first"), Arrival(2, "station/s1", Pending(again))], MASTER.derive
    )
    payload = parse_statement(second).payload
    assert isinstance(payload, TallySheet)
    assert payload.image == hashlib.sha256(b"\x00" + first).digest()


def test_a_definition_with_other_tables_does_not_open(whole: tuple[OpenedElection, list[bytes]]) -> None:
    with pytest.raises(DefinitionError, match=r"register\.csv"):
        open_election(whole[0].definition, whole[0].units_csv, whole[0].register_csv + b"\n")
