import re
from collections.abc import Callable, Iterator

import pytest

from full_election import SECOND, full_election
from portal_helpers import OFFICER, Published, key_of, made_up, published
from scrutineer.count import Count
from scrutineer.election import Contest, Election, Option, UnitRow, station_issuer
from scrutineer.portal.decision_effects import all_decisions, effect
from scrutineer.portal.decision_pages import decision_pages
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View
from scrutineer.statements import (
    Decision,
    Endorsement,
    Figures,
    Payload,
    TallySheet,
    parse_statement,
    sign_statement,
    statement_hash,
)
from site_pages import read_page, target

BIRDS = (Option("heron", "Heron"), Option("wren", "Wren"))
PRESIDENT = Contest("president", "President", "plurality", BIRDS)
ROWS = [
    UnitRow("land", "", "Land of birds", "country", None),
    *(UnitRow(f"n{i}", "land", f"Station {i}", "station", 500) for i in range(50)),
]
Said = Iterator[tuple[str, Payload]]


class Story:
    """Says sheets and decisions of one election."""

    def __init__(self, election: Election) -> None:
        self.election = election

    def sheet(self, station: str, heron: int, wren: int, **figures: object) -> tuple[str, TallySheet]:
        given = {"blank": 1, "null": 2, "cast": heron + wren + 3, "time": 1_747_600_000} | figures
        sheet = TallySheet(self.election.hash, station, "president", (heron, wren), **given)  # type: ignore[arg-type]
        return station_issuer(station), sheet

    def decision(
        self, action: str, station: str, sheet: tuple[str, TallySheet] | None = None, **fields: object
    ) -> tuple[str, Payload]:
        name = None if sheet is None else statement_hash(sign_statement(sheet[1], sheet[0], key_of(sheet[0])))
        given = {"contest": "president", "sheet": name, "reason": "Counted again."} | fields
        return OFFICER, Decision(election=self.election.hash, station=station, action=action, **given)  # type: ignore[arg-type]


def told(say: Callable[[Story], Said]) -> Published:
    return made_up(ROWS, (PRESIDENT,), lambda election: say(Story(election)))


def pages_of(given: Published, number: int = 0) -> dict[str, str]:
    found = {file.path: b"".join(file.chunks) for file in decision_pages(Pages(View(given.record), number))}
    for data in found.values():
        read_page(data)
    return {path: data.decode() for path, data in found.items()}


def effects(given: Published) -> list[list[int] | None]:
    view = View(given.record)
    return [effect(view, one) for one in all_decisions(view)]


def without_decisions(given: Published) -> Count:
    """The count of the same log in which nothing was decided."""
    count = Count(given.record.election)
    count.apply(entry for entry in given.log if not isinstance(parse_statement(entry).payload, Decision))
    return count


# --- what decisions change -----------------------------------------------------------------------------------------------------


def test_a_sheet_that_a_decision_lets_in_adds_its_votes() -> None:
    def say(story: Story) -> Said:
        wrong = story.sheet("n0", 10, 5, cast=17)
        yield wrong
        yield story.decision("accept", "n0", wrong)

    assert effects(told(say)) == [[10, 5]]


def test_a_correction_of_a_sheet_that_counted_adds_the_difference() -> None:
    def say(story: Story) -> Said:
        sheet = story.sheet("n0", 10, 5)
        yield sheet
        yield story.decision("correct", "n0", sheet, after=Figures(counts=(7, 8), blank=1, null=2, cast=18))

    given = told(say)
    assert effects(given) == [[-3, 3]]
    text = pages_of(given)["decisions.html"]
    assert '<span dir="ltr">−3</span>' in text
    assert '<span dir="ltr">+3</span>' in text


def test_a_station_that_is_kept_out_takes_its_votes_with_it() -> None:
    def say(story: Story) -> Said:
        yield story.sheet("n0", 10, 5)
        yield story.decision("exclude", "n0")
        yield story.decision("exclude", "n1")

    assert effects(told(say)) == [[-10, -5], [0, 0]]


def test_one_of_two_sheets_that_differ_adds_its_votes() -> None:
    def say(story: Story) -> Said:
        yield story.sheet("n0", 10, 5)
        second = story.sheet("n0", 12, 3)
        yield second
        yield story.decision("accept", "n0", second)

    assert effects(told(say)) == [[12, 3]]


def test_what_is_no_longer_in_effect_changes_nothing() -> None:
    def say(story: Story) -> Said:
        sheet = story.sheet("n0", 10, 5)
        yield sheet
        yield story.decision("exclude", "n0")
        yield story.decision("accept", "n0", sheet, reason="Found again.")

    given = told(say)
    assert effects(given) == [None, [0, 0]]
    text = pages_of(given)["decisions.html"]
    assert "No longer in effect" in text
    assert text.count("It changes nothing in the totals now.") == 1


def test_a_sheet_that_contradicts_a_decision_ends_it() -> None:
    def say(story: Story) -> Said:
        sheet = story.sheet("n0", 10, 5)
        yield sheet
        yield story.decision("accept", "n0", sheet)
        yield story.sheet("n0", 200, 5)

    assert effects(told(say)) == [None]


def test_what_all_decisions_change_is_the_difference_to_the_count_without_them() -> None:
    def say(story: Story) -> Said:
        for number in range(20):
            wrong = story.sheet(f"n{number}", 30 + number, 20 + 2 * number, cast=53 + 3 * number + number % 2)
            yield wrong
            if number % 5 == 0:
                yield story.decision("exclude", f"n{number}")
            elif number % 3 == 0:
                after = Figures(counts=(31, 19), blank=1, null=2, cast=53)
                yield story.decision("correct", f"n{number}", wrong, after=after)
            elif number % 2:
                yield story.decision("accept", f"n{number}", wrong)

    given = told(say)
    found = effects(given)
    assert None not in found
    together = [sum(change[option] for change in found if change is not None) for option in range(2)]
    without = without_decisions(given).contests[0].totals(0)[:2].tolist()
    now = given.record.count.contests[0].totals(0)[:2].tolist()
    assert together == [own - other for own, other in zip(now, without, strict=True)]
    assert together != [0, 0]


# --- the pages -----------------------------------------------------------------------------------------------------------------


def test_a_decision_is_shown_with_both_figures_its_reason_and_its_officers() -> None:
    text = pages_of(full_election()[-1])["decisions.html"]
    assert "The sheet is counted with corrected figures." in text
    assert "Two figures were exchanged." in text
    assert re.search(r"Wren</bdi></th><td>61</td><td class=\"changed\">16</td><td><span dir=\"ltr\">\+16</span>", text)
    assert re.search(r"<code>authority/officer-1</code> \(log entry \d+\)", text)
    assert re.search(r"<code>authority/officer-2</code> \(log entry \d+\)", text)
    assert 'href="stations/coast-2/coast-2-1.html"' in text


def test_who_refused_stands_there_and_what_waits_is_said() -> None:
    record = full_election()[0].record
    decision = Decision(election=record.election.hash, station="hills-2-2", contest="harbour", action="exclude", reason="Flood.")
    said = sign_statement(decision, OFFICER, key_of(OFFICER))
    refusal = Endorsement(election=record.election.hash, statement=statement_hash(said), verdict="refuse", reason="It was dry.")
    log = [*full_election()[0].log[: record.head.size], said, sign_statement(refusal, SECOND, key_of(SECOND))]
    text = pages_of(published(record.election, (record.units_table, record.register_table), log))["decisions.html"]
    assert "Signed by 1 of 2 officers, not in effect" in text
    assert re.search(r"refused by <bdi>Commission of the birds</bdi> <code>authority/officer-2</code> \(log entry \d+\)", text)
    assert "It changes nothing in the totals now." in text
    assert re.search(r"<dt>Waiting for signatures</dt><dd>1</dd>", text)


def test_a_decision_about_nothing_is_shown_without_figures() -> None:
    def say(story: Story) -> Said:
        yield story.decision("exclude", "nowhere")
        yield story.decision("exclude", "n0", contest="other")

    text = pages_of(told(say))["decisions.html"]
    assert text.count("Without effect") == 2
    assert "nowhere" in text


def test_nothing_decided_is_said_in_words() -> None:
    text = pages_of(made_up(ROWS, (PRESIDENT,)))["decisions.html"]
    assert "Nothing has been decided yet" in text
    assert "<table" not in text


def test_many_decisions_go_on_on_further_pages() -> None:
    def say(story: Story) -> Said:
        for number in range(45):
            yield story.decision("exclude", f"n{number}")

    found = pages_of(told(say))
    assert list(found) == ["decisions.html", "decisions~p2.html", "decisions~p3.html"]
    ids = [int(own) for text in found.values() for own in re.findall(r'<li id="entry-(\d+)"', text)]
    assert ids == list(range(1, 46))
    assert "What all decisions in effect change together" in found["decisions.html"]
    assert "What all decisions in effect change together" not in found["decisions~p2.html"]
    for path, text in found.items():
        links = {target(path, link)[0] for link in read_page(text.encode()).links if "decisions" in link}
        assert set(found) <= links


def test_with_many_options_fewer_decisions_stand_on_a_page() -> None:
    contest = Contest("president", "President", "plurality", tuple(Option(f"o{n}", f"Option {n}") for n in range(120)))

    def say(story: Story) -> Said:
        for number in range(5):
            yield story.decision("exclude", f"n{number}")

    found = pages_of(made_up(ROWS, (contest,), lambda election: say(Story(election))))
    assert list(found) == ["decisions.html", "decisions~p2.html", "decisions~p3.html"]


@pytest.mark.parametrize("number", range(5))
def test_pages_are_sound_in_every_language(number: int) -> None:
    found = pages_of(full_election()[-1], number)
    assert all(len(text.encode()) < 50_000 for text in found.values())


def test_hostile_reasons_and_names_stay_text() -> None:
    attack = '"><script>alert(1)</script>\u202e'

    def say(story: Story) -> Said:
        sheet = story.sheet("n0", 10, 5)
        yield sheet
        yield story.decision("accept", "n0", sheet, reason=attack)
        yield story.decision("exclude", "<b>", reason=attack)

    text = pages_of(told(say))["decisions.html"]
    assert "<script>" not in text
    assert "\u202e" not in text
    assert "&lt;script&gt;" in text
