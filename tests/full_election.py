"""An election in whose log everything has happened: what every page of the site, and every picture of the documentation, shows.

Two contests at 24 stations in three regions, with an earlier election to compare with; sheets that arrive through the evening,
one of which does not add up, one that a station corrected, one replaced by decision, two that are still missing; poll workers
and agents who countersigned or refused, observers whose copies agree or differ; an outage, refused requests, announcements that
fit and do not fit, bulletins, and heads published on the way. One small station voted on encrypted ballots.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ballot_helpers import seeded
from portal_helpers import OFFICER, ORIGIN, TIME_MS, Published, key_of, log_signer, published
from scrutineer.ballots.from_election import manifest_of
from scrutineer.ballots.record import Status
from scrutineer.calls import bulletin_calls
from scrutineer.count import Count, make_bulletin
from scrutineer.election import Contest, Election, Issuer, Option, Register, UnitRow, Units, station_issuer
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.definition import (
    BALLOTS_TABLE,
    BASELINE_TABLE,
    FORMAT_VERSION,
    REGISTER_TABLE,
    SHAPES_TABLE,
    UNITS_TABLE,
    Definition,
    LogIdentity,
    read_baseline,
    table_hash,
    write_register,
    write_units,
)
from scrutineer.log import Checkpoint, Head, MerkleTree, leaf_hash, sign_checkpoint
from scrutineer.log.receipt import sign_head
from scrutineer.portal import SiteOptions
from scrutineer.portal.ballot_named import named_ballots
from scrutineer.portal.ballot_record import StationBallots, scan_bundle, with_tally
from scrutineer.simulate.encrypted import Choices, Voted, deal, decrypt, hold_ceremony, vote
from scrutineer.simulate.shapes import invent_shapes
from scrutineer.statements import (
    Accreditation,
    Attestation,
    Claim,
    ClaimedFigure,
    Decision,
    Endorsement,
    Figures,
    Incident,
    Payload,
    StationOpened,
    TallySheet,
    sign_statement,
    statement_hash,
)
from scrutineer.statements.incident import NetworkCount, RequestCount, RequestSummary

VOTES_FOR_REAL = 21  # the station whose ballots are encrypted; few of them, because each is really made
REAL_VOTES = {"president": (3, 2, 1, 0), "harbour": (4, 2)}
CLOSED = TIME_MS // 1000 - 6 * 3600
REGIONS = (("coast", "Coast"), ("hills", "Hills"), ("lakes", "Lakes"))
BIRDS = (Option("heron", "Heron"), Option("kingfisher", "Kingfisher"), Option("owl", "Owl"), Option("wren", "Wren"))
NAME, DATE = "Presidential election of Avia", "2025-06-15"
PRESIDENT = Contest("president", "President of the Republic", "majority", BIRDS)
HARBOUR = Contest("harbour", "Shall the harbour stay open in winter?", "yes-no", (Option("yes", "Yes"), Option("no", "No")))
SECOND = "authority/officer-2"
WORKER, AGENT, OBSERVER, OPERATOR = "poll-worker/coast-1", "agent/heron-1", "observer/marsh-watch", "operator/intake"
PEOPLE = (
    Issuer(OFFICER, "authority", key_of(OFFICER).public_key, name="Commission of the birds"),
    Issuer(SECOND, "authority", key_of(SECOND).public_key, name="Commission of the birds"),
    Issuer(WORKER, "poll-worker", key_of(WORKER).public_key, name="Ada Plover", unit="coast"),
    Issuer(AGENT, "agent", key_of(AGENT).public_key, name="Bela Dunlin, for Heron"),
    Issuer(OPERATOR, "operator", key_of(OPERATOR).public_key, name="Intake service"),
)


def units() -> Units:
    rows = [UnitRow("avia", "", "Republic of Avia", "country", None)]
    for region, name in REGIONS:
        rows.append(UnitRow(region, "avia", name, "region", None))
        for centre in range(1, 3):
            own = f"{region}-{centre}"
            rows.append(UnitRow(own, region, f"{name}, school {centre}", "centre", None))
            rows += [
                UnitRow(f"{own}-{table}", own, f"{name} {centre}, table {table}", "station", 400 + 10 * table)
                for table in range(1, 5)
            ]
    return Units(rows)


def _votes(station: int, contest: Contest) -> tuple[int, ...]:
    if contest is HARBOUR:
        return 160 + 3 * station % 17, 120 + 5 * station % 23
    return 130 + 7 * station % 31, 96 + 11 * station % 29, 40 + station % 13, 12 + station % 5


@dataclass
class _Night:
    """Writes the log: every statement signed by its issuer, in the order in which it is said."""

    election: Election
    log: list[bytes]

    def say(self, issuer: str, payload: Payload) -> bytes:
        statement = sign_statement(payload, issuer, key_of(issuer))
        self.log.append(statement)
        return statement_hash(statement)

    def sheet(self, station: int, contest: Contest, **changes: object) -> bytes:
        own = list(self.election.units.station_index)[station]
        counts = _votes(station, contest)
        cast = sum(counts) + 9
        fields: dict[str, object] = {
            "election": self.election.hash,
            "station": own,
            "contest": contest.id,
            "counts": counts,
            "blank": 5,
            "null": 4,
            "cast": cast,
            "voters": cast,
            "roll": 410 + 10 * (station % 4),
            "time": CLOSED + 3000 + 240 * station,
        }
        return self.say(station_issuer(own), TallySheet(**(fields | changes)))  # type: ignore[arg-type]

    def bulletin(self, number: int, time: int) -> None:
        count = Count(self.election)
        count.apply(self.log)
        tree = MerkleTree()
        tree.extend([leaf_hash(entry) for entry in self.log])
        calls = bulletin_calls(count)
        self.say(OFFICER, make_bulletin(count, tree.root(), number=number, time=time, calls=calls))


def full_election() -> list[Published]:
    """The election at each head that was published, earliest first."""
    election, tables, baseline, definition = _defined()
    night = _Night(election, [definition])
    heads: list[tuple[int, int]] = []  # log size and time
    for station in election.units.station_index:
        night.say(station_issuer(station), StationOpened(election=election.hash, station=station, time=CLOSED - 10 * 3600))
    night.say(
        OFFICER,
        Accreditation(
            election=election.hash,
            action="admit",
            issuer=OBSERVER,
            role="observer",
            key=key_of(OBSERVER).public_key,
            name="Marsh Watch <observers & friends>",
        ),
    )
    for station in range(10):
        _station(night, station)
    heads.append((len(night.log), CLOSED + 3 * 3600))
    night.bulletin(1, CLOSED + 3 * 3600)
    for station in range(10, 14):
        _station(night, station)
    _incidents(night)
    heads.append((len(night.log), CLOSED + 5 * 3600))
    for station in range(14, 22):
        _station(night, station)
    _claims(night)
    night.bulletin(2, CLOSED + 6 * 3600 - 600)
    heads.append((len(night.log), TIME_MS // 1000))
    return list(_published(election, tables, baseline, night.log, heads))


def publish_all(site: Path, options: SiteOptions | None = None) -> Published:
    """Publish every head, one after the other, to one folder; returns the last."""
    history = full_election()
    for now in history:
        shown = now.with_options(options) if options is not None else now
        shown.publish(site)
    return shown


def _station(night: _Night, station: int) -> None:
    election = night.election.hash
    own = list(night.election.units.station_index)[station]
    for contest in (PRESIDENT, HARBOUR):
        if station == 4 and contest is PRESIDENT:
            # Its figures do not add up, and a decision puts the ones of the paper in their place.
            sheet = night.sheet(station, contest, counts=(158, 129, 44, 61))
            night.say(OBSERVER, _copy(night, station, contest))
            figures = Figures(counts=_votes(station, contest), blank=5, null=4, cast=sum(_votes(station, contest)) + 9)
            decision = Decision(
                election=election,
                station=own,
                contest=contest.id,
                action="correct",
                sheet=sheet,
                after=figures,
                reason="Two figures were exchanged.\nThe paper sheet was opened before the agents of both sides.",
            )
            name = night.say(OFFICER, decision)
            night.say(SECOND, Endorsement(election=election, statement=name, verdict="sign"))
        elif station == 7 and contest is PRESIDENT:
            night.sheet(station, contest, cast=900, voters=900)
        elif station == 9 and contest is PRESIDENT:
            night.sheet(station, contest)
            night.sheet(station, contest, counts=(150, 110, 45, 13), cast=327, voters=327)
        elif station == VOTES_FOR_REAL:
            night.sheet(station, contest, **_real_figures(contest), records=real_station().voted.digest)
        else:
            sheet = night.sheet(station, contest)
            if station < 2:
                night.say(WORKER, Endorsement(election=election, statement=sheet, verdict="sign"))
                night.say(AGENT, Endorsement(election=election, statement=sheet, verdict="sign"))
            if station == 2:
                night.say(
                    AGENT, Endorsement(election=election, statement=sheet, verdict="refuse", reason="I was not shown the tally.")
                )
            if station in (0, 1, 2):
                night.say(OBSERVER, _copy(night, station, contest, 9 if station == 2 else 0))
                night.say(AGENT, _copy(night, station, contest))


def _real_figures(contest: Contest) -> dict[str, object]:
    return {"counts": REAL_VOTES[contest.id], "blank": 1, "null": 1, "cast": 8, "voters": 8}


@dataclass(frozen=True)
class RealStation:
    """The station that voted on encrypted ballots: the trustees' keys, its bundle, and what was decrypted of it."""

    table: bytes
    voted: Voted
    tally: bytes

    def ballots(self) -> StationBallots:
        return with_tally(scan_bundle("", lambda: iter([self.voted.bundle])), lambda: iter([self.tally]))


@functools.cache
def real_station() -> RealStation:
    random, places, contests = seeded("full election"), units(), (PRESIDENT, HARBOUR)
    manifest = manifest_of("avia-2025", NAME, DATE, contests, places)
    trustees = hold_ceremony(manifest, ("Robin", "Avocet"), 2, random)
    station = list(places.station_index)[VOTES_FOR_REAL]
    dealt = []
    for number, contest in enumerate(contests, 1):
        sheet = TallySheet(bytes(32), station, contest.id, **_real_figures(contest))  # type: ignore[arg-type]
        dealt.append(deal(manifest.contest(number), sheet, [option.id for option in contest.options]))
    cast = [dict(enumerate(choices, 1)) for choices in zip(*dealt, strict=True)]
    ballots: list[tuple[Choices, Status]] = [(choices, "cast") for choices in cast]
    ballots[2:2] = [(cast[5], "challenged"), (cast[0], "spoiled")]
    voted = vote(trustees.keys, station, "Voting machine 7", 1, ballots, random)
    return RealStation(trustees.record.encode(), voted, decrypt(trustees, (1, 2), voted, random).encode())


def _copy(night: _Night, station: int, contest: Contest, more: int = 0) -> Attestation:
    counts = _votes(station, contest)
    return Attestation(
        election=night.election.hash,
        station=list(night.election.units.station_index)[station],
        contest=contest.id,
        counts=(counts[0] + more, *counts[1:]),
        blank=5,
        null=4,
        image=bytes(32),
    )


def _incidents(night: _Night) -> None:
    election = night.election.hash
    night.say(
        station_issuer("hills-1-2"),
        Incident(
            election=election,
            kind="outage",
            since=CLOSED + 3600,
            until=CLOSED + 2 * 3600,
            unit="hills-1-2",
            text="No current for an hour; the ballots were counted by lamplight & candle.",
        ),
    )
    counts = (
        RequestCount(kind="forged-signature", count=41_210, networks=(NetworkCount(network="192.0.2.0/24", count=40_000),)),
        RequestCount(kind="flood", count=1_204_550),
    )
    summary = RequestSummary(journal=bytes(16), first=1, last=9, head=bytes(32), counts=counts)
    night.say(
        OPERATOR,
        Incident(election=election, kind="requests", since=CLOSED + 3 * 3600, until=CLOSED + 4 * 3600, requests=summary),
    )


def _claims(night: _Night) -> None:
    for issuer, by, heron in ((OFFICER, "Commission of the birds", 2_750), (AGENT, "Heron’s headquarters", 5_150)):
        figures = (
            ClaimedFigure(name="Heron", option="heron", votes=heron, percent="51.2"),
            ClaimedFigure(name="Kingfisher", option="kingfisher", votes=2_100, percent="36.9"),
        )
        claim = Claim(
            election=night.election.hash,
            contest="president",
            announced_by=by,
            announced_at="15 June 2025, 14:00",
            source="Radio of the marshes",
            counted="80",
            figures=figures,
        )
        night.say(issuer, claim)


def _defined() -> tuple[Election, tuple[bytes, ...], bytes, bytes]:
    signer = log_signer()
    places = units()
    keys = b"".join(key_of(station_issuer(station)).public_key for station in places.station_index)
    register = Register(places.station_index, keys, PEOPLE)
    tables = (write_units(places), write_register(register), invent_shapes(places, 5))
    earlier = ["station,contest,option,votes"]
    for number, station in enumerate(places.station_index):
        votes = _votes(number + 3, PRESIDENT)
        earlier += [f"{station},president,{option.id},{given}" for option, given in zip(BIRDS, votes, strict=True)]
    baseline = ("\n".join(earlier) + "\n").encode()
    definition = Definition(
        version=FORMAT_VERSION,
        id="avia-2025",
        name=NAME,
        date=DATE,
        timezone="America/Caracas",
        provenance="simulated",
        authority="Commission of the birds",
        contests=(PRESIDENT, HARBOUR),
        tables={
            UNITS_TABLE: table_hash(tables[0]),
            REGISTER_TABLE: table_hash(tables[1]),
            BASELINE_TABLE: table_hash(baseline),
            SHAPES_TABLE: table_hash(tables[2]),
            BALLOTS_TABLE: table_hash(real_station().table),
        },
        log=LogIdentity(ORIGIN, signer.verifier.vkeys),
        thresholds={"decision": 2},
        calls=CallSettings(),
    )
    statement = sign_statement(definition, OFFICER, key_of(OFFICER))
    read = read_baseline(baseline, definition.contests, places)
    election = Election(definition, places, register, statement_hash(statement), read)
    return election, tables, baseline, statement


def _published(
    election: Election, tables: tuple[bytes, ...], baseline: bytes, log: list[bytes], heads: list[tuple[int, int]]
) -> Iterator[Published]:
    signer = log_signer()
    for size, time in heads:
        now = published(election, tables, log[:size])
        root = now.record.head.root
        head = Head(size, root, sign_head(size, root, signer), time * 1000)
        checkpoint = sign_checkpoint(Checkpoint(ORIGIN, size, root), signer.note_signers, time)
        ballots = named_ballots([("bundle", real_station().ballots())], now.record.count, now.record.entry)
        tables_too = {"baseline_table": baseline, "ballots_table": real_station().table}
        record = replace(now.record, head=head, checkpoint=checkpoint, ballots=ballots, **tables_too)  # type: ignore[arg-type]
        yield replace(now, record=record)
