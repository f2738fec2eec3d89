"""Sheets that are signed at a station: whose they are, that there is one for each contest, and how they get on paper."""

from pathlib import Path

from scrutineer.durable import write_whole
from scrutineer.election import Election
from scrutineer.errors import UsageError
from scrutineer.statements import TallySheet, parse_statement
from scrutineer.station.folder import StationFolder
from scrutineer.station.outbox import Outbox
from scrutineer.station.printed_sheet import render


def check_station(sheets: list[TallySheet], station: StationFolder, table: Path) -> None:
    """Refuse a table with sheets of other stations than the folder's own. Raises UsageError."""
    own = station.settings.station or sheets[0].station
    for sheet in sheets:
        if sheet.station != own:
            raise UsageError(
                f"{table} has a sheet of {sheet.station}, and this folder signs for {own}: each station signs its own sheets"
            )


def check_first(outbox: Outbox, sheets: list[TallySheet], statements: list[bytes]) -> None:
    """Refuse a sheet with other figures than one that is here already: two sheets of a contest contradict each other for good."""
    wanted = {(sheet.station, sheet.contest): statement for sheet, statement in zip(sheets, statements, strict=True)}
    if len(wanted) != len(sheets):
        raise UsageError("the table has two rows for the same station and contest: keep the right one")
    after = 0
    while entries := outbox.entries(after=after):
        for entry in entries:
            payload = parse_statement(entry.statement).payload
            if isinstance(payload, TallySheet):
                other = wanted.get((payload.station, payload.contest))
                if other is not None and other != entry.statement:
                    raise UsageError(
                        f"a sheet of {payload.station} for {payload.contest} with other figures was signed before and cannot be "
                        "taken back: a second one contradicts it, and the centre has to decide; --second signs it all the same"
                    )
        after = entries[-1].number


def print_sheet(folder: Path, statement: bytes, election: Election) -> Path:
    """Write a signed sheet as a page to be printed; where it is. Raises UsageError where that cannot be written."""
    parsed = parse_statement(statement)
    sheet = parsed.payload
    if not isinstance(sheet, TallySheet):
        raise UsageError(f"a {parsed.kind} cannot be printed: only tally sheets can")
    # Ids may hold characters that a file name may not; the hash keeps two sheets of one contest apart.
    name = "".join(char if char.isalnum() or char in "-_." else "_" for char in f"{sheet.station}-{sheet.contest}")
    path = folder / f"{name[:80]}-{parsed.hash.hex()[:8]}.html"
    page = render(parsed, election)
    try:
        folder.mkdir(exist_ok=True)
        write_whole(path, page.encode())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): the sheet is signed and queued all the same; "
            "make room and give the same command again to print it"
        ) from error
    return path
