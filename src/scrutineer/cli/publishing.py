"""Publishing an election folder: once, and again and again while its service runs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from scrutineer.ballots.engines import own_cores
from scrutineer.cli.kept_history import keep_snapshot, kept_history
from scrutineer.cli.office import Office, stretches
from scrutineer.cli.published_head import PublishedHead, head_to_publish, newest_cosigned
from scrutineer.cli.show import Progress, silent
from scrutineer.count import Count
from scrutineer.errors import NoteError, PublicationError
from scrutineer.log import Log
from scrutineer.portal.audit_files import named_audit_files
from scrutineer.portal.audit_folder import AuditFolder
from scrutineer.portal.ballot_folder import BallotFolder
from scrutineer.portal.ballot_named import named_ballots
from scrutineer.portal.ballot_record import StationBallots
from scrutineer.portal.formats import MANIFEST_FILE, SITE_FILE, read_site_info
from scrutineer.portal.history_files import INDEX_FILE
from scrutineer.portal.images import ImageFolder
from scrutineer.portal.manifest import open_manifest
from scrutineer.portal.publish import Effort, PublicationSummary, publish, publish_pending
from scrutineer.portal.record import Image, Pages, Record, SiteOptions, Translated, default_options

_MAX_SITE_INFO: Final = 1 << 16  # bytes
_STRETCH: Final = 8192  # entries counted between two words of progress


@dataclass(frozen=True, slots=True)
class Choice:
    """What is wanted of a site. What is left open stays as the site has it, and otherwise as fits the size of the election."""

    pages: Pages | None = None
    languages: tuple[str, ...] | None = None
    translated: Translated | None = None
    workers: int = field(default_factory=own_cores)
    everything: bool = False
    """Whether pages are made again also where their data did not change."""
    images: ImageFolder | None = None
    """Where images of sheets are looked for."""
    ballots: BallotFolder | None = None
    """Where stations' encrypted ballots are looked for."""
    audits: AuditFolder | None = None
    """Where audits are looked for, each in a folder of its name."""

    def options(self, site: Path, stations: int) -> SiteOptions:
        """The options of the site. Raises PublicationError where they cannot be used, or `site` holds no readable site."""
        options = self._before(site) or default_options(stations)
        if self.pages is not None:
            options = replace(options, pages=self.pages, nist="stations" if self.pages == "stations" else "units")
        if self.languages is not None:
            options = replace(options, languages=self.languages)
        if self.translated is not None:
            options = replace(options, translated=self.translated)
        return options

    @staticmethod
    def _before(site: Path) -> SiteOptions | None:
        try:
            with (site / SITE_FILE).open("rb") as file:
                return read_site_info(file.read(_MAX_SITE_INFO)).options
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise PublicationError(f"{site / SITE_FILE} cannot be read ({error.strerror}): check the site's folder") from error


@dataclass(slots=True)
class Published:
    """What a round of a publisher did. Without a summary nothing was written: the site shows this head already."""

    head: PublishedHead
    newest: int
    """Entries of the log."""
    summary: PublicationSummary | None


class Publisher:
    """Publishes an election folder to a site; keeps the count from one time to the next, and counts what is new."""

    def __init__(
        self, office: Office, site: Path, choice: Choice, witnesses: tuple[str, ...] = (), without: tuple[str, ...] = ()
    ) -> None:
        self._office = office
        self._site = site
        self._choice = choice
        self._witnesses = witnesses
        self._without = without
        self._count: Count | None = None
        self._shown: tuple[object, ...] | None = None

    def publish(self, progress: Progress = silent, *, pending: bool = False) -> Published:
        """Publish the newest head that may be shown, unless this publisher has published just that.

        Raises PublicationError where the site cannot be written or no head has its quorum, LogError where the log does not hold.
        """
        before = newest_cosigned(self._office, self._site)
        log = self._office.sign_log(progress=lambda done, total: progress("Reading the log", done, total))
        try:
            progress("Asking the witnesses", 0, 1)
            head = head_to_publish(self._office, log, before, self._witnesses, self._without)
            progress("Asking the witnesses", 1, 1)
            # The log's own signatures are other bytes each time; how many have signed is what can be new about a head.
            ballots = None if self._choice.ballots is None else self._choice.ballots.stamp()
            pending_size = log.size if head.pending is not None else None
            audits = None if self._choice.audits is None else self._choice.audits.stamp()
            shown = (head.head, head.cosigned, head.checkpoint.count(b"\n"), pending_size, ballots, audits)
            if shown == self._shown:
                return Published(head, log.size, None)
            count, self._count = self._count, None
            if count is not None and count.size <= head.head.size:
                _count_on(count, log, head.head.size, progress)
            else:
                count = None
            count = count or self._office.count(log, head.head.size, progress)
            summary = publish_log(
                self._office, log, self._site, choice=self._choice, progress=progress, count=count, head=head, pending=pending
            )
            # A count that stood for a publication that failed may be anything: it is made again.
            self._count, self._shown = count, shown
            return Published(head, log.size, summary)
        finally:
            log.close()


def publish_office(
    office: Office, site: Path, *, choice: Choice | None = None, progress: Progress | None = None
) -> PublicationSummary:
    """Publish an opened election folder. Raises PublicationError where the site cannot be written."""
    tell = progress or silent
    before = newest_cosigned(office, site)
    log = office.sign_log(progress=lambda done, total: tell("Reading the log", done, total))
    try:
        return publish_log(office, log, site, choice=choice, progress=tell, head=head_to_publish(office, log, before))
    finally:
        log.close()


def publish_log(
    office: Office,
    log: Log,
    site: Path,
    *,
    choice: Choice | None = None,
    progress: Progress = silent,
    count: Count | None = None,
    head: PublishedHead | None = None,
    pending: bool = False,
) -> PublicationSummary:
    """Publish from a log that is open already; `count` is the count up to the head, for those who have it.

    Raises PublicationError where no head carries the quorum that the definition demands, unless `pending` is wanted.
    """
    chosen = choice or Choice()
    shown = head or head_to_publish(office, log, newest_cosigned(office, site))
    if not shown.cosigned and not pending:
        raise PublicationError(
            f"no head of this log carries the quorum of its witnesses yet, and so nothing is published ({shown.words}); with "
            "--pending the log's files are published, without any result"
        )
    if count is None or count.size != shown.head.size:
        count = office.count(log, shown.head.size, progress)
    record = Record(
        election=office.election,
        count=count,
        definition=office.definition,
        units_table=office.units_table,
        register_table=office.register_table,
        baseline_table=office.baseline_table,
        shapes_table=office.shapes_table,
        ballots_table=office.ballots_table,
        checkpoint=shown.checkpoint,
        head=shown.head,
        tree=log.tree,
        verifier=log.verifier,
        entry=log.entry,
        options=chosen.options(site, office.election.units.station_count),
        pending=shown.pending,
        history=kept_history(office, log, shown.head.size) if shown.cosigned and not (site / INDEX_FILE).exists() else (),
        images=_images(chosen.images, log, shown.head.size, progress),
        ballots=_ballots(chosen.ballots, office, count, log.entry, progress),
        audits=_audits(chosen.audits, count, site, log),
    )
    tell: Callable[[int, int], None] = lambda done, total: progress("Publishing", done, total)  # noqa: E731 - one argument less
    signer = office.log_signer()
    if not shown.cosigned:
        return publish_pending(record, log.entries, signer, site, tell)
    summary = publish(record, log.entries, signer, site, tell, Effort(chosen.workers, chosen.everything))
    keep_snapshot(office, record.snapshots[-1])
    return summary


def _audits(folder: AuditFolder | None, count: Count, site: Path, log: Log) -> dict[str, bytes]:
    if folder is None:
        return {}
    try:
        published = open_manifest((site / MANIFEST_FILE).read_bytes(), log.verifier).files
    except (OSError, NoteError):
        published = {}  # Nothing is there that this log has signed: everything is judged anew.
    return named_audit_files(folder.find(), count, folder.skipped, published)


def _ballots(
    folder: BallotFolder | None, office: Office, count: Count, entry: Callable[[int], bytes], progress: Progress
) -> dict[int, StationBallots]:
    if folder is None:
        return {}
    found = folder.find(lambda done, total: progress("Reading ballots", done, total))
    if found and office.ballots_table is None:
        raise PublicationError(
            "the definition of this election names no keys of trustees (ballots.json): none can be published with it"
        )
    return named_ballots(found, count, entry, folder.skipped)


def _images(folder: ImageFolder | None, log: Log, size: int, progress: Progress) -> dict[bytes, Image]:
    if folder is None:
        return {}
    return folder.named(log.entries, size, lambda done, total: progress("Reading images", done, total))


def _count_on(count: Count, log: Log, size: int, progress: Progress) -> None:
    for stretch in stretches(log.entries(count.size, size), _STRETCH):
        count.apply(stretch)
        progress("Counting", count.size, size)
