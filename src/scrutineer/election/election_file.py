"""`election.toml`: the organiser's own words about the election, read key by key so that every fault is named at once."""

import zoneinfo
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, cast, get_args

from scrutineer.election.call_settings import MAX_EXTRA_BALLOTS, MAX_STRATA_DEPTH, CallSettings
from scrutineer.election.contests import (
    MAX_OPTIONS,
    MAX_SEATS,
    Alternative,
    Candidate,
    Contest,
    Option,
    RuleName,
    check_id,
    check_name,
    parse_share,
)
from scrutineer.election.definition import THRESHOLD_ACTS, Provenance, Severity
from scrutineer.election.parties import MAX_PARTIES, Party, check_party
from scrutineer.election.toml_table import Table
from scrutineer.election.transmission import WAYS, Transmission, Way
from scrutineer.election.witness_policy import MAX_WITNESSES, NamedWitness, WitnessPolicy
from scrutineer.errors import DefinitionError

RULES: Final[tuple[str, ...]] = get_args(RuleName)
SEVERITIES: Final[tuple[str, ...]] = get_args(Severity)
PROVENANCES: Final[tuple[str, ...]] = get_args(Provenance)
MAX_THRESHOLD: Final = 100  # signatures
MAX_SOURCE_LENGTH: Final = 512  # characters
_FIELDS_IN_MESSAGES: Final = (
    ("written in", "write_in"),
    ("alternative", "alternative"),
    ("threshold", "threshold"),
    ("choices", "max_choices"),
    ("seats", "seats"),
    ("names candidate", "candidate"),
    ("option", "option"),
)
"""What a contest complains about, and the key that it means; the first that fits."""


@dataclass(frozen=True, slots=True)
class ElectionFile:
    """The content of `election.toml`, before it is held against the units."""

    id: str
    name: str
    date: str
    timezone: str
    authority: str
    provenance: Provenance
    source: str
    opening_required: bool
    thresholds: dict[str, int]
    rules: dict[str, Severity]
    calls: CallSettings | None
    witnesses: WitnessPolicy | None
    transmission: Transmission | None
    contests: tuple[Contest, ...]
    contest_tables: tuple[Table, ...]
    """Where each contest stands, for findings that need the units."""
    parties: tuple[Party, ...]


def read_election_file(table: Table, known_rules: Collection[str] | None) -> ElectionFile:
    """Read the file's table; what is wrong is noted in its findings, and the value is then worth nothing."""
    head = table.table("election", required=True)
    identifier = read_id(head, "id")
    name = read_name(head, "name")
    authority = read_name(head, "authority")
    date = head.date("date")
    timezone = read_timezone(head)
    provenance = cast("Provenance", head.choice("provenance", PROVENANCES, "official"))
    source = head.text("source")
    if (provenance == "replayed") != bool(source):
        head.find('a source names who published replayed data; write it with provenance = "replayed", and only then', "source")
    if len(source) > MAX_SOURCE_LENGTH or not source.isprintable():
        head.find(f"too long or not printable; write one line of at most {MAX_SOURCE_LENGTH} characters", "source")
    opening_required = head.boolean("opening_required")
    head.refuse_others()
    thresholds = _thresholds(table.table("thresholds"))
    rules = _rules(table.table("rules"), known_rules)
    calls = _calls(table.table("calls")) if "calls" in table.values else None
    witnesses = _witnesses(table.table("witnesses")) if "witnesses" in table.values else None
    transmission = _transmission(table.table("transmission")) if "transmission" in table.values else None
    contests: list[Contest] = []
    places: list[Table] = []
    sections = table.tables("contest")
    if not sections:
        table.find("missing; add at least one section [[contest]]", "contest")
    for section in sections:
        contest = read_contest(section)
        if contest is not None:
            if any(other.id == contest.id for other in contests):
                section.find(f"{contest.id!r} is the id of another contest already; give each contest its own", "id")
            contests.append(contest)
            places.append(section)
    parties = _parties(table, contests, complete=len(contests) == len(sections))
    table.refuse_others()
    return ElectionFile(
        identifier, name, date, timezone, authority, provenance, source, opening_required, thresholds, rules,
        calls, witnesses, transmission, tuple(contests), tuple(places), parties,
    )  # fmt: skip


def read_id(table: Table, key: str, *, required: bool = True) -> str:
    """An identifier; empty, with the finding noted, where it is missing or wrong."""
    value = table.text(key, required=required, example='"an-id"')
    try:
        if value.strip():
            check_id(value, key)
    except DefinitionError as error:
        table.find(str(error), key)
        return ""
    return value


def read_name(table: Table, key: str) -> str:
    """A name for people; empty, with the finding noted, where it is missing or wrong."""
    value = table.text(key, required=True, example='"A name"')
    try:
        if value.strip():
            check_name(value, key)
    except DefinitionError as error:
        table.find(str(error), key)
        return ""
    return value


def read_timezone(table: Table) -> str:
    """A time zone of the IANA database."""
    value = table.text("timezone", required=True, example='"UTC"')
    try:
        if value.strip():
            zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        table.find(f'{value!r} is not a known time zone; write one such as "UTC" or "America/La_Paz"', "timezone")
    return value


def _thresholds(table: Table) -> dict[str, int]:
    thresholds: dict[str, int] = {}
    for act in table.free_keys():
        if act in THRESHOLD_ACTS:
            thresholds[act] = table.integer(act, 1, 1, MAX_THRESHOLD)
        else:
            table.refuse(act, THRESHOLD_ACTS)
    return thresholds


def _rules(table: Table, known: Collection[str] | None) -> dict[str, Severity]:
    rules: dict[str, Severity] = {}
    for rule in table.free_keys():
        if known is not None and rule not in known:
            table.refuse(rule, known)
        else:
            rules[rule] = cast("Severity", table.choice(rule, SEVERITIES, required=True))
    return rules


def _calls(table: Table) -> CallSettings | None:
    own = CallSettings()
    before = table.finding_count
    risk, gamma = table.text("risk") or own.risk, table.text("gamma") or own.gamma
    strata = table.integer("strata", own.strata, 0, MAX_STRATA_DEPTH)
    extra_ballots = table.integer("extra_ballots", own.extra_ballots, 0, MAX_EXTRA_BALLOTS)
    table.refuse_others()
    if table.finding_count > before:
        return None
    try:
        return CallSettings(risk, gamma, strata, extra_ballots)
    except DefinitionError as error:
        table.find(str(error), "risk" if "risk" in str(error) else "gamma")
        return None


def _witnesses(table: Table) -> WitnessPolicy | None:
    before = table.finding_count
    quorum = table.integer("quorum", 1, 1, MAX_WITNESSES)
    witnesses: list[NamedWitness] = []
    sections = table.tables("witness")
    if not sections:
        table.find("missing; add a section [[witnesses.witness]] for each witness", "witness")
    for section in sections:
        keys, url = section.texts("keys", required=True), section.text("url")
        section.refuse_others()
        try:
            witnesses.append(NamedWitness(keys, url))
        except DefinitionError as error:
            section.find(str(error), "url" if "address" in str(error) else "keys")
    table.refuse_others()
    if table.finding_count > before:
        return None
    try:
        return WitnessPolicy(quorum, tuple(witnesses))
    except DefinitionError as error:
        table.find(str(error), "quorum")
        return None


def _transmission(table: Table) -> Transmission | None:
    before = table.finding_count
    endpoints, relays = table.texts("endpoints"), table.texts("relays")
    ways = table.texts("ways") or WAYS
    table.refuse_others()
    if table.finding_count > before:
        return None
    try:
        return Transmission(endpoints, relays, cast("tuple[Way, ...]", ways))
    except DefinitionError as error:
        text = str(error)
        table.find(text, "ways" if "ways" in text else "relays" if "relay" in text else "endpoints")
        return None


def _parties(table: Table, contests: Sequence[Contest], *, complete: bool) -> tuple[Party, ...]:
    """Parties, held against the contests only where all of these could be read (`complete`)."""
    parties: list[Party] = []
    sections = table.tables("party")
    if len(sections) > MAX_PARTIES:
        table.find(f"{len(sections)} parties; give at most {MAX_PARTIES}", "party")
    for section in sections:
        before = section.finding_count
        identifier, name = read_id(section, "id"), read_name(section, "name")
        options = section.texts("options", required=True, example='"contest/option"')
        section.refuse_others()
        if any(party.id == identifier for party in parties):
            section.find(f"{identifier!r} is the id of another party already; give each party its own", "id")
        if section.finding_count > before:
            continue
        try:
            party = Party(identifier, name, options)
            if complete:
                check_party(party, contests)
            parties.append(party)
        except DefinitionError as error:
            section.find(str(error), "options")
    return tuple(parties)


def read_contest(table: Table) -> Contest | None:
    """One contest; None, with the findings noted, where it is not valid."""
    before = table.finding_count
    identifier = read_id(table, "id")
    title = read_name(table, "title")
    rule = cast("RuleName", table.choice("rule", RULES, "plurality", required=True))
    seats = table.integer("seats", 1, 1, MAX_SEATS)
    max_choices = table.integer("max_choices", 1, 1, MAX_OPTIONS)
    threshold = read_share(table, "threshold", required=False)
    alternative = None
    if "alternative" in table.values:
        second = table.table("alternative")
        shares = (read_share(second, "share"), read_share(second, "lead"))
        second.refuse_others()
        alternative = Alternative(*shares) if all(shares) else None
    base = table.choice("base", ("valid", "cast"), "valid")
    unit = read_id(table, "unit", required=False)
    recount = read_share(table, "recount", required=False)
    write_in = read_id(table, "write_in", required=False)
    options = _options(table)
    candidates = _candidates(table)
    table.refuse_others()
    if table.finding_count > before:
        return None
    try:
        return Contest(
            identifier, title, rule, options, seats, max_choices, threshold, alternative,
            "cast" if base == "cast" else "valid", unit, candidates, recount, write_in,
        )  # fmt: skip
    except DefinitionError as error:
        text = str(error)
        key = next((key for words, key in _FIELDS_IN_MESSAGES if words in text), "")
        table.find(text, *([key] if key else []))
        return None


def read_share(table: Table, key: str, *, required: bool = True) -> str:
    """A share such as '1/2', '40 %' or '0.05', as it was written."""
    value = table.text(key, required=required, example='"1/2"')
    try:
        if value.strip():
            parse_share(value, key)
    except DefinitionError as error:
        table.find(str(error), key)
        return ""
    return value


def _options(table: Table) -> tuple[Option, ...]:
    options: list[Option] = []
    sections = table.tables("option")
    if not sections:
        table.find("missing; add a section [[contest.option]] for each thing that can be marked", "option")
    for section in sections:
        before = section.finding_count
        fields = (read_id(section, "id"), read_name(section, "name"), read_id(section, "candidate", required=False))
        section.refuse_others()
        if any(option.id == fields[0] for option in options):
            section.find(f"{fields[0]!r} is the id of another option already; give each option its own", "id")
        if section.finding_count == before:
            options.append(Option(*fields))
    return tuple(options)


def _candidates(table: Table) -> tuple[Candidate, ...]:
    candidates: list[Candidate] = []
    for section in table.tables("candidate"):
        before = section.finding_count
        fields = (read_id(section, "id"), read_name(section, "name"))
        section.refuse_others()
        if any(candidate.id == fields[0] for candidate in candidates):
            section.find(f"{fields[0]!r} is the id of another candidate already; give each candidate its own", "id")
        if section.finding_count == before:
            candidates.append(Candidate(*fields))
    return tuple(candidates)
