"""`control`: the control room of an election, as a process of its own beside the intake service."""

import secrets
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import click
import uvicorn

from scrutineer.cli.listening import end_with_parent, listen
from scrutineer.cli.office import INCIDENTS, RECORD, Office, now, officer
from scrutineer.cli.service_status import ServiceStatus, is_alive, read_published, read_statuses
from scrutineer.cli.show import json_option, print_json
from scrutineer.cli.trust_options import trust_options
from scrutineer.control.app import control_app
from scrutineer.control.journal import JOURNAL_FILE, Journal
from scrutineer.control.machine import Machine, Publication, ServiceState, WitnessState
from scrutineer.control.night import Night
from scrutineer.control.officers import CODE_LIFETIME, Officers
from scrutineer.control.passkeys import Origin
from scrutineer.control.room import Room, open_folder
from scrutineer.errors import UsageError
from scrutineer.intake import submit_statements
from scrutineer.intake.incidents import read_journal
from scrutineer.intake.incidents.journal import journal_files
from scrutineer.intake.lanes import Trust
from scrutineer.intake.sequencer import LEADS
from scrutineer.log import LogVerifier, SharedStore
from scrutineer.statements import SigningKey

PORT: Final = 8475
CONSOLE: Final = "console"
"""Who did it, in the journal, where somebody at the machine did."""
_HOUR: Final = 3_600  # seconds
_CONNECTIONS: Final = 256
"""More than these at a time are turned away: officers are few."""
_LAST_SECONDS: Final = 2
"""Seconds that open connections, among them event streams, are given at the end."""


@click.command("control")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 takes a free one.")
@click.option(
    "--origin",
    metavar="URL",
    help="Where officers' browsers open it, such as https://control.example.org.  [default: http://localhost:PORT]",
)
@click.option("--to", "target", metavar="URL", help="Send to this intake service.  [default: the one that runs here]")
@click.option(
    "--store", "store_url", metavar="URL", help="postgresql:// address of the log.  [default: where `store migrate` put it]"
)
@trust_options
@click.option("--enrol", "invited", metavar="OFFICER", help="Print a link with which officer-1 (or 2, …) makes a passkey; end.")
@click.option("--forget", "forgotten", metavar="OFFICER", help="Remove an officer's passkeys, and end; OFFICER/ID removes one.")
@click.option("--passkeys", "listed", is_flag=True, help="List the officers' passkeys, and end.")
@json_option
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input does.")
def control_command(
    folder: Path,
    host: str,
    port: int,
    origin: str | None,
    target: str | None,
    store_url: str | None,
    trust: Trust,
    invited: str | None,
    forgotten: str | None,
    listed: bool,
    as_json: bool,
    with_parent: bool,
) -> None:
    """Run the control room of the election in DIR, for its officers alone.

    It follows the log beside a running service, also from another process, and never slows intake: arrivals by region, stations
    that are late, quarantine, incidents, transmission, and the next bulletin. Officers enter with passkeys. A bulletin, or a
    decision on a sheet, is signed and sent only once two officers have confirmed it, each with their own passkey.

    Make each officer a passkey first: `scrutineer control DIR --enrol officer-1` prints a link that works once.
    Telephone numbers in DIR/contacts.csv (unit, name, telephone) are shown beside stations that are late, and never published.
    """
    office = Office.load(folder)
    if invited is not None:
        _enrol(office, invited, origin or _own_origin(port or PORT), as_json=as_json)
        return
    if forgotten is not None:
        _forget(office, forgotten, as_json=as_json)
        return
    if listed:
        _list(office, as_json=as_json)
        return
    listening = listen(host, port, "the control room cannot listen", "--port")
    place = Origin.parse(origin or _own_origin(listening.getsockname()[1]))
    keys = office.election.definition.log.keys
    night = Night(office.election, lambda: _store(office, store_url), LogVerifier.from_vkeys(keys[0], keys[1]))
    machine = machine_of(office, store_url, target, trust)
    room = Room(folder, night, machine, place, clock=now, randomness=secrets.token_bytes)
    click.echo(f"Control room at {place.url}/")
    sys.stdout.flush()
    if with_parent:
        end_with_parent()
    config = uvicorn.Config(
        control_app(room),
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_LAST_SECONDS,
        limit_concurrency=_CONNECTIONS,
    )
    uvicorn.Server(config).run(sockets=[listening])


def machine_of(office: Office, store_url: str | None, target: str | None, trust: Trust) -> Machine:
    """What the control room may ask of this machine."""
    keys = office.election.definition.log.keys
    verifier = LogVerifier.from_vkeys(keys[0], keys[1])

    def submit(statements: Sequence[bytes], url: str) -> int:
        return submit_statements(statements, target or url, verifier, connections=1, trust=trust)[0].index

    return Machine(
        open_store=lambda: _store(office, store_url),
        services=lambda: [_state(status) for status in read_statuses(office.folder / RECORD)],
        published=lambda: _published(office),
        refused=lambda: _refused(office.folder / INCIDENTS),
        held=lambda: _held(office),
        key_of=lambda name: _key_of(office, name),
        submit=submit,
    )


def _enrol(office: Office, name: str, origin: str, *, as_json: bool) -> None:
    issuer = _officer(office, name)
    place = Origin.parse(origin)
    own = open_folder(office.folder)
    code = Officers(own, now).invite(issuer)
    Journal(own / JOURNAL_FILE, now).add("invited", CONSOLE, officer=issuer)
    link = f"{place.url}/enrol#{code}"
    if as_json:
        print_json({"officer": issuer, "link": link, "code": code, "expires": now() + CODE_LIFETIME})
        return
    click.echo(f"{issuer} opens this link on the device that is to hold the passkey, within {CODE_LIFETIME // 60} minutes:")
    click.echo(link)
    click.echo("It works once. Whoever has it can sign in as this officer: hand it over in person.")


def _forget(office: Office, name: str, *, as_json: bool) -> None:
    who, _, passkey = name.partition("/") if not name.startswith("authority/") else name[len("authority/") :].partition("/")
    issuer = _officer(office, who)
    own = open_folder(office.folder)
    gone = Officers(own, now).forget(issuer, passkey)
    Journal(own / JOURNAL_FILE, now).add("forgotten", CONSOLE, officer=issuer, passkey=passkey)
    if as_json:
        print_json({"officer": issuer, "forgotten": gone})
    else:
        click.echo(
            f"{issuer}: {gone} {'passkey' if gone == 1 else 'passkeys'} forgotten; open sessions end within a second or two."
        )


def _list(office: Office, *, as_json: bool) -> None:
    officers = Officers(open_folder(office.folder), now).all()
    if as_json:
        print_json(
            {
                name: [{"id": one.id, "name": one.name, "added": one.added, "synced": one.synced} for one in known.passkeys]
                for name, known in officers.items()
            }
        )
        return
    for name, known in officers.items():
        for one in known.passkeys:
            added = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(one.added))
            where = "account" if one.synced else "device "
            click.echo(f"{name}  {one.id[:16]}  {added}  {where}  {''.join(c if c.isprintable() else '?' for c in one.name)}")
    if not any(known.passkeys for known in officers.values()):
        click.echo("No officer has a passkey yet: `scrutineer control DIR --enrol officer-1` makes a link for one.")


def _officer(office: Office, name: str) -> str:
    """The issuer id of an officer who is named with or without the role. Raises UsageError for one whom nobody knows."""
    issuer = name if name.startswith("authority/") else f"authority/{name}"
    known = sorted(one.id for one in office.election.register.others() if one.role == "authority")
    if issuer not in known:
        names = ", ".join(one.removeprefix("authority/") for one in known)
        raise UsageError(f"there is no officer {name!r} in this election: use one of {names}")
    return issuer


def _own_origin(port: int) -> str:
    return f"http://localhost:{port}"


def _store(office: Office, url: str | None) -> SharedStore:
    # Both stores can be shared: one is a file, the other a database.
    return cast("SharedStore", office.open_store(writing=False, url=url))


def _state(status: ServiceStatus) -> ServiceState:
    return ServiceState(
        url=status.url,
        alive=is_alive(status, time.time()),
        writes=status.role == LEADS,
        time=status.time,
        started=status.started,
        size=status.size,
        head_time=status.head_time,
        store=status.store,
        trouble=status.trouble or "",
        stopped=status.stopped or "",
        counts=status.counts,
        cosigned=status.cosigned,
        quorum=status.quorum,
        witnesses=tuple(WitnessState(one.name, one.size, one.time, one.trouble) for one in status.witnesses),
    )


def _published(office: Office) -> Publication | None:
    status = read_published(office.folder / RECORD)
    return None if status is None else Publication(status.site, status.size, status.time)


def _refused(folder: Path) -> Mapping[str, int]:
    """Requests that were refused in the last hour, by kind; most first."""
    counts: dict[str, int] = {}
    if not folder.is_dir():
        return counts
    since = time.time() - _HOUR
    for path in [folder, *sorted(one for one in folder.iterdir() if one.is_dir())]:
        if journal_files(path):
            for sums in read_journal(path, (), wanted=lambda window: window.since >= since).hours.values():
                for count in sums.counts():
                    counts[count.kind] = counts.get(count.kind, 0) + count.count
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def _held(office: Office) -> Collection[str]:
    return {officer(number) for number in office.officers()}


def _key_of(office: Office, name: str) -> SigningKey:
    return office.key_of(name)
