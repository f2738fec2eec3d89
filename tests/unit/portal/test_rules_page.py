import re

import pytest

from portal_helpers import made_up, republic
from scrutineer.count import RULES
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.portal.pages import Pages
from scrutineer.portal.rules_page import rules_page
from scrutineer.portal.view import View
from site_pages import read_page


@pytest.mark.parametrize("number", range(5))
def test_every_rule_of_the_count_is_on_the_page(number: int) -> None:
    pages = Pages(View(republic(60, part=0.9).record), number)
    (file,) = rules_page(pages)
    text = b"".join(file.chunks).decode()
    assert {rule.id for rule in RULES} <= read_page(text.encode()).ids
    assert all(pages.say.later(rule.wording) in text for rule in RULES)


def test_the_page_counts_the_sheets_that_each_rule_was_found_at() -> None:
    record = republic(400, part=0.9).record
    text = b"".join(next(rules_page(Pages(View(record)))).chunks).decode()
    state = record.count.contests[0]
    for position, rule in enumerate(RULES):
        found = int(((state.flags >> position) & 1).sum())
        assert re.search(rf'<tr id="{rule.id}">.*</td><td>{found}</td></tr>', text), rule.id
    assert state.flags.any()


def test_severities_are_those_of_the_election() -> None:
    rows = [UnitRow("land", "", "Land", "country", None), UnitRow("n0", "land", "N", "station", 500)]
    contest = Contest("president", "P", "plurality", (Option("heron", "Heron"),))
    text = b"".join(next(rules_page(Pages(View(made_up(rows, (contest,), rules={"all-zero": "off"}).record)))).chunks).decode()
    assert re.search(r'<tr id="all-zero">.*<span class="mark off">Off</span>', text)
