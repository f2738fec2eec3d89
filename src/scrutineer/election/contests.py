"""Contests, their options and candidates, and the rule that decides each (terms of NIST SP 1500-100)."""

import re
import string
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Final, Literal

import msgspec

from scrutineer.errors import DefinitionError

RuleName = Literal["plurality", "approval", "yes-no", "majority", "ranked", "dhondt", "sainte-lague", "hamilton"]

LIST_RULES: Final = frozenset({"dhondt", "sainte-lague", "hamilton"})

MAX_OPTIONS: Final = 512
MAX_RANKED_OPTIONS: Final = 200
MAX_SEATS: Final = 2_000
MAX_ID_LENGTH: Final = 64  # characters
MAX_NAME_LENGTH: Final = 256  # characters

_ID: Final = re.compile(rf"[A-Za-z0-9_-][A-Za-z0-9_.-]{{0,{MAX_ID_LENGTH - 1}}}")
_ID_LETTERS: Final = f"{string.ascii_letters}{string.digits}-_.".encode()


def check_id(value: str, what: str) -> None:
    """Refuse an identifier that could not stand in a file name, an address and a CSV cell alike.

    Raises DefinitionError.
    """
    if _ID.fullmatch(value) is None:
        raise DefinitionError(
            f"{what} {value!r} cannot be used as an identifier: write 1 to {MAX_ID_LENGTH} of the letters a-z and A-Z, "
            "digits, '-', '_' and '.', not starting with '.'"
        )


def check_name(value: str, what: str) -> None:
    """Refuse a name that is empty, too long, or holds control characters. Raises DefinitionError."""
    if not value.strip() or len(value) > MAX_NAME_LENGTH or not value.isprintable():
        raise DefinitionError(f"{what} {value!r} cannot be used as a name: write 1 to {MAX_NAME_LENGTH} printable characters")


def are_ids(values: Collection[str]) -> bool:
    """Whether `check_id` would pass every one of these; tried all at once, because a country has a million."""
    return (
        all(values)
        and not "".join(values).encode("utf-8", "replace").translate(None, _ID_LETTERS)
        and max(map(len, values), default=0) <= MAX_ID_LENGTH
        and not any(value[0] == "." for value in values)
    )


def are_names(values: Collection[str]) -> bool:
    """Whether `check_name` would pass every one of these; tried all at once."""
    return "".join(values).isprintable() and max(map(len, values), default=0) <= MAX_NAME_LENGTH and all(map(str.strip, values))


def parse_share(text: str, what: str) -> Fraction:
    """Read a share such as '1/2', '40 %' or '0.05' exactly. Raises DefinitionError unless it lies between 0 and 1."""
    try:
        bare = text.strip()
        share = Fraction(bare[:-1].strip()) / 100 if bare.endswith("%") else Fraction(bare)
    except (ValueError, ZeroDivisionError) as error:
        raise DefinitionError(f"{what} {text!r} is not a share: write it as '1/2', '40 %' or '0.05'") from error
    if not 0 < share < 1:
        raise DefinitionError(f"{what} {text!r} decides nothing: it must be more than 0 and less than 1")
    return share


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be marked on the ballot. Several options may belong to one candidate (an alliance)."""

    id: str
    name: str
    candidate: str = ""
    """Id of the candidate whom a mark here supports; the option's own id where it is left empty."""

    def __post_init__(self) -> None:
        check_id(self.id, "option")
        check_name(self.name, f"name of option {self.id}")
        if self.candidate:
            check_id(self.candidate, f"candidate of option {self.id}")


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who or what receives the votes of one or more options: a person, a party list, or an answer."""

    id: str
    name: str

    def __post_init__(self) -> None:
        check_id(self.id, "candidate")
        check_name(self.name, f"name of candidate {self.id}")


class Alternative(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A second way to win without a run-off: at least `share` of the votes and `lead` over the next, both of the same base."""

    share: str
    lead: str

    def __post_init__(self) -> None:
        parse_share(self.share, "alternative share")
        parse_share(self.lead, "alternative lead")


class Contest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One question put to the voters, the options they have, and the rule that decides."""

    id: str
    title: str
    rule: RuleName
    options: tuple[Option, ...]
    seats: int = 1
    max_choices: int = 1
    """How many options one valid ballot may mark (plurality with several seats; approval: as many as there are)."""
    threshold: str = ""
    """Share that a majority must exceed (default 1/2), or below which a list takes no seat (default none)."""
    alternative: Alternative | None = None
    base: Literal["valid", "cast"] = "valid"
    """What a share is a share of: the valid votes, or all ballots cast."""
    unit: str = ""
    """The unit whose stations vote in this contest; the whole country where it is left empty."""
    candidates: tuple[Candidate, ...] = ()
    """Names of candidates who stand on several options; every other candidate is named by the one option."""
    recount: str = ""
    """Share of the votes within which the law has a result recounted; empty where it names none."""
    write_in: str = ""
    """Id of the option that stands for all names that voters write in, counted together; empty where none can be written in."""

    def __post_init__(self) -> None:
        check_id(self.id, "contest")
        check_name(self.title, f"title of contest {self.id}")
        where = f"contest {self.id}"
        if not 1 <= len(self.options) <= MAX_OPTIONS:
            raise DefinitionError(f"{where} has {len(self.options)} options: give it 1 to {MAX_OPTIONS}")
        _check_unique((option.id for option in self.options), f"option of {where}")
        _check_unique((candidate.id for candidate in self.candidates), f"candidate of {where}")
        if not 1 <= self.seats <= MAX_SEATS:
            raise DefinitionError(f"{where} has {self.seats} seats: give it 1 to {MAX_SEATS}")
        if not 1 <= self.max_choices <= len(self.options):
            raise DefinitionError(
                f"{where} allows {self.max_choices} choices: give it 1 to {len(self.options)}, the number of its options"
            )
        if self.max_choices > 1 and self.rule not in ("plurality", "approval"):
            raise DefinitionError(f"{where} allows {self.max_choices} choices, which only plurality and approval can decide")
        if self.rule == "yes-no" and len(self.options) != 2:
            raise DefinitionError(f"{where} is a yes-no question and needs exactly two options, the first meaning yes")
        if self.seats > 1 and self.rule in ("yes-no", "majority", "ranked"):
            raise DefinitionError(f"{where} has {self.seats} seats, but the rule {self.rule!r} fills one: write seats = 1")
        if self.threshold:
            parse_share(self.threshold, f"threshold of {where}")
            if self.rule in ("plurality", "approval", "ranked"):
                raise DefinitionError(f"{where} has a threshold, which the rule {self.rule!r} does not use: remove it")
        if self.recount:
            parse_share(self.recount, f"recount of {where}")
        if self.alternative is not None and self.rule != "majority":
            raise DefinitionError(f"{where} has an alternative, which only the rule 'majority' uses: remove it")
        if self.rule == "ranked" and len(self.options) > MAX_RANKED_OPTIONS:
            raise DefinitionError(f"{where} is ranked and has {len(self.options)} options: give it at most {MAX_RANKED_OPTIONS}")
        if self.unit:
            check_id(self.unit, f"unit of {where}")
        if self.write_in:
            if all(option.id != self.write_in for option in self.options):
                raise DefinitionError(
                    f"{where} counts names written in as {self.write_in!r}, which is none of its options: add it"
                )
            if self.rule in ("ranked", "yes-no"):
                raise DefinitionError(
                    f"{where} takes names written in, which the rule {self.rule!r} cannot count: remove write_in"
                )
        supported = {option.candidate or option.id for option in self.options}
        for candidate in self.candidates:
            if candidate.id not in supported:
                raise DefinitionError(f"{where} names candidate {candidate.id!r}, whom no option supports: add one or remove it")
        named = {candidate.id for candidate in self.candidates} | {option.id for option in self.options}
        for option in self.options:
            if option.candidate and option.candidate not in named:
                raise DefinitionError(
                    f"option {option.id!r} of {where} supports candidate {option.candidate!r}, who has no name: "
                    "add the candidate to the contest's candidates"
                )

    def standing(self) -> tuple[Candidate, ...]:
        """Who stands, in the order in which the ballot first names them."""
        given = {candidate.id: candidate for candidate in self.candidates}
        own = {option.id: option.name for option in self.options}
        seen: dict[str, Candidate] = {}
        for option in self.options:
            key = option.candidate or option.id
            if key not in seen:
                seen[key] = given.get(key) or Candidate(key, own[key])
        return tuple(seen.values())

    def candidate_of_option(self) -> tuple[int, ...]:
        """For each option, the position of its candidate in `standing()`."""
        position = {candidate.id: index for index, candidate in enumerate(self.standing())}
        return tuple(position[option.candidate or option.id] for option in self.options)

    def choices_allowed(self) -> int:
        """How many options one ballot may mark; an approval contest that names no number allows all of them."""
        return len(self.options) if self.rule == "approval" and self.max_choices == 1 else self.max_choices

    def single_choice(self) -> bool:
        """Whether a valid ballot adds exactly one to the sum of the options."""
        return self.rule not in ("approval", "ranked") and self.max_choices == 1


def _check_unique(ids: Iterable[str], what: str) -> None:
    seen: set[str] = set()
    for value in ids:
        if value in seen:
            raise DefinitionError(f"{what} {value!r} is listed twice: give each its own id")
        seen.add(value)
