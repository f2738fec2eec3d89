"""What people entered becomes a count: where two differ, field by field; and what no count may hold.

Only where both people entered the same does a count come of it (`fieldwork.entry`). A counted box or card has a row for each
contest that is asked about, so that leaving a row out says nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from scrutineer.audits.entry_table import FIGURES, NOT_ON_CARD, Entered, Key, count_in
from scrutineer.election import Election
from scrutineer.errors import AuditError, ScrutineerError
from scrutineer.statements.audit import DISCREPANCIES, AuditCount, BoxTotals, CardMarks
from scrutineer.statements.codec import from_struct, one_line, to_struct

_SHOWN: Final = 8  # names in a message


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which two people differ, and what a third one saw who is neither's second."""

    box: str
    position: int
    contest: str
    field: str
    first: str
    second: str
    first_by: str
    second_by: str
    third: str = ""
    third_by: str = ""
    """Empty where nobody looked again, or where it is not known."""

    def __str__(self) -> str:
        card = f", card {self.position}" if self.position else ""
        seen = [(self.first_by, self.first), (self.second_by, self.second)] + (
            [(self.third_by, self.third)] if self.third_by else []
        )
        if self.field == "row":
            said = ", ".join(f"{by} has {'a row' if value == 'there' else 'no row'}" for by, value in seen)
            return f"box {self.box}{card}, {self.contest or 'without a contest'}: {said}"
        said = ", ".join(f"{by} has {repr(value) if value else 'nothing'}" for by, value in seen)
        return f"box {self.box}{card}, {self.contest or 'without a contest'}, {self.field}: {said}"


def differences(first: Entered, second: Entered) -> tuple[Difference, ...]:
    """Every field in which two people differ; a row that only one has is a difference too. Notes may be worded differently."""
    found = []
    boxes = set(first.boxes()) & set(second.boxes())
    for key in sorted(first.rows.keys() | second.rows.keys(), key=lambda key: (key[0].encode(), key[1], key[2])):
        if key[0] not in boxes:
            continue
        one, other = first.rows.get(key), second.rows.get(key)
        if one is None or other is None:
            has = ("there" if one else "missing", "there" if other else "missing")
            found.append(Difference(*key, "row", *has, first.by, second.by))
            continue
        found += [
            Difference(*key, name, one[name], other[name], first.by, second.by)
            for name in FIGURES
            if name != "note" and one[name] != other[name]
        ]
    return tuple(found)


def count_of(
    entered: Entered,
    box: str,
    election: Election,
    plan: bytes,
    people: Sequence[str],
    *,
    asked: Collection[str],
    replaces: bytes | None = None,
    why: str = "",
) -> AuditCount:
    """The count of one box, as the rows say.

    `asked` are the contests that each counted card of the box, or the counted box, has to have a row for. Raises AuditError where
    one is missing, and for rows that say what no count may hold.
    """
    where = entered.where(box)
    rows = entered.by_box.get(box, {})
    notes = [row["note"] for row in rows.values() if row["note"]]
    reasons = {code for row in rows.values() for code in row["discrepancies"].split()}
    if strange := sorted(reasons - set(DISCREPANCIES)):
        raise AuditError(f"{where}: {strange[0][:40]!r} is no reason for a difference: use {', '.join(DISCREPANCIES)}")
    whole = {key: row for key, row in rows.items() if key[1] == 0}
    if whole and len(whole) < len(rows):
        raise AuditError(f"{where}: rows of the whole box and of single cards stand side by side: enter one or the other")
    status = "counted"
    states = {row["status"] for row in whole.values()}
    if found := states & {"missing", "illegible"}:
        if len(whole) > 1:
            raise AuditError(f"{where} is {min(found)}: give it one row, without a contest")
        status = states.pop()
    try:
        count = AuditCount(
            election=election.hash,
            plan=plan,
            box=box,
            status=status,  # type: ignore[arg-type]
            totals=_totals(whole, election, asked) if whole and status == "counted" else (),
            cards=() if whole else _cards(rows, election, asked),
            counted_by=tuple(people),
            images=tuple(sorted({_image(one) for row in rows.values() for one in row["images"].split()})),
            discrepancies=tuple(code for code in DISCREPANCIES if code in reasons),
            note=" ".join([*([why] if why else []), *dict.fromkeys(notes)])[:2_000],
            replaces=replaces,
        )
        return to_struct(from_struct(count), AuditCount, "count")
    except (ScrutineerError, ValueError) as error:
        raise AuditError(f"{where}: {one_line(error)}") from error


def _totals(rows: Mapping[Key, Mapping[str, str]], election: Election, asked: Collection[str]) -> tuple[BoxTotals, ...]:
    found = []
    for (_, _, contest), row in sorted(rows.items(), key=lambda item: item[0][2]):
        options = _options(election, contest)
        if row["status"] == NOT_ON_CARD:
            raise AuditError(
                f"contest {contest!r}: {NOT_ON_CARD} is said of single cards; for a box without cards of a contest write 0 for "
                "each option, and 0 in blank, null and cards"
            )
        counts = tuple(
            None if cell == "-" else count_in(cell, f"contest {contest!r}, votes", "write - where nobody counted")
            for cell in row["votes"].split()
        )
        if len(counts) != len(options):
            raise AuditError(
                f"{len(counts)} numbers of votes in contest {contest!r}, which has {len(options)} options: write one for each, "
                "with spaces between them, and - for one that nobody counted"
            )
        figures = {
            name: None if row[name] in ("", "-") else count_in(row[name], f"contest {contest!r}, {name}")
            for name in ("cards", "blank", "null")
        }
        found.append(BoxTotals(contest=contest, counts=counts, **figures))
    if left := [contest for contest in asked if contest not in {each.contest for each in found}]:
        raise AuditError(f"there is no row for contest {_named(left)}: write one, with - for each option that nobody counted")
    return tuple(found)


def _cards(rows: Mapping[Key, Mapping[str, str]], election: Election, asked: Collection[str]) -> tuple[CardMarks, ...]:
    cards: dict[int, dict[str, tuple[int, ...]]] = {}
    said: dict[int, set[str]] = {}
    absent: dict[int, str] = {}
    for (_, position, contest), row in rows.items():
        if row["status"] in ("missing", "illegible"):
            if absent.setdefault(position, row["status"]) != row["status"]:
                raise AuditError(f"card {position} is missing and illegible: give it one row that says which")
            continue
        own = cards.setdefault(position, {})
        if not contest and not asked and not row["votes"]:
            continue  # A card of a box in which nothing is asked about was found, and there is nothing to say of it.
        options = _options(election, contest)
        said.setdefault(position, set()).add(contest)
        if filled := [name for name in ("cards", "blank", "null") if row[name]]:
            raise AuditError(
                f"card {position}, contest {contest!r}: {filled[0]} is {row[filled[0]][:24]!r}, and is counted of whole boxes: "
                "leave it empty; where no mark counts, leave votes empty as well"
            )
        if row["status"] == NOT_ON_CARD:
            if row["votes"]:
                raise AuditError(
                    f"card {position}, contest {contest!r} is {NOT_ON_CARD}, and has votes all the same: leave one of them out"
                )
            continue
        own[contest] = _marks(election, position, contest, row["votes"].split(), options)
    if both := sorted(cards.keys() & absent.keys()):
        raise AuditError(
            f"card {both[0]} is {absent[both[0]]}, and has marks all the same: a card that was not found, or cannot be read in "
            "one of its contests, has one row, without a contest"
        )
    for position in sorted(cards):
        if left := [contest for contest in asked if contest not in said.get(position, set())]:
            raise AuditError(
                f"card {position}: there is no row for contest {_named(left)}: write one, with the status {NOT_ON_CARD} where "
                "the contest is not on the card, and no votes where no mark counts"
            )
    found = [CardMarks(position=position, marks=marks) for position, marks in cards.items()]
    found += [CardMarks(position=position, status=status) for position, status in absent.items()]  # type: ignore[arg-type]
    return tuple(sorted(found, key=lambda card: card.position))


def _marks(election: Election, position: int, contest: str, names: Sequence[str], options: Sequence[str]) -> tuple[int, ...]:
    """The options marked, by number. Raises AuditError for marks that the contest does not have, or does not allow."""
    asked = election.contests[election.contest_index[contest]]
    if unknown := [name for name in names if name not in options]:
        shown = ", ".join(options[:_SHOWN]) + (" …" if len(options) > _SHOWN else "")
        raise AuditError(f"card {position}: contest {contest!r} has no option {unknown[0][:40]!r}: use {shown}")
    if asked.rule != "ranked" and len(set(names)) > asked.max_choices:
        raise AuditError(
            f"card {position}, contest {contest!r}: {len(set(names))} options are marked, and at most {asked.max_choices} may "
            "be: where so many are marked on the card no mark counts, and votes stay empty"
        )
    marks = [options.index(name) for name in names]
    return tuple(marks if asked.rule == "ranked" else sorted(marks))


def _named(contests: Sequence[str]) -> str:
    more = f" and {len(contests) - _SHOWN} more" if len(contests) > _SHOWN else ""
    return ", ".join(repr(contest) for contest in contests[:_SHOWN]) + more


def _image(text: str) -> bytes:
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise AuditError(
            f"{text[:24]!r} is no SHA-256 of a photograph: write the 64 hexadecimal digits that `sha256sum` prints for the file"
        )
    return bytes.fromhex(text)


def _options(election: Election, contest: str) -> list[str]:
    number = election.contest_index.get(contest)
    if number is None:
        shown = _named([each.id for each in election.contests])
        raise AuditError(f"there is no contest {contest[:64]!r}: name one in each row; there are {shown}")
    return [option.id for option in election.contests[number].options]
