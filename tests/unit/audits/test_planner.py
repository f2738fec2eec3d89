from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits import planner
from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, Reported
from scrutineer.audits.designs.comparison import ReportedTotal
from scrutineer.audits.designs.oneaudit import ScoreTally
from scrutineer.audits.designs.two_stage import box_values
from scrutineer.audits.forecasts import Rates, two_stage_forecast
from scrutineer.audits.manifest import Manifest
from scrutineer.audits.planner import Costs, Design, Records, Row, Target, Work, rows_notes, rows_table, trade_off
from scrutineer.audits.planner_risk import suggested
from scrutineer.errors import AuditError

TWENTIETH = Fraction(1, 20)
PAIR = Assertion("warden", "heron>wren", (1, -1))


def country(boxes, cards, margin, spread, seed=1, assertion=PAIR):
    """Boxes with the heron's share spread about the one that gives the margin; three cards in a hundred are blank."""
    draws = np.random.Generator(np.random.PCG64(seed))
    sizes = np.maximum(50, draws.gamma(2.5, cards / 2.5, boxes)).astype(np.int64)
    marked = sizes * 97 // 100
    around = draws.normal(0, spread, boxes)
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        heron = np.round(marked * np.clip(middle + around, 0.02, 0.98)).astype(np.int64)
        low, high = (middle, high) if int((2 * heron - marked).sum()) < margin * int(sizes.sum()) else (low, middle)
    tally = ScoreTally(np.array([-1, 1]), np.stack([marked - heron, heron], axis=1))
    manifest = Manifest(tuple(f"box-{number:05}" for number in range(boxes)), sizes)
    return manifest, Target(assertion, int(tally.totals.sum()), boxes=tally)


def by_design(rows):
    return {row.design: row for row in rows}


GEORGIA = country(2650, 1500, 0.0914, 0.22)
ROWS = by_design(trade_off([GEORGIA[1]], GEORGIA[0], Records.CARDS, risk_limit=TWENTIETH))


def test_every_design_that_the_records_allow_has_a_row():
    def designs(records):
        return {row.design for row in trade_off([GEORGIA[1]], GEORGIA[0], records, risk_limit=TWENTIETH, repetitions=5)}

    assert designs(Records.CARDS) == set(Design)
    assert designs(Records.BATCHES) == set(Design) - {Design.COMPARISON}
    assert designs(Records.TOTALS) == {Design.POLLING, Design.FULL_COUNT}


def test_the_cheapest_comes_first():
    rows = trade_off([GEORGIA[1]], GEORGIA[0], Records.CARDS, risk_limit=TWENTIETH, repetitions=20)
    assert [row.p90.cost for row in rows] == sorted(row.p90.cost for row in rows)
    assert rows[-1].design is Design.FULL_COUNT
    assert rows[-1].p90.cards == GEORGIA[0].total


def test_whole_boxes_cost_many_times_the_cards_of_pools():
    """Georgia 2022, Secretary of State: about 1,300 cards by ONEAudit (arXiv 2303.03335, abstract); over 231,000 were counted.

    Margin and number of boxes are Georgia's, sizes and shares of boxes are not.
    """
    whole, pools = ROWS[Design.BATCH_MACRO].p90, ROWS[Design.ONEAUDIT].p90
    assert 50_000 < whole.cards < 150_000
    assert 500 < pools.cards < 2000
    assert whole.boxes == 35


def test_california_2020():
    """President, margin 29 %: about 26,700 cards by whole boxes, about 70 by ONEAudit (arXiv 2303.03335, abstract)."""
    manifest, target = country(5000, 2225, 0.29, 0.17)
    rows = by_design(trade_off([target], manifest, Records.BATCHES, risk_limit=TWENTIETH))
    assert 15_000 < rows[Design.BATCH_MACRO].p90.cards < 45_000
    assert 40 < rows[Design.ONEAUDIT].p50.cards < 110


def test_sizes_without_errors():
    """Ballot comparison at 9.14 %: the closed form says 65 cards; keeping evidence for errors costs no more than 15 %."""
    assert 65 <= ROWS[Design.COMPARISON].p90.draws <= 75
    reported = Reported(PAIR, GEORGIA[1].boxes.totals, GEORGIA[0].cards)
    assert ROWS[Design.BATCH_MACRO].p90.draws == BatchDesign(GEORGIA[0].boxes, (reported,)).size(TWENTIETH)


def test_one_bad_draw_is_the_end_of_macro_and_not_of_bets():
    """The first station drawn is wholly wrong: a full count by Kaplan-Markov, at most 270 draws with bets."""
    assert ROWS[Design.BATCH_MACRO].one_bad is None
    assert ROWS[Design.BATCH_BETTING].one_bad.draws <= 270
    assert ROWS[Design.COMPARISON].one_bad.draws <= 270


def test_two_stage_sizes_are_those_of_drawn_boxes():
    """600 audits drawn box by box and card by card: half stop by the size that was foretold, nine tenths by the other."""
    manifest, target = country(300, 400, 0.12, 0.2, seed=4)
    reported = ReportedTotal(PAIR, manifest.total, target.total)
    expected = two_stage_forecast(reported, manifest.cards, target.boxes, 20)
    risk = suggested(expected, 0.05, sure=True).function()
    costs = Costs(box=10, card=1, counted_card=1)
    row = by_design(trade_off([target], manifest, Records.BATCHES, risk_limit=TWENTIETH, costs=costs, repetitions=1000))[
        Design.TWO_STAGE
    ]
    assert row.per_box in (5, 10, 20)
    expected = two_stage_forecast(reported, manifest.cards, target.boxes, row.per_box)
    risk = suggested(expected, 0.05, sure=True).function()
    draws = np.random.Generator(np.random.PCG64(17))
    scores, counts = target.boxes.with_rest(manifest.cards)
    clean, length = float(reported.clean), 3 * row.p90.draws
    values = np.empty((600, length))
    for audit in range(600):
        drawn = draws.choice(300, length, p=manifest.cards / manifest.total)
        seen = np.stack([draws.multivariate_hypergeometric(counts[box], row.per_box) for box in drawn]) @ scores
        means = target.boxes.totals[drawn] / manifest.cards[drawn]
        values[audit] = clean * (2 - means + seen / row.per_box) / 2
    stops = risk.stopping_times(values, expected.null, 0.05)
    assert np.mean(stops <= row.p50.draws) == pytest.approx(0.5, abs=0.08)
    assert np.mean(stops <= row.p90.draws) == pytest.approx(0.9, abs=0.05)
    assert box_values(values[0, :2], [2]).shape == (1,)


def test_dear_boxes_call_for_more_cards_of_each():
    manifest, target = country(300, 400, 0.12, 0.2, seed=4)

    def per_box(costs):
        rows = trade_off([target], manifest, Records.BATCHES, risk_limit=TWENTIETH, costs=costs, repetitions=50)
        return by_design(rows)[Design.TWO_STAGE].per_box or 1000

    assert per_box(Costs(box=1, card=1)) < per_box(Costs(box=500, card=1))


def test_places_are_counted_and_paid_for():
    places = [f"place-{number % 20:02}" for number in range(2650)]
    costs = Costs(place=1000)
    rows = by_design(
        trade_off([GEORGIA[1]], GEORGIA[0], Records.CARDS, risk_limit=TWENTIETH, places=places, costs=costs, repetitions=20)
    )
    assert rows[Design.ONEAUDIT].p90.places == 20
    assert rows[Design.BATCH_MACRO].p90.places < 20


def test_contests_of_few_cards_are_sampled_among_these():
    """A district of a tenth of the boxes: with card styles its sample is that of its own margin, not of a tenth of it."""
    manifest, city = country(200, 300, 0.1, 0.1)
    inside = np.arange(200) < 20
    district = Assertion("harbour", "owl>rail", (1, -1))
    votes = np.where(inside, manifest.cards * 55 // 100, 0)
    others = np.where(inside, manifest.cards * 45 // 100, 0)
    tally = ScoreTally(np.array([-1, 1]), np.stack([others, votes], axis=1))
    total = int(tally.totals.sum())
    styled = Target(district, total, boxes=tally, cards=np.where(inside, manifest.cards, 0))
    unstyled = Target(district, total, boxes=tally)
    first, second = (
        by_design(trade_off([city, each], manifest, Records.CARDS, risk_limit=TWENTIETH))[Design.COMPARISON].p90
        for each in (styled, unstyled)
    )
    assert first.cards < 150
    assert second.cards > 500


def test_boxes_with_records_spare_work():
    """Where nine boxes of ten have records, ONEAudit is between comparison and what it takes without them."""
    recorded = np.arange(2650) % 10 > 0
    rows = by_design(
        trade_off([GEORGIA[1]], GEORGIA[0], Records.BATCHES, risk_limit=TWENTIETH, recorded=recorded, repetitions=50)
    )
    assert ROWS[Design.COMPARISON].p90.cards < rows[Design.ONEAUDIT].p90.cards < ROWS[Design.ONEAUDIT].p90.cards / 2


def test_of_many_assertions_the_closest_decide():
    """61 assertions of one contest: the row is that of the one with the smallest margin alone."""
    manifest, closest = country(300, 300, 0.08, 0.1)
    others = [
        country(300, 300, 0.1 + 0.002 * number, 0.1, assertion=Assertion("warden", f"{number}", (1, -1)))[1]
        for number in range(60)
    ]
    many = by_design(trade_off([*others, closest], manifest, Records.CARDS, risk_limit=TWENTIETH, repetitions=20))
    alone = by_design(trade_off([closest], manifest, Records.CARDS, risk_limit=TWENTIETH, repetitions=20))
    assert many[Design.COMPARISON].why == alone[Design.COMPARISON].why == "contest warden, assertion heron>wren"
    assert many[Design.COMPARISON].p90.draws == alone[Design.COMPARISON].p90.draws


def test_what_no_sample_can_show_is_a_full_count():
    manifest, _ = country(20, 100, 0.1, 0.1)
    half = manifest.cards // 2
    tie = ScoreTally(np.array([-1, 1]), np.stack([half, half], axis=1))
    rows = trade_off([Target(PAIR, 0, boxes=tie)], manifest, Records.CARDS, risk_limit=TWENTIETH)
    assert all(row.full_count for row in rows)
    assert {row.why for row in rows if row.design is not Design.FULL_COUNT} == {
        "contest warden, assertion heron>wren: the reported scores do not make it true"
    }
    closer = Target(PAIR, 1, overall={1: 501, -1: 500})
    rows = trade_off([closer], manifest, Records.TOTALS, risk_limit=TWENTIETH)
    assert all(row.full_count for row in rows)
    assert "one card could change it" in rows[-1].why + rows[0].why


def test_expected_errors_make_work():
    rates = Rates(one_over=0.005, two_over=0.005)
    rows = by_design(trade_off([GEORGIA[1]], GEORGIA[0], Records.CARDS, risk_limit=TWENTIETH, rates=rates, repetitions=50))
    for design in (Design.COMPARISON, Design.BATCH_MACRO, Design.BATCH_BETTING):
        assert rows[design].p90.cards > ROWS[design].p90.cards


def test_the_same_arguments_give_the_same_rows():
    one, other = (
        trade_off([GEORGIA[1]], GEORGIA[0], Records.BATCHES, risk_limit=TWENTIETH, repetitions=20, seed=5) for _ in range(2)
    )
    assert one == other


def test_the_table_has_a_line_for_each_row(monkeypatch):
    rows = trade_off([GEORGIA[1]], GEORGIA[0], Records.CARDS, risk_limit=TWENTIETH, repetitions=20)
    monkeypatch.setattr(planner, "DESIGNS", tuple(design for design in Design if design is not Design.TWO_STAGE))
    table = rows_table(rows)
    assert table[0] == ("design", "boxes", "cards", "work", "one bad draw")
    assert [line[0].removesuffix(" *") for line in table[1:]] == [row.design for row in rows]
    assert [line[0] for line in table if line[0].endswith("*")] == ["two-stage *"]
    assert {len(line) for line in table} == {5}
    polling = next(line for line in table if line[0] == Design.POLLING)
    assert polling[4] == "no matter"
    notes = rows_notes(rows)
    unit = "Work: to find a card and enter what it shows is 1, to open a box and seal it again 10, and 0.25 a card where"
    assert notes[0].startswith(unit)
    assert "What decides" in notes[-2]
    assert notes[-1].startswith("* `audit plan --design` does not have two-stage; the others are ")
    monkeypatch.setattr(planner, "DESIGNS", tuple(Design))
    assert not any(line[0].endswith("*") for line in rows_table(rows))
    assert "What decides" in rows_notes(rows)[-1]


@pytest.mark.parametrize("most", [9_999, 10_000, 34_050, 99_949, 99_950, 999_499, 999_500, 123_456_789, 999_500_000, 5 * 10**9])
def test_the_table_fits_80_columns_whatever_the_numbers(most):
    work = Work(most, most, most, most, float(most))
    other = replace(work, boxes=most - 1, cards=most - 1, places=most - 1, cost=most / 1.1)
    rows = [Row(design, "", other, work, work, False, None, "") for design in Design]
    table = rows_table(rows)
    assert {len(line) for line in table} == {5}
    # Two blanks stand between columns, and one at either end.
    assert sum(max(map(len, column)) for column in zip(*table, strict=True)) + 2 * 4 + 2 <= 80
    rows = [replace(row, p90=replace(work, places=1)) for row in rows]
    assert "places" in rows_table(rows)[0]
    visit = rows_notes(rows, Costs(place=40))[0]
    assert "to get to a place 40" in visit


def test_what_does_not_fit_is_refused():
    manifest, target = country(20, 100, 0.1, 0.1)
    with pytest.raises(AuditError, match="no assertion"):
        trade_off([], manifest, Records.CARDS, risk_limit=TWENTIETH)
    fewer = Manifest(manifest.boxes[:19], manifest.cards[:19])
    with pytest.raises(AuditError, match="19 boxes"):
        trade_off([target], fewer, Records.CARDS, risk_limit=TWENTIETH)
    with pytest.raises(AuditError, match="20 boxes need as many answers"):
        trade_off([target], manifest, Records.CARDS, risk_limit=TWENTIETH, recorded=np.array([True]))
    with pytest.raises(AuditError, match="do not add up"):
        Target(PAIR, 5, overall={1: 4})
    with pytest.raises(AuditError, match="neither of all cards nor by box"):
        Target(PAIR, 0)
