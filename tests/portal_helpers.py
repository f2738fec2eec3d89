"""What the tests of the site share: simulated and made-up elections whose log, count and head are ready to be published."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from scrutineer.count import Count
from scrutineer.election import Contest, Election, Issuer, Register, UnitRow, Units, station_issuer
from scrutineer.election.definition import (
    FORMAT_VERSION,
    REGISTER_TABLE,
    UNITS_TABLE,
    Definition,
    LogIdentity,
    table_hash,
    write_register,
    write_units,
)
from scrutineer.log import Checkpoint, Head, LogSigner, MerkleTree, leaf_hash, sign_checkpoint
from scrutineer.log.receipt import sign_head
from scrutineer.portal import PublicationSummary, Record, SiteOptions, render_head, render_tiles
from scrutineer.portal.publish import publish
from scrutineer.portal.site import render_site
from scrutineer.simulate import open_republic, sign_arrivals, simulate_republic
from scrutineer.statements import Payload, SigningKey, sign_statement, statement_hash

ORIGIN = "log.example/heron"
OFFICER = "authority/officer-1"
TIME_MS = 1_750_000_000_000
_MASTER = SigningKey(bytes([7]) * 32)


def key_of(issuer: str) -> SigningKey:
    return _MASTER.derive(issuer)


def log_signer(seed: int = 1) -> LogSigner:
    return LogSigner(ORIGIN, bytes([seed]) * 32, bytes([seed + 1]) * 32)


@dataclass(frozen=True)
class Published:
    """A record with the entries of its log, and the signer that publishes it."""

    record: Record
    log: list[bytes]
    signer: LogSigner

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        return iter(self.log[start:stop])

    def publish(self, site: Path, progress: Callable[[int, int], None] | None = None) -> PublicationSummary:
        return publish(self.record, self.entries, self.signer, site, progress)

    def files(self) -> dict[str, bytes]:
        """Every file but the manifest, without a disk."""
        found: dict[str, bytes] = {}
        for source in (render_site(self.record), render_tiles(self.record, self.entries), render_head(self.record)):
            for file in source:
                assert file.path not in found
                found[file.path] = b"".join(file.chunks)
        return found

    def with_options(self, options: SiteOptions) -> "Published":
        return replace(self, record=replace(self.record, options=options))


def published(
    election: Election,
    tables: tuple[bytes, ...],
    log: list[bytes],
    options: SiteOptions | None = None,
    signer: LogSigner | None = None,
    time_ms: int = TIME_MS,
) -> Published:
    """Count the log and sign its head. `tables` are the units, the register and, where the definition names them, the shapes."""
    signer = signer or log_signer()
    count = Count(election)
    count.apply(log)
    tree = MerkleTree()
    tree.extend([leaf_hash(entry) for entry in log])
    root = tree.root()
    head = Head(len(log), root, sign_head(len(log), root, signer), time_ms)
    checkpoint = sign_checkpoint(Checkpoint(ORIGIN, len(log), root), signer.note_signers, time_ms // 1000)
    units, register, *shapes = tables
    record = Record(
        election=election,
        count=count,
        definition=log[0],
        units_table=units,
        register_table=register,
        checkpoint=checkpoint,
        head=head,
        tree=tree,
        verifier=signer.verifier,
        entry=log.__getitem__,
        options=options or SiteOptions(),
        shapes_table=shapes[0] if shapes else None,
    )
    return Published(record, log, signer)


def tables_of(record: Record) -> tuple[bytes, ...]:
    """The tables of a record, as `published` takes them."""
    shapes = () if record.shapes_table is None else (record.shapes_table,)
    return record.units_table, record.register_table, *shapes


def republic(
    stations: int, *, contests: str = "president", part: float = 1.0, seed: int = 1, alliances: bool = False
) -> Published:
    """A simulated election; `part` of what its people send has arrived."""
    signer = log_signer()
    simulation = simulate_republic(stations, seed, contests=contests, alliances=alliances)  # type: ignore[arg-type]
    opened = open_republic(simulation, key_of, LogIdentity(ORIGIN, signer.verifier.vkeys))
    arrivals = list(simulation.sheets(opened.election.hash))
    log = [opened.definition, *sign_arrivals(arrivals[: int(len(arrivals) * part)], key_of)]
    return published(opened.election, (opened.units_csv, opened.register_csv, opened.shapes), log)


def made_up(
    rows: Iterable[UnitRow],
    contests: tuple[Contest, ...],
    say: Callable[[Election], Iterable[tuple[str, Payload]]] = lambda _: (),
    **changes: object,
) -> Published:
    """An election of the given units and contests, whose log holds what `say` gives (issuer and payload) after the definition."""
    signer = log_signer()
    units = Units(rows)
    keys = b"".join(key_of(station_issuer(station)).public_key for station in units.station_index)
    register = Register(units.station_index, keys, [Issuer(OFFICER, "authority", key_of(OFFICER).public_key)])
    tables = (write_units(units), write_register(register))
    fields: dict[str, object] = {
        "version": FORMAT_VERSION,
        "id": "test",
        "name": "Election of the birds",
        "date": "2025-05-18",
        "timezone": "UTC",
        "provenance": "official",
        "authority": "Commission of the birds",
        "contests": contests,
        "tables": {UNITS_TABLE: table_hash(tables[0]), REGISTER_TABLE: table_hash(tables[1])},
        "log": LogIdentity(ORIGIN, signer.verifier.vkeys),
    }
    definition = Definition(**(fields | changes))  # type: ignore[arg-type]
    statement = sign_statement(definition, OFFICER, key_of(OFFICER))
    election = Election(definition, units, register, statement_hash(statement))
    log = [statement, *(sign_statement(payload, issuer, key_of(issuer)) for issuer, payload in say(election))]
    return published(election, tables, log, signer=signer)
