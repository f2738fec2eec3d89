"""The parts of an observation: who spoke, what they signed or refused to sign, and what their own copy of a sheet reads.

A copy that reads otherwise than the sheet says nothing about which of them is right, nor how it came about.
"""

from dataclasses import dataclass
from typing import Literal

from scrutineer.election.register import Role

KeyState = Literal["valid", "revoked-before", "revoked-later"]
"""The key that signed: never revoked, revoked before the statement was recorded, or revoked since."""

CopyState = Literal["agrees", "differs", "no-sheet", "nothing-to-compare"]
"""What came of holding a copy against the sheet."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who signed a statement, as the register or an accreditation has them."""

    issuer: str
    role: Role
    name: str
    """Empty where none was given."""
    unit: str
    """Id of the unit that they speak for; empty for the whole country."""


@dataclass(frozen=True, slots=True)
class Countersignature:
    """Somebody signed a station's sheet, or refused to."""

    index: int
    """Log entry of the endorsement."""
    speaker: Speaker
    sheet: int
    """Log entry of the sheet."""
    verdict: Literal["sign", "refuse"]
    reason: str
    key: KeyState
    in_scope: bool
    """Whether the station lies in the unit that the speaker speaks for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that a copy and the sheet both state, each otherwise."""

    figure: int
    """Position in a row of figures: the options in the order of the ballot, then blank, null, cast, voters, roll."""
    copy: int
    sheet: int


@dataclass(frozen=True, slots=True)
class Copy:
    """An agent's or observer's own copy of a sheet (attestation), held against the figures that stand for the station.

    A figure that one of the two does not state is not compared: unknown is not zero.
    """

    index: int
    """Log entry of the attestation."""
    speaker: Speaker
    key: KeyState
    superseded: bool
    """Whether the same speaker has sent a newer copy for this station and contest; that one stands."""
    figures: tuple[int, ...]
    """As in a row of figures; UNKNOWN where the copy does not state one."""
    time: int | None
    image: bytes | None
    sheet: int | None
    """Log entry of the sheet that stands for the station; None where none has arrived."""
    equal: int
    """Figures that both state, and alike."""
    differing: tuple[Difference, ...]
    unstated: int
    """Figures that the sheet states and the copy does not."""
    reads_as: tuple[int, ...]
    """Log entries of the station's sheets that state nothing else than the copy, in a figure that both state."""

    @property
    def state(self) -> CopyState:
        """What came of holding it against the sheet."""
        if self.sheet is None:
            return "no-sheet"
        if self.differing:
            return "differs"
        return "agrees" if self.equal else "nothing-to-compare"

    @property
    def stands(self) -> bool:
        """Whether it is counted among the copies: the newest of its speaker, by a key that was not revoked before."""
        return not self.superseded and self.key != "revoked-before"
