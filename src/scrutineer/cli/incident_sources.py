"""Where `incidents` reads from: an election folder with its journals and log, or a published site."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scrutineer.cli.office import DEFINITION_FILE, INCIDENTS, RECORD, Office
from scrutineer.cli.show import Progress
from scrutineer.election import Definition, Election
from scrutineer.election.definition import BASELINE_TABLE
from scrutineer.errors import PublicationError, ScrutineerError, UsageError
from scrutineer.intake.incidents import Logged
from scrutineer.intake.incidents.journal import journal_files
from scrutineer.log.tiles import bundles, decode_bundle
from scrutineer.portal import formats
from scrutineer.statements import Incident, is_tally_sheet, parse_statement
from scrutineer.statements.bootstrap import open_election
from scrutineer.statements.policy import Policy
from scrutineer.verify import FolderSource
from scrutineer.verify.log_check import MAX_BUNDLE_SIZE


@dataclass(slots=True)
class IncidentSource:
    """What there is to read, and what is wrong with it."""

    journals: list[Path] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


def incident_source(folder: Path, progress: Progress) -> tuple[IncidentSource, list[Logged]]:
    """The journals of a folder, and the incidents in its log. Raises UsageError where it is neither kind of folder."""
    source = IncidentSource()
    if (folder / formats.SITE_FILE).is_file():
        return source, list(_incidents(*_site(folder, progress), source))
    if not (folder / RECORD / DEFINITION_FILE).is_file():
        raise UsageError(f"{folder} is neither an opened election folder nor a published site")
    office = Office.load(folder)
    source.journals = [path for path in _journals(folder / INCIDENTS) if journal_files(path)]
    log = office.read_log(progress=lambda done, total: progress("Reading the log", done, total))
    try:
        return source, list(_incidents(office.election, log.entries(), source))
    finally:
        log.close()


def _journals(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
        yield from sorted(path for path in folder.iterdir() if path.is_dir())


def _incidents(election: Election, entries: Iterable[bytes], source: IncidentSource) -> Iterator[Logged]:
    """The incidents among entries whose issuers might sign them; what is wrong with one is a finding."""
    policy = Policy(election)
    for index, entry in enumerate(entries):
        if index == 0 or is_tally_sheet(entry):
            continue
        try:
            statement = parse_statement(entry)
            if isinstance(statement.payload, Incident):
                policy.check(entry)
                yield Logged(index, statement.issuer, statement.payload)
            else:
                policy.apply(statement)
        except ScrutineerError as error:
            source.findings.append(f"log entry {index}: {error}")


def _site(folder: Path, progress: Progress) -> tuple[Election, Iterator[bytes]]:
    source = FolderSource(folder)
    try:
        definition, units, register = (
            source.read(path) for path in (formats.DEFINITION_FILE, formats.UNITS_FILE, formats.REGISTER_FILE)
        )
        payload = parse_statement(definition).payload
        has_baseline = isinstance(payload, Definition) and BASELINE_TABLE in payload.tables
        election = open_election(definition, units, register, source.read(formats.BASELINE_FILE) if has_baseline else None)
        size = formats.read_head(source.read(formats.HEAD_FILE, formats.MAX_FILE_SIZE)).size
    except PublicationError as error:
        raise UsageError(f"{folder} is no whole published site: {error}") from error

    def entries() -> Iterator[bytes]:
        for bundle in bundles(size):
            progress("Reading the log", bundle.start, size)
            yield from decode_bundle(source.read(f"log/{bundle.path}", MAX_BUNDLE_SIZE))

    return election, entries()
