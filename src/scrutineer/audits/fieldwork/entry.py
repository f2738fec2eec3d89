"""From what people entered, each alone, to one count: where two differ, a third looks at the paper, and is named.

What differs between two is `compare`. A third look may take either side of a difference, field by field; what
neither of the two saw is no settlement, and the paper is looked at again. An empty field is unknown, which is not zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from scrutineer.audits.counts_entry import Difference, differences
from scrutineer.audits.entry_table import Entered, Key
from scrutineer.errors import AuditError

IMAGES: Final = "images"
ROW: Final = "row"
"""The field of a `Difference` whose row only one of two people has."""

Place: TypeAlias = tuple[str, int, str, str]
"""Box, position, contest and field."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows on which all fields agree, or were decided by a third look."""

    entered: Entered
    people: tuple[str, ...]
    """Who entered and who looked again, in the order of their names."""


def compare(first: Entered, second: Entered) -> tuple[Difference, ...]:
    """Every field in which two people differ about the paper. Each takes photographs of their own, which are not compared."""
    return tuple(each for each in differences(first, second) if each.field != IMAGES)


def place_of(difference: Difference) -> Place:
    """Which field a difference is about."""
    return difference.box, difference.position, difference.contest, difference.field


def resolve(first: Entered, second: Entered, choices: Mapping[Place, str], by: str) -> Settled:
    """What two people entered, each difference decided by a third one: which value holds, by field.

    For a row that only one of them has the value is `there` or `missing`. Raises AuditError for a difference that is not decided,
    a value that neither of the two entered, a decision about what does not differ, and a third look by one of the two.
    """
    if first.by == second.by or by in (first.by, second.by) or not by.strip():
        raise AuditError(f"{by!r} cannot decide: two people enter, and a third one who is named looks again")
    found = {place_of(each): each for each in compare(first, second)}
    if needless := sorted(choices.keys() - found.keys()):
        raise AuditError(f"box {needless[0][0]!r}, {needless[0][3]}: nothing differs there: leave the decision out")
    rows = _both(first, second)
    for place, difference in found.items():
        value = choices.get(place)
        if value is None:
            raise AuditError(f"{difference}: {by} has not decided it; look at the paper again")
        if value not in (difference.first, difference.second):
            raise AuditError(f"{difference}: {by} sees {value!r}, which neither of them entered; all look at the paper again")
        key = place[:3]
        if difference.field != ROW:
            rows[key] = {**rows[key], difference.field: value}
        elif value == "missing":
            del rows[key]
    return Settled(Entered(first.by, rows), tuple(sorted({first.by, second.by} | ({by} if found else set()))))


def settle(entries: Sequence[Entered], box: str) -> Settled | tuple[Difference, ...]:
    """What people entered of one box, in the order in which they did: settled, or what is still open between them.

    The first two agree, or the third one's rows decide each field in which they differ, where they equal one of theirs. Raises
    AuditError where fewer than two entered the box, or somebody twice.
    """
    own = [_only(one, box) for one in entries if box in one.by_box]
    if len(own) < 2 or len({one.by for one in own}) < len(own):
        raise AuditError(f"box {box!r}: two people enter it, each alone and once")
    first, second = own[:2]
    found = compare(first, second)
    if not found and len(own) == 2:
        return Settled(Entered(first.by, _both(first, second)), tuple(sorted({first.by, second.by})))
    if len(own) == 2:
        return found
    third = own[2]
    if not found:
        # Whoever differed made the others look again, and is named as they are.
        rows = _both(first, second)
        rows = {key: _pictured(row, third.rows.get(key)) for key, row in rows.items()}
        return Settled(Entered(first.by, rows), tuple(sorted({first.by, second.by, third.by})))
    left: list[Difference] = []
    choices: dict[Place, str] = {}
    for each in found:
        key, seen = place_of(each)[:3], third.rows.get(place_of(each)[:3])
        if each.field == ROW and seen is not None:
            # Who alone has a row is confirmed by a third who sees the same in all its fields.
            owner = first if key in first.rows else second
            left += compare(_of(owner, key), _of(third, key))
        value = ("missing" if seen is None else "there") if each.field == ROW else None if seen is None else seen[each.field]
        if value is None or value not in (each.first, each.second):
            left.append(replace(each, third=value or "", third_by=third.by if value is not None else ""))
        else:
            choices[place_of(each)] = value
    if left:
        return tuple(left)
    settled = resolve(first, second, choices, third.by)
    return Settled(
        Entered(first.by, {key: _pictured(row, third.rows.get(key)) for key, row in settled.entered.rows.items()}), settled.people
    )


def _both(first: Entered, second: Entered) -> dict[Key, Mapping[str, str]]:
    """The rows of the boxes that both have entered, with the photographs of both."""
    boxes = set(first.boxes()) & set(second.boxes())
    rows = {key: row for key, row in {**second.rows, **first.rows}.items() if key[0] in boxes}
    for key in rows.keys() & first.rows.keys() & second.rows.keys():
        rows[key] = _pictured(first.rows[key], second.rows[key])
    return rows


def _pictured(row: Mapping[str, str], other: Mapping[str, str] | None) -> Mapping[str, str]:
    """A row with the photographs of somebody else's as well."""
    if other is None:
        return row
    return {**row, IMAGES: " ".join(sorted({*row[IMAGES].split(), *other[IMAGES].split()}))}


def _of(entered: Entered, key: Key) -> Entered:
    return Entered(entered.by, {key: entered.rows[key]})


def _only(entered: Entered, box: str) -> Entered:
    return Entered(entered.by, entered.by_box[box])
