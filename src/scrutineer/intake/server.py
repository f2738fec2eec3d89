"""Runs the intake service: opens the port, keeps time, stops cleanly."""

import asyncio
import contextlib
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Final, NamedTuple

import uvloop

from scrutineer.errors import LogError, ScrutineerError, UsageError
from scrutineer.http.connection import Connections, Note
from scrutineer.http.forwarded import read_networks
from scrutineer.http.networks import network_key
from scrutineer.http.port import Address, Port, Tls, connection_limit, date_field, drain, stop_on_signals
from scrutineer.intake.api import Api
from scrutineer.intake.checkers import Checkers, ElectionFiles
from scrutineer.intake.sequencer import LEADS, Recorder
from scrutineer.intake.service import QUEUE_LIMIT, Gate, Intake
from scrutineer.log import Log
from scrutineer.statements.policy import changes_policy

GRACE: Final = 10.0  # seconds that running requests have when the service stops
FAILURE_GRACE: Final = 2.0  # seconds in which clients are still told that the store failed


class Progress(NamedTuple):
    """What the service has done since it started."""

    counts: dict[str, int]
    """Answers: 'accepted', 'duplicate', and each reason of refusal."""
    size: int
    """Entries in the log."""
    batches: int
    """Commits, that is, flushes."""
    restarts: int
    """Checker processes that had to be replaced."""
    role: str = LEADS
    """Of several processes on one store: whether this one 'leads', 'follows', or 'waits for the store'; alone it leads."""
    trouble: str | None = None
    """In one sentence, why nothing can be recorded at the moment; None where it can."""


Companion = Callable[[Intake], Coroutine[object, object, None]]
"""What runs beside the service until it is cancelled, such as collecting cosignatures; what it submits then is still taken.
A ScrutineerError that it raises stops the service."""


class Service:
    """One run of the intake service on a log. `run` blocks; everything else may be called from other threads."""

    def __init__(
        self,
        log: Log,
        files: ElectionFiles,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        checkers: int | None = None,
        queue_limit: int = QUEUE_LIMIT,
        tls: Tls | None = None,
        proxies: Sequence[str] = (),
        gate: Gate | None = None,
        recorder: Callable[[Intake], Recorder] | None = None,
        note: Note | None = None,
        beside: Sequence[Companion] = (),
        housekeeping: Callable[[], object] | None = None,
        ready: Callable[[Address], object] | None = None,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        """Take an open log whose first entry is the definition in `files`; the caller closes the log.

        `checkers` is the number of processes that verify (default: one for each core but one); `gate` decides what is let in
        before anything dear is done; clients behind `proxies` (networks such as 10.0.0.0/8) are known by the address that those
        pass on in X-Forwarded-For; `recorder` makes what records the checked statements (default: this process by itself,
        and it ends when the store fails; `scrutineer.intake.group` has the one for several); `note` hears the reason of every
        answer that has one, and the client's address; `beside` is what runs along with the service; `housekeeping` runs once a
        second in a thread of its own, off the way of acknowledgements (a store's `checkpoint_wal`); `ready` hears the address
        once it is listened to; `progress` hears once a second what was done.
        """
        self._log = log
        self._files = files
        self._host = host
        self._port = port
        self._checkers = checkers or max(1, (os.cpu_count() or 2) - 1)
        self._queue_limit = queue_limit
        self._tls = tls
        self._proxies = tuple(proxies)
        self._gate = gate
        self._recorder = recorder
        self._note = note
        self._beside = beside
        self._housekeeping = housekeeping
        self._ready = ready
        self._progress = progress
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._stop_early = threading.Event()

    def run(self) -> None:
        """Serve until `stop` is called or SIGTERM or SIGINT arrives (in the main thread), then finish what is under way.

        SIGHUP has the files of `tls` read again. Raises UsageError when the address cannot be had, DefinitionError when the
        election cannot be opened, LogError when the log is another election's, and StoreError when the store failed while
        running.
        """
        uvloop.run(self._serve())

    def stop(self) -> None:
        """Ask the service to stop; returns at once."""
        self._stop_early.set()
        loop, stop = self._loop, self._stop
        if loop is not None and stop is not None:
            with contextlib.suppress(RuntimeError):  # The loop has ended by itself.
                loop.call_soon_threadsafe(stop.set)

    async def _serve(self) -> None:
        loop = self._loop = asyncio.get_running_loop()
        stop = self._stop = asyncio.Event()
        if self._stop_early.is_set():
            stop.set()
        checkers = await Checkers.start(self._files, self._checkers)
        intake: Intake | None = None
        try:
            self._check_log(checkers.election_hash)
            for entry in self._log.entries():
                if changes_policy(entry):
                    checkers.apply(entry)
                if self._gate is not None:
                    self._gate.recorded(entry)
            intake = Intake(self._log, checkers, limit=self._queue_limit, gate=self._gate, recorder=self._recorder)
            intake.failed = stop.set
            connections = Connections(
                Api(intake).handle,
                time.monotonic,
                connection_limit(),
                note=self._note,
                network=network_key,
                proxies=read_networks(self._proxies),
            )
            connections.sweep(date_field())
            port = await Port.open(connections, self._host, self._port, self._tls)
        except BaseException:
            await (checkers if intake is None else intake).close()
            raise
        if stop_on_signals(stop):
            loop.add_signal_handler(signal.SIGHUP, self._reload, port)
        keeping = loop.create_task(self._keep(intake, connections))
        beside = [loop.create_task(_accompany(companion, intake)) for companion in self._beside]
        try:
            if self._ready is not None:
                self._ready(port.address)
            await stop.wait()
            if intake.failure is not None:
                await asyncio.sleep(FAILURE_GRACE)
        finally:
            for task in (keeping, *beside):
                task.cancel()
            port.close()
            await asyncio.gather(keeping, *beside, return_exceptions=True)
            await _drain(intake, connections)
            await intake.close()
            if self._progress is not None:
                self._progress(_progress_of(intake))
        if intake.failure is not None:
            raise intake.failure

    def _reload(self, port: Port) -> None:
        """Take new certificates; where they cannot be used, the service goes on with those it has."""
        try:
            port.reload()
        except UsageError as error:
            warnings.warn(str(error), RuntimeWarning, stacklevel=2)

    def _check_log(self, election_hash: bytes) -> None:
        if self._log.find(election_hash) != 0:
            raise LogError("the first entry of the log is not this definition: open the election first, or check the paths")

    async def _keep(self, intake: Intake, connections: Connections) -> None:
        """Once a second: the date, slow connections, housekeeping, progress."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            connections.sweep(date_field())
            if self._progress is not None:
                self._progress(_progress_of(intake))
            if self._housekeeping is not None and intake.failure is None:
                try:
                    await loop.run_in_executor(None, self._housekeeping)
                except ScrutineerError as error:
                    intake.fail(error)


def _progress_of(intake: Intake) -> Progress:
    return Progress(dict(intake.counts), intake.log.size, intake.batches, intake.checkers.restarts, intake.role, intake.trouble)


async def _accompany(companion: Companion, intake: Intake) -> None:
    try:
        await companion(intake)
    except ScrutineerError as error:
        intake.fail(error)


async def _drain(intake: Intake, connections: Connections) -> None:
    """Answer what is under way, for a while; then cut what is left."""
    intake.stop_accepting()
    connections.close()
    deadline = time.monotonic() + GRACE
    while intake.under_way and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    await drain(connections)


@contextlib.contextmanager
def running(
    log: Log, files: ElectionFiles, *, host: str = "127.0.0.1", port: int = 0, housekeeping: Callable[[], object] | None = None
) -> Iterator[Address]:
    """Run the service in a thread for as long as the block lasts. Raises what `Service.run` raises, on entry or on exit."""
    started = threading.Event()
    addresses: list[Address] = []
    errors: list[BaseException] = []

    def ready(address: Address) -> None:
        addresses.append(address)
        started.set()

    service = Service(log, files, host=host, port=port, housekeeping=housekeeping, ready=ready)

    def run() -> None:
        try:
            service.run()
        except BaseException as error:
            errors.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="intake", daemon=True)
    thread.start()
    started.wait()
    try:
        if addresses:
            yield addresses[0]
    finally:
        service.stop()
        thread.join()
    if errors:
        raise errors[0]
