"""What a voter marked, and what is encrypted for it: the rules of every kind of contest. Pure.

`Choices` are what the voter did by hand, and the party that was chosen for the whole ballot. `expand` makes the marks of every
contest from them, `notices` says what to point out before a contest is left, and `ballot_choices` gives the values of all
verifiable fields (scrutineer.ballots.manifest), where the weighted sum of a contest with `blank`, `null` and, for several
choices, `undervotes` is exactly its selection limit.

| contest | marks | values |
|---|---|---|
| one or several choices, approval, yes or no | 0 or 1 for each option | the marks |
| points (`option_limit` > 1) | points for each option | the points |
| ranked (`orders`) | the place of each candidate, 0 for none | 1 for the order that the places spell |

A contest with more choices than it allows, or with a ranking that is none of its orders, is encrypted only when the voter
insists (`Marks.insisted`): all options are 0, `null` is 1 where there is such a field (ElectionGuard Design Specification 2.1.0,
section 3.3.2, Overvotes), and the marks stay in the contest's encrypted data where they have room (contest_data.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from scrutineer.ballots.encrypt import ContestChoice
from scrutineer.ballots.manifest import ORDER_MARK, Manifest, ManifestContest
from scrutineer.errors import BallotError
from scrutineer.station.voting.contest_data import ContestData, candidates, lines, longest_name, pack, tidy_name

MAX_MARK: Final = 255

ContestKind = Literal["one", "several", "approval", "points", "ranked"]
NoticeKind = Literal["blank", "undervote", "overvote", "unfinished"]
"""Nothing marked; fewer choices than allowed; more than allowed; a ranking that is none of those the contest counts."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A voter's marks in one contest."""

    values: tuple[int, ...]
    """One for each of `candidates(contest)`: 0 or 1, points, or in a ranked contest the place, 0 for none."""
    names: tuple[str, ...] = ()
    """Written-in names."""
    insisted: bool = False
    """The voter was told that the contest cannot be counted like this, and wants to leave it so."""

    def __post_init__(self) -> None:
        if not all(0 <= value <= MAX_MARK for value in self.values):
            raise BallotError(f"marks on a ballot are whole numbers from 0 to {MAX_MARK}")
        if any(not name or name != tidy_name(name) for name in self.names):
            raise BallotError("a written-in name is empty or not tidy: pass it through tidy_name")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a voter did: the party chosen for the whole ballot (its number in the manifest, 0 for none), and contests by hand."""

    party: int = 0
    by_hand: Mapping[int, Marks] = field(default_factory=dict)
    """Marks of the contests (by number) in which they are the voter's own and not what the party stands for."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a voter is told before leaving a contest. `count`: choices that are left, or that are too many."""

    kind: NoticeKind
    count: int = 0

    @property
    def spoils(self) -> bool:
        """Whether the contest cannot be counted like this."""
        return self.kind in ("overvote", "unfinished")


def contest_kind(contest: ManifestContest) -> ContestKind:
    """How a contest is marked."""
    if contest.orders:
        return "ranked"
    if contest.option_limit > 1:
        return "points"
    if contest.selection_limit == 1:
        return "one"
    return "approval" if contest.selection_limit >= len(contest.options) + lines(contest) else "several"


def no_marks(contest: ManifestContest) -> Marks:
    """A contest in which nothing is marked."""
    return Marks((0,) * len(candidates(contest)))


def check_marks(contest: ManifestContest, marks: Marks) -> None:
    """Refuse marks that are not of this contest: their number, places of a ranking with gaps or twice, names without a line.

    Raises BallotError. Too many choices are no error here: `notices` says so to the voter.
    """
    where = f"the marks in contest {contest.label}"
    if len(marks.values) != len(candidates(contest)):
        raise BallotError(f"{where} are {len(marks.values)}, and it has {len(candidates(contest))} options")
    if contest.orders:
        places = sorted(filter(None, marks.values))
        if places != list(range(1, len(places) + 1)):
            raise BallotError(f"{where} leave a gap between places, or give one place to two")
    elif any(value > contest.option_limit for value in marks.values):
        raise BallotError(f"{where} give one option more than {contest.option_limit}")
    if len(marks.names) > lines(contest) or any(len(name.encode()) > longest_name(contest) for name in marks.names):
        raise BallotError(f"{where} hold more or longer names than can be written in there")


def order_of(contest: ManifestContest, marks: Marks) -> str:
    """The label of the order that the places of a ranked contest spell; empty where nothing is ranked."""
    placed = sorted((place, label) for place, label in zip(marks.values, candidates(contest), strict=True) if place)
    return ORDER_MARK.join(label for _, label in placed)


def chosen(contest: ManifestContest, marks: Marks) -> int:
    """What the marks count against the selection limit: choices, points, or 1 for a ranking."""
    if contest.orders:
        return int(any(marks.values))
    return sum(marks.values) + len(marks.names)


def notices(contest: ManifestContest, marks: Marks) -> tuple[Notice, ...]:
    """What to point out about a contest. Raises BallotError for marks that are not of this contest."""
    check_marks(contest, marks)
    count, limit = chosen(contest, marks), contest.selection_limit
    if count == 0:
        return (Notice("blank", limit),)
    if contest.orders:
        return () if order_of(contest, marks) in contest.options else (Notice("unfinished"),)
    if count > limit:
        return (Notice("overvote", count - limit),)
    if count < limit and contest_kind(contest) != "approval":
        return (Notice("undervote", limit - count),)
    return ()


def spoils(contest: ManifestContest, marks: Marks) -> bool:
    """Whether a contest cannot be counted as it is marked."""
    return any(notice.spoils for notice in notices(contest, marks))


def parties(manifest: Manifest, style: int) -> tuple[int, ...]:
    """Numbers of the parties that stand for something on a ballot of this style."""
    on_ballot = set(manifest.style(style).contests)
    return tuple(
        number for number, party in enumerate(manifest.parties, 1) if any(contest in on_ballot for contest, _ in party.options)
    )


def party_marks(manifest: Manifest, party: int, number: int) -> Marks:
    """What a party stands for in one contest. Nothing where that would be more than the contest allows, or two orders.

    Raises BallotError for a party or contest that the manifest does not have.
    """
    contest = manifest.contest(number)
    if not party:
        return no_marks(contest)
    if not 1 <= party <= len(manifest.parties):
        raise BallotError(f"the manifest has no party {party}: it has {len(manifest.parties)}")
    own = sorted({option for where, option in manifest.parties[party - 1].options if where == number})
    if not own or len(own) > contest.selection_limit:
        return no_marks(contest)
    if contest.orders:
        placed = contest.options[own[0] - 1].split(ORDER_MARK)
        return Marks(tuple(placed.index(label) + 1 if label in placed else 0 for label in candidates(contest)))
    # Points are shared out evenly: a party stands for all of its options alike.
    value = min(contest.option_limit, contest.selection_limit // len(own))
    return Marks(tuple(value if option in own else 0 for option in range(1, len(contest.options) + 1)))


def expand(manifest: Manifest, style: int, choices: Choices) -> dict[int, Marks]:
    """The marks of every contest on a ballot, by number: those by hand, and elsewhere what the party stands for."""
    return {
        number: choices.by_hand[number] if number in choices.by_hand else party_marks(manifest, choices.party, number)
        for number in manifest.style(style).contests
    }


def with_marks(manifest: Manifest, style: int, choices: Choices, number: int, marks: Marks) -> Choices:
    """Choices after a contest was marked. Marks that are what the party stands for go on following the party.

    Raises BallotError for a contest that is not on the ballot, and for marks that are not of it.
    """
    if number not in manifest.style(style).contests:
        raise BallotError(f"contest {number} is not on ballot style {style}")
    check_marks(manifest.contest(number), marks)
    others = {other: own for other, own in choices.by_hand.items() if other != number}
    if marks != party_marks(manifest, choices.party, number):
        others[number] = marks
    return Choices(choices.party, others)


def with_party(manifest: Manifest, style: int, choices: Choices, party: int) -> Choices:
    """Choices after a party was chosen for the whole ballot (0: none). What was marked by hand stays. Raises BallotError."""
    if party and party not in parties(manifest, style):
        raise BallotError(f"party {party} stands for nothing on ballot style {style}")
    return Choices(party, choices.by_hand)


def ballot_choices(manifest: Manifest, style: int, choices: Choices) -> dict[int, ContestChoice]:
    """The values of every verifiable field of every contest on the ballot, by contest number: what is encrypted.

    Raises BallotError for marks that are not of their contest, and for a contest that cannot be counted as it is marked unless
    the voter insisted.
    """
    return {number: contest_choice(manifest.contest(number), marks) for number, marks in expand(manifest, style, choices).items()}


def contest_choice(contest: ManifestContest, marks: Marks) -> ContestChoice:
    """The values of one contest's fields in the order of the manifest, and its data. Raises BallotError like ballot_choices."""
    spoilt = spoils(contest, marks)
    if spoilt and not marks.insisted:
        raise BallotError(f"contest {contest.label} cannot be counted as it is marked: change it, or insist on leaving it so")
    count = chosen(contest, marks)
    order = order_of(contest, marks) if contest.orders and not spoilt else ""
    options = tuple(int(label == order) for label in contest.options) if contest.orders else marks.values
    own = {
        "blank": int(count == 0),
        "null": int(spoilt),
        "undervotes": contest.selection_limit - count if count and not spoilt else 0,
        "write-ins": 0 if spoilt else len(marks.names),
    }
    return ContestChoice(
        ((0,) * len(options) if spoilt else options) + tuple(own[name] for name in contest.fields),
        pack(contest, ContestData(marks.values if spoilt else (), marks.names)),
    )
