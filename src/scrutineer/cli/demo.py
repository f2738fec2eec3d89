"""The demo: an invented republic, counted over real HTTP while it arrives, published, and checked."""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import Final

import click

from scrutineer.audits.outcome_words import OUTCOME_WORDS
from scrutineer.ballots.engines import ProcessPool
from scrutineer.ballots.spread_check import spread
from scrutineer.calls import bulletin_calls
from scrutineer.cli.demo_audit import hold_audit
from scrutineer.cli.demo_voting import QUORUM, TRUSTEES, RealStation, vote_for_real
from scrutineer.cli.office import Office, now, open_folder
from scrutineer.cli.publish_commands import BALLOTS
from scrutineer.cli.publishing import Choice, publish_office
from scrutineer.cli.show import Progress, progress_display
from scrutineer.cli.standings import print_standings
from scrutineer.cli.verify_commands import no_garbage_collection, print_report
from scrutineer.count import Count, contest_result, make_bulletin
from scrutineer.election import Register
from scrutineer.election.folder import Draft
from scrutineer.errors import TransportError, UsageError
from scrutineer.intake import submit_statements
from scrutineer.log import LogVerifier, MerkleTree, SqliteStore, leaf_hash
from scrutineer.portal.audit_folder import AuditFolder
from scrutineer.portal.ballot_folder import BallotFolder
from scrutineer.simulate import Simulation, sign_arrivals, simulate_republic, snapshots
from scrutineer.simulate.observers import SEEN, observer_issuers, observer_key, observer_statements
from scrutineer.statements import is_tally_sheet, sign_statement
from scrutineer.verify import FolderSource
from scrutineer.verify.replay import verify_site

OFFICERS: Final = 3
AUDITS: Final = "audits"
_AUDITOR: Final = "authority/officer-1"
_MARK: Final = ".scrutineer-demo"
"""Stands in a folder that the demo made, and may therefore make anew."""


def run_demo(stations: int, seed: int, out: Path) -> bool:
    """Run the demo in `out`, and say on the way what happens; whether the published site verified and the count is the truth."""
    started = time.monotonic()
    _clear(out)
    with progress_display() as progress:
        click.echo(f"1  An invented republic: {stations:,} stations")
        simulation = simulate_republic(stations, seed)
        real = vote_for_real(simulation, progress)
        voters = int(simulation.units.rolls.sum())
        office = open_folder(
            out / "election",
            _draft(simulation, real.trustees.record.encode()),
            officers=OFFICERS,
            station_seed=_station_seed(seed),
            progress=progress,
        )
        click.echo(f"   {voters:,} voters; definition {office.election.hash.hex()[:16]}…, signed and first in the log")
        real.keep(office.folder / BALLOTS)
        click.echo(
            f"   Station {real.station} votes for real: {real.ballots} encrypted ballots, of which {QUORUM} of {len(TRUSTEES)} "
            "trustees decrypt nothing but the totals"
        )
        with _Intake(office) as address:
            click.echo(f"2  Every station signs its sheet and sends it to the intake service at {address}")
            live = _send_and_count(simulation, office, address, progress, real)
            click.echo("3  An audit: public dice choose boxes, and what lies in them is held against their sheets")
            _audit(simulation, office, live, address, out / AUDITS)
        click.echo("4  The static site: log, tables, pages")
        site = out / "site"
        choice = Choice(ballots=BallotFolder(office.folder / BALLOTS), audits=AuditFolder(out / AUDITS))
        summary = publish_office(office, site, choice=choice, progress=progress)
        click.echo(f"   {summary.files:,} files")
        click.echo("5  The check that anyone can make: replay everything that was published")
        with no_garbage_collection():
            report = verify_site(
                FolderSource(site), definition=office.election.hash, engine=spread(ProcessPool()), progress=progress
            )
    (out / "truth.json").write_bytes(simulation.truth.to_json())
    print_report(report)
    click.echo()
    log = office.read_log()
    count = office.count(log)
    log.close()
    print_standings(count, f"log size {log.size:,}")
    true = _is_truth(simulation, count)
    click.echo()
    click.echo(f"Done in {time.monotonic() - started:.0f} s. Open {(site / 'index.html').resolve()}")
    click.echo(f"Check it again: scrutineer verify {site} --definition {office.election.hash.hex()}")
    click.echo(f"Find a ballot:  scrutineer track {real.words} --from {site}")
    return report.passed and true


def _is_truth(simulation: Simulation, count: Count) -> bool:
    """Hold the count against what only a simulation knows: what was cast, and which sheets were disturbed on the way."""
    disturbed = len(simulation.truth.disturbances)
    every = True
    for number, truth in enumerate(simulation.truth.counted):
        result = contest_result(count, number)
        same = (result.votes, result.blank, result.null) == (truth.votes, truth.blank, truth.null)
        verdict = "equals the simulated truth to the vote" if same else "DIFFERS from the simulated truth"
        click.echo(f"The count {verdict}; the sheets of {disturbed} stations were disturbed on purpose.")
        every = every and same
    return every


_STATES: Final = {
    "not-coherent": "the figures do not fit",
    "not-decided": "can still change",
    "statistics": "decided by statistics (risk 5 %, gamma 3)",
    "arithmetic": "decided by arithmetic",
}


def _send_and_count(simulation: Simulation, office: Office, address: str, progress: Progress, real: RealStation) -> "_LiveCount":
    """Send everything in the order of arrival; after each part count what arrived, and issue a bulletin."""
    arrivals = simulation.arrival_count
    statements = sign_arrivals(real.arrivals(simulation.sheets(office.election.hash)), office.key_of)
    verifier = office.log_signer().verifier
    live = _LiveCount(office)
    sent = 0
    for number, stop in enumerate(snapshots(arrivals), 1):
        _send(list(islice(statements, stop - sent)), address, verifier, sent, arrivals, progress)
        sent = stop
        live.catch_up()
        bulletin = make_bulletin(live.count, live.tree.root(), number=number, time=now(), calls=bulletin_calls(live.count))
        submit_statements(office.sign(bulletin, "bulletin"), address, verifier)
        result = contest_result(live.count, 0)
        names = {candidate.id: candidate.name for candidate in live.count.election.contests[0].standing()}
        leader = ", ".join(names[candidate] for candidate in result.elected or result.tied) or "nobody"
        state = _STATES[bulletin.calls[0].verdict]
        click.echo(
            f"   bulletin {number}: {result.counted:,} of {result.stations:,} stations counted "
            f"({1000 * result.counted // result.stations / 10} %), {result.quarantined} in quarantine; "
            f"{leader} ahead by {result.margin or 0:,}: {state}"
        )

    people = [
        sign_statement(payload, issuer, observer_key(simulation.seed, issuer))
        for issuer, payload in observer_statements(live.count, simulation.seed)
    ]
    submit_statements(people, address, verifier)
    click.echo(f"   observers and agents at one station in {SEEN}: {len(people):,} copies and signatures")
    live.catch_up()
    return live


def _audit(simulation: Simulation, office: Office, live: "_LiveCount", address: str, folder: Path) -> None:
    """Hold an audit of the first contest with the statements that an authority would register."""
    verifier = office.log_signer().verifier
    key = office.officer_key()

    def send(statements: Sequence[bytes]) -> int:
        submit_statements(statements, address, verifier)
        live.catch_up()
        return live.count.size

    held = hold_audit(
        simulation, live.count, live.tree.root(), lambda payload: sign_statement(payload, _AUDITOR, key), send, folder
    )
    if held is None:
        click.echo("   no sample could confirm the outcome: every box would have to be counted")
        return
    risk, said = held.report.contests[0].risk, OUTCOME_WORDS[held.report.outcome].sentence
    click.echo(f"   {held.boxes} of {held.plan.boxes:,} boxes opened, risk {risk}, limit {held.plan.risk_limit}. {said}")


def _draft(simulation: Simulation, ballots: bytes) -> Draft:
    """What the organiser writes, with the observers and agents in the register, and the trustees' keys."""
    stations = simulation.units.station_index
    draft = simulation.draft(Register(stations, bytes(32 * len(stations)), observer_issuers(simulation.seed)))
    return replace(draft, ballots=ballots)


def _send(statements: list[bytes], address: str, verifier: LogVerifier, sent: int, total: int, progress: Progress) -> None:
    """Send sheets, and acts after the sheets that they speak of: what is sent at once may be registered in any order."""
    for _, own in groupby(statements, is_tally_sheet):
        some = list(own)
        submit_statements(some, address, verifier, progress=partial(_said, progress, sent, total))
        sent += len(some)


def _said(progress: Progress, sent: int, total: int, done: int, _: int) -> None:
    progress("Sheets sent and receipted", sent + done, total)


class _LiveCount:
    """The count beside the running service: reads what the log has gained, and folds it."""

    def __init__(self, office: Office) -> None:
        self.count = Count(office.election)
        self.tree = MerkleTree()
        self._store = SqliteStore.open_reader(office.log_path)

    def catch_up(self) -> None:
        head = self._store.last_head()
        if head is None:
            return
        entries = list(self._store.entries(self.count.size, head.size))
        self.count.apply(entries)
        self.tree.extend([leaf_hash(entry) for entry in entries])


class _Intake:
    """The intake service as a process of its own, as an authority would run it."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def __enter__(self) -> str:
        command = [sys.executable, "-m", "scrutineer", "serve", str(self._office.folder), "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603
        stdout = self._process.stdout
        line = stdout.readline() if stdout is not None else ""
        if not line.startswith("Intake at "):
            self._process.kill()
            raise TransportError(f"the intake service did not start: run `scrutineer serve {self._office.folder}` to see why")
        return line.removeprefix("Intake at ").strip()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


def _station_seed(seed: int) -> bytes:
    return b"scrutineer demo " + seed.to_bytes(16, "big")


def _clear(out: Path) -> None:
    """Make the folder anew, if it is empty, missing, or from an earlier demo."""
    if out.exists() and any(out.iterdir()):
        if not (out / _MARK).is_file():
            raise UsageError(f"{out} holds something else than an earlier demo: choose another folder with --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).touch()
