"""A small election of birds whose voters voted on encrypted ballots, published and ready to be tampered with."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from ballot_helpers import seeded
from portal_helpers import OFFICER, Published, key_of, made_up, published
from scrutineer.ballots.from_election import manifest_of, style_of, total_labels
from scrutineer.ballots.record import TallyRecord
from scrutineer.count import make_certificate
from scrutineer.election import Contest, Election, Option, Party, UnitRow, Units
from scrutineer.election.definition import BALLOTS_TABLE, REGISTER_TABLE, UNITS_TABLE, table_hash, write_units
from scrutineer.portal import SiteOptions
from scrutineer.portal.ballot_folder import BallotFolder
from scrutineer.portal.ballot_named import named_ballots
from scrutineer.simulate.encrypted import Trustees, Voted, deal, decrypt, hold_ceremony, vote
from scrutineer.statements import Payload, TallySheet, sign_statement

CONTESTS = (
    Contest("warden", "Warden of the marsh", "plurality", tuple(Option(bird.lower(), bird) for bird in ("Wren", "Owl", "Heron"))),
    Contest("song", "Song of the year", "ranked", tuple(Option(bird.lower(), bird) for bird in ("Robin", "Siskin"))),
)
ROWS = (
    UnitRow("marsh", "", "Marsh", "country", None),
    UnitRow("north", "marsh", "North", "region", None),
    UnitRow("pond", "north", "Pond", "station", 20),
    UnitRow("reed", "north", "Reed", "station", 20),
    UnitRow("paper", "marsh", "Paper", "station", 20),
)
STATIONS = ("pond", "reed")
"""Where the ballots are encrypted."""


@dataclass(frozen=True)
class Sealed:
    """The election, its trustees, and what stands in the folder of its ballots."""

    given: Published
    trustees: Trustees
    voted: dict[str, Voted]
    tallies: dict[str, TallyRecord]

    def write_folder(self, folder: Path) -> Path:
        """Write the ballots of all stations as a folder that is published."""
        folder.mkdir(parents=True, exist_ok=True)
        for station in STATIONS:
            (folder / f"{station}.jsonl").write_bytes(self.voted[station].bundle)
            (folder / f"{station}.tally.json").write_bytes(self.tallies[station].encode())
        return folder

    def with_ballots(self, folder: Path, skipped: list[tuple[str, str]] | None = None) -> Published:
        """The record with the ballots of a folder."""
        record = self.given.record
        ballots = named_ballots(BallotFolder(folder).find(), record.count, record.entry, skipped)
        return replace(self.given, record=replace(record, ballots=ballots))


def sheets(election: bytes, station: str, records: bytes | None) -> tuple[TallySheet, TallySheet]:
    """The sheets of a station in both contests."""
    return (
        TallySheet(election, station, "warden", (2, 1, 0), 1, 1, 5, 5, 20, 1_750_000_000, records=records),
        TallySheet(
            election, station, "song", (), 1, 0, 5, 5, 20, 1_750_000_000, records=records,
            rankings=(((0,), 1), ((0, 1), 2), ((1, 0), 1)),
        ),
    )  # fmt: skip


@functools.cache
def sealed_election(
    languages: tuple[str, ...] = ("en",), *, misstated: bool = False, unnamed: bool = False, write_ins: bool = False
) -> Sealed:
    """The election at its end: all stations have reported, two of them with encrypted ballots.

    `misstated` has the sheets of one of them state other figures than its ballots give; `unnamed` has one of them say nothing of
    its ballots beside that. With `write_ins` the Owl stands for names written in, and there is a party.
    """
    random = seeded("sealed election")
    units = Units(ROWS)
    contests = (msgspec.structs.replace(CONTESTS[0], write_in="owl"), CONTESTS[1]) if write_ins else CONTESTS
    parties = (Party("feather", "Feather List", ("warden/wren",)),) if write_ins else ()
    manifest = manifest_of("test", "Election of the birds", "2025-05-18", contests, units, parties)
    trustees = hold_ceremony(manifest, ("Robin", "Avocet", "Plover"), 2, random)
    voted: dict[str, Voted] = {}
    for station in STATIONS:
        dealt = [
            deal(manifest.contests[number], sheet, total_labels(contests[number]))
            for number, sheet in enumerate(sheets(bytes(32), station, None))
        ]
        cast = [{1: warden, 2: song} for warden, song in zip(*dealt, strict=True)]
        status = ["cast", "challenged", "cast", "spoiled", "cast", "cast", "provisional", "cast"]
        queue = iter(cast)
        ballots = [(next(queue) if one == "cast" else cast[0], one) for one in status]
        style = style_of(manifest, units, contests, units.station_index[station])
        voted[station] = vote(trustees.keys, station, f"machine of {station}", style, ballots, random)  # type: ignore[arg-type]
    tallies = {station: decrypt(trustees, (1, 3), voted[station], random) for station in STATIONS}

    def say(election: Election) -> list[tuple[str, Payload]]:
        said: list[tuple[str, Payload]] = []
        for station in units.station_index:
            warden, song = sheets(election.hash, station, voted[station].digest if station in voted else None)
            if misstated and station == "pond":
                warden = warden._replace(counts=(1, 2, 0))
                song = song._replace(rankings=(((0,), 2), ((0, 1), 2)))
            if unnamed and station == "pond":
                song = song._replace(records=None, rankings=(((0,), 4),), blank=1)
            said += [(f"station/{station}", warden), (f"station/{station}", song)]
        return said

    table = trustees.record.encode()
    first = made_up(ROWS, contests, say, parties=parties)
    tables = {
        UNITS_TABLE: table_hash(write_units(units)),
        REGISTER_TABLE: table_hash(first.record.register_table),
        BALLOTS_TABLE: table_hash(table),
    }
    given = made_up(ROWS, contests, say, tables=tables, parties=parties).with_options(SiteOptions(languages=languages))
    return Sealed(replace(given, record=replace(given.record, ballots_table=table)), trustees, voted, tallies)


def certified(sealed: Sealed) -> Sealed:
    """The same election with a certificate in force."""
    given, record = sealed.given, sealed.given.record
    certificate = make_certificate(record.count, record.tree.root(), time=1_750_100_000)
    log = [*given.log, sign_statement(certificate, OFFICER, key_of(OFFICER))]
    now = published(record.election, (record.units_table, record.register_table), log, record.options, given.signer)
    return replace(sealed, given=replace(now, record=replace(now.record, ballots_table=record.ballots_table)))
