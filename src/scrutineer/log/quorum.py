"""Whether a checkpoint carries the quorum of an election's witnesses: who has cosigned it, and who is missing. Pure.

A witness has cosigned where ALL its keys have signed the checkpoint, for the reason that `open_checkpoint` gives: what may be
left out protects nobody. Lines by keys that the election does not name are ignored, as C2SP signed-note demands; a line by a key
that it does name, and that does not hold, spoils the whole note.
"""

import datetime
from dataclasses import dataclass
from typing import Final

from scrutineer.election.witness_policy import WitnessPolicy
from scrutineer.errors import NoteError
from scrutineer.log.cosignature import CosignatureVerifier, cosignature_time, cosignature_verifier
from scrutineer.log.note import Note, parse_note
from scrutineer.log.signer import LogVerifier

MAX_AHEAD: Final = 86_400  # seconds; a cosignature from later than this has no time that anyone could rely on

WitnessKeys = tuple[CosignatureVerifier, ...]


@dataclass(frozen=True, slots=True)
class Cosigners:
    """Who of an election's witnesses has cosigned a checkpoint; all names in the order of the definition."""

    needed: int
    """How many must have."""
    cosigned: tuple[str, ...]
    missing: tuple[str, ...]
    time: int
    """The latest time of their cosignatures in POSIX seconds; 0 where there is none."""

    @property
    def complete(self) -> bool:
        """Whether enough have cosigned."""
        return len(self.cosigned) >= self.needed

    @property
    def sentence(self) -> str:
        """In words: how many have cosigned, and who; and who has not where that makes them too few."""
        total = len(self.cosigned) + len(self.missing)
        names = f": {', '.join(self.cosigned)}" if self.cosigned else ""
        have = "has" if len(self.cosigned) == 1 else "have"
        said = f"{len(self.cosigned)} of {total} witnesses {have} cosigned{names}"
        return said if self.complete else f"{said}; {self.needed} are needed, and missing are {', '.join(self.missing)}"


@dataclass(frozen=True, slots=True)
class Quorum:
    """The witnesses of an election with their keys, and how many of them must have cosigned."""

    needed: int
    witnesses: tuple[WitnessKeys, ...]

    def __post_init__(self) -> None:
        names = [keys[0].name for keys in self.witnesses if keys]
        public = [key.key.public_key for keys in self.witnesses for key in keys]
        ids = {(key.name, key.key_id) for keys in self.witnesses for key in keys}
        if len(names) != len(self.witnesses) or any(key.name != keys[0].name for keys in self.witnesses for key in keys):
            raise NoteError("a witness needs one or more keys, all of one name")
        # A cosignature by Ed25519 does not name the cosigner, so that one key under two names would count twice.
        if len(set(names)) != len(names) or len(set(public)) != len(public) or len(ids) != len(public):
            raise NoteError("two witnesses have the same name or the same key, and nobody may count twice: name each once")
        if not 1 <= self.needed <= len(names):
            raise NoteError(f"a quorum of {self.needed} cannot be had from {len(names)} witnesses")

    @classmethod
    def from_policy(cls, policy: WitnessPolicy, log: LogVerifier | None = None) -> "Quorum":
        """Read the keys in a definition.

        Raises NoteError for keys that make no cosignatures, that two witnesses share, or that are the log's own.
        """
        quorum = cls(policy.quorum, tuple(tuple(map(cosignature_verifier, witness.keys)) for witness in policy.witnesses))
        if log is not None:
            own = {log.ed25519_public_key, log.mldsa44_public_key}
            for keys in quorum.witnesses:
                if keys[0].name == log.origin or any(key.key.public_key in own for key in keys):
                    raise NoteError(f"witness {keys[0].name!r} has the name or a key of the log, which cannot be its own witness")
        return quorum

    @property
    def names(self) -> tuple[str, ...]:
        """The witnesses in the order of the definition."""
        return tuple(keys[0].name for keys in self.witnesses)


def find_cosigners(checkpoint: bytes, quorum: Quorum, now: int | None = None) -> Cosigners:
    """Return who has cosigned a checkpoint (a signed note; the log's own signatures are not looked at here).

    `now` is the time in POSIX seconds; with None no cosignature is too late. Raises NoteError where the note is malformed, and
    where a line by a key of one of the witnesses does not hold, carries no time, or one more than a day after `now`.
    """
    note = parse_note(checkpoint)
    cosigned, missing, latest = [], [], 0
    for keys in quorum.witnesses:
        times = [_time_of(note, key, now) for key in keys]
        if all(times):
            cosigned.append(keys[0].name)
            latest = max(latest, *times)
        else:
            missing.append(keys[0].name)
    return Cosigners(quorum.needed, tuple(cosigned), tuple(missing), latest)


def check_quorum(checkpoint: bytes, quorum: Quorum, now: int | None = None) -> Cosigners:
    """As `find_cosigners`, and raise NoteError, which names the missing, where too few have cosigned."""
    found = find_cosigners(checkpoint, quorum, now)
    if not found.complete:
        raise NoteError(f"checkpoint: {found.sentence}")
    return found


def _time_of(note: Note, key: CosignatureVerifier, now: int | None) -> int:
    """The latest time of a key's cosignatures of a note, all of which must hold; 0 where it has none."""
    latest = 0
    for line in note.signatures:
        if (line.name, line.key_id) == (key.name, key.key_id):
            key.verify(note.text, line.signature)
            time = cosignature_time(line.signature)
            if time == 0:
                raise NoteError(f"checkpoint: a cosignature by {key.name} carries no time")
            if now is not None and time > now + MAX_AHEAD:
                raise NoteError(
                    f"checkpoint: a cosignature by {key.name} is of {_utc(time)}, and it is {_utc(now)} by this machine's clock: "
                    "one of the two clocks is wrong; look at this one first"
                )
            latest = max(latest, time)
    return latest


def _utc(seconds: int) -> str:
    """A time as people write it; the number where it is none that a calendar has."""
    try:
        return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return f"second {seconds}"
