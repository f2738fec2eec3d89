"""`incidents` and `incident`: what was refused and what was reported, for everyone to read; and how it is reported."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table

from scrutineer.cli.evidence import evidence_hash, evidence_option
from scrutineer.cli.incident_sources import incident_source
from scrutineer.cli.keyring import load_key
from scrutineer.cli.office import OPERATOR, Office
from scrutineer.cli.show import Progress, json_option, plain_console, print_json, progress_display
from scrutineer.cli.trust_options import trust_options
from scrutineer.errors import StoreError, UsageError
from scrutineer.intake import submit_statements
from scrutineer.intake.incidents import MEANINGS, Checked, Logged, check_summaries, read_journal
from scrutineer.intake.incidents.chain import Window
from scrutineer.intake.lanes import Trust
from scrutineer.statements import Incident, is_tally_sheet, parse_statement, sign_statement
from scrutineer.statements.incident import REQUEST_KINDS, IncidentKind, RequestCount
from scrutineer.statements.policy import Policy

CAUTION: Final = (
    "An address shows where packets came from, not who sent them: computers are taken over, borrowed and shared, and honest "
    "senders repeat themselves and make mistakes. Networks are shortened addresses (24 bits of IPv4, 48 of IPv6)."
)
REPORTED_KINDS: Final = tuple(kind for kind in get_args(IncidentKind) if kind != "requests")
MAX_EVIDENCE_FILE: Final = 4 * 2**30  # bytes

_SHOWN: Final = 50
"""Findings and reports printed for people; all of them are in the JSON."""
_NETWORKS_SHOWN: Final = 3


@click.command("incidents")
@click.argument("folder", metavar="DIR|SITE", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--since", metavar="TIME", help="Show what began at this time (UTC) or later, such as 2027-03-14T18:00.")
@click.option("--until", metavar="TIME", help="Show what began before this time (UTC).")
@click.option("--kind", type=click.Choice([*REQUEST_KINDS, *REPORTED_KINDS]), metavar="KIND", help="Show this kind only.")
@json_option
def incidents_command(folder: Path, since: str | None, until: str | None, kind: str | None, as_json: bool) -> None:
    """Show what the intake refused, by hour and kind, and what was reported to have happened.

    DIR is an election folder: its journal in DIR/incidents is read, every record of it is checked, and the signed summaries in
    the log are held against it. Of a published SITE the signed summaries and reports are shown.

    Exit status 0 where everything agrees, 1 where a record was altered, is missing or was moved, or a summary says otherwise.
    """
    span = _Span(_time(since, "--since"), _time(until, "--until"))
    with progress_display(as_json) as progress:
        source, logged = incident_source(folder, progress)
        shown = _read(source.journals, logged, span, progress)
    shown.findings += source.findings
    if as_json:
        print_json(_json(shown, kind))
    else:
        _print(shown, kind)
    if shown.findings:
        raise click.exceptions.Exit(1)


@click.command("incident")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("text")
@click.option("--kind", type=click.Choice(REPORTED_KINDS), required=True, help="What kind of incident it is.")
@click.option("--from", "since", metavar="TIME", required=True, help="When it began (UTC), such as 2027-03-14T18:00.")
@click.option("--to", "until", metavar="TIME", help="When it ended; the same moment if left out.")
@click.option(
    "--unit", default="", metavar="ID", help="Where: a unit or station. The whole country, or the service, if left out."
)
@evidence_option(
    "A photograph, recording or document: its SHA-256 is published, and you keep the file. May be given several times."
)
@click.option("--as", "issuer", default=OPERATOR, show_default=True, metavar="ROLE/NAME", help="Sign as this issuer.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), metavar="PEM", help="The private key of that issuer.")
@click.option("--send", "address", metavar="URL", help="Send to this intake service; needed while a service writes the log.")
@trust_options
@json_option
def incident_command(
    folder: Path,
    text: str,
    kind: IncidentKind,
    since: str,
    until: str | None,
    unit: str,
    evidence: tuple[Path, ...],
    issuer: str,
    key: Path | None,
    address: str | None,
    trust: Trust,
    as_json: bool,
) -> None:
    """Sign TEXT as an incident and record it in the log of the election in DIR.

    Say what happened, where and when; whoever signs vouches for it. The statement is public for ever: name nobody in it whom
    that would endanger, and accuse nobody of what you did not see.
    """
    office = Office.load(folder)
    begin = _time(since, "--from")
    end = begin if until is None else _time(until, "--to")
    incident = Incident(
        election=office.election.hash,
        kind=kind,
        since=begin or 0,
        until=end or 0,
        unit=unit,
        text=text,
        evidence=tuple(evidence_hash(path, MAX_EVIDENCE_FILE) for path in evidence),
    )
    statement = sign_statement(incident, issuer, office.key_of(issuer) if key is None else load_key(key))
    with progress_display(as_json) as progress:
        entry = _record(office, statement, address, trust, progress)
    if as_json:
        print_json({"entry": entry, **_incident_json(Logged(entry, issuer, incident))})
    else:
        click.echo(f"Incident recorded as entry {entry}.")


@dataclass(frozen=True, slots=True)
class _Span:
    since: int | None
    until: int | None

    def holds(self, begin: int) -> bool:
        return (self.since is None or begin >= self.since) and (self.until is None or begin < self.until)


@dataclass(frozen=True, slots=True)
class _Row:
    """What was refused of one kind in an hour of a journal, or in the time that a summary covers."""

    since: int
    until: int
    count: RequestCount
    source: str


@dataclass(slots=True)
class _Shown:
    """All that is printed."""

    rows: list[_Row] = field(default_factory=list)
    reports: list[Logged] = field(default_factory=list)
    journals: list[Checked] = field(default_factory=list)
    summaries: int = 0
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of_kind(self, kind: str | None) -> tuple[list[_Row], list[Logged]]:
        """The rows and reports of one kind, or all of them."""
        rows = [row for row in self.rows if kind in (None, row.count.kind)]
        return rows, [report for report in self.reports if kind in (None, report.incident.kind)]


def _read(folders: Sequence[Path], logged: Sequence[Logged], span: _Span, progress: Progress) -> _Shown:
    shown = _Shown(findings=check_summaries(logged))

    def wanted(window: Window) -> bool:
        return span.holds(window.since)

    for folder in folders:
        checked = read_journal(
            folder, logged, wanted=wanted, progress=lambda done, total: progress("Reading the journal", done, total)
        )
        shown.journals.append(checked)
        shown.findings += [f"{folder}: {finding}" for finding in checked.findings]
        for hour, sums in sorted(checked.hours.items()):
            shown.rows += [_Row(hour, hour + 3600, count, "journal") for count in sums.counts()]
        if checked.torn:
            shown.notes.append(
                f"The last record in {checked.torn} is not whole: it is being written, or the machine stopped there."
            )
        if checked.removed:
            shown.notes.append(
                f"Records 1 to {checked.removed:,} were removed to keep the journal small; their summaries remain."
            )
    names = {checked.journal for checked in shown.journals if checked.journal}
    for one in logged:
        requests = one.incident.requests
        if requests is None:
            if span.holds(one.incident.since):
                shown.reports.append(one)
            continue
        shown.summaries += 1
        if requests.journal.hex() not in names and span.holds(one.incident.since):
            shown.rows += [_Row(one.incident.since, one.incident.until, count, f"entry {one.entry}") for count in requests.counts]
    shown.rows.sort(key=lambda row: (row.since, row.until, REQUEST_KINDS.index(row.count.kind)))
    return shown


def _record(office: Office, statement: bytes, address: str | None, trust: Trust, progress: Progress) -> int:
    """Record a statement; its log index. Raises PolicyError for what a service would refuse."""
    if address is not None:
        verifier = office.log_signer().verifier
        return submit_statements([statement], address, verifier, trust=trust)[0].index
    try:
        log = office.open_log(progress=lambda done, total: progress("Reading the log", done, total))
    except StoreError as error:
        raise StoreError(f"{error}. While a service writes this log, send to it: --send URL") from error
    try:
        policy = Policy(office.election)
        for entry in log.entries(1):
            if not is_tally_sheet(entry):
                policy.apply(parse_statement(entry))
        policy.check(statement)
        return log.append([statement])[0].index
    finally:
        log.close()


def _time(text: str | None, option: str) -> int | None:
    """Seconds since 1970 of a time in UTC, as ISO 8601 writes it."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text!r} is no time: write it like 2027-03-14T18:00 (UTC)") from error


def _told(time: int, form: Literal["%Y-%m-%d %H:%M", "%H:%M"] = "%Y-%m-%d %H:%M") -> str:
    try:
        return datetime.fromtimestamp(time, UTC).strftime(form)
    except (ValueError, OverflowError, OSError):
        return f"{time} s"


def _times(incident: Incident) -> str:
    begin, end = _told(incident.since), _told(incident.until)
    return begin if begin == end else f"{begin} to {end}"


def _networks(count: RequestCount) -> Iterator[str]:
    for network in count.networks[:_NETWORKS_SHOWN]:
        yield f"{network.network} {network.count:,}"
    rest = count.count - sum(network.count for network in count.networks[:_NETWORKS_SHOWN])
    if rest:
        yield f"others {rest:,}"


def _print(shown: _Shown, kind: str | None) -> None:
    console = plain_console()
    rows, reports = shown.of_kind(kind)
    if rows:
        table = Table(title="Refused and suspicious requests", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for heading in ("Hour (UTC)", "Kind", "Requests", "From, at least"):
            table.add_column(heading, justify="right" if heading == "Requests" else "left", overflow="fold")
        last = None
        for row in rows:
            time = f"{_told(row.since)}–{_told(row.until, '%H:%M')}"
            table.add_row("" if time == last else time, row.count.kind, f"{row.count.count:,}", ", ".join(_networks(row.count)))
            last = time
        console.print(table)
        for one in REQUEST_KINDS:
            if any(row.count.kind == one for row in rows):
                console.print(f"{one}: {MEANINGS[one]}.", soft_wrap=True)
        console.print(CAUTION, soft_wrap=True)
    for report in reports[:_SHOWN]:
        incident = report.incident
        where = f", {incident.unit}" if incident.unit else ""
        evidence = f" Evidence: {len(incident.evidence)} file(s)." if incident.evidence else ""
        console.print(
            f"Entry {report.entry}, {incident.kind}{where}, {_times(incident)} UTC, "
            f"reported by {report.issuer}: {' '.join(incident.text.split())}{evidence}",
            soft_wrap=True,
        )
    if len(reports) > _SHOWN:
        console.print(f"and {len(reports) - _SHOWN:,} more reports (--json lists them)")
    if not rows and not reports:
        console.print("No incident is on record for this time and kind.")
    for note in shown.notes:
        console.print(note, soft_wrap=True)
    for finding in shown.findings[:_SHOWN]:
        console.print(f"DOES NOT AGREE  {finding}", soft_wrap=True)
    if len(shown.findings) > _SHOWN:
        console.print(f"and {len(shown.findings) - _SHOWN:,} more findings (--json lists them)")
    console.print(_verdict(shown), soft_wrap=True)


def _verdict(shown: _Shown) -> str:
    if shown.findings:
        return f"{len(shown.findings)} finding(s): the record is not as it was written. Compare it with a copy."
    if shown.journals:
        records = sum(checked.records for checked in shown.journals)
        uncovered = sum(checked.last - checked.covered for checked in shown.journals)
        return (
            f"The journal's {records:,} records are in order and agree with {shown.summaries:,} signed summaries in the log; "
            f"the last {uncovered:,} are not summed up yet."
        )
    return f"{shown.summaries:,} signed summaries are in the log and follow each other; the journal itself is not here."


def _json(shown: _Shown, kind: str | None) -> dict[str, Any]:
    rows, reports = shown.of_kind(kind)
    return {
        "caution": CAUTION,
        "requests": [
            {
                "since": row.since,
                "until": row.until,
                "kind": row.count.kind,
                "count": row.count.count,
                "networks": {network.network: network.count for network in row.count.networks},
                "source": row.source,
            }
            for row in rows
        ],
        "reports": [{"entry": report.entry, **_incident_json(report)} for report in reports],
        "journals": [
            {
                "folder": str(checked.folder),
                "journal": checked.journal,
                "records": checked.records,
                "last": checked.last,
                "covered": checked.covered,
                "removed": checked.removed,
                "torn": bool(checked.torn),
            }
            for checked in shown.journals
        ],
        "summaries": shown.summaries,
        "findings": shown.findings,
    }


def _incident_json(logged: Logged) -> dict[str, Any]:
    incident = logged.incident
    return {
        "issuer": logged.issuer,
        "kind": incident.kind,
        "since": incident.since,
        "until": incident.until,
        "unit": incident.unit,
        "text": incident.text,
        "evidence": [hash_.hex() for hash_ in incident.evidence],
    }
