"""Collecting cosignatures beside the intake service, and for a publication: whom to ask, what is kept, what is an alarm.

`serve` wires it like this:

    cosigning = cosigning_of(office, witness_options, without, say)   # None where the definition names no witnesses
    cosigning.before(log)                                   # refuses to start on a log that its witnesses contradict
    Service(..., beside=[cosigning])
"""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from scrutineer.cli.office import RECORD, Office
from scrutineer.election.definition import Definition
from scrutineer.election.witness_policy import check_url
from scrutineer.errors import DefinitionError, LogError, NoteError, StoreError, UsageError
from scrutineer.intake.sequencer import LEADS
from scrutineer.intake.service import Intake
from scrutineer.log import Log, LogVerifier
from scrutineer.log.note import Note, SignatureLine, format_note, parse_note
from scrutineer.log.quorum import Cosigners, Quorum, find_cosigners
from scrutineer.witness import Collected, Trouble, WitnessAddress
from scrutineer.witness.client import client, collect_from
from scrutineer.witness.cosigned import (
    EVIDENCE,
    CosignedCheckpoint,
    CosignedFile,
    check_continues,
    check_frozen,
    freeze,
    keep_alarm,
)

if TYPE_CHECKING:
    import httpx

PAUSE: Final = 1.0  # seconds between two rounds
AGAIN: Final = 5.0  # seconds before a witness that gave no cosignature is asked again for the same head
GRACE: Final = 2.0  # seconds that slow witnesses have once the quorum has cosigned; nobody waits for them here
TIMEOUT: Final = 5.0  # seconds for one witness
FIRST: Final = 2.0  # seconds for it before the service starts, which has to wait for that

Say = Callable[[str], object]
"""Told one plain line for the operator."""

witness_option = click.option(
    "--witness",
    "witnesses",
    metavar="NAME=URL",
    multiple=True,
    help="Where a witness that the definition names is asked, where it is not there or has moved; repeatable.",
)
without_option = click.option(
    "--without-witness",
    "without",
    metavar="NAME",
    multiple=True,
    help="Do not ask this witness; for one that was found to be wrong. The quorum stays what the definition says.",
)


class WitnessState(NamedTuple):
    """How it stands with one witness."""

    name: str
    url: str
    """Empty where nobody said where it is asked."""
    size: int
    """Entries at the last head that it cosigned while this program ran; 0 where none."""
    time: int
    """When that was, in POSIX seconds."""
    trouble: str
    """Why it has not cosigned the newest head; empty where it has."""
    since: int
    """Since when it is in trouble, in POSIX seconds; 0 where it is not."""


class CosigningState(NamedTuple):
    """How it stands with all of them."""

    quorum: int
    cosigned: int
    """Entries at the newest head that carries the quorum; 0 where none does."""
    witnesses: tuple[WitnessState, ...]


class Cosigning:
    """Collects cosignatures for the newest head of a log, and keeps the newest cosigned checkpoint.

    As a companion of the intake service it never holds up an acknowledgement. A witness that cannot be had, a full disk, a quorum
    that is not reached: each is said when it begins and when it ends, and intake goes on. A witness that has cosigned another
    or a longer history is an alarm: what it said is kept as evidence, and as many of them as `_enough` says stop the service.
    """

    def __init__(
        self,
        folder: Path,
        log: LogVerifier,
        quorum: Quorum,
        addresses: Sequence[WitnessAddress],
        say: Say,
        *,
        leads: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder` holds the record; `leads` tells, before the service runs, whether no other process can be writing the log."""
        self.quorum = quorum
        self.kept = CosignedFile(folder, log, quorum)
        self._folder = folder
        self._addresses = tuple(addresses)
        self._say = say
        self._leads = leads
        self._clock = clock
        self._monotonic = monotonic
        self._text = b""
        """The head that is being cosigned, and the lines that were had for it, by witness."""
        self._lines: dict[str, tuple[SignatureLine, ...]] = {}
        self._again: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self._troubles: dict[str, tuple[Trouble, int]] = {}
        self._suspects: set[str] = set()
        self._contradicting: dict[str, Trouble] = {}
        """Witnesses that have cosigned another history than this log's, or say so."""
        self._cosigned = 0
        self._pending = False
        self._unkept = ""
        self._cosigners: Cosigners | None = None
        self._newest: CosignedCheckpoint | None = None
        """The cosigned checkpoint of the head that is being cosigned, once it has the quorum."""

    @property
    def state(self) -> CosigningState:
        """How it stands now."""
        urls = {address.name: address.url for address in self._addresses}
        witnesses = []
        for name in self.quorum.names:
            trouble, since = self._troubles.get(name, (None, 0))
            words = trouble.detail if trouble is not None else "" if name in urls else "no address is known for it"
            size, at = self._sizes.get(name, 0), self._times.get(name, 0)
            witnesses.append(WitnessState(name, urls.get(name, ""), size, at, words, since))
        return CosigningState(self.quorum.needed, self._cosigned, tuple(witnesses))

    @property
    def cosigners(self) -> Cosigners | None:
        """Who has cosigned the head that was asked for last; None before the first round."""
        return self._cosigners

    async def __call__(self, intake: Intake) -> None:
        """Go on until cancelled. Raises LogError for an alarm."""
        self._begin()
        async with client() as http:
            while True:
                # Of several processes on one store, the others may know of the newest head later than the witnesses do.
                if intake.role == LEADS:
                    await self.round(http, intake.log)
                await asyncio.sleep(PAUSE)

    def before(self, log: Log) -> None:
        """Ask once before anything is taken in. Raises LogError where the log was frozen, or is not the one that was cosigned.

        Where another process may be writing the log, nobody is asked yet: that one knows of newer heads.
        """
        check_frozen(self._folder)
        if not self._leads():
            return
        self._check_kept(log)

        async def ask() -> None:
            async with client() as http:
                # Nobody else writes the log: what a witness says now cannot be a head that we have not heard of yet.
                await self.round(http, log, sure=True)

        asyncio.run(ask())

    async def round(self, http: "httpx.AsyncClient", log: Log, *, sure: bool = False) -> CosignedCheckpoint | None:
        """Ask those who have not cosigned the newest head; the cosigned checkpoint where there is one for that head now.

        Raises LogError for an alarm; with `sure` also where a witness is ahead for the first time.
        """
        if log.head is None:
            return None
        checkpoint = log.checkpoint()
        note = parse_note(checkpoint)
        if note.text != self._text:
            # What is kept may have been put back together with the log: the first time, the witnesses themselves are asked.
            known = {} if sure else self._known_lines(note.text)
            self._text, self._lines, self._again, self._newest = note.text, known, {}, None
        now = self._monotonic()
        asked = [w for w in self._addresses if w.name not in self._lines and self._again.get(w.name, now) <= now]
        if asked:
            wanted = max(1, min(len(asked), self.quorum.needed - len(self._lines)))
            found = await collect_from(
                http,
                checkpoint,
                lambda old: log.consistency(old, _size(note.text)),
                asked,
                wanted,
                sizes=self._sizes,
                timeout=FIRST if sure else TIMEOUT,
                grace=GRACE,
                clock=self._clock,
            )
            self._hear(found, log, sure)
        elif self._newest is not None and not self._unkept:
            return self._newest
        whole = format_note(Note(note.text, note.signatures + tuple(line for lines in self._lines.values() for line in lines)))
        cosigners = self._cosigners = find_cosigners(whole, self.quorum)
        if self._contradicting and (len(self._contradicting) >= self._enough or (sure and not cosigners.complete)):
            self._alarm(checkpoint)
        self._tell_quorum(cosigners)
        if not cosigners.complete:
            return None
        await self._keep(whole)
        self._cosigned = max(self._cosigned, _size(note.text))
        self._newest = self.kept.open(whole)
        return self._newest

    # ----------------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        known = {address.name for address in self._addresses}
        without = [name for name in self.quorum.names if name not in known]
        if len(known) < self.quorum.needed:
            self._say(
                f"{len(known)} of {len(self.quorum.names)} witnesses can be asked, and {self.quorum.needed} are needed: heads "
                f"stay pending; say where the others are asked with --witness NAME=URL ({', '.join(without)})"
            )

    def _check_kept(self, log: Log) -> None:
        try:
            kept = self.kept.read()
        except NoteError as error:
            self._say(str(error))
            return
        if kept is not None:
            size = kept.checkpoint.size
            check_continues(kept, log.size, log.root(size) if size <= log.size else None, self.kept.path)
            self._cosigned = size

    def _known_lines(self, text: bytes) -> dict[str, tuple[SignatureLine, ...]]:
        """The lines that were kept for this head before a restart."""
        try:
            kept = self.kept.read()
        except (NoteError, StoreError):
            return {}
        note = None if kept is None else parse_note(kept.note)
        if kept is None or note is None or note.text != text:
            return {}
        return {name: _lines_of(note, name) for name in kept.cosigners.cosigned}

    def _hear(self, found: Collected, log: Log, sure: bool) -> None:
        now = int(self._clock())
        answered = parse_note(found.checkpoint)
        for name in found.cosigners:
            self._lines[name] = _lines_of(answered, name)
            self._sizes[name], self._times[name] = found.size, now
            self._suspects.discard(name)
            self._contradicting.pop(name, None)
            if self._troubles.pop(name, None) is not None:
                self._say(f"Witness {name} cosigns again.")
        for trouble in found.troubles:
            if trouble.kind == "ahead" and trouble.size <= log.size:
                continue  # The log has grown meanwhile, and another program has had its newer head cosigned.
            self._again[trouble.witness] = self._monotonic() + AGAIN
            before = self._troubles.get(trouble.witness)
            self._troubles[trouble.witness] = (trouble, now if before is None else before[1])
            if trouble.kind == "contradicted" or (trouble.kind == "ahead" and (sure or trouble.witness in self._suspects)):
                self._contradict(trouble, answered)
            elif trouble.kind == "ahead":
                self._suspects.add(trouble.witness)
                self._again.pop(trouble.witness)
            elif before is None or before[0].kind != trouble.kind:
                self._say(f"Witness {trouble.witness} does not cosign: {trouble.detail}.")

    @property
    def _enough(self) -> int:
        """How many contradicting witnesses stop the log.

        As many as make a quorum, or as many as leave none possible. Fewer may be wrong, and one organisation must not be able to
        stop an election.
        """
        return min(self.quorum.needed, len(self.quorum.names) - self.quorum.needed + 1)

    def _contradict(self, trouble: Trouble, ours: Note) -> None:
        """Keep what a contradicting witness said, and say it once."""
        if trouble.witness not in self._contradicting:
            try:
                kept = self.kept.path.read_bytes() if self.kept.path.exists() else None
                keep_alarm(self._folder, trouble, format_note(ours), kept)
                where = f"see {self._folder / EVIDENCE}"
            except OSError as error:
                where = f"the evidence cannot be kept: {error.strerror}"
            self._say(f"ALARM: witness {trouble.witness} will not cosign what this log has signed: {trouble.detail}; {where}")
        self._contradicting[trouble.witness] = trouble

    def _alarm(self, ours: bytes) -> None:
        """Freeze the log, and stop. Raises LogError."""
        count = f"{len(self._contradicting)} of {len(self.quorum.names)}"
        reason = f"{count} witnesses have cosigned another history than this ({', '.join(self._contradicting)})"
        unkept = ""
        try:
            freeze(self._folder, reason)
        except OSError as error:
            unkept = f" (this cannot be kept: {error.strerror})"
        raise LogError(
            f"ALARM: {reason}, and will not cosign the head at {_size(parse_note(ours).text):,} entries. Either this log was put "
            "back to an older copy, or its keys have signed a second history, or these witnesses are wrong. Nothing more is "
            f"taken in before that is found out; see {self._folder / EVIDENCE}{unkept}"
        )

    def _tell_quorum(self, cosigners: Cosigners) -> None:
        if cosigners.complete and self._pending:
            self._say(f"The quorum is complete again: {cosigners.sentence}.")
        if not cosigners.complete and not self._pending and self._addresses:
            self._say(f"The newest head is pending: {cosigners.sentence}. Intake goes on.")
        self._pending = not cosigners.complete

    async def _keep(self, note: bytes) -> None:
        try:
            await asyncio.to_thread(self.kept.keep, note)
        except StoreError as error:
            if not self._unkept:
                self._say(f"{error}.")
            self._unkept = str(error)
        else:
            if self._unkept:
                self._say("The cosigned checkpoint can be kept again.")
            self._unkept = ""


def quorum_of(definition: Definition) -> Quorum | None:
    """The quorum that a definition demands; None where it names no witnesses. Raises DefinitionError for keys of no use."""
    if definition.witnesses is None:
        return None
    try:
        log = LogVerifier.from_vkeys(*definition.log.keys) if len(definition.log.keys) == 2 else None
        return Quorum.from_policy(definition.witnesses, log)
    except NoteError as error:
        raise DefinitionError(f"the witnesses in the definition cannot be used: {error}") from error


def witness_addresses(definition: Definition, given: Sequence[str] = (), without: Sequence[str] = ()) -> list[WitnessAddress]:
    """Where the witnesses of a definition are asked. `given` are NAME=URL and come before the definition's own addresses.

    Raises UsageError for a name that the definition does not have, or for something that is no address.
    """
    policy = definition.witnesses
    names = [] if policy is None else [witness.name for witness in policy.witnesses]
    urls = {witness.name: witness.url for witness in policy.witnesses} if policy is not None else {}
    for text in given:
        matched = re.fullmatch(r"(.+?)=(https?://.+)", text)
        if matched is None:
            raise UsageError(f"--witness {text!r}: write NAME=URL, such as heron.example/watch=https://heron.example:8472")
        try:
            check_url(matched[2], f"--witness {matched[1]}")
        except DefinitionError as error:
            raise UsageError(str(error)) from None
        urls[_named(matched[1], names)] = matched[2]
    for name in without:
        urls[_named(name, names)] = ""
    if policy is None:
        return []
    return [WitnessAddress.from_vkeys(urls[w.name], w.keys) for w in policy.witnesses if urls[w.name]]


def cosigning_of(
    office: Office, given: Sequence[str], without: Sequence[str], say: Say, *, leads: Callable[[], bool] = lambda: True
) -> Cosigning | None:
    """The collector for an opened folder; None where its definition names no witnesses. Raises UsageError, DefinitionError."""
    definition = office.election.definition
    addresses = witness_addresses(definition, given, without)
    quorum = quorum_of(definition)
    if quorum is None:
        return None
    log = LogVerifier.from_vkeys(*definition.log.keys)
    return Cosigning(office.folder / RECORD, log, quorum, addresses, say, leads=leads)


def _named(name: str, names: Sequence[str]) -> str:
    if name not in names:
        known = f"it names {', '.join(names)}" if names else "it names none"
        raise UsageError(f"the definition names no witness {name!r}: {known}")
    return name


def _lines_of(note: Note, name: str) -> tuple[SignatureLine, ...]:
    return tuple(line for line in note.signatures if line.name == name)


def _size(text: bytes) -> int:
    return int(text.split(b"\n")[1])
