"""Reading an election from a NIST SP 1500-100 version 2 report in JSON, ours or anybody's.

Read are units, rolls, contests, options, candidates and alliances. Whatever the model of an election here cannot hold is
refused with a DefinitionError that names it: units that are no tree, several elections in one report, variations of voting
without a rule here.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, get_args

import msgspec

from scrutineer.election.contests import Alternative, Candidate, Contest, Option, RuleName, parse_share
from scrutineer.election.units import UnitRow, Units
from scrutineer.errors import DefinitionError

MAX_REPORT_SIZE: Final = 1 << 30  # bytes; a report of a million stations has about half of that
OWN: Final = "scrutineer-"
UNIT_PREFIX: Final = "gp."
CONTEST_PREFIX: Final = "ct."

# fmt: off
UNIT_TYPES: Final = frozenset(
    (
        "ballot-batch", "ballot-style-area", "borough", "city", "city-council", "combined-precinct", "congressional",
        "country", "county", "county-council", "drop-box", "judicial", "municipality", "polling-place", "precinct",
        "school", "special", "split-precinct", "state", "state-house", "state-senate", "town", "township", "utility",
        "village", "vote-center", "ward", "water",
    )
)
# fmt: on
"""Kinds of unit for which the schema has a name; every other kind is its `OtherType`."""

VARIATION_BY_RULE: Final[dict[RuleName, str]] = {
    "plurality": "plurality",
    "approval": "approval",
    "yes-no": "majority",
    "majority": "majority",
    "ranked": "rcv",
    "dhondt": "proportional",
    "sainte-lague": "proportional",
    "hamilton": "proportional",
}
_RULE_BY_VARIATION: Final[dict[str, RuleName]] = {
    "plurality": "plurality",
    "n-of-m": "plurality",
    "approval": "approval",
    "majority": "majority",
    "rcv": "ranked",
}
_RULES: Final = get_args(RuleName)
_Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class _Object(msgspec.Struct, frozen=True, rename="pascal"):
    """An object of the schema; members that are not named here are passed over."""


class _LanguageString(_Object, frozen=True):
    content: str


class _Text(_Object, frozen=True):
    text: tuple[_LanguageString, ...]

    def first(self, where: str) -> str:
        if not self.text:
            raise DefinitionError(f"{where} has a text without content: give it a name")
        return self.text[0].content


class _Identifier(_Object, frozen=True):
    type: str
    value: str
    other_type: str = ""
    label: str = ""


class _Unit(_Object, frozen=True):
    id: str = msgspec.field(name="@id")
    class_: str = msgspec.field(name="@type")
    type: str = "other"
    other_type: str = ""
    name: _Text | None = None
    composing_gp_unit_ids: tuple[str, ...] = ()
    voters_registered: _Number | None = None


class _Party(_Object, frozen=True):
    id: str = msgspec.field(name="@id")
    class_: str = msgspec.field(name="@type")
    name: _Text
    contest_ids: tuple[str, ...] = ()
    party_ids: tuple[str, ...] = ()


class _Candidate(_Object, frozen=True):
    id: str = msgspec.field(name="@id")
    ballot_name: _Text


class _Selection(_Object, frozen=True):
    id: str = msgspec.field(name="@id")
    candidate_ids: tuple[str, ...] = ()
    endorsement_party_ids: tuple[str, ...] = ()
    party_ids: tuple[str, ...] = ()
    selection: _Text | None = None
    is_write_in: bool = False
    sequence_order: _Number | None = None
    external_identifier: tuple[_Identifier, ...] = ()


class _Contest(_Object, frozen=True):
    id: str = msgspec.field(name="@id")
    class_: str = msgspec.field(name="@type")
    name: str
    election_district_id: str
    contest_selection: tuple[_Selection, ...] = ()
    vote_variation: str = ""
    number_elected: _Number = 1
    votes_allowed: _Number = 1
    passage_threshold: _Text | None = None
    external_identifier: tuple[_Identifier, ...] = ()


class _Election(_Object, frozen=True):
    name: _Text
    start_date: str
    end_date: str
    election_scope_id: str
    candidate: tuple[_Candidate, ...] = ()
    contest: tuple[_Contest, ...] = ()


class _Report(_Object, frozen=True):
    class_: str = msgspec.field(name="@type")
    gp_unit: tuple[_Unit, ...] = ()
    party: tuple[_Party, ...] = ()
    election: tuple[_Election, ...] = ()


_DECODER: Final = msgspec.json.Decoder(_Report)


def selection_prefix(contest: str) -> str:
    """What stands before an option's id in the identifiers of selections."""
    return f"cs.{contest}."


def import_definition(data: bytes) -> tuple[tuple[Contest, ...], list[UnitRow], str, str]:
    """Contests, units in pre-order, name and day (YYYY-MM-DD) of the election in a report.

    Raises DefinitionError that names the object for anything that is malformed or that has no place here.
    """
    if len(data) > MAX_REPORT_SIZE:
        raise DefinitionError(f"the report has {len(data)} bytes: at most {MAX_REPORT_SIZE} are read")
    try:
        report = _DECODER.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = "".join(character if character.isprintable() else " " for character in str(error)[:300])
        raise DefinitionError(f"not a NIST SP 1500-100 v2 report in JSON ({text}): correct it or export it again") from error
    if report.class_ != "ElectionResults.ElectionReport":
        raise DefinitionError(f"the report has the @type {report.class_!r}: give an ElectionResults.ElectionReport")
    if len(report.election) != 1:
        raise DefinitionError(f"the report holds {len(report.election)} elections: give a report of one election")
    election = report.election[0]
    if election.start_date != election.end_date:
        raise DefinitionError(
            f"the election runs from {election.start_date!r} to {election.end_date!r}: an election here has one day"
        )
    names = _short_ids([unit.id for unit in report.gp_unit], UNIT_PREFIX)
    rows = _units(report.gp_unit, election.election_scope_id, names)
    contest_ids = _short_ids([contest.id for contest in election.contest], CONTEST_PREFIX)
    contests = tuple(_Reader(report, contest, names, contest_ids[contest.id]).read() for contest in election.contest)
    return contests, rows, election.name.first("the election"), election.start_date


def _short_ids(ids: Sequence[str], prefix: str) -> dict[str, str]:
    """Identifiers without a prefix where all have it. Raises DefinitionError for one that is there twice."""
    found: dict[str, str] = {}
    strip = all(value.startswith(prefix) for value in ids)
    for value in ids:
        if value in found:
            raise DefinitionError(f"the identifier {value!r} is given twice: identifiers are unique in a report")
        found[value] = value.removeprefix(prefix) if strip else value
    return found


def _units(given: Sequence[_Unit], scope: str, names: dict[str, str]) -> list[UnitRow]:
    parents: dict[str, str] = {}
    for unit in given:
        if unit.class_ != "ElectionResults.ReportingUnit":
            raise DefinitionError(f"unit {unit.id!r} is a {unit.class_!r}: only reporting units have a place here")
        for child in unit.composing_gp_unit_ids:
            if child not in names:
                raise DefinitionError(f"unit {unit.id!r} is composed of {child!r}, which is not in the report")
            if child in parents:
                raise DefinitionError(
                    f"unit {child!r} lies in {parents[child]!r} and in {unit.id!r}: units here are a tree, each lies in one"
                )
            parents[child] = unit.id
    if scope not in names:
        raise DefinitionError(f"the election's scope {scope!r} is not a unit of the report")
    rows = []
    for unit in given:
        parent = parents.get(unit.id)
        if (parent is None) != (unit.id == scope):
            raise DefinitionError(
                f"unit {unit.id!r} is not below the election's scope {scope!r}: let one unit be composed of it, or remove it"
                if parent is None
                else f"the election's scope {scope!r} lies in {parent!r}: let the scope be the unit above all others"
            )
        kind = (unit.other_type or "other") if unit.type == "other" else unit.type
        roll = None if unit.composing_gp_unit_ids else unit.voters_registered
        name = unit.name.first(f"unit {unit.id!r}") if unit.name is not None else names[unit.id]
        rows.append(UnitRow(names[unit.id], "" if parent is None else names[parent], name, kind, roll))
    units = Units(rows)
    _check_sums(given, units, names)
    return list(units.rows())


def _check_sums(given: Sequence[_Unit], units: Units, names: dict[str, str]) -> None:
    for unit in given:
        if not unit.composing_gp_unit_ids or unit.voters_registered is None:
            continue
        below = units.stations_below(units.position(names[unit.id]))
        rolls = units.rolls[below.start : below.stop]
        if (rolls >= 0).all() and int(rolls.sum()) != unit.voters_registered:
            raise DefinitionError(
                f"unit {unit.id!r} has {unit.voters_registered} registered voters, and the units below it have "
                f"{int(rolls.sum())}: correct one of them"
            )


class _Reader:
    """One contest of a report on its way to a `Contest`."""

    def __init__(self, report: _Report, contest: _Contest, units: dict[str, str], contest_id: str) -> None:
        self.given = contest
        self.id = contest_id
        self.where = f"contest {contest.id!r}"
        self.units = units
        self.scope = report.election[0].election_scope_id
        self.own = _own_values(contest.external_identifier)
        self.parties = {party.id: party for party in report.party}
        self.candidate_names = {candidate.id: candidate.ballot_name for candidate in report.election[0].candidate}
        self.coalition_of = {
            party: coalition
            for coalition in report.party
            if coalition.class_ == "ElectionResults.Coalition" and contest.id in coalition.contest_ids
            for party in coalition.party_ids
        }
        self.candidates: dict[str, Candidate] = {}

    def read(self) -> Contest:
        given, where = self.given, self.where
        if given.election_district_id not in self.units:
            raise DefinitionError(f"{where} is held in {given.election_district_id!r}, which is not a unit of the report")
        kind = given.class_.removeprefix("ElectionResults.")
        rule = self._rule(kind)
        selections = sorted(enumerate(given.contest_selection), key=lambda item: (item[1].sequence_order or 0, item[0]))
        short = _short_ids([selection.id for _, selection in selections], selection_prefix(self.id))
        options = tuple(self._option(selection, short[selection.id], kind) for _, selection in selections)
        alternative = None
        if "alternative-share" in self.own or "alternative-lead" in self.own:
            alternative = Alternative(self.own.get("alternative-share", ""), self.own.get("alternative-lead", ""))
        own_names = {option.id: option.name for option in options if not option.candidate}
        return Contest(
            id=self.id,
            title=given.name,
            rule=rule,
            options=options,
            seats=given.number_elected if kind == "CandidateContest" else _whole(self.own.get("seats", "1"), f"seats of {where}"),
            max_choices=given.votes_allowed if kind == "CandidateContest" and rule in ("plurality", "approval") else 1,
            threshold=self._threshold(rule),
            alternative=alternative,
            base="cast" if self.own.get("base") == "cast" else "valid",
            unit="" if given.election_district_id == self.scope else self.units[given.election_district_id],
            candidates=tuple(
                candidate for candidate in self.candidates.values() if own_names.get(candidate.id) != candidate.name
            ),
        )

    def _rule(self, kind: str) -> RuleName:
        own = self.own.get("rule")
        if own is not None:
            if own not in _RULES:
                raise DefinitionError(f"{self.where} has the rule {own!r}: use one of {', '.join(_RULES)}")
            named: RuleName = msgspec.convert(own, RuleName)
            return named
        if kind in ("BallotMeasureContest", "RetentionContest"):
            return "yes-no"
        rule = _RULE_BY_VARIATION.get(self.given.vote_variation) if kind == "CandidateContest" else None
        if rule is None:
            raise DefinitionError(
                f"{self.where} ({kind}) has the VoteVariation {self.given.vote_variation!r}, which does not say how it is "
                f"decided: add an ExternalIdentifier of OtherType {OWN}rule with one of {', '.join(_RULES)}"
            )
        return rule

    def _threshold(self, rule: RuleName) -> str:
        if "threshold" in self.own or rule != "yes-no" or self.given.passage_threshold is None:
            return self.own.get("threshold", "")
        text = self.given.passage_threshold.first(f"the threshold of {self.where}")
        parse_share(text, f"threshold of {self.where}")
        return text

    def _option(self, selection: _Selection, option_id: str, kind: str) -> Option:
        where = f"selection {selection.id!r}"
        if kind == "PartyContest":
            party = self._single(selection.party_ids, self.parties, f"party of {where}")
            coalition = self.coalition_of.get(party.id)
            candidate = "" if coalition is None else self._candidate(coalition.id, "co.", coalition.name)
            return Option(option_id, party.name.first(f"party {party.id!r}"), candidate)
        if kind != "CandidateContest":
            if selection.selection is None:
                raise DefinitionError(f"{where} has no text: give it a Selection")
            for identifier in selection.external_identifier:
                if identifier.other_type == OWN + "candidate":
                    self.candidates[identifier.value] = Candidate(identifier.value, identifier.label)
            own = _own_values(selection.external_identifier)
            return Option(option_id, selection.selection.first(where), own.get("candidate", ""))
        names = []
        for candidate_id in selection.candidate_ids:
            if candidate_id not in self.candidate_names:
                raise DefinitionError(f"{where} names candidate {candidate_id!r}, who is not in the report")
            names.append(self.candidate_names[candidate_id].first(f"candidate {candidate_id!r}"))
        if not names and not selection.is_write_in:
            raise DefinitionError(f"{where} names no candidate: add one, or mark it as IsWriteIn")
        if len(names) == 1 and selection.endorsement_party_ids and self._names_alliances(selection.candidate_ids[0]):
            parties = [self._single((party,), self.parties, f"party of {where}") for party in selection.endorsement_party_ids]
            name = " / ".join(party.name.first(f"party {party.id!r}") for party in parties)
            candidate_id = selection.candidate_ids[0]
            return Option(option_id, name, self._candidate(candidate_id, "can.", self.candidate_names[candidate_id]))
        if len(names) == 1:
            self._check_alone(selection)
        return Option(option_id, " / ".join(names) or "Write-in")

    def _names_alliances(self, candidate: str) -> bool:
        # Elsewhere a single selection with an endorsing party is one candidate with a label, and not an alliance.
        return "rule" in self.own or sum(candidate in other.candidate_ids for other in self.given.contest_selection) > 1

    def _check_alone(self, selection: _Selection) -> None:
        """A candidate on several selections makes an alliance; on one, the option is the candidate."""
        candidate = selection.candidate_ids[0]
        others = [s.id for s in self.given.contest_selection if candidate in s.candidate_ids and not s.endorsement_party_ids]
        if len(others) > 1:
            raise DefinitionError(
                f"selections {others[0]!r} and {others[1]!r} are both for candidate {candidate!r} and differ in nothing: "
                "name the party of each as EndorsementPartyIds"
            )

    def _candidate(self, full_id: str, prefix: str, name: _Text) -> str:
        short = full_id.removeprefix(f"{prefix}{self.id}.")
        # Where the same candidate also has an option of his own, that option names him.
        for selection in self.given.contest_selection:
            if selection.candidate_ids == (full_id,) and not selection.endorsement_party_ids:
                short = selection.id.removeprefix(selection_prefix(self.id))
        self.candidates[short] = Candidate(short, name.first(f"candidate {full_id!r}"))
        return short

    def _single(self, ids: tuple[str, ...], known: dict[str, Any], what: str) -> Any:
        if len(ids) != 1 or ids[0] not in known:
            raise DefinitionError(f"{what} is {', '.join(map(repr, ids)) or 'missing'}: name one that is in the report")
        return known[ids[0]]


def _own_values(identifiers: Iterable[_Identifier]) -> dict[str, str]:
    return {
        identifier.other_type.removeprefix(OWN): identifier.value
        for identifier in identifiers
        if identifier.type == "other" and identifier.other_type.startswith(OWN)
    }


def _whole(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise DefinitionError(f"{what} is {text!r}: write a whole number")
    return int(text)
