"""The verdict: every kind of it and every reason against it, on small countries whose truth is known."""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from partial_samples import partial_count
from scrutineer.calls import Call, PartialCount, make_call
from scrutineer.calls.conditions import measure
from scrutineer.calls.martingale import evidence
from scrutineer.calls.pace import keeps_pace, sizes_seen
from scrutineer.election import Alternative, Contest, Option
from scrutineer.election.call_settings import CallSettings
from scrutineer.errors import CallError

SETTINGS = CallSettings()
DUEL = Contest("president", "President", "plurality", (Option("avocet", "Avocet"), Option("bittern", "Bittern")))
TRIO = Contest("president", "President", "plurality", (*DUEL.options, Option("curlew", "Curlew")))


def country(
    seed: int,
    stations: int = 1200,
    *,
    shares: tuple[float, ...] = (0.56, 0.44),
    counted: float = 0.5,
    spread: float = 0.08,
    regions: int = 3,
) -> PartialCount:
    """Stations of about 300 voters in a random order of reporting."""
    rng = np.random.default_rng(seed)
    rolls = rng.integers(200, 400, stations)
    weights = np.maximum(np.array(shares) + rng.normal(0, spread, (stations, len(shares))), 0.001)
    valid = (rolls * rng.uniform(0.55, 0.75, stations)).astype(int)
    votes = np.array([rng.multinomial(n, w / w.sum()) for n, w in zip(valid, weights, strict=True)])
    return take(votes, rolls, rng.integers(0, regions, stations), rng.permutation(stations)[: int(stations * counted)])


def take(
    votes: NDArray[np.int64], rolls: NDArray[np.int64], regions: NDArray[np.int64], order: NDArray[np.int64]
) -> PartialCount:
    """These stations, of which those in `order` have reported, in that order."""
    counted = np.zeros(len(votes), dtype=bool)
    counted[order] = True
    place = np.empty(len(votes), dtype=int)
    place[order] = np.arange(len(order))
    return partial_count(votes.tolist(), rolls.tolist(), regions.tolist(), counted.tolist(), arrival=place[counted].tolist())


def call(partial: PartialCount, contest: Contest = DUEL, settings: CallSettings = SETTINGS, *, committed: bool = True) -> Call:
    return make_call(contest, partial, settings, committed=committed)


def test_a_clear_lead_in_a_random_order_is_decided_by_statistics() -> None:
    made = call(country(1))
    assert (made.verdict, made.reasons) == ("statistics", ())
    (lead,) = made.leads
    assert lead is made.clauses[0][0]
    assert lead.verdict == "statistics"
    assert lead.tested
    assert lead.sensitivity is not None
    assert lead.sensitivity.flips_at is None or lead.sensitivity.flips_at > 300
    assert lead.slack is not None
    assert lead.slack < 0


def test_the_same_without_commitment_decides_nothing_and_says_why() -> None:
    made = call(country(1), committed=False)
    assert (made.verdict, made.reasons) == ("not-decided", ("not-committed",))


def test_everything_counted_is_decided_by_arithmetic() -> None:
    made = call(country(1, counted=1.0))
    assert (made.verdict, made.open, made.open_ballots) == ("arithmetic", 0, 0)


def test_a_lead_above_every_open_roll_is_decided_by_arithmetic_and_one_ballot_less_is_not() -> None:
    votes = [[400, 200]] * 6 + [[0, 0]]
    for roll, verdict in ((1199, "arithmetic"), (1200, "not-decided")):
        partial = partial_count(votes, [700] * 6 + [roll], [0] * 7, [True] * 6 + [False])
        made = call(partial)
        assert made.verdict == verdict
        assert made.slack == 1200 - roll


def test_an_unknown_roll_bounds_nothing() -> None:
    partial = partial_count([[400, 200]] * 6 + [[0, 0]], [700] * 6 + [-1], [0] * 7, [True] * 6 + [False])
    made = call(partial)
    assert made.verdict == "not-decided"
    assert made.slack is None
    assert "inputs" in made.reasons


def test_a_small_lead_is_sensitive_to_the_order() -> None:
    made = call(country(3, shares=(0.505, 0.495)))
    assert made.verdict == "not-decided"
    assert {"outstanding-exceeds-lead", "order-sensitive"} <= set(made.reasons)


def test_few_stations_in_a_stratum_take_its_worst_case() -> None:
    whole = country(4, shares=(0.6, 0.4))
    few = replace(whole, stratum=np.where(whole.counted, 0, 1).astype(np.int32))
    made = call(few)
    assert made.verdict == "not-decided"
    assert "stratum-uncovered" in made.reasons
    assert made.leads[0].sensitivity is not None
    assert made.leads[0].sensitivity.uncovered == ("region 1",)


def test_too_little_evidence_is_not_enough() -> None:
    few = country(5, stations=2000, counted=0.02, regions=1, spread=0.3, shares=(0.52, 0.48))
    made = call(few)
    assert made.verdict == "not-decided"
    assert "test-not-passed" in made.reasons


@pytest.mark.parametrize("best", [0, 1])
def test_a_strict_order_by_votes_is_seen_and_never_decided(best: int) -> None:
    rng = np.random.default_rng(6)
    rolls = rng.integers(200, 400, 1200)
    share = np.clip(rng.normal(0.49, 0.12, 1200), 0.02, 0.98)
    votes = np.stack([(rolls * 0.6 * share).astype(int), (rolls * 0.6 * (1 - share)).astype(int)], axis=1)
    order = np.argsort(-votes[:, best] / votes.sum(axis=1))
    truth = int(votes.sum(axis=0).argmax())
    for counted in (0.05, 0.1, 0.3, 0.5, 0.7):
        made = call(take(votes, rolls, rng.integers(0, 3, 1200), order[: int(1200 * counted)]))
        assert made.verdict == "not-decided" or made.outcome.elected == (truth,)
        if best != truth:
            assert made.verdict == "not-decided"


def test_large_stations_that_report_last_refute_gamma() -> None:
    rng = np.random.default_rng(7)
    rolls = np.sort(rng.integers(100, 2000, 1200))
    votes = np.stack([(rolls * 0.36).astype(int), (rolls * 0.24).astype(int)], axis=1)
    partial = take(votes, rolls, np.zeros(1200, dtype=int), rng.permutation(600))
    assert sizes_seen(partial) > 300
    assert "sizes-seen" in call(partial).reasons


def test_nothing_counted_and_ties_are_not_decided() -> None:
    nothing = country(8).first(0)
    assert (call(nothing).verdict, call(nothing).clauses) == ("not-decided", ())
    level = partial_count([[5, 5], [0, 0]], [20, 20], [0, 0], [True, False])
    assert (call(level).verdict, call(level).reasons) == ("not-decided", ("tie",))


def test_figures_that_do_not_fit_make_no_call() -> None:
    made = make_call(DUEL, country(1), SETTINGS, committed=True, incoherent=("the table says otherwise",))
    assert (made.verdict, made.clauses, made.leads) == ("not-coherent", (), ())


def test_florida_2000_is_within_the_recount_band_when_all_is_counted() -> None:
    # Certified totals of the two leading candidates and of all others, Florida Department of State, 26 November 2000.
    votes = [[2_912_790, 2_912_253, 5_963_110 - 2_912_790 - 2_912_253]]
    partial = partial_count(votes, [8_752_717], [0], [True])
    for recount, band in (("0.5 %", 29_815), ("0.25 %", 14_907), ("", 5_963)):
        contest = Contest("president", "President", "plurality", TRIO.options, recount=recount)
        made = call(partial, contest)
        assert (made.verdict, made.reasons) == ("not-decided", ("recount-band",))
        assert made.leads[0].band == band
        assert made.leads[0].value == 537
        assert made.leads[1].verdict == "arithmetic"


def test_a_share_and_a_lead_are_conditions_of_their_own() -> None:
    rule = Contest("president", "President", "majority", TRIO.options, alternative=Alternative("40 %", "10 %"))
    made = call(country(9, shares=(0.45, 0.37, 0.18), stations=3000), rule)
    assert made.outcome.runoff == (0, 1)
    codes = {condition.condition.code for clause in made.clauses for condition in clause}
    assert any(code.startswith("short") for code in codes)
    assert made.leads[0].verdict == "statistics"
    assert made.verdict == "not-decided"


def test_list_rules_examine_the_tightest_conditions_first() -> None:
    lists = Contest("assembly", "Assembly", "dhondt", tuple(Option(f"o{n}", f"List {n}") for n in range(10)), seats=40)
    partial = country(10, shares=tuple((20 - n) / 155 for n in range(10)), counted=0.6)
    made = call(replace(partial, candidates=tuple(option.id for option in lists.options)), lists)
    assert made.verdict == "not-decided"
    assert sum(made.outcome.seats) == 40
    examined = [condition for clause in made.clauses for condition in clause if condition.sensitivity is not None]
    assert examined
    nearest = min((c for clause in made.clauses for c in clause), key=lambda c: Fraction(c.value, -c.condition.worst))
    assert nearest in examined


def test_an_order_that_nobody_recorded_shows_nothing() -> None:
    made = call(replace(country(1), ordered=False))
    assert made.ordered is False
    assert made.leads[0].sensitivity is not None
    assert made.leads[0].sensitivity.seen == 100


def test_candidates_must_be_those_of_the_contest() -> None:
    with pytest.raises(CallError, match="candidates"):
        call(country(1), TRIO)


class TestPace:
    def test_the_allowed_difference_grows_with_what_is_counted(self) -> None:
        tenth, half = country(11, counted=0.1), country(11, counted=0.5)
        assert keeps_pace(111, tenth, Fraction(3))
        assert not keeps_pace(112, tenth, Fraction(3))
        assert keeps_pace(173, half, Fraction(3))
        assert not keeps_pace(174, half, Fraction(3))
        assert not keeps_pace(None, half, Fraction(100))

    def test_sizes_that_report_evenly_are_near_one(self) -> None:
        assert sizes_seen(country(12, stations=20_000)) < 115

    def test_a_handful_of_open_stations_is_no_order(self) -> None:
        rolls = np.arange(100, 500)
        votes = np.ones((400, 2), dtype=int)
        partial = take(votes, rolls, np.zeros(400, dtype=int), np.arange(396))
        assert sizes_seen(partial) <= 300

    def test_stations_of_one_size_show_nothing_however_the_rows_are_sorted(self) -> None:
        votes = np.ones((400, 2), dtype=int)
        for order in (np.arange(300), np.arange(100, 400)):
            assert sizes_seen(take(votes, np.full(400, 700), np.arange(400) % 3, order)) == 100

    def test_without_rolls_or_open_stations_there_is_nothing_to_see(self) -> None:
        assert sizes_seen(country(1, counted=1.0)) == 100
        unknown = country(1)
        assert sizes_seen(replace(unknown, capacity=np.full(len(unknown.capacity), -1))) == 100


@pytest.mark.parametrize("seed", range(5))
def test_the_first_stations_alone_are_called_as_they_were_then(seed: int) -> None:
    night = country(seed, counted=0.9)
    for stations in (50, 300, 900):
        earlier = night.first(stations)
        rows = night.in_order()[:stations]
        votes = np.zeros_like(night.votes)
        votes[rows] = night.votes[rows]
        again = take(votes, night.capacity, night.stratum, rows)
        assert call(earlier) == call(again)


@pytest.mark.parametrize("threshold", ["0.6666667", "1500001/3000001"])
def test_a_share_with_very_many_digits_is_left_to_arithmetic(threshold: str) -> None:
    question = Contest("moor", "Moor", "yes-no", DUEL.options, threshold=threshold)
    open_still = call(country(1, shares=(0.8, 0.2)), question)
    assert (open_still.verdict, open_still.reasons, open_still.clauses) == ("not-decided", ("outstanding-exceeds-lead",), ())
    assert open_still.leads
    everything = call(country(1, shares=(0.8, 0.2), counted=1.0), question)
    assert (everything.verdict, everything.reasons) == ("arithmetic", ())
    assert everything.outcome.elected == (0,)


@pytest.mark.parametrize(("yes", "reasons"), [(66_734, ()), (66_733, ("recount-band",)), (66_666, ("recount-band",))])
def test_the_recount_band_holds_without_conditions_too(yes: int, reasons: tuple[str, ...]) -> None:
    question = Contest("moor", "Moor", "yes-no", DUEL.options, threshold="0.6666667")
    partial = partial_count([[yes, 100_000 - yes]], [100_000], [0], [True])
    made = call(partial, question)
    # Adopted from 66 667 on. With 66 733 it takes 100 more ballots, all of them no, to reject it: a thousandth of the votes.
    assert (made.reasons, made.verdict) == (reasons, "not-decided" if reasons else "arithmetic")
    assert made.outcome.elected == (int(yes == 66_666),)


def test_the_risk_of_ranked_ballots_is_split_for_a_tie_as_well() -> None:
    # After a tie every call is false, and one order of elimination does not say which conditions such a call asserts.
    ranked = Contest("warden", "Warden", "ranked", TRIO.options)
    least, enough = math.log(6 / 0.05), math.log(10 / 0.05)
    seen = []
    for stations in range(40, 400, 2):
        plain = country(3, 800, shares=(0.45, 0.3, 0.25)).first(stations)
        rankings = {
            row: tuple(((candidate,), int(votes)) for candidate, votes in enumerate(plain.votes[row]) if votes)
            for row in np.flatnonzero(plain.counted).tolist()
        }
        partial = replace(plain, rankings=rankings)
        (last,) = [clause[0] for clause in call(partial, ranked).clauses if clause[0].condition.code == "elimination:0:1"]
        if last.sensitivity is not None:
            shown = evidence(partial, measure(last.condition, partial)).log_e
            seen.append((least <= shown < enough, last.tested))
            assert last.tested == (shown >= enough)
    assert any(between for between, _ in seen)
    assert {tested for _, tested in seen} == {False, True}
