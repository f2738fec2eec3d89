"""A ballot in words: what the review screen, the paper record and an opened ballot say of every contest. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from scrutineer.ballots.manifest import FIELD_MARK, FIELD_ORDER, ORDER_MARK, Manifest, ManifestContest
from scrutineer.ballots.record import OpenedBallot, OpenedContest
from scrutineer.election.contests import Contest
from scrutineer.station.voting.choices import Choices, Marks, chosen, contest_kind, expand, notices, parties, spoils
from scrutineer.station.voting.contest_data import candidates, unpack


@dataclass(frozen=True, slots=True)
class ContestNames:
    """The title of a contest, and the names of its options by label."""

    title: str
    options: Mapping[str, str]


Names = Mapping[str, ContestNames]
"""Names of contests by label. What has no name is called by its label."""


@dataclass(frozen=True, slots=True)
class ReadableChoice:
    """One choice in words."""

    name: str
    written_in: bool = False
    points: int = 0
    """In a contest with points; 0 elsewhere."""
    place: int = 0
    """In a ranked contest; 0 elsewhere."""


@dataclass(frozen=True, slots=True)
class ReadableContest:
    """One contest of a ballot in words."""

    number: int
    title: str
    state: Literal["chosen", "blank", "null"]
    """Null: it was marked in a way that cannot be counted, and the voter wants it so."""
    choices: tuple[ReadableChoice, ...]
    left: int = 0
    """Choices or points that are left; 0 where the contest is blank or null."""
    too_many: int = 0
    by_party: bool = False
    """The choices are those of the party that was chosen for the whole ballot."""


def names_of(contests: Iterable[Contest]) -> Names:
    """The names in an election's definition."""
    return {
        contest.id: ContestNames(contest.title, {option.id: option.name for option in contest.options}) for contest in contests
    }


def name_of(names: Names, contest: ManifestContest, label: str) -> str:
    """The name of an option or candidate."""
    known = names.get(contest.label)
    return known.options.get(label, label) if known else label


def title_of(names: Names, contest: ManifestContest) -> str:
    """The title of a contest."""
    known = names.get(contest.label)
    return known.title if known else contest.label


def readable(manifest: Manifest, style: int, choices: Choices, names: Names) -> tuple[ReadableContest, ...]:
    """Every contest of a ballot in words, in the order of the ballot. Raises BallotError for marks that are not of it."""
    return tuple(
        readable_contest(
            number, manifest.contest(number), marks, names, by_party=bool(choices.party) and number not in choices.by_hand
        )
        for number, marks in expand(manifest, style, choices).items()
    )


def readable_contest(
    number: int, contest: ManifestContest, marks: Marks, names: Names, *, by_party: bool = False
) -> ReadableContest:
    """One contest in words: its choices in the order of the ballot, or of a ranking; written-in names last."""
    kind = contest_kind(contest)
    marked = [(value, label) for value, label in zip(marks.values, candidates(contest), strict=True) if value]
    if kind == "ranked":
        marked.sort()
    own = [
        ReadableChoice(
            name_of(names, contest, label), points=value if kind == "points" else 0, place=value if kind == "ranked" else 0
        )
        for value, label in marked
    ]
    own += [ReadableChoice(name, written_in=True) for name in marks.names]
    told = {notice.kind: notice.count for notice in notices(contest, marks)}
    state: Literal["chosen", "blank", "null"] = (
        "null" if spoils(contest, marks) else "chosen" if chosen(contest, marks) else "blank"
    )
    return ReadableContest(
        number,
        title_of(names, contest),
        state,
        tuple(own),
        told.get("undervote", 0),
        told.get("overvote", 0),
        by_party=by_party and state == "chosen",
    )


@dataclass(frozen=True, slots=True)
class OpenedInWords:
    """One contest of a challenged ballot in words: what was encrypted, field by field."""

    title: str
    options: tuple[tuple[str, int], ...]
    """Name and value of every option; of a ranked contest, the one order that was chosen, spelt out."""
    ranked: bool
    """The values of the options are places."""
    blank: bool
    null: bool
    undervotes: int
    write_ins: int
    names: tuple[str, ...]
    """Names that were written in."""


def parties_of(manifest: Manifest, style: int) -> tuple[tuple[int, str], ...]:
    """Number and name of the parties that can be chosen for a whole ballot of this style."""
    return tuple((number, manifest.parties[number - 1].name) for number in parties(manifest, style))


def opened_in_words(manifest: Manifest, opened: OpenedBallot, names: Names) -> tuple[OpenedInWords, ...]:
    """A challenged ballot as it was encrypted: read from its opening, not from what the voter pressed.

    Raises BallotError for contest data that no voting machine writes.
    """
    by_label = {contest.label: contest for contest in manifest.contests}
    return tuple(_opened(by_label[one.label], one, names) for one in opened.contests)


def _opened(contest: ManifestContest, opened: OpenedContest, names: Names) -> OpenedInWords:
    values = {field.label: field.value for field in opened.fields}
    own = {name: values.get(FIELD_MARK + name, 0) for name in FIELD_ORDER}
    if contest.orders:
        order = [label.split(ORDER_MARK) for label in contest.options if values.get(label)]
        options = tuple((name_of(names, contest, label), place) for place, label in enumerate(order[0] if order else (), 1))
    else:
        options = tuple((name_of(names, contest, label), values.get(label, 0)) for label in contest.options)
    return OpenedInWords(
        title_of(names, contest),
        options,
        contest.orders,
        bool(own["blank"]),
        bool(own["null"]),
        own["undervotes"],
        own["write-ins"],
        unpack(contest, opened.data).names,
    )
