import ast
import re
from pathlib import Path

import pytest

from full_election import full_election
from portal_helpers import made_up, republic
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.election.transmission import Transmission
from scrutineer.log.quorum import Cosigners
from scrutineer.portal.checklist_page import STATUS_WORDS, answers, checklist_page
from scrutineer.portal.pages import EVERYTHING, MENU, Pages
from scrutineer.portal.requirements import REQUIREMENTS
from scrutineer.portal.view import View
from site_pages import read_page

ROOT = Path(__file__).resolve().parents[3]
ROWS = [UnitRow("land", "", "Land", "country", None), UnitRow("n0", "land", "N", "station", 500)]
CONTEST = Contest("president", "P", "plurality", (Option("heron", "Heron"),))


def text_of(pages: Pages) -> str:
    (file,) = checklist_page(pages)
    data = b"".join(file.chunks)
    read_page(data)
    return data.decode()


def functions(path: Path) -> set[str]:
    """Names of the tests of a file, those of classes with the class before them."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{inner.name}" for inner in node.body if isinstance(inner, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("test", sorted({test for asked in REQUIREMENTS for test in asked.tests}))
def test_the_tests_that_a_requirement_names_are_there(test: str) -> None:
    path, _, name = test.partition("::")
    assert name.rpartition("::")[2].startswith("test_")
    assert name in functions(ROOT / path)


def test_there_are_twenty_requirements_each_with_an_answer_and_a_test() -> None:
    assert len(REQUIREMENTS) == 20
    assert len({asked.id for asked in REQUIREMENTS}) == 20
    assert all(asked.tests for asked in REQUIREMENTS)
    given = answers(Pages(View(full_election()[-1].record)))
    assert list(given) == [asked.id for asked in REQUIREMENTS]
    assert {answer.status for answer in given.values()} == set(STATUS_WORDS)


@pytest.mark.parametrize("number", range(5))
def test_every_requirement_stands_on_the_page_with_its_source_and_links(number: int) -> None:
    pages = Pages(View(full_election()[-1].record), number)
    text = text_of(pages)
    assert re.findall(r'<li id="([a-z-]+)">', text) == [asked.id for asked in REQUIREMENTS]
    for asked in REQUIREMENTS:
        assert pages.say.later(asked.text) in text
        assert pages.say.later(asked.source) in text
        assert all(test in text for test in asked.tests)


def test_answers_link_to_pages_that_every_site_has() -> None:
    known = {path for path, _ in (*MENU, *EVERYTHING)} | {"dictionary.html"}
    for answer in answers(Pages(View(full_election()[-1].record))).values():
        assert {path for path, _ in answer.links} <= known


def test_what_was_declared_of_the_transmission_is_said() -> None:
    silent = answers(Pages(View(made_up(ROWS, (CONTEST,)).record)))["transmission"]
    declared = answers(Pages(View(made_up(ROWS, (CONTEST,), transmission=Transmission()).record)))["transmission"]
    assert "declares no ways of transmission" in silent.said
    assert "are declared in the signed definition" in declared.said
    assert {silent.status, declared.status} == {"published"}


def test_witnesses_are_those_of_the_record() -> None:
    view = View(made_up(ROWS, (CONTEST,)).record)
    assert "No outside witnesses" in answers(Pages(view))["all-stages"].said
    watched = View(made_up(ROWS, (CONTEST,)).record)
    watched.__dict__["cosigners"] = Cosigners(2, ("marsh", "reed"), ("pond",), 0)
    assert "2 of 3 outside witnesses have signed" in answers(Pages(watched))["all-stages"].said


def test_nothing_is_claimed_that_is_not_on_record() -> None:
    empty = answers(Pages(View(made_up(ROWS, (CONTEST,)).record)))
    assert "0 of 1 sheet has arrived." in empty["by-station"].said
    assert "0 copies that observers or agents made are published." in empty["copies"].said
    assert "There are 0 decisions." in empty["corrections"].said
    assert "0 incidents are on record." in empty["no-bare-outcome"].said
    full = View(full_election()[-1].record)
    given = answers(Pages(full))
    assert f"{len(full.count.attestations)} copies" in given["copies"].said
    assert f"{len(full.count.incidents)} incidents" in given["no-bare-outcome"].said
    assert "There is 1 decision." in given["corrections"].said


def test_of_replayed_data_it_is_not_said_how_they_were_read_nor_that_they_are_free() -> None:
    given = made_up(ROWS, (CONTEST,), provenance="replayed", source="Gazette <of> the birds")
    found = answers(Pages(View(given.record)))
    assert found["no-machine-reading"].status == "published"
    assert "Gazette &lt;of&gt; the birds" in found["no-machine-reading"].said
    assert "whose terms hold" in found["open-data"].said
    assert "No licence" not in found["open-data"].said
    assert answers(Pages(View(republic(10).record)))["no-machine-reading"].status == "met"
