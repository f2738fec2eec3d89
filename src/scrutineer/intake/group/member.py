"""One process of several on one store: it follows the log, hands checked statements to the one that leads, and can take over.

Three threads wait for the server, so that the event loop never does: the *watch* hears calls and follows the log; the *stand-in*
waits for the lock and holds it while this process leads; the *courier* carries parcels to and from the inbox. All state is the
event loop's, except `_seen`, of which `_follow` tells.
"""

import asyncio
import random
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from scrutineer.errors import PolicyError, ScrutineerError, StoreError
from scrutineer.intake.group.courier import Courier
from scrutineer.intake.group.inbox import Inbox, Listener, Refusal
from scrutineer.intake.group.waiting import Waiting
from scrutineer.intake.sequencer import FOLLOWS, LEADS, WAITS, Done, Queue, Sequencer
from scrutineer.intake.service import OUT_OF_REACH, Intake
from scrutineer.log import Integrated, SharedLog
from scrutineer.log.postgresql import PostgresqlStore
from scrutineer.statements.statement import statement_hash

POLL: Final = 0.25  # seconds after which the log and the inbox are looked at without a call
HOLD: Final = 1.0  # seconds for which a lost connection is not yet trouble: what waits goes on waiting
SILENCE: Final = 5.0  # seconds after which a server that does not answer is trouble
PATIENCE: Final = 10.0  # seconds that a statement waits for another process to record it
LONGEST_PAUSE: Final = 2.0  # seconds between two attempts to reach the server
TERM: Final = 86_400.0  # seconds that the stand-in waits for the lock before it asks anew

Say = Callable[[str], object]


class Member:
    """The recorder of one process of a group; see `Recorder`. To be made in the event loop, on a log that is up to date."""

    def __init__(
        self, log: SharedLog, store: PostgresqlStore, intake: Intake, *, say: Say, chance: random.Random | None = None
    ) -> None:
        """Take the log's own store, opened by `open_member`, and begin to follow.

        `say` gets one plain line when the store goes, when it is back, and when this process begins or ceases to lead.
        `chance` spreads the attempts of several processes.
        """
        self._batches = 0  # of terms that have ended
        self._log = log
        self._store = store
        self._intake = intake
        self._say = say
        self._chance = chance or random.Random()  # noqa: S311
        self._loop = asyncio.get_running_loop()
        self._waiting = Waiting()
        inbox = Inbox(store.address, secrets.token_bytes(16))
        self._courier = Courier(inbox, self._waiting, log, intake.checkers, say=say, failed=self._fail)
        self._trouble: str | None = None
        self._gone_since: float | None = None  # when the trouble was said, until its end is said as well
        self._barred: str | None = None  # why this process cannot lead, where it is not that another does
        self._unwritable = False  # the trouble is that the store does not take a batch, though it can be reached
        self._sequencer: Sequencer | None = None
        self._seen = log.size
        self._following = threading.Lock()
        self._leading = False
        self._silent = False
        self._watch_beat = self._lead_beat = time.monotonic()
        self._over = threading.Event()
        self._closing = threading.Event()
        self._closed = False
        self._challenged = time.monotonic()
        self._listener: Listener | None = None
        self._threads = [threading.Thread(target=work, name=work.__name__, daemon=True) for work in (self._watch, self._stand_in)]
        for thread in self._threads:
            thread.start()
        self._tick()

    @property
    def batches(self) -> int:
        """Commits of this process so far, that is, flushes."""
        return self._batches + (0 if self._sequencer is None else self._sequencer.batches)

    @property
    def role(self) -> str:
        """What this process does: `LEADS`, `FOLLOWS` or `WAITS`."""
        if self._trouble is not None:
            return WAITS
        return FOLLOWS if self._sequencer is None else LEADS

    @property
    def trouble(self) -> str | None:
        """In one sentence for the operator, why nothing can be recorded at the moment; None where it can."""
        return self._trouble

    def put(self, data: bytes, done: Done) -> None:
        """Take a checked statement; `done` gets the result, now or later, from the event loop."""
        if self._sequencer is not None:
            self._sequencer.put(data, done)
        elif self._trouble is not None:
            done(StoreError(OUT_OF_REACH))
        else:
            leaf = statement_hash(data)
            index = self._log.find(leaf)
            if index is not None:
                done(self._log.integrated(index))
                return
            self._waiting.add(leaf, data, done, time.monotonic())
            self._courier.soon()

    async def close(self) -> None:
        """Commit what is queued where this process leads, and let another lead; what waits for another is answered."""
        self._closed = self._courier.resting = True
        if self._sequencer is not None:
            await self._sequencer.close()
        self._closing.set()
        self._over.set()
        if self._listener is not None:
            self._listener.hang_up()
        self._courier.stop()
        await self._courier.close()
        for work in (self._store.close, *(thread.join for thread in self._threads)):
            await self._loop.run_in_executor(None, work)
        self._tell(self._waiting.clear(), StoreError(OUT_OF_REACH))

    # On the event loop

    def _tick(self) -> None:
        if self._closed:
            return
        now = time.monotonic()
        beat = self._watch_beat if self._sequencer is None else min(self._watch_beat, self._lead_beat)
        if now - beat > SILENCE:
            self._silent = True
            self._down(str(self._store.address.error(f"the server has not answered for {SILENCE:.0f} seconds")))
        elif self._silent:
            self._silent = False
            self._up()
        late = self._waiting.late(now - PATIENCE)
        if late and self._barred is not None:
            # Nobody records, and this is why it is not this process.
            self._unwritable = True
            self._down(self._barred)
        elif late and self._sequencer is None and self._trouble is None:
            self._challenge(now)
        for done in late:
            done(StoreError("no process that records has taken it within ten seconds; send it again in a little while"))
        self._courier.look()
        self._loop.call_later(POLL, self._tick)

    def _challenge(self, now: float) -> None:
        """Take the lead from a process that holds it and records nothing, such as one that was stopped or hangs in its disk.

        The lock alone tells that its session lives, not that it works.
        """
        if now - self._challenged < PATIENCE:
            return
        self._challenged = now

        def end() -> None:
            try:
                ended = self._store.end_other_lead()
            except StoreError:
                return  # The watch says what is the matter with the store.
            if ended:
                self._call(self._say, "The process that leads has recorded nothing for ten seconds: another takes the lead.")

        threading.Thread(target=end, name="challenge", daemon=True).start()

    def _taken_in(self, start: int, entries: list[tuple[bytes, bytes]], answers: dict[int, Integrated]) -> None:
        """Hear what another process recorded, in log order, and answer those who wait for it."""
        for index, (leaf, data) in enumerate(entries, start):
            self._intake.recorded(data)
            fresh = True
            for done in self._waiting.remove(leaf):
                found = answers.get(index) or self._log.integrated(index)
                done(Integrated(index, found.size, found.receipt, fresh))
                fresh = False
        self._written()

    def _refused(self, refusals: list[Refusal]) -> None:
        for leaf, code, detail in refusals:
            for done in self._waiting.remove(leaf):
                done(PolicyError(detail, code=code))

    def _begin_leading(self, fence: int) -> None:
        if self._closed:
            return
        term: list[Sequencer] = []

        def recorded(data: bytes) -> None:
            # After the end of a term the watch tells of its last entries.
            if self._sequencer is term[0]:
                self._seen += 1
                self._intake.recorded(data)
                self._written()

        def unrecorded(waiting: Queue, error: StoreError) -> None:
            self._end_leading(term[0], error)
            self._wait_again(waiting)

        sequencer = Sequencer(self._log.append, recorded=recorded, failed=self._fail, unrecorded=unrecorded)
        term.append(sequencer)
        self._sequencer = sequencer
        self._lead_beat = time.monotonic()
        if self._unwritable:
            self._try_again()
        else:
            self._up()
            self._say("This process leads now: it writes the log.")
        for data, done in self._waiting.clear():
            sequencer.put(data, done)
        self._courier.lead(sequencer, fence)

    def _end_leading(self, sequencer: Sequencer | None, error: StoreError) -> None:
        if sequencer is None or self._sequencer is not sequencer:
            return
        self._batches, self._sequencer = self._batches + sequencer.batches, None
        self._courier.follow()
        waiting = sequencer.stop(error)
        if self._store.leads:
            # The connection is whole, so it is the batch that the store does not take: a full disk, for one.
            self._unwritable = True
            self._down(str(error))
        self._leading = False
        self._over.set()
        self._wait_again(waiting)

    def _wait_again(self, queue: Queue) -> None:
        for data, done in queue:
            self.put(data, done)

    def _written(self) -> None:
        if self._unwritable:
            self._unwritable = False
            self._up()

    def _down(self, trouble: str) -> None:
        """Take note that the store is out of reach, and say so once."""
        self._trouble = trouble
        self._courier.resting = True
        if self._gone_since is None:
            self._gone_since = time.monotonic()
            self._say(f"Nothing can be recorded until the store is back: {trouble}")
        self._tell(self._waiting.clear(), StoreError(OUT_OF_REACH))

    def _try_again(self) -> None:
        """Take statements again; where a batch failed, the next one shows whether it is over, and until then nothing is said."""
        self._trouble = None
        self._courier.resting = self._closed

    def _unreachable(self, trouble: str) -> None:
        if self._sequencer is None:
            self._down(trouble)

    def _up(self) -> None:
        """Take note that the store is there, and say so where it was said to be gone."""
        if self._unwritable or self._silent:
            return
        self._try_again()
        self._waiting.resend()
        self._courier.soon()
        if self._gone_since is not None:
            self._say(
                f"The store is back after {time.monotonic() - self._gone_since:.1f} seconds: statements are recorded again."
            )
            self._gone_since = None

    def _tell(self, queue: Queue, error: ScrutineerError) -> None:
        for _, done in queue:
            done(error)

    def _fail(self, error: BaseException) -> None:
        known = error if isinstance(error, ScrutineerError) else StoreError(f"the log failed unexpectedly: {error!r}")
        self._trouble = str(known)
        self._tell(self._waiting.clear(), StoreError(OUT_OF_REACH))
        if not self._closed:
            self._intake.fail(known)

    # In threads

    def _call(self, callback: Callable[..., object], *arguments: object) -> None:
        """Have something done on the event loop, in the order of these calls."""
        try:
            self._loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:
            self._closing.set()  # The loop has ended.

    def _watch(self) -> None:
        """Hear the calls of the others, and follow the log, until the service ends."""
        failing: float | None = None
        attempts = 0
        while not self._closing.is_set():
            listener: Listener | None = None
            try:
                listener = self._listener = Listener(self._store.address)
                self._follow()
                failing, attempts = None, 0
                self._call(self._up)
                while not self._closing.is_set():
                    self._watch_beat = time.monotonic()
                    calls = listener.wait(POLL)
                    self._follow()
                    if calls.refused:
                        self._call(self._refused, calls.refused)
                    if calls.led:
                        self._call(self._led)
                    if calls.arrived:
                        self._call(self._courier.look)
            except StoreError as error:
                if self._closing.is_set() or self._gave_up():
                    return
                now = self._watch_beat = time.monotonic()
                failing = failing or now
                if now - failing >= HOLD:
                    self._call(self._unreachable, str(error))
                attempts += 1
                self._pause(attempts)
            except Exception as error:  # Also LogError: this log is not the one that it was.
                self._call(self._fail, error)
                return
            finally:
                if listener is not None:
                    listener.close()

    def _stand_in(self) -> None:
        """Wait until no other process leads; then lead, until the store is lost or the service ends."""
        attempts = 0
        while not self._closing.is_set():
            try:
                self._barred = None
                fence = self._store.lead(TERM)
                attempts = attempts if self._unwritable else 0
                self._follow(lead=True)
                self._over.clear()
                self._call(self._begin_leading, fence)
                while not self._over.wait(POLL):
                    self._store.check_lead()
                    self._lead_beat = time.monotonic()
            except StoreError as error:
                if not self._leading:
                    self._barred = str(error)
                else:
                    self._call(lambda error: self._end_leading(self._sequencer, error), error)
                    while not self._over.is_set() and not self._closing.is_set():
                        self._over.wait(POLL)
                if self._gave_up():
                    return
            except Exception as error:
                self._call(self._fail, error)
                return
            # What is written by a commit that still runs is found in the log afterwards, or cut off by the next fence.
            self._store.step_down()
            attempts += 1
            self._pause(attempts)

    def _follow(self, *, lead: bool = False) -> None:
        """Take in what was recorded elsewhere and have it told; with `lead` this process is the one that records from then on.

        `_seen` counts the entries that were told. It belongs to whoever holds `_following`; while this process leads, to the
        event loop, which counts what it recorded itself.
        """
        with self._following:
            while not self._leading:
                self._watch_beat = time.monotonic()
                entries = self._log.follow(self._seen)
                if not entries:
                    self._leading = lead
                    return
                wanted = [self._seen + place for place, (leaf, _) in enumerate(entries) if leaf in self._waiting]
                found = {one.index: one for one in self._log.integrated_many(wanted)}
                self._call(self._taken_in, self._seen, entries, found)
                self._seen += len(entries)

    def _gave_up(self) -> bool:
        """Whether the store does not work again unless it is opened anew."""
        stopped = self._store.stopped
        if stopped is not None and not self._closing.is_set():
            self._call(self._fail, stopped)
        return stopped is not None

    def _pause(self, attempts: int) -> None:
        longest = min(LONGEST_PAUSE, 0.05 * 2 ** min(attempts, 10))
        self._closing.wait(self._chance.uniform(longest / 2, longest))

    def _led(self) -> None:
        """A process has begun to lead: what the one before had taken out of the inbox goes in again."""
        if self._unwritable:
            self._try_again()
        self._waiting.resend()
        self._courier.soon()
