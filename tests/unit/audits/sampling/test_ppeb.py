"""Draws of batches against those that Arlo's own tests expect (votingworks/arlo, 8d86156).

[S] server/tests/audit_math/test_sampler.py with snapshots/snap_test_sampler.py.
[B] server/tests/batch_comparison/conftest.py with snapshots/snap_test_batch_comparison.py.
[C] server/tests/batch_comparison/test_multi_contest_batch_comparison.py with its snapshots.
"""

from decimal import Decimal
from hashlib import sha256

import numpy as np
import pytest

from scrutineer.audits.sampling.ppeb import (
    ArloBatch,
    ArloContest,
    arlo_bounds,
    arlo_limit,
    arlo_weights,
    draw_batches,
    draw_by_weights,
    retrieval,
)
from scrutineer.errors import AuditError

SEED = "12345678901234567890abcdefghijklmnopqrstuvwxyz😊"


def batches_of(jurisdiction, rows):
    return [ArloBatch((jurisdiction, f"Batch {number}"), votes, ballots) for number, (votes, ballots) in enumerate(rows, 1)]


LARGE = ArloContest((600, 400))
TWENTY = [ArloBatch(("Jx 1", f"pct {number}"), (40, 10), 50) for number in range(10)] + [
    ArloBatch(("Jx 1", f"pct {number}"), (20, 30), 50) for number in range(11, 20)
]
CLOSE = ArloContest((200, 198))
FOUR = [
    ArloBatch(("Jx 1", f"pct {number}"), votes, sum(votes))
    for number, votes in enumerate([(100, 0), (100, 0), (0, 100), (0, 98)], 1)
]
TWO_COUNTIES = [
    *batches_of("J1", [((500, 250, 250), 500)] * 4 + [((100, 50, 50), 100)] * 5),
    *batches_of("J2", [((500, 250, 250), 500)] * 4 + [((300, 100, 100), 250), ((200, 150, 150), 250)]),
]
NUMBERS = {"pct 1": "0.370405751560609643", "pct 2": "0.847430249189970028", "pct 3": "0.851346057402501613"}


def test_a_sample_of_one_round():
    # [S] test_draw_macro_sample
    assert [tuple(draw) for draw in draw_batches(SEED, LARGE, TWENTY, 10)] == [
        ("0.642074320588256264", ("Jx 1", "pct 8")),
        ("0.634903028357318938", ("Jx 1", "pct 6")),
        ("0.697435332323894639", ("Jx 1", "pct 8")),
        ("0.096486566275573723", ("Jx 1", "pct 0")),
        ("0.835553892011720777", ("Jx 1", "pct 9")),
        ("0.9722586520568512638", ("Jx 1", "pct 14")),
        ("0.030338217960461852", ("Jx 1", "pct 18")),
        ("0.546393063883135848", ("Jx 1", "pct 17")),
        ("0.878526714305113154", ("Jx 1", "pct 8")),
        ("0.847430249189970028", ("Jx 1", "pct 2")),
    ]


def test_a_second_round_goes_on_where_the_first_ended():
    # [S] test_draw_more_macro_sample
    first = draw_batches(SEED, LARGE, TWENTY, 5)
    second = draw_batches(SEED, LARGE, TWENTY, 5, [draw.batch for draw in first])
    assert first + second == draw_batches(SEED, LARGE, TWENTY, 10)


def test_a_full_count_takes_every_batch_once():
    # [S] test_draw_macro_full_hand_tally
    numbers = NUMBERS | {"pct 4": "0.328034953571610594"}
    for earlier, count in (([], 4), (["pct 1"], 4), (["pct 2", "pct 4"], 4), (["pct 2", "pct 4"], 2)):
        drawn = draw_batches(SEED, CLOSE, FOUR, count, [("Jx 1", name) for name in earlier])
        assert [tuple(draw) for draw in drawn] == [
            (number, ("Jx 1", name)) for name, number in numbers.items() if name not in earlier
        ]


def test_batches_without_the_contest_are_never_drawn():
    # [S] test_draw_macro_multiple_contests
    contest = ArloContest((400, 100))
    batches = [ArloBatch(each.key, (40, 10) if at < 10 else None, 50) for at, each in enumerate(TWENTY)]
    drawn = draw_batches(SEED, contest, batches, 10)
    assert [draw.batch[1][4:] for draw in drawn] == ["5", "4", "5", "0", "6", "8", "9", "8", "5", "2"]
    assert [draw.ticket for draw in drawn][::4] == ["0.202823455933455274", "0.634903028357318938", "0.879238100629436915"]


def test_what_to_fetch_in_two_counties():
    # [B] test_batch_comparison_batches_sampled_multiple_times: seed 0123, 7 draws
    contest = ArloContest((5000, 2500, 2500), votes_allowed=2)
    assert retrieval(draw_batches("0123", contest, TWO_COUNTIES, 7)) == {
        ("J1", "Batch 1"): ("0.412447190344990933", "0.9216749971146661458", "0.99056429261666903579"),
        ("J1", "Batch 3"): ("0.225863102795344453",),
        ("J1", "Batch 4"): ("0.429402372732554625",),
        ("J2", "Batch 1"): ("0.455651040681599115",),
        ("J2", "Batch 5"): ("0.491722096005704980",),
    }


def test_what_to_fetch_with_pending_ballots():
    # [B] test_batch_comparison_pending_ballots: seed 1234567890, 8 draws
    contest = ArloContest((5000, 2500, 2500), votes_allowed=2, pending=250)
    assert retrieval(draw_batches("1234567890", contest, TWO_COUNTIES, 8)) == {
        ("J1", "Batch 1"): ("0.720194360819624066",),
        ("J1", "Batch 2"): ("0.474971525750860236",),
        ("J1", "Batch 4"): ("0.9553762217707628661",),
        ("J1", "Batch 6"): ("0.899217854763070950",),
        ("J1", "Batch 8"): ("0.9723790677174592551",),
        ("J2", "Batch 3"): ("0.368061935896261076", "0.733615858338543383"),
        ("J2", "Batch 4"): ("0.608147659546583410",),
    }


def test_what_to_fetch_for_two_contests():
    # [C] test_multi_contest_batch_comparison_end_to_end: seed 1234567890, 10 and 8 draws
    rows = [(50, 0)] * 9 + [(0, 50)]
    small = [((75, 25), 100), *[((25, 25), 50)] * 3]
    one = [*batches_of("J1", [(votes, 100) for votes in rows]), *batches_of("J2", small), *batches_of("J3", small)]
    assert retrieval(draw_batches("1234567890", ArloContest((750, 250)), one, 10)) == {
        ("J1", "Batch 2"): ("0.474971525750860236", "0.555845039101209884"),
        ("J1", "Batch 5"): ("0.384177151866437890", "0.470460412141498108"),
        ("J1", "Batch 6"): ("0.899217854763070950", "0.9233199163410086672"),
        ("J1", "Batch 7"): ("0.817464900879746084",),
        ("J2", "Batch 1"): ("0.562697240648997100", "0.9008218268717084008"),
        ("J3", "Batch 1"): ("0.544165663445275136",),
    }
    other = batches_of("J1", [((50, 0), 100)] * 8 + [((25, 25), 100)] * 2)
    assert retrieval(draw_batches("1234567890", ArloContest((450, 50), votes_allowed=2), other, 8)) == {
        ("J1", "Batch 1"): ("0.720194360819624066", "0.777128466487428756"),
        ("J1", "Batch 3"): ("0.753710009967479876",),
        ("J1", "Batch 5"): ("0.384177151866437890", "0.470460412141498108"),
        ("J1", "Batch 7"): ("0.817464900879746084", "0.864505270651837742"),
        ("J1", "Batch 9"): ("0.734926612730309894",),
    }


def test_the_choice_is_that_of_numpy():
    chance = np.random.default_rng(5)
    for size in (1, 2, 7, 1000):
        weights = chance.random(size) * (chance.random(size) < 0.9) + 1e-9
        weights /= weights.sum()
        theirs = np.random.default_rng(int(sha256(b"wren").hexdigest(), 16)).choice(size, 500, p=weights)
        assert draw_by_weights("wren", weights.tolist(), 500) == theirs.tolist()


def test_bounds_with_pending_and_with_missing_ballots():
    # server/tests/audit_math/test_macro.py, test_pending_ballots and test_unauditable_ballots with their snapshots
    rows = [((60, 40, 0), 100), ((0, 60, 40), 100), ((90, 0, 10), 100), ((50, 0, 0), 50)]
    bounds = arlo_bounds(ArloContest((200, 100, 50), pending=2), batches_of("J", rows))
    assert arlo_limit(bounds) == Decimal("4.591836734693877551020408163")
    assert arlo_limit(arlo_bounds(ArloContest((200, 100, 50)), batches_of("J", rows))) == Decimal("4.5")
    # Theirs takes half a vote from each of two batches; here all numbers are twice as large.
    twice = [((120, 79, 0), 199), ((0, 119, 80), 199), ((180, 0, 20), 200), ((100, 0, 0), 100)]
    missing = arlo_bounds(ArloContest((400, 200, 100)), batches_of("J", twice))
    assert arlo_limit(missing) == Decimal("4.545454545454545454545454545")


def test_a_majority_is_a_comparison_with_all_others():
    # The differences and sums that test_macro.py's runoff tests state in their comments
    without = ArloContest((4800, 2500, 1500, 1200), majority=True)
    rows = batches_of("J", [((48, 25, 15, 12), 100)] * 100)
    # The two first go on: 52 against 48 is the closest of the comparisons, (4 + 100) / 400.
    assert arlo_bounds(without, rows)[0] == Decimal("0.26")
    majority = ArloContest((5100, 3000, 1500, 400), majority=True)
    rows = batches_of("J", [((51, 30, 15, 4), 100)] * 100)
    assert arlo_bounds(majority, rows)[0] == Decimal("0.51")
    assert arlo_bounds(ArloContest((5100, 3000, 1500, 400)), rows)[0] == Decimal(121) / Decimal(2100)


def test_a_margin_that_is_gone_asks_for_a_full_count():
    for contest in (ArloContest((200, 200)), ArloContest((200, 198), pending=2), ArloContest((500, 300, 200), majority=True)):
        with pytest.raises(AuditError, match="count all batches"):
            arlo_bounds(contest, [])


def test_what_no_audit_of_arlo_has_is_refused():
    with pytest.raises(AuditError, match="at least one loser"):
        ArloContest((5, 4), winners=2)
    with pytest.raises(AuditError, match="3 choices, and the contest has 2"):
        arlo_bounds(CLOSE, batches_of("J", [((1, 2, 3), 6)]))
    with pytest.raises(AuditError, match="stands twice"):
        draw_batches(SEED, CLOSE, FOUR + FOUR[:1], 1)
    with pytest.raises(AuditError, match="nothing to draw"):
        arlo_weights((Decimal(0), Decimal(0)))
    with pytest.raises(AuditError, match="not Unicode"):
        draw_by_weights("\ud800", [1.0], 1)
    for weights in ([0.5, 0.4], [1.5, -0.5], [float("nan"), 1.0]):
        with pytest.raises(AuditError, match="add up to 1"):
            draw_by_weights(SEED, weights, 1)
