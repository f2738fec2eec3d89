"""The voting machine: from the activation of a ballot to its place in the record, durable at each step.

One `VotingMachine` serves one device. Whoever shows pages to voters calls `prepare`, then `cast`, `challenge` or `spoil`; whoever
serves poll workers calls `activate` and `cancel`. Opening, resuming and closing need two poll workers and are in day.py.

The states, and what leads from one to another, stand in machine_state.py.

What is kept, in which order: a ballot is in the journal before its paper is printed. It is cast from the moment at
which sealed totals that count it and name its code have replaced those before (totals.py); then the journal says so, and then the
voter is told. Where power fails between these two, `resume` finds the code in the totals and completes the journal. A ballot
without such an answer becomes `spoiled`. So totals and journal agree whenever two poll workers have resumed.

Nothing here has a time, a voter's number, or anything else that would lead from a person to a vote.
"""

import contextlib
import hashlib
import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.confirmation import next_chain, paper_serial, tracking_words
from scrutineer.ballots.encrypt import ContestChoice, Encryptor, open_ballot
from scrutineer.ballots.group import RandomBytes
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import Ballot, OpenedBallot, encode_line
from scrutineer.errors import BallotError, ScrutineerError, StoreError
from scrutineer.statements import SigningKey
from scrutineer.station.voting.folder_lock import take_folder
from scrutineer.station.voting.journal import Frame, Journal, Kind
from scrutineer.station.voting.machine_state import WRONG_STATE, Interrupted, MachineState
from scrutineer.station.voting.machine_state import Prepared as Prepared
from scrutineer.station.voting.pad_store import PadStore
from scrutineer.station.voting.past import Activation as Activation
from scrutineer.station.voting.past import Counters as Counters
from scrutineer.station.voting.past import Past, decided_ballots, read_header
from scrutineer.station.voting.totals import RunningTotals, TotalsFile, seal, sealed_to, unseal

JOURNAL_FILE: Final = "ballots.journal"
TOTALS_FILE: Final = "totals.sealed"


@dataclass(frozen=True, slots=True)
class _Secret:
    """What opens the prepared ballot; in memory alone, and only until the voter has decided."""

    nonce: bytes
    choices: Mapping[int, ContestChoice]


class VotingMachine:
    """One device's ballots of one election. Safe to call from several threads; each call returns when its effect is durable.

    A call that does not fit the state is a BallotError and changes nothing. A failure to write is a StoreError; it leaves
    the machine `halted`, unless nothing was changed by then.
    """

    def __init__(
        self,
        folder: Path,
        keys: ElectionKeys,
        station: str,
        device: str,
        *,
        styles: tuple[int, ...],
        random: RandomBytes = secrets.token_bytes,
        window: int = 8,
    ) -> None:
        """Open the machine in a folder. `styles` are the ballot styles of its station; `window` is that of the fixed-base tables.

        Raises StoreError where the folder's files are damaged or belong to another device or election (code `in-use`: another
        program has them open), BallotError for a style that the manifest does not have.
        """
        self.folder: Final = folder
        self.keys: Final = keys
        self.station: Final = station
        self.device: Final = device
        self.styles: Final = styles
        self._random = random
        self._lock = threading.RLock()
        self._zero = RunningTotals.zero(keys.manifest, styles)
        self._header = BundleWriter(keys, station, device, styles).header().rstrip(b"\n")
        self._context = hashlib.sha256(self._header + b"".join(style.to_bytes(4, "big") for style in styles)).digest()
        self._file = TotalsFile(folder / TOTALS_FILE)
        self._totals: RunningTotals | None = None
        self._workers: tuple[bytes, ...] = ()
        self._secret: _Secret | None = None
        self._prepared: Prepared | None = None
        self._interrupted: Interrupted | None = None
        self._halted = False
        self._fresh = True  # until somebody has resumed what was found on the disk
        self._version = 0
        self._journal: Journal | None = None
        self._past: Past | None = None
        self._encryptor = Encryptor(keys, window=window, random=random)
        self._pads = PadStore(self._encryptor, styles)
        self._folder_lock = take_folder(folder)
        try:
            if (folder / JOURNAL_FILE).exists():
                self._take_up(Journal.open(folder / JOURNAL_FILE))
        except BaseException:
            os.close(self._folder_lock)
            raise

    @property
    def state(self) -> MachineState:
        """Where the machine stands."""
        with self._lock:
            past = self._past
            if self._halted:
                return "halted"
            if past is None:
                return "new"
            if past.closed:
                return "closed"
            if self._totals is None:
                return "suspended"
            if past.pending is not None:
                return "prepared"
            return "active" if past.activation is not None else "ready"

    @property
    def version(self) -> int:
        """A number that changes with everything that happens; pages ask for it to see whether they are out of date."""
        return self._version

    @property
    def activation(self) -> Activation | None:
        """The ballot to be filled in, in the states `active` and `prepared`; None in others."""
        with self._lock:
            return self._past.activation if self._past is not None and self._totals is not None else None

    @property
    def prepared(self) -> Prepared | None:
        """The ballot that waits for the voter's answer, in the state `prepared`; None in others."""
        return self._prepared

    @property
    def interrupted(self) -> Interrupted | None:
        """What became of the last ballot before a start of the program; None after the next activation, decision or closing."""
        return self._interrupted

    @property
    def counters(self) -> Counters:
        """How many ballots there were until now."""
        with self._lock:
            return self._past.counters if self._past is not None else Counters()

    @property
    def cast_by_style(self) -> Counter[int]:
        """How many ballots of each style were cast, which anyone can count in the published record."""
        with self._lock:
            return Counter(self._past.cast_by_style if self._past is not None else {})

    # For voters.

    def prepare(self, choices: Mapping[int, ContestChoice]) -> Prepared:
        """Encrypt the ballot of the active style, one choice for each of its contests by number: `active` to `prepared`.

        The ballot is in the chain from here on, whatever the voter decides. Raises BallotError for choices that do not fit the
        manifest.
        """
        with self._lock:
            past = self._in("active")
            style = past.activation.style if past.activation is not None else 0
            self._zero.plus(bytes(32), {contest: choice.values for contest, choice in choices.items()})
            pad = self._pads.take(style)
            encrypted = self._encryptor.encrypt(style, choices, next_chain(past.last_code), pad)
            ballot = msgspec.structs.replace(encrypted.ballot, status="spoiled")
            self._append(Kind.PREPARED, encode_line(ballot))
            self._secret = _Secret(encrypted.nonce, dict(choices))
            serial = paper_serial(ballot.identifier_hash, encrypted.nonce)
            self._prepared = Prepared(ballot.code, tracking_words(ballot.code), serial)
            return self._prepared

    def cast(self) -> None:
        """Cast the prepared ballot, or set it aside where the activation is provisional: `prepared` to `ready`.

        Raises StoreError where it could not be written; while the state is still `prepared`, nothing was changed, and it may be
        tried again.
        """
        with self._lock:
            past, ballot, secret = self._waiting()
            if past.activation is not None and past.activation.provisional:
                self._decide(b"provisional")
                return
            before = self._totals or self._zero
            totals = before.plus(ballot.code, {contest: choice.values for contest, choice in secret.choices.items()})
            self._make_room(64)
            self._file.stage(seal(totals.encode(), self._workers, self._context, self._random))
            with self._halting():
                # From here on the ballot is cast, whatever happens: `resume` finds its code in the totals.
                self._file.commit()
                self._totals = totals
            self._decide(b"cast")

    def challenge(self) -> OpenedBallot:
        """Open the prepared ballot, which will never be counted: `prepared` to `active`."""
        with self._lock:
            _, ballot, secret = self._waiting()
            challenged = msgspec.structs.replace(ballot, status="challenged")
            opened = open_ballot(self.keys, challenged, secret.nonce, secret.choices)
            self._decide(b"challenged\n" + msgspec.json.encode(opened, order="sorted"))
            return opened

    def spoil(self) -> None:
        """Give up the prepared ballot, neither counted nor opened: `prepared` to `active`."""
        with self._lock:
            self._waiting()
            self._decide(b"spoiled")

    # For poll workers.

    def activate(self, style: int, provisional: bool = False) -> None:
        """Let the next voter fill in a ballot of this style: `ready` to `active`."""
        with self._lock:
            self._in("ready")
            if style not in self.styles:
                raise BallotError(f"this machine has no ballot style {style}: it has {', '.join(map(str, self.styles))}")
            self._append(Kind.ACTIVATED, Activation(style, provisional).encode())
            self._interrupted = None

    def cancel(self) -> None:
        """Take back an activation whose voter left: `active` (or `prepared`, whose ballot is spoiled) to `ready`."""
        with self._lock:
            if self.state == "prepared":
                self.spoil()
            self._in("active")
            self._append(Kind.CANCELLED)
            self._interrupted = None

    def begin(self, workers: Sequence[bytes]) -> None:
        """Open the machine with all totals at zero: `new` to `ready`. Who may do so is for day.py to check.

        `workers` are the Ed25519 public keys of the poll workers, any two of whom can resume and close from now on.
        """
        with self._lock:
            if self.state != "new":
                raise BallotError("the machine was opened before, which cannot be done twice: resume it")
            self._file.stage(seal(self._zero.encode(), workers, self._context, self._random))
            with self._halting():
                self._file.commit()
                journal = Journal.create(self.folder / JOURNAL_FILE, self._header)
            self._take_up(journal)
            self._fresh = False
            self._start(self._zero, tuple(workers))

    def suspend(self) -> None:
        """Forget the totals, so that two poll workers are needed to go on: `ready` to `suspended`."""
        with self._lock:
            self._in("ready")
            self._totals = None
            self._pads.stop()
            self._version += 1

    def resume(self, first: SigningKey, second: SigningKey, workers: Sequence[bytes] = ()) -> None:
        """Open the sealed totals and go on: `suspended` to `ready`, or to `active` where a voter was at the machine.

        `workers` are those who can resume and close from now on, where these are others than before.
        Completes what a failure of power interrupted; `interrupted` says how. Raises BallotError for keys that cannot open the
        totals, StoreError where totals and journal do not belong together: one of them was put back from an older copy.
        """
        with self._lock:
            past = self._in("suspended")
            totals, before = self._unseal(first, second)
            if workers and set(workers) != set(before):
                self._file.stage(seal(totals.encode(), workers, self._context, self._random))
                with self._halting():
                    self._file.commit()
            self._start(totals, tuple(workers) or before)
            if past.pending is not None:
                self._decide(b"cast" if totals.last == past.pending.code else b"spoiled")
            if self._fresh and past.decided is not None:
                code, status = past.decided
                self._interrupted = Interrupted(tracking_words(code), status)
            self._fresh = False

    def close(self, first: SigningKey, second: SigningKey) -> RunningTotals:
        """Take no more ballots: `ready` to `closed`; the totals. May be called again until `destroy_totals`.

        Raises BallotError and StoreError as `resume` does.
        """
        with self._lock:
            if self.state != "closed":
                self._in("ready")
            totals, _ = self._unseal(first, second)
            if self.state != "closed":
                self._append(Kind.CLOSED)
            self._totals = self._interrupted = None
            self._pads.stop()
            return totals

    def destroy_totals(self) -> None:
        """Overwrite and delete the sealed totals, once they are signed. Raises OSError."""
        with self._lock:
            self._in("closed")
            self._file.destroy()

    def ballots(self) -> Iterator[tuple[Ballot, OpenedBallot | None]]:
        """All ballots of a closed machine in the order of the chain, a challenged one with its opening; read one by one."""
        self._in("closed")
        if self._journal is not None:
            yield from decided_ballots(self._journal.frames())

    def stop(self) -> None:
        """Let go of the files and end the thread that prepares ballots. What is on the disk stays as it is."""
        with self._lock:
            self._halted = True
            self._forget()
            if self._journal is not None:
                self._journal.close()
            if self._folder_lock >= 0:
                os.close(self._folder_lock)
                self._folder_lock = -1

    def _in(self, *wanted: MachineState) -> Past:
        """What happened until now. Raises BallotError in any other state."""
        state = self.state
        if state not in wanted or self._past is None:
            raise BallotError(WRONG_STATE[state])
        return self._past

    def _waiting(self) -> tuple[Past, Ballot, _Secret]:
        past = self._in("prepared")
        if past.pending is None or self._secret is None:
            raise BallotError(WRONG_STATE["active"])
        return past, past.pending, self._secret

    def _take_up(self, journal: Journal) -> None:
        try:
            frames = journal.frames()
            header = read_header(frames)
            if encode_line(header) != self._header:
                raise StoreError(
                    f"{self.folder / JOURNAL_FILE} belongs to another machine or election: put back the one of this machine"
                )
            past = Past(header)
            for frame in frames:
                past.apply(frame)
        except ScrutineerError:
            journal.close()
            raise
        self._journal, self._past = journal, past

    def _unseal(self, first: SigningKey, second: SigningKey) -> tuple[RunningTotals, tuple[bytes, ...]]:
        past = self._past
        data = self._file.read()
        totals = self._zero.decode(unseal(data, first, second, self._context))
        if past is not None:
            agreed = (totals.cast, totals.last) == (past.counters.cast, past.last_cast)
            pending = past.pending
            ahead = pending is not None and (totals.cast, totals.last) == (past.counters.cast + 1, pending.code)
            if agreed or ahead:
                return totals, sealed_to(data, self._context)
        raise StoreError(
            f"{self._file.path} and {self.folder / JOURNAL_FILE} do not belong together: one of them lacks ballots, as after "
            "a copy was put back; keep the folder as it is, and tell the centre"
        )

    def _start(self, totals: RunningTotals, workers: tuple[bytes, ...]) -> None:
        with contextlib.suppress(OSError):
            self._file.discard()
        self._totals, self._workers = totals, workers
        self._secret = self._prepared = None
        self._pads.start()
        self._version += 1

    def _decide(self, content: bytes) -> None:
        self._append(Kind.DECIDED, content)
        self._secret = self._prepared = self._interrupted = None

    def _append(self, kind: Kind, content: bytes = b"") -> None:
        """Write a frame and take note of it. Where there is no room nothing is changed; any other failure halts the machine."""
        self._make_room(len(content))
        with self._halting():
            if self._journal is not None and self._past is not None:
                self._journal.append(kind, content)
                self._past.apply(Frame(kind, content))
        self._version += 1

    def _make_room(self, size: int) -> None:
        if self._journal is not None:
            self._journal.make_room(size)

    @contextlib.contextmanager
    def _halting(self) -> Iterator[None]:
        try:
            yield
        except (OSError, StoreError) as error:
            self._halted = True
            self._forget()
            why = error.strerror if isinstance(error, OSError) else str(error)
            raise StoreError(f"the disk of the voting machine could not be written ({why}): {WRONG_STATE['halted']}") from error

    def _forget(self) -> None:
        self._totals = self._secret = self._prepared = None
        self._pads.stop()
        self._version += 1
