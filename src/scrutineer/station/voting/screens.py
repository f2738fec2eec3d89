"""The voter's way through the screens, up to the encrypted ballot. Pure: what was pressed makes a new `Sitting`.

    language -> party -> contest (-> notice) ... -> review -> prepared -> receipt
                                                                 |-> confirm-test -> opened -> contest ...
                                                                 '-> confirm-return -> review

What the machine has a part in (printing, casting, testing, giving back) is in kiosk.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from scrutineer.ballots.manifest import ORDER_MARK, Manifest, ManifestContest
from scrutineer.errors import BallotError
from scrutineer.station.voting.choices import (
    Choices,
    Marks,
    Notice,
    expand,
    no_marks,
    notices,
    parties,
    party_marks,
    spoils,
    with_marks,
    with_party,
)
from scrutineer.station.voting.contest_data import candidates, lines, longest_name, tidy_name

Screen = Literal[
    "language", "party", "contest", "notice", "review", "prepared", "confirm-test", "confirm-return", "opened", "receipt"
]
Colours = Literal["normal", "light", "dark"]
Scan = Literal["off", "two", "auto"]
SIZES: Final = ("1", "2", "3")
COLOURS: Final[tuple[Colours, ...]] = ("normal", "light", "dark")
SCANS: Final[tuple[Scan, ...]] = ("off", "two", "auto")

Form = Mapping[str, Sequence[str]]
"""The fields of a form: names and all values of each."""


@dataclass(frozen=True, slots=True)
class Comfort:
    """How a voter wants the screens."""

    language: str = "en"
    size: str = "1"
    colours: Colours = "normal"
    speech: bool = False
    scan: Scan = "off"


@dataclass(frozen=True, slots=True)
class Sitting:
    """One voter at the machine, from the activation to the last screen. Nothing of it is kept anywhere."""

    style: int
    provisional: bool
    screen: Screen = "language"
    contest: int = 0
    """Number of the contest on the screen, or of the one that was on it last."""
    choices: Choices = field(default_factory=Choices)
    reviewing: bool = False
    """The contest was opened from the review, and leads back to it."""
    seen: frozenset[int] = frozenset()
    """Contests whose notices the voter has seen and answered with leaving them so."""
    shortened: bool = False
    """A written-in name was longer than its line, and was cut."""
    returned: bool = False
    """A ballot was given back just now."""
    focus: str = ""
    """The button that was pressed last, so that a keyboard goes on from there."""


def comfort_after(comfort: Comfort, action: str, languages: Sequence[str]) -> Comfort | None:
    """The comfort after a button was pressed; None where the button is another's."""
    what, _, value = action.partition(":")
    if what == "language" and value in languages:
        return replace(comfort, language=value)
    if what == "size" and value in SIZES:
        return replace(comfort, size=value)
    if what == "colours":
        return next((replace(comfort, colours=known) for known in COLOURS if known == value), None)
    if what == "scan":
        return next((replace(comfort, scan=known) for known in SCANS if known == value), None)
    if what == "speech" and value in ("on", "off"):
        return replace(comfort, speech=value == "on")
    return None


def answered(sitting: Sitting, manifest: Manifest, action: str, form: Form) -> Sitting:
    """The sitting after a button of a screen before printing was pressed, with the marks that the form brought.

    Raises BallotError for what the screen does not offer.
    """
    sitting = replace(sitting, shortened=False, returned=False, focus="")
    if sitting.screen == "contest":
        return _on_contest(sitting, manifest, action, form)
    what, _, value = action.partition(":")
    if sitting.screen == "language" and what == "language":
        first: Screen = "party" if parties(manifest, sitting.style) else "contest"
        return _to(sitting, first, manifest.style(sitting.style).contests[0])
    if sitting.screen == "party" and what in ("next", "back", "keep"):
        chosen = form.get("party", ("",))[0]
        party = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 6 else sitting.choices.party
        sitting = replace(sitting, choices=with_party(manifest, sitting.style, sitting.choices, party))
        if what == "keep":
            return sitting
        if sitting.reviewing:
            return replace(sitting, screen="review", reviewing=False)
        return _to(sitting, "language" if what == "back" else "contest", manifest.style(sitting.style).contests[0])
    if sitting.screen == "notice" and what == "back":
        return replace(sitting, screen="contest")
    if sitting.screen == "notice" and what == "leave":
        return _left(sitting, manifest)
    if sitting.screen == "review" and what == "back":
        return replace(sitting, screen="contest", reviewing=False, contest=manifest.style(sitting.style).contests[-1])
    if sitting.screen == "review" and what == "change" and value == "party" and parties(manifest, sitting.style):
        return replace(sitting, screen="party", reviewing=True)
    if sitting.screen == "review" and what == "change":
        wanted = [number for number in manifest.style(sitting.style).contests if str(number) == value]
        if wanted:
            return replace(sitting, screen="contest", reviewing=True, contest=wanted[0])
    raise BallotError(f"the screen {sitting.screen} does not offer {action[:40]!r}")


def unready(sitting: Sitting, manifest: Manifest) -> int | None:
    """The first contest that cannot be counted as it is marked, without the voter having said that it shall stay so."""
    for number, marks in expand(manifest, sitting.style, sitting.choices).items():
        if spoils(manifest.contest(number), marks) and not marks.insisted:
            return number
    return None


def current(sitting: Sitting, manifest: Manifest) -> Marks:
    """The marks of the contest on the screen."""
    return expand(manifest, sitting.style, sitting.choices)[sitting.contest]


def told(sitting: Sitting, manifest: Manifest) -> tuple[Notice, ...]:
    """What is to be pointed out about the contest on the screen."""
    return notices(manifest.contest(sitting.contest), current(sitting, manifest))


def longest_order(contest: ManifestContest) -> int:
    """How many candidates one ranking of a contest can hold."""
    return max(option.count(ORDER_MARK) + 1 for option in contest.options)


def _on_contest(sitting: Sitting, manifest: Manifest, action: str, form: Form) -> Sitting:
    number, contest = sitting.contest, manifest.contest(sitting.contest)
    before = current(sitting, manifest)
    what, _, value = action.partition(":")
    names, shortened = _names(contest, form)
    if contest.orders:
        marks = _ranked(contest, before, value) if what == "rank" else before
    else:
        marks = Marks(_values(contest, form), names)
    if what == "clear":
        marks, shortened = no_marks(contest), False
    same = (marks.values, marks.names) == (before.values, before.names)
    if not same:
        sitting = replace(sitting, seen=sitting.seen - {number})
    if same:
        marks = before  # The voter's word about these marks still holds.
    sitting = replace(sitting, choices=with_marks(manifest, sitting.style, sitting.choices, number, marks), shortened=shortened)
    if what in ("keep", "clear", "rank"):
        return replace(sitting, focus=action if what == "rank" else "")
    if shortened:
        return sitting
    if what == "back":
        return _before(sitting, manifest)
    if what == "next":
        waits = told(sitting, manifest) and number not in sitting.seen
        return replace(sitting, screen="notice") if waits else _after(sitting, manifest)
    if what == "party" and sitting.choices.party:
        own = party_marks(manifest, sitting.choices.party, number)
        return replace(sitting, choices=with_marks(manifest, sitting.style, sitting.choices, number, own))
    raise BallotError(f"the screen of a contest does not offer {action[:40]!r}")


def _left(sitting: Sitting, manifest: Manifest) -> Sitting:
    """The contest stays as it is although the voter was told."""
    marks = current(sitting, manifest)
    if any(notice.spoils for notice in told(sitting, manifest)):
        marks = replace(marks, insisted=True)
    choices = with_marks(manifest, sitting.style, sitting.choices, sitting.contest, marks)
    return _after(replace(sitting, choices=choices, seen=sitting.seen | {sitting.contest}), manifest)


def _after(sitting: Sitting, manifest: Manifest) -> Sitting:
    numbers = manifest.style(sitting.style).contests
    place = numbers.index(sitting.contest) + 1
    if sitting.reviewing or place == len(numbers):
        return replace(sitting, screen="review", reviewing=False)
    return replace(sitting, screen="contest", contest=numbers[place])


def _before(sitting: Sitting, manifest: Manifest) -> Sitting:
    numbers = manifest.style(sitting.style).contests
    place = numbers.index(sitting.contest)
    if sitting.reviewing:
        return replace(sitting, screen="review", reviewing=False)
    if place:
        return replace(sitting, screen="contest", contest=numbers[place - 1])
    return replace(sitting, screen="party" if parties(manifest, sitting.style) else "language")


def _to(sitting: Sitting, screen: Screen, contest: int = 0) -> Sitting:
    return replace(sitting, screen=screen, contest=contest, reviewing=False)


def _ranked(contest: ManifestContest, before: Marks, value: str) -> Marks:
    """Places after a candidate was pressed: the next place, or none where it had one; no gap stays."""
    places = list(before.values)
    if not (value.isascii() and value.isdigit()) or not 1 <= int(value[:6]) <= len(places):
        raise BallotError("there is no such candidate to rank")
    pressed = int(value) - 1
    if places[pressed]:
        gone = places[pressed]
        places = [0 if place == gone else place - (place > gone) for place in places]
    elif max(places) < longest_order(contest):
        places[pressed] = max(places) + 1
    return Marks(tuple(places))


def _values(contest: ManifestContest, form: Form) -> tuple[int, ...]:
    count = len(candidates(contest))
    if contest.option_limit == 1:
        marked = set(form.get("mark", ()))
        return tuple(int(str(number) in marked) for number in range(1, count + 1))
    return tuple(_points(contest, form.get(f"points-{number}", ("",))[0]) for number in range(1, count + 1))


def _points(contest: ManifestContest, text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    return number if number <= contest.option_limit else 0


def _names(contest: ManifestContest, form: Form) -> tuple[tuple[str, ...], bool]:
    """The written-in names, and whether one had to be shortened to fit its line."""
    names, shortened = [], False
    for line in range(1, lines(contest) + 1):
        whole = tidy_name(form.get(f"name-{line}", ("",))[0])
        fitting = tidy_name(whole.encode()[: longest_name(contest)].decode(errors="ignore"))
        shortened = shortened or fitting != whole
        if fitting:
            names.append(fitting)
    return tuple(names), shortened
