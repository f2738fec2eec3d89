"""What the control room is told of the machine that it runs on: services, witnesses, keys, and what was refused.

These are asked for by functions, so that the room itself reads no status files and holds no keys.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from scrutineer.log import SharedStore
from scrutineer.statements import SigningKey


@dataclass(frozen=True, slots=True)
class WitnessState:
    """How it stands with one witness: entries that it last cosigned, when, and what is wrong with it where something is."""

    name: str
    size: int
    time: int
    trouble: str


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What an intake service last said of itself."""

    url: str
    alive: bool
    writes: bool
    """Whether it writes the log; of several services of one log, one does."""
    time: int
    started: int
    size: int
    head_time: int
    store: str
    trouble: str
    stopped: str
    counts: Mapping[str, int]
    cosigned: int | None
    """Entries at the newest head that the quorum of witnesses cosigned; None where the definition names none."""
    quorum: int | None
    witnesses: tuple[WitnessState, ...]

    def told(self) -> tuple[object, ...]:
        """What is worth telling at once; sizes and times change every second and come with the log."""
        witnesses = tuple((witness.name, witness.trouble) for witness in self.witnesses)
        return self.url, self.alive, self.writes, self.trouble, self.stopped, witnesses


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published last."""

    site: str
    size: int
    time: int


@dataclass(frozen=True)
class Machine:
    """Ways to ask. Each may raise a ScrutineerError, which is shown."""

    open_store: Callable[[], SharedStore]
    services: Callable[[], Sequence[ServiceState]]
    published: Callable[[], Publication | None]
    refused: Callable[[], Mapping[str, int]]
    """Requests that the intake refused in the last hour, by kind."""
    held: Callable[[], Collection[str]]
    """Officers, by issuer id, whose keys are on this machine."""
    key_of: Callable[[str], SigningKey]
    submit: Callable[[Sequence[bytes], str], int]
    """Send statements to an intake service; the log index of the first. Raises TransportError, PolicyError and others."""
