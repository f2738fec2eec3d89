"""What is known of one ballot of the published record, and how each step of its proof ended."""

from dataclasses import dataclass, field
from typing import Final, Literal

State = Literal["good", "bad", "open"]
OUTCOMES: Final = {
    "cast": "It was cast, and it is counted in the totals of its station.",
    "challenged": "It was challenged: it was opened instead of being cast, and is not counted.",
    "spoiled": "It was spoiled: it is neither counted nor opened, and its voter could vote again.",
    "provisional": "It is provisional: it was set aside until the board decides, and is not counted so far.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was checked."""

    state: State
    sentence: str


@dataclass(slots=True)
class Tracked:
    """What is known of a ballot."""

    words: str
    definition: str = ""
    """Hash of the definition of the election, hexadecimal."""
    election: str = ""
    station: str = ""
    place: str = ""
    """Name of the station."""
    number: int = 0
    """Its place among the ballots of its machine, from 1."""
    ballots: int = 0
    """All ballots of that machine."""
    status: str = ""
    code: str = ""
    """The whole confirmation code in hexadecimal."""
    opened: list[tuple[str, list[str]]] = field(default_factory=list)
    """Of a challenged ballot what was marked: the title of each contest, and names."""
    sheets: list[int] = field(default_factory=list)
    """Log entries of the sheets that name its bundle."""
    steps: list[Step] = field(default_factory=list)

    @property
    def found(self) -> bool:
        """Whether the ballot is in the published record."""
        return bool(self.status)

    @property
    def proved(self) -> bool:
        """Whether it was found and nothing that was checked is wrong or was left open."""
        return self.found and all(step.state == "good" for step in self.steps)
