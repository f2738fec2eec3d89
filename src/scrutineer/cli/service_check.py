"""What `status` finds out: of an election folder with its service, and of a published site."""

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import msgspec

from scrutineer.cli.cosigning import quorum_of, witness_addresses
from scrutineer.cli.office import DEFINITION_FILE, INCIDENTS, LOG_FILE, RECORD, STORE_FILE
from scrutineer.cli.service_status import ServiceStatus, is_alive, is_silent, read_published, read_statuses
from scrutineer.election import Definition
from scrutineer.errors import ScrutineerError, UsageError
from scrutineer.intake.incidents import read_journal
from scrutineer.intake.incidents.journal import journal_files
from scrutineer.intake.sequencer import FOLLOWS, LEADS
from scrutineer.log import Head, LogVerifier, SqliteStore, Store, open_checkpoint
from scrutineer.log.note import MAX_NOTE_SIZE
from scrutineer.log.quorum import find_cosigners
from scrutineer.portal import formats
from scrutineer.statements import parse_statement
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.verify.web import WebSite
from scrutineer.witness.cosigned import CosignedFile, frozen

LOW_DISK: Final = 1 << 30  # bytes
PATIENCE: Final = 3.0  # seconds for one witness or site
LAG: Final = 30  # seconds that the newest head may wait for its witnesses before that is called trouble
HOUR: Final = 3_600


class Line(NamedTuple):
    """One thing that was looked at: its name, what there is to say of it, and whether it needs somebody."""

    what: str
    words: str
    good: bool = True


class Checked(NamedTuple):
    """What was found out of one folder or site."""

    name: str
    lines: list[Line]
    facts: dict[str, object]
    """The same for programs; sizes in entries, times in POSIX seconds."""
    size: int
    """Entries at its newest head; 0 where that is not known."""


def check_folder(folder: Path, clock: Callable[[], float] = time.time) -> Checked:
    """Look at an opened election folder, beside its running service. Raises UsageError where it has not been opened."""
    record, now = folder / RECORD, clock()
    definition = _definition(record / DEFINITION_FILE, folder)
    lines: list[Line] = []
    facts: dict[str, object] = {"folder": str(folder)}
    services = read_statuses(record)
    lines += _services(services, now, facts)
    if (reason := frozen(record)) is not None:
        lines.append(Line("Frozen", f"nothing is taken in: {reason}", good=False))
        facts["frozen"] = reason
    head = _head(record, lines)
    size = head.size if head is not None else max((status.size for status in services), default=0)
    head_time = head.time_ms // 1000 if head is not None else max((status.head_time for status in services), default=0)
    facts |= {"size": size, "head_time": head_time}
    lines.append(
        Line("Log", f"{size:,} entries; the newest head is of {_when(head_time, now)}" if size else "its size is not known")
    )
    lines.append(_disk(record, facts))
    lines += _cosigned(definition, record, services, size, head_time, now, facts)
    lines.append(_published(record, size, now, facts))
    if (folder / INCIDENTS).is_dir():
        lines.append(_incidents(folder / INCIDENTS, now, facts))
    return Checked(definition.name, lines, facts, size)


def check_site(address: str, clock: Callable[[], float] = time.time) -> Checked:
    """Look at a published site: whether it answers, and which head it shows. It is not verified: `verify` does that."""
    now = clock()
    facts: dict[str, object] = {"site": address}
    try:
        with WebSite(address, connections=1, timeout=PATIENCE) as site:
            data = site.read(formats.DEFINITION_FILE, MAX_STATEMENT_SIZE)
            note = site.read(formats.CHECKPOINT_FILE, MAX_NOTE_SIZE)
        if data is None or data.data is None or note is None or note.data is None:
            return Checked(address, [Line("Site", f"{address} shows no head of a log", good=False)], facts | {"size": None}, 0)
        definition = _read_definition(data.data, address)
        verifier = _verifier(definition)
        checkpoint = open_checkpoint(note.data, verifier.note_verifiers).checkpoint
        lines = [Line("Site", f"{address} shows the log at {checkpoint.size:,} entries")]
        quorum = quorum_of(definition)
        if quorum is not None:
            cosigners = find_cosigners(note.data, quorum, int(now))
            lines.append(Line("Witnesses", f"{cosigners.sentence}", good=cosigners.complete))
            facts |= {"cosigned": list(cosigners.cosigned), "missing": list(cosigners.missing)}
    except ScrutineerError as error:
        return Checked(address, [Line("Site", str(error), good=False)], facts | {"size": None}, 0)
    return Checked(definition.name, lines, facts | {"size": checkpoint.size}, checkpoint.size)


def _definition(path: Path, folder: Path) -> Definition:
    try:
        return _read_definition(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"{folder} has not been opened, or cannot be read ({error.strerror}): name an opened folder") from error


def _read_definition(data: bytes, where: str) -> Definition:
    payload = parse_statement(data).payload
    if not isinstance(payload, Definition):
        raise UsageError(f"{where} holds no definition of an election: check the path")
    return payload


def _verifier(definition: Definition) -> LogVerifier:
    if len(definition.log.keys) != 2:
        raise UsageError(f"the definition names {len(definition.log.keys)} keys of the log, and two are needed")
    return LogVerifier.from_vkeys(*definition.log.keys)


def _services(services: Sequence[ServiceStatus], now: float, facts: dict[str, object]) -> list[Line]:
    facts["services"] = [{**msgspec.to_builtins(status), "running": is_alive(status, now)} for status in services]
    if not services:
        return [Line("Service", "none has run here yet", good=False)]
    alive = [status for status in services if is_alive(status, now)]
    # Who was asked to stop is missed only where nobody is left.
    missed = [status for status in services if not is_alive(status, now) and status.stopped != ""]
    lines = []
    for status in alive:
        role = "" if len(services) == 1 else f", it {status.role}"
        since = f"since {_when(status.started, now)}"
        lines.append(Line("Service", f"running at {status.url or 'an unknown address'} (process {status.pid}{role}) {since}"))
        if status.trouble:
            lines.append(Line("Trouble", status.trouble, good=False))
        if status.restarts:
            lines.append(Line("Checkers", f"{status.restarts} of its checking processes had to be replaced"))
    for status in missed or ([] if alive else services[:1]):
        words = f"{_absence(status, now)}, last heard of {_when(status.time, now)}"
        if len(services) > 1:
            words += f" at {status.url or 'an unknown address'} (process {status.pid})"
        if alive:
            words += ": start it again; where it is not to come back, remove its status file from DIR/record"
        lines.append(Line("Service", words, good=False))
    if not alive:
        return lines
    roles = {status.role for status in alive}
    if roles == {FOLLOWS}:
        # The ordinary state of every machine but one. Where nobody led, one of these would within seconds.
        lines.append(Line("Service", "a process on another machine leads: it writes the log"))
    elif LEADS not in roles:
        lines.append(
            Line("Service", "none of its processes writes the log at the moment: statements are not recorded", good=False)
        )
    return lines


def _absence(status: ServiceStatus, now: float) -> str:
    """Why a service does not run."""
    if is_silent(status, now):
        return "not answering; a process of its number is there and says nothing"
    if status.stopped is None:
        return "not running; it ended without a word"
    return f"not running; it stopped: {status.stopped}" if status.stopped else "not running; it was stopped"


def _head(record: Path, lines: list[Line]) -> Head | None:
    """The last head in the store; says whether that can be read."""
    where = str(record / LOG_FILE)
    try:
        address = _address(record / STORE_FILE)
        if address is not None:
            where = address.partition("?")[0]
        store = _open_store(record, address)
        try:
            head = store.last_head()
        finally:
            store.close()
    except ScrutineerError as error:
        lines.append(Line("Store", str(error), good=False))
        return None
    lines.append(Line("Store", f"{where} can be read"))
    return head


def _address(path: Path) -> str | None:
    """The address of the database with the log, as `Office.store_url` has it; an office takes long to open in a large country."""
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: put the address of the log there") from error


def _open_store(record: Path, address: str | None) -> Store:
    if address is None:
        return SqliteStore.open_reader(record / LOG_FILE)
    # The driver is an extra, and takes its time to load.
    from scrutineer.log.postgresql import PostgresqlStore

    return PostgresqlStore.open_reader(address)


def _disk(record: Path, facts: dict[str, object]) -> Line:
    try:
        usage = shutil.disk_usage(record)
    except OSError as error:
        return Line("Disk", f"{record} cannot be looked at ({error.strerror})", good=False)
    facts["disk_free"] = usage.free
    words = f"{usage.free / 2**30:,.1f} GiB free of {usage.total / 2**30:,.1f}"
    low = usage.free < LOW_DISK
    return Line("Disk", f"{words}: make room before it is full" if low else words, good=not low)


def _cosigned(
    definition: Definition,
    record: Path,
    services: Sequence[ServiceStatus],
    size: int,
    head_time: int,
    now: float,
    facts: dict[str, object],
) -> list[Line]:
    """The newest cosigned head, how far behind it is, and each witness."""
    try:
        quorum = quorum_of(definition)
        if quorum is None:
            facts["witnesses"] = None
            return [Line("Witnesses", "the definition names none")]
        kept = CosignedFile(record, _verifier(definition), quorum).read()
    except ScrutineerError as error:
        return [Line("Witnesses", str(error), good=False)]
    status = next((status for status in services if is_alive(status, now) and status.quorum is not None), None)
    heard = {witness.name: witness for witness in status.witnesses} if status is not None else {}
    urls = {address.name: address.url for address in witness_addresses(definition)}
    urls |= {name: witness.url for name, witness in heard.items()}
    with ThreadPoolExecutor(max(1, len(urls))) as pool:
        reached = dict(zip(urls, pool.map(_reach, urls.values()), strict=True))
    at = kept.checkpoint.size if kept is not None else 0
    # A head that was signed a moment ago may well be on its way to the witnesses.
    late = at < size and now - head_time > LAG
    if kept is None:
        lines = [
            Line("Cosigned", f"no head has the quorum of {quorum.needed} of {len(quorum.witnesses)} witnesses yet", good=not late)
        ]
    else:
        behind = f"; {size - at:,} entries are pending" if at < size else ""
        lines = [Line("Cosigned", f"{at:,} entries: {kept.cosigners.sentence}{behind}", good=not late)]
    told = []
    for name in quorum.names:
        witness, trouble = heard.get(name), reached.get(name, "no address is known for it")
        trouble = trouble or (witness.trouble if witness is not None else "")
        last = f"cosigned {witness.size:,} entries, {_when(witness.time, now)}" if witness is not None and witness.size else ""
        if not last and kept is not None and name in kept.cosigners.cosigned:
            last = f"cosigned {at:,} entries"
        words = "; ".join(part for part in (trouble or "can be reached", last) if part)
        lines.append(Line(f"Witness {name}", words, good=not trouble))
        told.append(
            {"name": name, "url": urls.get(name, ""), "trouble": trouble or None, "size": witness.size if witness else None}
        )
    facts |= {"cosigned": at, "quorum": quorum.needed, "witnesses": told}
    return lines


def _reach(url: str) -> str:
    """Why a witness cannot be reached; nothing where it answers, whatever that is."""
    if not url:
        return "no address is known for it"
    try:
        httpx.get(f"{url.rstrip('/')}/health", timeout=PATIENCE, follow_redirects=False, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        return f"{url} cannot be reached ({error or type(error).__name__})"
    return ""


def _published(record: Path, size: int, now: float, facts: dict[str, object]) -> Line:
    published = read_published(record)
    if published is None:
        facts["published"] = None
        return Line("Published", "nothing has been published from here yet")
    facts["published"] = {"site": published.site, "size": published.size, "time": published.time}
    behind = f", {size - published.size:,} entries behind the log" if published.size < size else ""
    return Line("Published", f"{published.size:,} entries{behind}, to {published.site}, {_when(published.time, now)}")


def _incidents(folder: Path, now: float, facts: dict[str, object]) -> Line:
    """What was refused in the last hour, by kind. The journal is counted here; `incidents` checks it."""
    counts: dict[str, int] = {}
    try:
        for path in [folder, *sorted(one for one in folder.iterdir() if one.is_dir())]:
            if not journal_files(path):
                continue
            checked = read_journal(path, (), wanted=lambda window: window.since >= now - HOUR)
            for sums in checked.hours.values():
                for count in sums.counts():
                    counts[count.kind] = counts.get(count.kind, 0) + count.count
    except OSError as error:
        return Line("Refused", f"{folder} cannot be listed ({error.strerror}): check its permissions", good=False)
    except ScrutineerError as error:
        return Line("Refused", str(error), good=False)
    facts["refused_last_hour"] = counts
    words = ", ".join(f"{number:,} {kind}" for kind, number in sorted(counts.items()))
    return Line("Refused", f"in the last hour: {words or 'nothing'}")


def _when(at: int, now: float) -> str:
    if not at:
        return "an unknown time"
    ago = max(0, int(now) - at)
    length, unit = next(
        ((length, unit) for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")) if ago >= length), (1, "s")
    )
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(at))} UTC ({ago // length} {unit} ago)"
