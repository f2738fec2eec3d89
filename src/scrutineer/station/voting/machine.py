"""The voting machine: from the activation of a ballot to its place in the record, durable at each step.

One `VotingMachine` serves one device. Whoever shows pages to voters calls `prepare`, then `cast`, `challenge` or `spoil`; whoever
serves poll workers calls `activate` and `cancel`. Opening, resuming and closing need two poll workers and are in day.py.

The states, and what leads from one to another:

| state       | meaning                                                                 | goes on with                               |
|-------------|-------------------------------------------------------------------------|--------------------------------------------|
| `new`       | not opened yet                                                          | `begin` (day.py: two poll workers)         |
| `suspended` | opened, but after a start or a break two poll workers have not come yet | `resume` (day.py: two poll workers)        |
| `ready`     | nobody is voting                                                        | `activate`, `suspend`, `close`             |
| `active`    | a ballot is on the screen; nothing of it is kept anywhere               | `prepare`, `cancel`                        |
| `prepared`  | the ballot is encrypted and in the chain; its paper may be printed      | `cast`, `challenge`, `spoil`               |
| `closed`    | nothing is taken any more                                               |                                            |
| `halted`    | a write failed, so what is on the disk is known only after a restart    | end the program, start it again            |

After `challenge` and `spoil` the state is `active` again: the same voter votes again. After `cast` it is `ready`. After a failure
of power the state is `suspended`, and `resume` leads to `ready`, or to `active` where a voter was at the machine.

Nothing here has a time, a voter's number, or anything else that would lead from a person to a vote.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from scrutineer.ballots.encrypt import ContestChoice
from scrutineer.ballots.group import RandomBytes
from scrutineer.ballots.keys import ElectionKeys
from scrutineer.ballots.record import OpenedBallot, Status

MachineState = Literal["new", "suspended", "ready", "active", "prepared", "closed", "halted"]


@dataclass(frozen=True, slots=True)
class Activation:
    """The ballot that a voter may fill in now."""

    style: int
    """Number of the ballot style in the manifest."""
    provisional: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """What goes on the paper record of an encrypted ballot, before the voter decides."""

    code: bytes
    """The confirmation code, 32 bytes."""
    words: str
    """The code's first 96 bits in words that can be read aloud; what `scrutineer track` takes."""
    serial: str
    """The paper's serial, which leads to the encrypted ballot only for those who can open its nonce."""


@dataclass(frozen=True, slots=True)
class Counters:
    """How many ballots there were; no totals of votes."""

    activated: int = 0
    cast: int = 0
    challenged: int = 0
    spoiled: int = 0
    provisional: int = 0
    cancelled: int = 0
    """Activations that ended without a ballot in the box."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What became of a ballot that a failure of power caught between printing and the voter's answer."""

    words: str
    status: Status
    """`cast` (its paper belongs in the box) or `spoiled` (its paper is void, and the voter votes again)."""


class VotingMachine:
    """One device's ballots of one election. Safe to call from several threads; each call returns when its effect is durable.

    Every failure to write is a StoreError and leaves the machine `halted`; a call that does not fit the state is a BallotError and
    changes nothing.
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
    ) -> None:
        """Open the machine in a folder. `styles` are the ballot styles of its station.

        Raises StoreError where the folder's files are damaged or belong to another device or election.
        """
        raise NotImplementedError

    @property
    def state(self) -> MachineState:
        """Where the machine stands."""
        raise NotImplementedError

    @property
    def version(self) -> int:
        """A number that changes with everything that happens; pages ask for it to see whether they are out of date."""
        raise NotImplementedError

    @property
    def activation(self) -> Activation | None:
        """The ballot to be filled in, in the states `active` and `prepared`; None in others."""
        raise NotImplementedError

    @property
    def prepared(self) -> Prepared | None:
        """The ballot that waits for the voter's answer, in the state `prepared`; None in others."""
        raise NotImplementedError

    @property
    def interrupted(self) -> Interrupted | None:
        """What `resume` did with a ballot that was caught by a failure of power; None from the next activation or decision on."""
        raise NotImplementedError

    @property
    def counters(self) -> Counters:
        """How many ballots there were until now."""
        raise NotImplementedError

    def activate(self, style: int, provisional: bool = False) -> None:
        """Let the next voter fill in a ballot of this style: `ready` to `active`."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Take back an activation whose voter left: `active` (or `prepared`, whose ballot is spoiled) to `ready`."""
        raise NotImplementedError

    def prepare(self, choices: Mapping[int, ContestChoice]) -> Prepared:
        """Encrypt the ballot of the active style, one choice for each of its contests by number: `active` to `prepared`.

        The ballot is in the chain from here on, whatever the voter decides. Raises BallotError for choices that do not fit the
        manifest.
        """
        raise NotImplementedError

    def cast(self) -> None:
        """Cast the prepared ballot, or set it aside where the activation is provisional: `prepared` to `ready`."""
        raise NotImplementedError

    def challenge(self) -> OpenedBallot:
        """Open the prepared ballot, which will never be counted: `prepared` to `active`."""
        raise NotImplementedError

    def spoil(self) -> None:
        """Give up the prepared ballot, neither counted nor opened: `prepared` to `active`."""
        raise NotImplementedError
