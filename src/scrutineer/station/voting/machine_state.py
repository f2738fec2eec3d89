"""Where a voting machine stands, and what it tells those who use it.

The states, and what leads from one to another:

| state       | meaning                                                              | goes on with                     |
|-------------|----------------------------------------------------------------------|----------------------------------|
| `new`       | not opened yet                                                       | `begin` (two poll workers)       |
| `suspended` | opened, but since a start or a break two poll workers have not come  | `resume` (two poll workers)      |
| `ready`     | nobody is voting                                                     | `activate`, `suspend`, `close`   |
| `active`    | a ballot is on the screen; nothing of it is kept anywhere            | `prepare`, `cancel`              |
| `prepared`  | the ballot is encrypted and in the chain; its paper may be printed   | `cast`, `challenge`, `spoil`     |
| `closed`    | nothing is taken any more                                            |                                  |
| `halted`    | a write failed, so what is on the disk is known only after a restart | end the program, start it again  |

After `challenge` and `spoil` the state is `active` again: the same voter votes again. After `cast` it is `ready`. After a failure
of power the state is `suspended`, and `resume` leads to `ready`, or to `active` where a voter was at the machine.
"""

from dataclasses import dataclass
from typing import Final, Literal

from scrutineer.ballots.record import Status

MachineState = Literal["new", "suspended", "ready", "active", "prepared", "closed", "halted"]

WRONG_STATE: Final[dict[MachineState, str]] = {
    "new": "the machine has not been opened: two poll workers open it first",
    "suspended": "the machine is suspended: two poll workers resume it first",
    "ready": "nobody is voting: activate a ballot first",
    "active": "a voter is filling in a ballot: let them finish, or take it back on the poll workers' board "
    "(“The voter has left…”)",
    "prepared": "a ballot is printed and waits for its voter's decision: let them decide, or take it back on the poll workers' "
    "board (“The voter has left…”)",
    "closed": "the machine is closed: it takes no more ballots",
    "halted": "the machine stopped because it could not write: end the program, look after the disk, and start it again",
}


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
class Interrupted:
    """What became of the last ballot before the program was started again.

    Its voter may not have been told; a ballot that waited for the voter's answer when power failed has become `spoiled`.
    """

    words: str
    status: Status
    """With `cast` its paper belongs in the box; with `spoiled` its paper is void, and the voter votes again."""
