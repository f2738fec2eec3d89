"""`audit enter`: what was counted, entered by two people; a count is signed where both say the same."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click
import msgspec

from scrutineer.audits.counts import Counted, resolve
from scrutineer.audits.counts_entry import Difference, count_of
from scrutineer.audits.entry_table import MAX_ENTRY_FILE, Entered, read_entries
from scrutineer.audits.fieldwork.entry import Settled, settle
from scrutineer.audits.fieldwork.work import contests_asked
from scrutineer.audits.plan_draw import DRAW_FILE, difference, draws_in, encode_draw
from scrutineer.audits.planned.files import PlanFiles
from scrutineer.audits.status import draw
from scrutineer.cli.audit_inputs import COUNTS, ENTRIES, AuditFolder, AuditRecord, record_at
from scrutineer.cli.audit_sign import Signing, folder_argument, kept_and_sent, log_option, signing_options
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.election import Election
from scrutineer.errors import AuditError, UsageError
from scrutineer.statements import AuditCount, statement_hash

_SHOWN: Final = 20  # names in a message
_STATES: Final = {"missing": "Not found", "illegible": "Not legible"}


@click.command("enter")
@folder_argument
@click.argument("tables", metavar="TABLE…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--by",
    "people",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Who entered it: one name for each TABLE, in their order.",
)
@click.option("--replace", metavar="REASON", help="Take the place of counts that were signed before, and say why.")
@log_option(required=True)
@signing_options
@json_option
def enter_command(
    folder: Path,
    tables: tuple[Path, ...],
    people: tuple[str, ...],
    replace: str | None,
    log: Path,
    signing: Signing,
    as_json: bool,
) -> None:
    """Enter what was counted in boxes, or is marked on cards. Two people enter it, each without seeing what the other has.

    TABLE is a CSV, JSON or TOML file with a row for each contest of a box or card: box, position, contest, status, cards, blank,
    null, votes, discrepancies, note, images. That a contest is not on a card is said in its row, by the status not-on-card; a
    counted box or card that lacks the row of a contest is refused. Give two tables at once, or one now and the other later: what
    one person has entered waits for the second. Where they differ, every field is shown, and no count is written: look at the
    paper again, and enter the row again. Where both say the same, the count is signed, and a later count of that box begins anew.

    Exit status 0 where everything agrees, 1 where something differs.
    """
    people = tuple(" ".join(name.split()) for name in people)
    if len(tables) != len(people) or len({_person(name) for name in people} - {""}) < len(people) or len(tables) > 2:
        raise UsageError("give one or two tables and as many different names: --by NAME for each TABLE, in their order")
    if len(tables) == 2 and tables[0].samefile(tables[1]):
        raise UsageError(f"{tables[0]} is given twice: two people enter what they saw, each in a table of their own")
    audit = AuditFolder(folder)
    planned, plan = audit.plan_statement()
    with progress_display(as_json) as progress:
        record = record_at(log, progress)
        entered = [read_entries(_table(path), name, path.name) for path, name in zip(tables, people, strict=True)]
        files = audit.plan_files() if plan.about == "outcome" else None
        asked: dict[str, tuple[str, ...]] = {}
        if files is not None:
            for one in entered:
                _check_drawn(audit, files, one)
            boxes = {box for one in [*entered, *_all(audit)] for box in one.boxes()}
            asked = {
                box: tuple(each.id for each in contests)
                for box, contests in contests_asked(files, record.election, boxes).items()
            }
        _check_counts(entered, record.election, planned.hash, asked)
        for one in entered:
            _keep(audit, one)
        touched = {box for one in entered for box in one.boxes()}
        entries = _all(audit)
        differing: list[Difference] = []
        agreed: list[tuple[str, Settled]] = []
        for box in sorted({box for one in entries for box in one.boxes()}):
            several = [one for one in entries if box in one.by_box]
            if len(several) == 1:
                continue
            found = settle(several, box)
            if not isinstance(found, Settled):
                differing += found
            elif box in touched:
                agreed.append((box, found))
        written: list[str] = []
        held: dict[str, list[Counted]] = {}
        for one_held in resolve(_known(audit, record, planned.hash)).held:
            held.setdefault(one_held.count.box, []).append(one_held)
        for number, (box, settled) in enumerate(agreed):
            progress("Signing counts", number, len(agreed))
            holds = held.get(box, [])
            if _write(audit, record, planned.hash, settled, box, holds, asked.get(box, ()), replace, signing):
                written.append(box)
        _forget(audit, {box for box, _ in agreed})
    waiting = sorted(_waiting(audit))
    if as_json:
        known = [box for box, _ in agreed if box not in written]
        shown = [asdict(each) for each in differing]
        print_json({"counted": written, "known": known, "differences": shown, "waiting": waiting})
    else:
        states = {box: {row["status"] for key, row in settled.entered.rows.items() if key[0] == box} for box, settled in agreed}
        for box in written:
            click.echo(f"{_STATES.get(' '.join(states[box]), 'Counted')}: {box}")
        if same := len(agreed) - len(written):
            click.echo(f"Counted before, and entered again with the same figures: {same:,}. Nothing is added.")
        for difference in differing:
            click.echo(f"Differs: {difference}")
        if new := [box for box in waiting if box not in held]:
            click.echo(f"Entered by one person, and waiting for the second: {_listed(new)}")
        if again := [box for box in waiting if box in held]:
            click.echo(
                f"Counted before, and now entered by one person: {_listed(again)}. A second is needed for what is not counted "
                "yet, and to take the place of a count."
            )
        if differing:
            click.echo(
                "Look at the paper again, and enter these boxes again under the name of whoever looked (--by); or let a third "
                "person enter them (--by with that name), whose look decides."
            )
    if differing:
        raise click.exceptions.Exit(1)


def _check_drawn(audit: AuditFolder, files: PlanFiles, entered: Entered) -> None:
    """Nobody enters what was not drawn. Raises AuditError."""
    seeded, given = audit.seed_statement(), audit.read(DRAW_FILE)
    if seeded is None or given is None:
        raise UsageError(f"{audit.path} holds no draw: run `scrutineer audit draw {audit.path}` first")
    sample = draw(files, seeded[1].seed, draws_in(given))
    if differs := difference(given, encode_draw(sample)):
        raise AuditError(f"{differs}: the file was changed; move it away and draw again")
    units = sample.units()
    boxes = {box for box, _ in units}
    for (box, position, _), row in entered.rows.items():
        where, by_box = entered.where(box), files.plan.by_box
        if position and by_box:
            raise AuditError(f"{where}: whole boxes are counted in this audit, not single cards: leave the position out")
        if not position and not by_box and row["status"] not in ("missing", "illegible"):
            raise AuditError(f"{where}: single cards are drawn in this audit: give the position of each, as draw.csv has it")
        if box not in files.manifest.index:
            raise AuditError(f"{where}: the manifest of the audit has no such box: check the name on its label")
        if box not in boxes:
            raise AuditError(f"{where} was not drawn: check its label, and {DRAW_FILE}, which lists what was")
        if position and (box, position) not in units:
            drawn = sorted(place for name, place in units if name == box)
            more = " …" if len(drawn) > _SHOWN else ""
            raise AuditError(
                f"{where}: card {position} was not drawn: count again from the first card, which is 1; drawn are "
                f"{', '.join(map(str, drawn[:_SHOWN]))}{more}"
            )


def _check_counts(entered: Sequence[Entered], election: Election, planned: bytes, asked: Mapping[str, Collection[str]]) -> None:
    """What no count may hold is not kept. Raises AuditError with the first fault, and in how many other boxes there is one."""
    faults = []
    for one in entered:
        for box in one.boxes():
            try:
                count_of(one, box, election, planned, (one.by,), asked=asked.get(box, ()))
            except AuditError as error:
                faults.append(str(error))
    if faults:
        more = f" ({len(faults) - 1:,} more boxes cannot be taken as they are)" if len(faults) > 1 else ""
        raise AuditError(f"{faults[0]}; nothing was kept{more}")


def _keep(audit: AuditFolder, entered: Entered) -> None:
    """Keep one person's rows; rows entered again take the place of that person's earlier ones of the same box."""
    name = f"{ENTRIES}/{hashlib.sha256(_person(entered.by).encode()).hexdigest()[:16]}.json"
    rows = dict(entered.rows)
    known = audit.read(name)
    if known is not None:
        earlier = _kept(known, name)
        boxes = set(entered.boxes())
        rows = {key: row for key, row in earlier.rows.items() if key[0] not in boxes} | rows
    audit.replace(name, _encoded(Entered(entered.by, rows, entered.table)))


def _listed(boxes: Sequence[str]) -> str:
    return ", ".join(boxes[:_SHOWN]) + (f" and {len(boxes) - _SHOWN:,} more" if len(boxes) > _SHOWN else "")


def _table(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_ENTRY_FILE + 1)


def _person(name: str) -> str:
    """A name as it is compared: nobody is two people by writing it in capitals."""
    return " ".join(name.split()).casefold()


def _forget(audit: AuditFolder, boxes: set[str]) -> None:
    """Forget what was entered of boxes whose count is signed: whoever counts one again is compared with nobody from before."""
    for path in sorted((audit.path / ENTRIES).glob("*.json")):
        name = f"{ENTRIES}/{path.name}"
        entered = _kept(audit.read(name) or b"", name)
        rows = {key: row for key, row in entered.rows.items() if key[0] not in boxes}
        if not rows:
            path.unlink()
        elif len(rows) < len(entered.rows):
            audit.replace(name, _encoded(Entered(entered.by, rows, entered.table)))


def _encoded(entered: Entered) -> bytes:
    rows = [
        {"box": box, "position": str(position or ""), "contest": contest} | dict(row)
        for (box, position, contest), row in sorted(entered.rows.items())
    ]
    return msgspec.json.encode({"by": entered.by, "table": entered.table, "rows": rows})


def _kept(data: bytes, name: str) -> Entered:
    try:
        value = msgspec.json.decode(data)
        found = read_entries(msgspec.json.encode(value["rows"]), str(value["by"]), name)
        return Entered(found.by, found.rows, str(value.get("table") or name))
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError, AttributeError) as error:
        raise AuditError(f"{name} is not what this program wrote there: move it away, and enter again") from error


def _all(audit: AuditFolder) -> list[Entered]:
    found = []
    for path in sorted((audit.path / ENTRIES).glob("*.json")):
        name = f"{ENTRIES}/{path.name}"
        found.append(_kept(audit.read(name) or b"", name))
    return found


def _waiting(audit: AuditFolder) -> set[str]:
    people = _all(audit)
    once = [box for one in people for box in one.boxes()]
    return {box for box in once if once.count(box) == 1}


def _write(
    audit: AuditFolder,
    record: AuditRecord,
    planned: bytes,
    settled: Settled,
    box: str,
    held: Sequence[Counted],
    asked: Collection[str],
    why: str | None,
    signing: Signing,
) -> bool:
    """Sign the count of a box and keep it; whether it is new, or goes to the log only now. AuditError where another one holds.

    `held` are the counts of this box that hold by now.
    """
    people = settled.people
    fresh = count_of(settled.entered, box, record.election, planned, people, asked=asked)
    for one in held:
        if _same(one.count, fresh):
            return one.hash not in record.audits and _sent(audit, record, box, one.hash, signing)
    replaces = None
    positions = {card.position for card in fresh.cards}
    beside = [
        one for one in held if not positions or not one.count.cards or positions & {card.position for card in one.count.cards}
    ]
    if beside:
        if why is None:
            raise AuditError(
                f"box {box!r} was counted before, with other figures: if this count is right, give --replace and say why; "
                "both stay in the log"
            )
        replaces = beside[-1].hash
        fresh = count_of(settled.entered, box, record.election, planned, people, asked=asked, replaces=replaces, why=why)
    statement = signing.sign(fresh)
    name = f"{COUNTS}/{_prefix(box)}-{statement_hash(statement).hex()[:16]}.cose"
    kept_and_sent(audit, name, statement, signing, record)
    return True


def _prefix(box: str) -> str:
    """How the files of a box's counts begin."""
    return hashlib.sha256(box.encode()).hexdigest()[:8]


def _sent(audit: AuditFolder, record: AuditRecord, box: str, hash_: bytes, signing: Signing) -> bool:
    """Register a count that was signed before and did not reach the log; whether that was asked for."""
    for path in (audit.path / COUNTS).glob(f"{_prefix(box)}-*.cose"):
        name = f"{COUNTS}/{path.name}"
        if (signing.address or signing.record) and (data := audit.read(name)) is not None and statement_hash(data) == hash_:
            kept_and_sent(audit, name, data, signing, record)
            return True
    return False


def _known(audit: AuditFolder, record: AuditRecord, planned: bytes) -> list[Counted]:
    """Counts that are registered, and those of the folder that are not yet."""
    registered = [one for _, one in audit.counts(record, planned)]
    names = {one.hash for one in registered}
    return registered + [one for _, one in audit.counts(None, planned) if one.hash not in names]


def _same(one: AuditCount, other: AuditCount) -> bool:
    names = ("box", "status", "totals", "cards", "images", "discrepancies")
    return all(getattr(one, name) == getattr(other, name) for name in names)
