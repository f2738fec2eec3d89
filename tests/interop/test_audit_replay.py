"""Audits that others published, computed again from what they published of them.

[L] M. Lindeman, A Kaplan-Markov auditing example using 2008 California data (2010): California's third congressional district,
    774 units, of which 42 were drawn in 47 draws. The units, their reported and hand counts and taints stand in
    nealmcb/kaplan_markov (a9cf602), ca-cd3-2018-batches.csv; totals, U and the P-value in its kaplan_markov.py.
[B] Boulder County, risk-limiting audit of the contest for coroner, general election of 2010:
    http://bcn.boulder.co.us/~neal/elections/boulder-audit-10-11/ with kmresults/5/. The units stand in nealmcb/kaplan_markov,
    boulder_2010_coroner_contest_batch_data.csv, and more figures in its kaplan_markov_example.ipynb.
[A] votingworks/arlo (8d86156), server/tests/batch_comparison/conftest.py with snapshots/snap_test_batch_comparison.py: audits of
    invented counties, from the seed to the P-value.

Of [L] every unit that was drawn is given, of [B] a few; one box stands for all the others together, whose bounds add up likewise.
"""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from scrutineer.audits.assertions import Assertion
from scrutineer.audits.designs.batch import BatchDesign, BoxScores, Reported, kaplan_markov
from scrutineer.audits.risk.kaplan import KaplanMarkov
from scrutineer.audits.sampling.ppeb import ArloBatch, ArloContest, draw_batches, retrieval
from scrutineer.audits.sampling.sample import Sample, Ticket

DRAWN = """
06005AV130 424 231 149 13 12 1 0.003953 230 150 13 12
06005CP01 447 244 152 15 15 2 0.000000
06005CP16 319 159 115 15 12 1 0.000000
06009350 919 440 392 30 16 2 -0.000244 442 393 30 16
06009430 990 493 377 34 30 1 0.000000
06009520 990 528 332 34 33 2 0.000199 528 332 36 33
06009535 1119 597 393 35 39 1 0.000000
0606721310 440 152 197 4 35 1 0.000000
0606722716 644 254 294 9 25 1 0.000000
0606726108 685 290 284 14 36 2 0.000000
0606726420 382 158 172 14 15 1 0.027174 158 182 14 15
0606728102 685 260 316 23 27 1 0.000000
0606728312 710 290 323 22 25 1 0.000000
0606731404 628 294 228 13 36 1 0.000000
0606733224 684 387 220 10 9 1 0.000289 387 220 10 11
0606734106 623 238 257 25 32 1 0.000000
0606736740 670 289 266 20 23 1 0.000000
0606755800 688 274 301 12 34 1 0.000000
0606757750 381 202 118 11 24 1 0.000000
0606758200 706 402 210 10 30 1 0.000000 403 211 10 30
060678022102 467 216 182 13 15 1 0.000000
060678023118 579 247 247 14 34 1 0.000000
060678023126 442 215 163 16 21 1 0.002024 215 164 16 21
060678023624 436 168 180 21 27 1 0.000000
060678024324 417 201 156 12 14 1 0.000000
060678025810 435 164 224 9 18 1 0.000000
060678029102 736 323 330 19 26 1 0.004115 324 334 19 26
060678031132 724 359 270 14 22 1 0.000000
060678031204 538 297 166 13 23 1 0.000000
060678052200 527 217 247 15 21 1 0.000000
060678053126 444 204 185 13 16 1 0.000000
060678057156 716 364 285 8 17 1 0.000000
060678057206 591 279 246 13 14 1 0.000000
060678057620 544 291 195 12 13 1 -0.000368 293 196 12 13
060678061100 1020 570 395 14 12 1 0.000000
060678061130 863 474 330 16 6 1 0.000000
060678089318 537 261 191 10 40 1 0.000000
0606782030 592 162 309 5 50 1 0.000000
0606787344 338 186 86 7 15 1 0.000000
0606789318 606 313 174 17 43 1 0.000000
0609549700A 634 336 229 26 21 2 0.000000
0609594939 209 105 80 4 6 1 0.000000
"""
"""[L]: unit, ballots, votes of the four candidates, times drawn, taint; and the votes of the hand count where they differ."""

TOTAL_VOTES = (155_424, 137_971, 7_273, 13_378)
BOUND = 20.47011975018621  # U of all 774 units
P_VALUE = 0.09861647993802505


def assertion(loser: int, options: int) -> Assertion:
    """The first has more votes than another."""
    return Assertion("contest", f"0>{loser}", tuple((option == 0) - (option == loser) for option in range(options)))


def with_rest(rows: list[list[int]], total: list[int]) -> np.ndarray:
    """Boxes by ballots and votes, the last of them all that are not given."""
    given = np.array(rows, np.int64)
    return np.vstack([given, np.array(total) - given.sum(axis=0)])


def design_of(names: list[str], boxes: np.ndarray, *, credit: int = 0, unseen: int = 0) -> BatchDesign:
    cards, votes = boxes[:, 0], boxes[:, 1:]
    options = votes.shape[1]
    reported = tuple(Reported.of_votes(assertion(loser, options), votes, cards, unseen=unseen) for loser in range(1, options))
    return BatchDesign((*names, "all others"), reported, Fraction(credit))


def test_the_congressional_district_of_2008():
    lines = [line.split() for line in DRAWN.split("\n") if line]
    rows = [[int(cell) for cell in line[1:6]] for line in lines]
    margin = TOTAL_VOTES[0] - TOTAL_VOTES[1]
    ballots = round(BOUND * margin) - margin
    design = design_of([line[0] for line in lines], with_rest(rows, [ballots, *TOTAL_VOTES]), credit=1)
    assert float(design.limit) == pytest.approx(BOUND, rel=1e-12)

    counted: dict[str, BoxScores] = {}
    tickets: list[Ticket] = []
    for line, row in zip(lines, rows, strict=True):
        found = [int(cell) for cell in line[8:]] or row[1:]
        counted[line[0]] = tuple(found[0] - other for other in found[1:])
        tickets += [Ticket("", line[0], 0, time) for time in range(1, int(line[6]) + 1)]
    sample = Sample(tuple(tickets))
    taints = design.taints(sample, counted)
    published = [Decimal(line[7]) for line in lines for _ in range(int(line[6]))]
    assert len(taints) == 47
    for ticket, ours, theirs in zip(tickets, taints, published, strict=True):
        assert abs(ours - Fraction(theirs)) < Fraction(1, 10**6), ticket.box
    assert float(kaplan_markov(design.limit, taints)[-1]) == pytest.approx(P_VALUE, rel=1e-9)

    # The audit of our own: the same products, of which the least so far counts; understatements are taken for nothing.
    plain = design_of([line[0] for line in lines], with_rest(rows, [ballots, *TOTAL_VOTES]))
    p_value = float(KaplanMarkov(2**-40).p_values(plain.values(sample, counted), plain.null())[-1])
    assert P_VALUE < p_value < 1.001 * P_VALUE


UNITS = {
    "j001_ev_029": (121, 66, 33, "0.014871"),
    "j002_ev_028": (182, 91, 41, "0.022402"),
    "j003_ev_027": (155, 80, 32, "0.019602"),
    "j004_ev_025": (92, 55, 22, "0.012070"),
    "j111_ed_46": (37, 23, 6, "0.005214"),
    "p069_mb_484": (292, 115, 85, "0.031093"),
    "p149_mb_168": (297, 114, 110, "0.029065"),
    "p229_mb_477": (299, 114, 93, "0.030900"),
    "p309_ed_424": (298, 114, 80, "0.032059"),
    "x008_ev_259+j099_ed_78": (28, 13, 6, "0.003380"),
}
"""[B]: ballots, votes for the winner and for the loser, and the error bound, of some units."""


def test_the_coroner_of_boulder_county_in_2010():
    totals = [121_138, 49_627, 33_924]
    rows = [list(row[:3]) for row in UNITS.values()]
    # 5,347 ballots were tallied after the units were published, and can all be for the loser.
    design = design_of(list(UNITS), with_rest(rows, totals), unseen=5_347)
    assert design.reported[0].margin == 10_356
    assert f"{float(design.limit):.6f}" == "13.213693"
    for bound, (_, _, _, published) in zip(design.bounds.tolist(), UNITS.values(), strict=False):
        assert f"{bound / design.scale:.6f}" == published
    assert design.size(Fraction(1, 2)) == 9, "after nine units it had met its target"
    assert design.size(Fraction(1, 10)) == 30
    assert f"{float(design_of(list(UNITS), with_rest(rows, totals)).limit):.12f}" == "8.714322104057"
    clean = kaplan_markov(design.limit, [Fraction(0)] * 9)
    assert clean[-2] > Fraction(1, 2) >= clean[-1]


COUNTIES = {
    **{("J1", f"Batch {number}"): ((500, 250, 250), 500) for number in range(1, 5)},
    **{("J1", f"Batch {number}"): ((100, 50, 50), 100) for number in range(5, 10)},
    **{("J2", f"Batch {number}"): ((500, 250, 250), 500) for number in range(1, 5)},
    ("J2", "Batch 5"): ((300, 100, 100), 250),
    ("J2", "Batch 6"): ((200, 150, 150), 250),
}
"""[A]: votes of three candidates, of whom a card may mark two, and ballots."""

DRAWN_BY_0123 = {
    ("J1", "Batch 1"): ("0.412447190344990933", "0.9216749971146661458", "0.99056429261666903579"),
    ("J1", "Batch 3"): ("0.225863102795344453",),
    ("J1", "Batch 4"): ("0.429402372732554625",),
    ("J2", "Batch 1"): ("0.455651040681599115",),
    ("J2", "Batch 5"): ("0.491722096005704980",),
}
DRAWN_BY_1234567890 = {
    ("J1", "Batch 1"): ("0.720194360819624066",),
    ("J1", "Batch 2"): ("0.474971525750860236",),
    ("J1", "Batch 4"): ("0.9553762217707628661",),
    ("J1", "Batch 6"): ("0.899217854763070950",),
    ("J1", "Batch 8"): ("0.9723790677174592551",),
    ("J2", "Batch 3"): ("0.368061935896261076", "0.733615858338543383"),
}
HAND_COUNTS = {
    ("J1", "Batch 1"): (400, 50, 40),
    ("J1", "Batch 2"): (400, 50, 40),
    ("J1", "Batch 4"): (500, 250, 240),
    ("J1", "Batch 6"): (100, 50, 40),
    ("J2", "Batch 3"): (100, 100, 40),
}


@pytest.mark.parametrize(
    ("seed", "drawn", "hand_counts", "published"),
    [("0123", DRAWN_BY_0123, {}, "0.0585276635"), ("1234567890", DRAWN_BY_1234567890, HAND_COUNTS, "0.1316872428")],
)
def test_audits_of_arlos_from_the_seed_to_the_p_value(
    seed: str,
    drawn: dict[tuple[str, str], tuple[str, ...]],
    hand_counts: dict[tuple[str, str], tuple[int, ...]],
    published: str,
):
    batches = [ArloBatch(key, votes, ballots) for key, (votes, ballots) in COUNTIES.items()]
    draws = draw_batches(seed, ArloContest((5000, 2500, 2500), votes_allowed=2), batches, 7)
    assert retrieval(draws) == drawn

    names = [" ".join(key) for key in COUNTIES]
    votes = np.array([votes for votes, _ in COUNTIES.values()], np.int64)
    cards = np.array([ballots for _, ballots in COUNTIES.values()], np.int64)
    reported = tuple(Reported.of_votes(assertion(loser, 3), votes, cards) for loser in (1, 2))
    design = BatchDesign(tuple(names), reported)
    sample = Sample(tuple(Ticket(draw.ticket, " ".join(draw.batch), 0) for draw in draws))
    found = {" ".join(key): hand_counts.get(key, COUNTIES[key][0]) for key in drawn}
    counted: dict[str, BoxScores] = {box: (own[0] - own[1], own[0] - own[2]) for box, own in found.items()}
    assert f"{float(kaplan_markov(design.limit, design.taints(sample, counted))[-1]):.10f}" == published
