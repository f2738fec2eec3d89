"""From two people's rows to one count: by agreement, or by a third look at each field in which they differ."""

from dataclasses import replace

import pytest

from scrutineer.audits.entry_table import Entered, read_entries
from scrutineer.audits.fieldwork.entry import ROW, Settled, compare, place_of, resolve, settle
from scrutineer.errors import AuditError

HEAD = "box,position,contest,status,cards,blank,null,votes,images\n"


def rows(by: str, *lines: str, images: str = "") -> Entered:
    return read_entries((HEAD + "".join(f"{line},{images}\n" for line in lines)).encode(), by, by)


FIRST = rows("Dipper", "a1,,president,counted,85,3,2,50 20 10", "a2,,president,counted,85,,2,48 22 10")
SECOND = rows("Wren", "a1,,president,counted,85,3,2,50 20 10", "a2,,president,counted,85,0,2,48 22 -")


def test_where_both_say_the_same_no_third_is_needed() -> None:
    settled = settle((FIRST, SECOND), "a1")
    assert isinstance(settled, Settled)
    assert settled.people == ("Dipper", "Wren")
    assert set(settled.entered.rows) == {("a1", 0, "president")}


def test_unknown_is_not_zero_and_is_a_difference() -> None:
    found = settle((FIRST, SECOND), "a2")
    assert isinstance(found, tuple)
    assert [(each.field, each.first, each.second) for each in found] == [("blank", "", "0"), ("votes", "48 22 10", "48 22 -")]


def test_a_third_look_decides_each_field_and_is_named() -> None:
    third = rows("Robin", "a2,,president,counted,85,0,2,48 22 10")
    settled = settle((FIRST, SECOND, third), "a2")
    assert isinstance(settled, Settled)
    assert settled.people == ("Dipper", "Robin", "Wren")
    row = settled.entered.rows["a2", 0, "president"]
    assert (row["blank"], row["votes"]) == ("0", "48 22 10")


def test_what_neither_saw_is_no_settlement() -> None:
    third = rows("Robin", "a2,,president,counted,85,1,2,48 22 10")
    left = settle((FIRST, SECOND, third), "a2")
    assert isinstance(left, tuple)
    assert [(each.field, each.first_by, each.second_by) for each in left] == [("blank", "Dipper", "Wren")]
    assert str(left[0]) == "box a2, president, blank: Dipper has nothing, Wren has '0', Robin has '1'"


def test_whoever_differed_is_named_in_whatever_order_three_are_taken() -> None:
    third = rows("Robin", "a2,,president,counted,85,0,2,48 22 -", images="cc")
    found = [settle(people, "a2") for people in ((FIRST, SECOND, third), (third, SECOND, FIRST), (third, FIRST, SECOND))]
    assert found[0] == replace(found[1], entered=replace(found[1].entered, by="Dipper"))  # type: ignore[arg-type, union-attr]
    for settled in found:
        assert isinstance(settled, Settled)
        assert settled.people == ("Dipper", "Robin", "Wren")
        row = settled.entered.rows["a2", 0, "president"]
        assert (row["blank"], row["votes"], row["images"]) == ("0", "48 22 -", "cc")


def test_a_box_that_one_could_not_find() -> None:
    gone = rows("Wren", "a2,,,missing,,,,")
    found = settle((FIRST, gone), "a2")
    assert isinstance(found, tuple)
    assert {each.field for each in found} == {ROW}
    seen = settle((FIRST, gone, rows("Robin", "a2,,president,counted,85,,2,48 22 10")), "a2")
    assert isinstance(seen, Settled)
    assert seen.entered.rows == {("a2", 0, "president"): FIRST.rows["a2", 0, "president"]}
    lost = settle((FIRST, gone, rows("Robin", "a2,,,missing,,,,")), "a2")
    assert isinstance(lost, Settled)
    assert [row["status"] for row in lost.entered.rows.values()] == ["missing"]
    # A third who finds the box and counts otherwise confirms nobody.
    assert isinstance(settle((FIRST, gone, rows("Robin", "a2,,president,counted,85,,2,47 23 10")), "a2"), tuple)


def test_cards_that_cannot_be_read() -> None:
    one = rows("Dipper", "a1,7,president,counted,,,,heron", "a1,9,,illegible,,,,")
    other = rows("Wren", "a1,7,president,counted,,,,wren", "a1,9,,illegible,,,,")
    found = settle((one, other), "a1")
    assert isinstance(found, tuple)
    assert [(each.position, each.field) for each in found] == [(7, "votes")]
    settled = resolve(one, other, {place_of(found[0]): "wren"}, "Robin")
    assert settled.entered.rows["a1", 7, "president"]["votes"] == "wren"
    assert settled.entered.rows["a1", 9, ""]["status"] == "illegible"


def test_who_may_decide_and_what() -> None:
    one, other = (Entered(each.by, {k: r for k, r in each.rows.items() if k[0] == "a2"}) for each in (FIRST, SECOND))
    places = [place_of(each) for each in compare(one, other)]
    good = {places[0]: "0", places[1]: "48 22 10"}
    assert resolve(one, other, good, "Robin").people == ("Dipper", "Robin", "Wren")
    for by in ("Dipper", "Wren", " "):
        with pytest.raises(AuditError, match="cannot decide"):
            resolve(one, other, good, by)
    with pytest.raises(AuditError, match="has not decided it"):
        resolve(one, other, {places[0]: "0"}, "Robin")
    with pytest.raises(AuditError, match="neither of them entered"):
        resolve(one, other, good | {places[0]: "5"}, "Robin")
    with pytest.raises(AuditError, match="nothing differs there"):
        resolve(one, other, good | {("a2", 0, "president", "cards"): "85"}, "Robin")


def test_one_person_is_not_two() -> None:
    with pytest.raises(AuditError, match="two people enter it"):
        settle((FIRST,), "a1")
    with pytest.raises(AuditError, match="two people enter it"):
        settle((FIRST, FIRST), "a1")
    with pytest.raises(AuditError, match="two people enter it"):
        settle((FIRST, SECOND), "b1")


def test_each_takes_photographs_of_his_own_and_all_are_kept() -> None:
    line = "a1,,president,counted,85,3,2,50 20 10"
    settled = settle((rows("Dipper", line, images="bb aa"), rows("Wren", line, images="cc aa")), "a1")
    assert isinstance(settled, Settled)
    assert settled.entered.rows["a1", 0, "president"]["images"] == "aa bb cc"
