"""Somebody's published results through the whole path: folder, keys, signed sheets, policy, log, bulletin, site, check."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scrutineer.calls import bulletin_calls
from scrutineer.cli.office import Office, now, open_folder, stretches
from scrutineer.cli.publishing import publish_log
from scrutineer.cli.show import Progress
from scrutineer.cli.verify_commands import no_garbage_collection
from scrutineer.count import Count, make_bulletin
from scrutineer.election import station_issuer
from scrutineer.election.layout_reader import Published
from scrutineer.election.published_sheets import PublishedSheet
from scrutineer.errors import ScrutineerError
from scrutineer.log import Log
from scrutineer.statements import TallySheet, sign_statement
from scrutineer.statements.keys import SigningKey
from scrutineer.statements.policy import Policy
from scrutineer.verify import FolderSource, Report
from scrutineer.verify.replay import verify_site


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay: what was recorded, what it counts to, and whether the published site verifies."""

    office: Office
    count: Count
    site: Path
    report: Report


def replay_published(published: Published, out: Path, progress: Progress) -> Replayed:
    """Put a file as read by its layout through the whole path; the election folder is `out`/election, the site `out`/site."""
    office = open_folder(out / "election", published.draft(), progress=progress)
    log = office.open_log()
    try:
        with no_garbage_collection():
            statements = sign_published(published.sheets, office)
            register(statements, office, log, len(published.sheets), progress)
            count = office.count(log, None, progress)
            bulletin = make_bulletin(count, log.root(count.size), number=1, time=now(), calls=bulletin_calls(count))
            log.append(office.sign(bulletin, "bulletin"))
            site = out / "site"
            count.apply(log.entries(count.size))
            publish_log(office, log, site, progress=progress, count=count)
            report = verify_site(FolderSource(site), definition=office.election.hash, progress=progress)
            return Replayed(office, count, site, report)
    finally:
        log.close()


def sign_published(sheets: Iterable[PublishedSheet], office: Office) -> Iterator[bytes]:
    """Sign figures that somebody published with the keys that were made for the replay."""
    seed = office.stations_seed()
    keys: dict[str, SigningKey] = {}
    for sheet in sheets:
        issuer = station_issuer(sheet.station)
        key = keys.get(sheet.station) or keys.setdefault(sheet.station, seed.derive(issuer))
        yield sign_statement(
            TallySheet(
                office.election.hash,
                sheet.station,
                sheet.contest,
                sheet.counts,
                sheet.blank,
                sheet.null,
                sheet.cast,
                sheet.voters,
                sheet.roll,
                sheet.time,
                source=sheet.source or None,
            ),
            issuer,
            key,
        )


def register(statements: Iterator[bytes], office: Office, log: Log, total: int, progress: Progress) -> None:
    """Check statements by the policy and record them, in batches; what the service does, without the network."""
    policy = Policy(office.election)
    done = 0
    for batch in stretches(statements, 2048):
        for statement in batch:
            try:
                policy.check(statement)
            except ScrutineerError as error:
                raise type(error)(f"sheet {done + 1} of {total}: {error}") from error
        log.append(batch)
        done += len(batch)
        progress("Recording sheets", done, total)
