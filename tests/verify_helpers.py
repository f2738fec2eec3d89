"""What the tests of verification share: an election with every kind of statement, honest and otherwise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

import portal_helpers as portal
from scrutineer.count import Count, make_bulletin, make_certificate
from scrutineer.election import (
    Contest,
    Definition,
    Election,
    Issuer,
    LogIdentity,
    Option,
    Register,
    UnitRow,
    Units,
    station_issuer,
)
from scrutineer.election.definition import FORMAT_VERSION, REGISTER_TABLE, UNITS_TABLE, table_hash, write_register, write_units
from scrutineer.log import LogSigner, MerkleTree, leaf_hash
from scrutineer.portal import SiteOptions
from scrutineer.portal.formats import MANIFEST_FILE
from scrutineer.portal.manifest import open_manifest, sign_manifest
from scrutineer.statements import (
    Accreditation,
    Attestation,
    Bulletin,
    Certificate,
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
from scrutineer.verify import FolderSource, Report
from scrutineer.verify.replay import verify_site

TWO = SiteOptions(languages=("en", "ar"))
"""A translation beside the first language, whose pages are the same in every other."""
NOON = 1_750_000_000
STATIONS = ("a1", "a2", "a3", "b1", "b2")
OFFICERS = ("authority/officer-1", "authority/officer-2")
OBSERVER = "observer/ibis"
LATECOMER = "agent/plover"
PRESIDENT = Contest(
    "president", "President", "plurality", (Option("heron", "Heron"), Option("wren", "Wren"), Option("finch", "Finch"))
)
COUNCIL = Contest("council", "Council", "dhondt", (Option("waders", "Waders"), Option("owls", "Owls")), seats=5)
CONTESTS = (PRESIDENT, COUNCIL)

key_of = portal.key_of
Change = Callable[[bytes], bytes]


@dataclass
class Story:
    """The log of an election as it grows. `tables` are its units and register."""

    election: Election
    tables: tuple[bytes, bytes]
    log: list[bytes]

    def say(self, issuer: str, payload: Payload, key: SigningKey | None = None) -> bytes:
        """Sign and log; the statement."""
        self.log.append(sign_statement(payload, issuer, key or key_of(issuer)))
        return self.log[-1]

    def sheet(self, station: str, contest: Contest, counts: Sequence[int], key: SigningKey | None = None, **given: int) -> bytes:
        return self.say(station_issuer(station), self.sheet_of(station, contest, counts, **given), key)

    def sheet_of(self, station: str, contest: Contest, counts: Sequence[int], **given: int) -> TallySheet:
        cast = sum(counts) + 5
        figures = {"cast": cast, "voters": cast, "roll": 100, "time": NOON} | given
        return TallySheet(
            self.election.hash,
            station,
            contest.id,
            tuple(counts),
            3,
            2,
            figures["cast"],
            figures["voters"],
            figures["roll"],
            figures["time"],
        )

    def act(self, payload: Payload) -> bytes:
        """An act of the first officer that the second endorses."""
        act = self.say(OFFICERS[0], payload)
        self.say(OFFICERS[1], Endorsement(election=self.election.hash, statement=statement_hash(act), verdict="sign"))
        return act

    def count(self) -> tuple[Count, bytes]:
        """The count of the log as it is, and its root."""
        count = Count(self.election)
        count.apply(self.log)
        tree = MerkleTree()
        tree.extend([leaf_hash(entry) for entry in self.log])
        return count, tree.root()

    def bulletin(self, number: int, **changes: object) -> bytes:
        """A bulletin that is right except for what is given."""
        count, root = self.count()
        return self.act(_changed(make_bulletin(count, root, number=number, time=NOON), changes))

    def certificate(self, **changes: object) -> bytes:
        count, root = self.count()
        return self.act(_changed(make_certificate(count, root, time=NOON), changes))

    def published(self, options: SiteOptions = TWO, signer: LogSigner | None = None) -> portal.Published:
        return portal.published(self.election, self.tables, self.log, options, signer)


def begin(**changes: object) -> Story:
    """An election of five stations in two regions, with nothing but its definition."""
    rows = [UnitRow("land", "", "The Land", "country", None)]
    for region, letter in (("north", "a"), ("south", "b")):
        rows.append(UnitRow(region, "land", region.title(), "region", None))
        rows += [UnitRow(s, region, f"Station {s}", "station", 100) for s in STATIONS if s[0] == letter]
    units = Units(rows)
    keys = b"".join(key_of(station_issuer(station)).public_key for station in units.station_index)
    issuers = [Issuer(officer, "authority", key_of(officer).public_key) for officer in OFFICERS]
    issuers.append(Issuer(OBSERVER, "observer", key_of(OBSERVER).public_key))
    register = Register(units.station_index, keys, issuers)
    tables = (write_units(units), write_register(register))
    fields: dict[str, object] = {
        "version": FORMAT_VERSION,
        "id": "birds",
        "name": "Election of the birds",
        "date": "2025-06-15",
        "timezone": "UTC",
        "provenance": "simulated",
        "authority": "Commission of the birds",
        "contests": CONTESTS,
        "tables": {UNITS_TABLE: table_hash(tables[0]), REGISTER_TABLE: table_hash(tables[1])},
        "log": LogIdentity(portal.ORIGIN, portal.log_signer().verifier.vkeys),
        "thresholds": {"decision": 2, "bulletin": 2, "certificate": 2, "accreditation": 2},
    }
    definition = Definition(**(fields | changes))  # type: ignore[arg-type]
    statement = sign_statement(definition, OFFICERS[0], key_of(OFFICERS[0]))
    return Story(Election(definition, units, register, statement_hash(statement)), tables, [statement])


def told(**changes: object) -> Story:
    """A whole election: openings, sheets, a conflict, quarantines, decisions, attestations, bulletins and the certificate."""
    story = begin(**changes)
    election = story.election.hash
    for station in STATIONS:
        story.say(station_issuer(station), StationOpened(election=election, station=station, time=NOON - 3600))
    newcomer = Accreditation(
        election=election, action="admit", issuer=LATECOMER, role="agent", key=key_of(LATECOMER).public_key, name="Plover"
    )
    story.act(newcomer)
    story.sheet("a1", PRESIDENT, (50, 20, 10))
    story.sheet("a2", PRESIDENT, (10, 40, 30))
    first = story.sheet("a3", PRESIDENT, (30, 30, 10))
    story.sheet("a3", PRESIDENT, (35, 25, 10))  # a conflict
    wrong = story.sheet("b1", PRESIDENT, (40, 20, 20), cast=99)  # does not add up
    story.sheet("a1", COUNCIL, (50, 30))
    story.sheet("a2", COUNCIL, (20, 60))
    story.say(OBSERVER, Attestation(election=election, station="a1", contest="president", counts=(50, 20, 10), cast=85))
    story.say(LATECOMER, Attestation(election=election, station="a3", contest="president", counts=(35, 25, 10)))
    story.bulletin(1)
    decision = {"election": election, "contest": "president", "reason": "The paper sheet says so."}
    story.act(Decision(station="a3", action="accept", sheet=statement_hash(first), **decision))
    figures = Figures(counts=(40, 20, 20), blank=3, null=2, cast=85, voters=85, roll=100)
    story.act(Decision(station="b1", action="correct", sheet=statement_hash(wrong), after=figures, **decision))
    story.act(Decision(station="b2", action="exclude", **decision))
    story.sheet("a3", COUNCIL, (40, 40))
    story.sheet("b1", COUNCIL, (10, 60))
    story.sheet("b2", COUNCIL, (30, 30))
    story.bulletin(2)
    story.certificate()
    return story


def open_quarantine() -> Story:
    """An election that is still going on: a conflict and a wrong sum nobody has decided on, more entries than a tile holds."""
    story = begin()
    story.sheet("a1", PRESIDENT, (50, 20, 10))
    story.sheet("a1", PRESIDENT, (20, 50, 10))
    story.sheet("a2", PRESIDENT, (40, 20, 20), cast=99)
    story.sheet("b1", COUNCIL, (10, 60))
    for n in range(260):
        copy = Attestation(
            election=story.election.hash, time=NOON + n, station=STATIONS[n % 5], contest="president", counts=(n % 90, 1, 2)
        )
        story.say(OBSERVER, copy)
    story.bulletin(1)
    return story


def verified(site: Path, definition: bytes | None = None) -> Report:
    return verify_site(FolderSource(site), definition=definition, threads=1)


def signed_anew(site: Path, signer: LogSigner, changes: dict[str, bytes | None]) -> None:
    """What a publisher does who lies: change files (None removes), and sign a manifest that says so."""
    import hashlib

    manifest = open_manifest((site / MANIFEST_FILE).read_bytes(), signer.verifier)
    files = dict(manifest.files)
    for path, data in changes.items():
        target = site / path
        if data is None:
            target.unlink(missing_ok=True)
            files.pop(path, None)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        files[path] = hashlib.sha256(data).digest()
    (site / MANIFEST_FILE).write_bytes(sign_manifest(replace(manifest, files=files), signer))


def _changed(payload: Bulletin | Certificate, changes: dict[str, object]) -> Bulletin | Certificate:
    return msgspec.structs.replace(payload, **changes)
