"""What is wrong in a file that people write: which file, which line, which field, and what to write instead."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MAX_FINDINGS: Final = 200
"""How many findings a check of one file goes on to collect; a file with more has one cause, not that many."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to correct. `line` counts from 1 and is 0 where the file as a whole is meant; `field` may be empty."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = [self.file]
        if self.line:
            place.append(f"line {self.line}")
        if self.field:
            place.append(self.field)
        return f"{', '.join(place)}: {self.message}"


def summary(findings: Iterable[Finding], shown: int = 3) -> str:
    """The first findings in one line, and how many more there are: the text of the error that they raise together."""
    every = list(findings)
    text = "; ".join(str(finding) for finding in every[:shown])
    more = len(every) - shown
    return f"{text}; and {more} more" if more > 0 else text


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """'write X' for the known word nearest to a misspelt one, else the list of known words."""
    words = sorted(known)
    near = difflib.get_close_matches(given, words, n=1, cutoff=0.6)
    if near:
        return f"write {near[0]!r}"
    return f"write one of {', '.join(words)}" if words else "remove it"
