"""The attack record of one intake service: hears of every refusal, writes a window a minute, has a summary signed every hour.

    record = IncidentRecord.open(folder, election_hash, warn=print)
    try:
        Service(log, files, note=record.note, beside=[record.companion(sign)], ...).run()
    finally:
        record.close()

What counts is the order of events: windows are measured by a clock that never jumps, and give the time of day as it was told.
A kill loses at most the window that was open. No failure of the record stops the service: what cannot be written is counted, said
in one line, and stands in the next record that can.
"""

import asyncio
import functools
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from scrutineer.durable import write_whole
from scrutineer.errors import ScrutineerError, StoreError
from scrutineer.http.networks import network_key, network_text
from scrutineer.intake.incidents.chain import MAX_LISTED, Summarised, Unwritten, Window
from scrutineer.intake.incidents.journal import Journal
from scrutineer.intake.incidents.kinds import KIND_BY_REASON
from scrutineer.intake.incidents.summary import summarise
from scrutineer.intake.incidents.tally import Tally
from scrutineer.intake.service import Answer, Intake
from scrutineer.statements import Incident, parse_statement, statement_hash
from scrutineer.statements.incident import REQUEST_KINDS, RequestKind
from scrutineer.statements.tally_sheet import MAX_TIME

WINDOW: Final = 60.0  # seconds
SUMMARY: Final = 3_600.0  # seconds between summaries
ANSWER_TIMEOUT: Final = 20.0  # seconds to wait for a summary's receipt
PENDING: Final = "summary.cose"
"""The newest signed summary, from before it is submitted until its receipt is noted in the journal."""

Sign = Callable[[Incident], bytes]
T = TypeVar("T")


class IncidentRecord:
    """Counts refusals and keeps them. `note` belongs to one thread, the event loop's; `open` and `close` to whoever holds it."""

    def __init__(
        self,
        journal: Journal,
        election: bytes,
        *,
        window: float,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        warn: Callable[[str], object],
    ) -> None:
        """Use `open`."""
        self._journal = journal
        self._election = election
        self._window = window
        self._clock = clock
        self._monotonic = monotonic
        self._warn = warn
        self._unwritten: Unwritten | None = None
        self._failing: dict[str, str] = {}
        # One thread writes, so that records stand in the order in which windows were closed.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="incidents")
        self._begin()

    @classmethod
    def open(
        cls,
        folder: Path,
        election: bytes,
        *,
        window: float = WINDOW,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        warn: Callable[[str], object] = lambda _: None,
    ) -> "IncidentRecord":
        """Open or begin the journal in a folder, for the election of this hash. Raises UsageError where that cannot be.

        `window` is in seconds, `clock` tells seconds since 1970 and `monotonic` seconds from anywhere that never jump; `warn`
        hears a line, from any thread, when the record cannot be kept and when it can again.
        """
        journal = Journal.open(folder, election)
        return cls(journal, election, window=window, clock=clock, monotonic=monotonic, warn=warn)

    def note(self, reason: str, peer: str) -> None:
        """Count a refusal, or a 'duplicate': why, and the address it came from, of which only the network is kept."""
        tally = self._tallies.get(reason)
        if tally is None:
            tally = self._tallies["other"]
        tally.add(network_key(peer))

    def companion(self, sign: Sign | None, every: float = SUMMARY) -> Callable[[Intake], Coroutine[object, object, None]]:
        """What runs beside the service: writes windows, and once in `every` seconds, and at the end, submits a signed summary.

        `sign` makes the statement of an incident with the operator's key; without it nothing is summed up.
        """

        async def run(intake: Intake) -> None:
            due = self._monotonic() + every
            try:
                while True:
                    await asyncio.sleep(max(0.0, min(self._ends, due) - self._monotonic()))
                    now = self._monotonic()
                    if now >= self._ends or now >= due:
                        await self._in_thread(self._close_window())
                    if now >= due:
                        due = now + every
                        await self._summarise(intake, sign)
            except asyncio.CancelledError:
                await self._in_thread(self._close_window())
                await self._summarise(intake, sign)
                raise

        return run

    def flush(self) -> None:
        """End the window that is open, and write it; nothing where it holds nothing."""
        self._writer.submit(self._close_window()).result()

    def close(self) -> None:
        """Write what is still open, and let another process have the journal."""
        self.flush()
        self._writer.shutdown()
        self._journal.close()

    # Windows

    def _begin(self) -> None:
        self._since, self._begun = self._time(), self._monotonic()
        self._ends = self._begun + self._window
        self._kinds: dict[RequestKind, Tally] = {kind: Tally() for kind in REQUEST_KINDS}
        self._tallies: dict[str, Tally] = {reason: self._kinds[kind] for reason, kind in KIND_BY_REASON.items()}
        self._tallies["other"] = self._kinds["other"]

    def _time(self) -> int:
        """The time of day as told, in what a statement can hold."""
        return max(0, min(int(self._clock()), MAX_TIME - 1))

    def _close_window(self) -> Callable[[], None]:
        """End the window that is open and begin the next; what is returned writes the ended one."""
        kinds, since, lasted = self._kinds, self._since, self._monotonic() - self._begun
        until = self._time()
        self._begin()

        def write() -> None:
            counts = {kind: (tally.total, _listed(tally)) for kind, tally in kinds.items() if tally.total}
            if not counts and self._unwritten is None:
                return
            window = Window(since=since, until=until, lasted=int(1000 * lasted), counts=counts, unwritten=self._unwritten)
            try:
                self._journal.append(window)
            except StoreError as error:
                self._keep_unwritten(window)
                self._say(
                    "journal", f"the attack record is not kept: {error}; the service goes on, and what it refuses is counted"
                )
            else:
                self._unwritten = None
                self._say("journal", "")

        return write

    def _keep_unwritten(self, window: Window) -> None:
        known = window.unwritten
        times = [window.since, window.until, *((known.since, known.until) if known else ())]
        windows = (known.windows if known else 0) + bool(window.counts)
        self._unwritten = Unwritten(windows=windows, since=min(times), until=max(times), counts=window.totals)

    def _say(self, part: str, line: str) -> None:
        """Say once what fails, and once (an empty line) that it does not any more."""
        if self._failing.get(part, "") != line:
            self._failing[part] = line
            self._warn(line or f"the {part} of the attack record is kept again")

    # Summaries

    async def _summarise(self, intake: Intake, sign: Sign | None) -> None:
        """Submit what was signed before and has no receipt, then what came since."""
        if sign is None:
            return
        try:
            for make in (self._pending, functools.partial(self._sign, sign)):
                statement = await self._in_thread(make)
                if statement is None:
                    continue
                problem = (await _submitted(intake, statement)).problem
                if problem is None:
                    await self._in_thread(functools.partial(self._note_summary, statement))
                elif problem.retry_after is None:
                    await self._in_thread(self._forget_pending)
                    raise StoreError(f"it was refused: {problem.detail}")
                else:
                    raise StoreError(problem.detail)
        except (ScrutineerError, TimeoutError) as error:
            self._say("summary", f"the summary of refused requests is not in the log: {error or 'no answer'}; it is tried again")
        else:
            self._say("summary", "")

    def _pending(self) -> bytes | None:
        """The summary that was signed and is not known to be in the log."""
        try:
            statement = (self._journal.folder / PENDING).read_bytes()
            summary = _summary_of(statement)
        except (OSError, ScrutineerError):
            return None
        requests = summary.requests
        if (
            requests is None
            or requests.journal.hex() != self._journal.place.journal
            or requests.last <= self._journal.place.covered
        ):
            self._forget_pending()
            return None
        return statement

    def _sign(self, sign: Sign) -> bytes | None:
        """Sign what came since the last summary and keep it, so that after any crash the same bytes are submitted again."""
        place = self._journal.place
        incident = summarise(self._journal.records(place.covered + 1), self._election)
        if incident is None:
            return None
        statement = sign(incident)
        path = self._journal.folder / PENDING
        try:
            write_whole(path, statement)
        except OSError as error:
            raise StoreError(f"{path} cannot be written ({error.strerror}): make room") from error
        return statement

    def _note_summary(self, statement: bytes) -> None:
        requests = _summary_of(statement).requests
        if requests is not None:
            noted = Summarised(statement=statement_hash(statement).hex(), first=requests.first, last=requests.last)
            self._journal.append(noted, covered=requests.last)
        self._forget_pending()

    def _forget_pending(self) -> None:
        with suppress(OSError):
            (self._journal.folder / PENDING).unlink()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        # Shielded: what waits for the thread when the service stops is still done.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._writer, work))


def _listed(tally: Tally) -> dict[str, int]:
    return {network_text(network): count for network, count in tally.top(MAX_LISTED)}


def _summary_of(statement: bytes) -> Incident:
    payload = parse_statement(statement).payload
    if not isinstance(payload, Incident):
        raise StoreError("the summary that waits to be submitted is another statement")
    return payload


async def _submitted(intake: Intake, statement: bytes) -> Answer:
    """The intake's answer. Raises TimeoutError where none comes."""
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    intake.submit(statement, lambda answer: None if answered.done() else answered.set_result(answer))
    return await asyncio.wait_for(answered, ANSWER_TIMEOUT)
