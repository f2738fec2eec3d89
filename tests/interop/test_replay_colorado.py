"""Audits that Colorado held, from what its Secretary of State published of them.

The figures are those of the audit centre (coloradosos.gov/pubs/elections/auditCenter.html): seeds, contest.csv,
contestSelection.csv and county manifests, as kept by nealmcb/auditcenter (4b1f806). The cards that Bent County examined in
November 2024 are listed in nealmcb/auditcenter_analyze (8115d37), docs/RANDOM_SELECTION_VERIFICATION_RESULTS.md.
"""

from collections import Counter
from decimal import Decimal

import pytest

from scrutineer.audits.replay.colorado import colorado_draw, colorado_places, colorado_risk, colorado_size
from scrutineer.audits.replay.colorado_files import AuditedContest, CountyBatch

NOVEMBER_2024 = "53417960661093690826"
NOVEMBER_2021 = "08772473296991897540"

BENT = """
102-11-7 102-12-24 102-13-1 102-15-19 102-23-25 102-24-24 102-27-20 102-3-15 102-3-25 102-3-4 102-33-10 102-33-13
102-34-2 102-35-13 102-36-1 102-44-13 102-46-5 102-49-12 102-5-25 102-55-21 102-66-10 102-68-13 102-68-22 102-68-24
102-69-10 102-70-12 102-70-4 102-72-5 102-73-1 102-80-6 102-83-3 102-84-14
"""
"""The cards examined in Bent County for its commissioner of district 1, in the order of their names."""
FIRST_OF_BENT = (125, 2053, 369, 810, 299, 1212, 1737, 575, 75, 1688)


def test_the_cards_of_bent_county():
    sizes = [25] * 86 + [13, 20, 38]
    manifest = [CountyBatch("102", str(number), ballots) for number, ballots in enumerate(sizes, 1)]
    assert sum(sizes) == 2221
    assert colorado_places(NOVEMBER_2024, 2221, 10) == FIRST_OF_BENT
    drawn = colorado_draw(NOVEMBER_2024, [("Bent", manifest)], 32)
    assert sorted(card for _, card in drawn) == BENT.split()
    assert drawn[-1] == ("Bent", "102-44-13"), "the draw that the second round added"


@pytest.mark.parametrize(
    ("cards", "draws", "published"),
    [
        (618, 85, {1: 77, 2: 4}),  # Hinsdale County Commissioner District 1
        (845, 60, {1: 54, 2: 3}),  # North Park School District R-1 Ballot Issue 4A
        (1060, 58, {1: 56, 2: 1}),  # Kiowa County Hospital District Ballot Question 6A
        (1371, 88, {1: 80, 2: 4}),  # Sedgwick County Commissioner - District 3
        (1453, 157, {1: 136, 2: 9, 3: 1}),  # Dove Creek Ambulance District Ballot Issue 6A
        (2149, 48, {1: 46, 2: 1}),  # Costilla County Commissioner District 3
        (3446, 122, {1: 116, 2: 3}),  # Saguache County Commissioner District 1
        (4183, 142, {1: 136, 2: 3}),  # Gilpin County Commissioner - District 1
        (19786, 81, {1: 79, 2: 1}),  # Delta County Court - Zeerip
        (170790, 379, {1: 377, 2: 1}),  # Pueblo County Commissioner - District 2
        (4746866, 302, {1: 302}),  # Regent of the University of Colorado - At Large
    ],
)
def test_cards_selected_more_than_once_in_2024(cards: int, draws: int, published: dict[int, int]):
    """contestSelection.csv names a card by the number of its record, once for each draw."""
    assert Counter(Counter(colorado_places(NOVEMBER_2024, cards, draws)).values()) == published


def test_a_zero_at_the_front_of_a_seed_counts():
    assert colorado_places(NOVEMBER_2021, 1000, 5) != colorado_places(NOVEMBER_2021.lstrip("0"), 1000, 5)


SIZES = """
Adams County Commissioner - District 5|468858|17761|0.03|194|0 0 0 0|193
Conejos County Commissioner District 3|4196|418|0.03|75|0 0 0 1|60
County Court Judge - Cheyenne|1064|430|0.03|20|0 0 1 0|17
Dove Creek Ambulance District Ballot Issue 6A|1453|195|0.03|107|2 0 0 0|156
Hinsdale County Commissioner District 1|618|104|0.03|85|1 0 0 2|68
Otero County Ballot Question 1A|9039|3659|0.03|36|1 0 0 0|35
Presidential Electors|4746866|350348|0.03|100|0 0 0 0|99
Boulder County Commissioner - District 2 - DEM|118976|3760|0.04|429|1 0 0 0|428
State Senator - District 8 - DEM - Summit County|8204|230|0.04|240|1 1 0 0|531
City of Colorado Springs Ballot Question 2C|382583|7625|0.04|816|2 2 1 0|1116
Cheyenne County Commissioner - District 3|1146|21|0.04|367|0 0 1 0|321
Proposition DD (Statutory)|1579836|44221|0.05|955|4 1 0 0|1246
Custer County School District C-1 Director - District 1|2284|99|0.05|145|0 0 2 0|106
Otero County Clerk|7588|872|0.05|232|3 1 0 1|232
Jefferson County Assessor|610888|12909|0.05|619|1 0 0 0|618
"""
"""Of 2024, 2020, 2019 and 2018: contest, cards, margin, risk limit, draws audited, two- and one-vote over- and one- and two-vote
understatements, and the published number of draws needed ("optimistic samples to audit")."""


@pytest.mark.parametrize("line", SIZES.strip().split("\n"))
def test_the_draws_that_a_contest_needs(line: str):
    name, cards, margin, limit, audited, discrepancies, needed = line.split("|")
    two_over, one_over, one_under, two_under = map(int, discrepancies.split())
    contest = AuditedContest(
        *(name, "county_wide_contest", "in_progress", int(cards), int(margin), Decimal(limit), int(audited)),
        *(two_over, one_over, one_under, two_under, Decimal("1.03905"), int(needed), int(needed)),
    )
    assert colorado_size(contest) == int(needed)
    assert (colorado_risk(contest) <= contest.risk_limit) is (int(audited) >= int(needed)), "size and risk say the same"


def test_a_risk_as_the_report_of_results_prints_it():
    """ResultsReport.xlsx of November 2024: 2.8 % for a commissioner of Adams County."""
    contest = AuditedContest(
        *("Adams County Commissioner - District 5", "county_wide_contest", "", 468_858, 17_761, Decimal("0.03"), 194),
        *(0, 0, 0, 0, Decimal("1.03905"), 193, 193),
    )
    assert f"{100 * colorado_risk(contest):.1f}" == "2.8"
