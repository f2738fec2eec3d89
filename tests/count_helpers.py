"""A small country for the tests of the count: real keys, real statements, six stations in two regions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from scrutineer.count import STATUS_NAMES, Count
from scrutineer.election import Contest, Definition, Election, Issuer, LogIdentity, Option, Register, UnitRow, Units
from scrutineer.election.definition import REGISTER_TABLE, UNITS_TABLE, Severity, table_hash
from scrutineer.election.register import Role
from scrutineer.statements import (
    Accreditation,
    Decision,
    Endorsement,
    Figures,
    Payload,
    SigningKey,
    StationOpened,
    TallySheet,
    sign_statement,
    statement_hash,
)

MASTER = SigningKey(b"count tests".ljust(32, b"."))
ROLL = 100
NOON = 1_750_000_000
STATIONS = ("a1", "a2", "a3", "b1", "b2", "b3")
OFFICERS = ("authority/one", "authority/two", "authority/three")
NORTHERN = "authority/northern"
"""An officer who speaks for the northern region alone, which holds the stations whose ids begin with a."""

PRESIDENT = Contest(
    "president", "President", "plurality", (Option("heron", "Heron"), Option("wren", "Wren"), Option("finch", "Finch"))
)


def units(rolls: Mapping[str, int | None] | None = None) -> Units:
    def roll(station: str) -> int | None:
        return (rolls or {}).get(station, ROLL)

    rows = [UnitRow("country", "", "Country", "country", None)]
    for region, name, letter in (("north", "North", "a"), ("south", "South", "b")):
        rows.append(UnitRow(region, "country", name, "region", None))
        rows += [
            UnitRow(station, region, f"Station {station}", "station", roll(station))
            for station in STATIONS
            if station[0] == letter
        ]
    return Units(rows)


def make_election(
    contests: Sequence[Contest] = (PRESIDENT,),
    *,
    rules: Mapping[str, Severity] | None = None,
    thresholds: Mapping[str, int] | None = None,
    opening_required: bool = False,
    rolls: Mapping[str, int | None] | None = None,
) -> Election:
    table = table_hash(b"")
    definition = Definition(
        version=1,
        id="small",
        name="Small country",
        date="2025-06-15",
        timezone="UTC",
        provenance="simulated",
        authority="Electoral Commission",
        contests=tuple(contests),
        tables={UNITS_TABLE: table, REGISTER_TABLE: table},
        log=LogIdentity("log.example/small", ("key",)),
        thresholds=dict(thresholds or {}),
        rules=dict(rules or {}),
        opening_required=opening_required,
    )
    tree = units(rolls)
    keys = b"".join(key_of(f"station/{station}").public_key for station in tree.station_index)
    officers = [Issuer(officer, "authority", key_of(officer).public_key) for officer in OFFICERS]
    officers.append(Issuer(NORTHERN, "authority", key_of(NORTHERN).public_key, unit="north"))
    agent = Issuer("agent/plover", "agent", key_of("agent/plover").public_key)
    return Election(definition, tree, Register(tree.station_index, keys, [*officers, agent]), b"e" * 32)


def key_of(issuer: str) -> SigningKey:
    return MASTER.derive(issuer)


class Ballots:
    """Writes the statements of one election."""

    def __init__(self, election: Election) -> None:
        self.election = election

    def payload(self, station: str, counts: Iterable[int | None] = (50, 20, 10), **given: Any) -> TallySheet:
        """A sheet on which everything adds up, except for what is given."""
        stated = tuple(counts)
        figures: dict[str, Any] = {"contest": "president", "blank": 3, "null": 2, "roll": ROLL, "time": NOON, **given}
        total = sum(count or 0 for count in stated) + (figures["blank"] or 0) + (figures["null"] or 0)
        figures.setdefault("cast", total)
        figures.setdefault("voters", figures["cast"])
        return TallySheet(self.election.hash, station, counts=stated, **figures)

    def sheet(
        self, station: str, counts: Iterable[int | None] = (50, 20, 10), *, key: SigningKey | None = None, **given: Any
    ) -> bytes:
        issuer = f"station/{station}"
        return sign_statement(self.payload(station, counts, **given), issuer, key or key_of(issuer))

    def ranked(self, station: str, rankings: Mapping[tuple[int, ...], int], **given: Any) -> bytes:
        ballots = sum(rankings.values())
        figures = {"contest": "warden", "blank": 0, "null": 0, "cast": ballots, "voters": ballots, **given}
        return self.sheet(station, (), rankings=tuple(sorted(rankings.items())), **figures)

    def opening(self, station: str, time: int = NOON - 3600) -> bytes:
        payload = StationOpened(election=self.election.hash, station=station, time=time)
        return sign_statement(payload, f"station/{station}", key_of(f"station/{station}"))

    def accept(self, sheet: bytes, station: str, *, contest: str = "president", by: str = OFFICERS[0]) -> bytes:
        return self._decide(by, station=station, contest=contest, action="accept", sheet=statement_hash(sheet))

    def correct(self, sheet: bytes, station: str, after: Figures, *, contest: str = "president", by: str = OFFICERS[0]) -> bytes:
        return self._decide(by, station=station, contest=contest, action="correct", sheet=statement_hash(sheet), after=after)

    def exclude(self, station: str, *, contest: str = "president", by: str = OFFICERS[0]) -> bytes:
        return self._decide(by, station=station, contest=contest, action="exclude")

    def _decide(self, by: str, **given: Any) -> bytes:
        return self.sign(Decision(election=self.election.hash, reason="The paper sheet says so.", **given), by)

    def endorse(self, act: bytes, by: str = OFFICERS[1], *, refuse: bool = False) -> bytes:
        reason = "The paper sheet was not shown to me." if refuse else ""
        verdict: Literal["sign", "refuse"] = "refuse" if refuse else "sign"
        return self.sign(
            Endorsement(election=self.election.hash, statement=statement_hash(act), verdict=verdict, reason=reason), by
        )

    def admit(self, issuer: str, key: SigningKey, *, by: str = OFFICERS[0]) -> bytes:
        role: Role = "station" if issuer.startswith("station/") else "authority"
        admission = Accreditation(
            election=self.election.hash, action="admit", issuer=issuer, role=role, algorithm=key.algorithm, key=key.public_key
        )
        return self.sign(admission, by)

    def revoke(self, issuer: str, *, by: str = OFFICERS[0], key: SigningKey | None = None) -> bytes:
        role: Role = "station" if issuer.startswith("station/") else "authority"
        return self.sign(
            Accreditation(
                election=self.election.hash,
                action="revoke",
                issuer=issuer,
                role=role,
                key=(key or key_of(issuer)).public_key,
                reason="The device is lost.",
            ),
            by,
        )

    def sign(self, payload: Payload, by: str) -> bytes:
        return sign_statement(payload, by, key_of(by))

    def count(self, *entries: bytes) -> Count:
        count = Count(self.election)
        count.apply(entries)
        return count


def status_of(count: Count, station: str, contest: int = 0) -> str:
    return STATUS_NAMES[int(count.contests[contest].status[count.election.units.station_index[station]])]


def rules_of(count: Count, station: str, contest: int = 0) -> tuple[str, ...]:
    return count.book.names(int(count.contests[contest].flags[count.election.units.station_index[station]]))
