"""A bare CSV of station results as a partial count: read exactly, or refused with the line, the column and what to do. Pure.

One row for each station, also for those without a result yet; the first line names the columns, in any order:

- `station` (required): what tells the station apart from all others.
- `roll`: registered voters. Where it is missing, what can still come from the station is unbounded.
- `region` or `stratum`: the stratum of the station; without the column there is one stratum.
- `time`: when the result arrived, ISO 8601 (without an offset: UTC) or seconds; without it the order of rows is the order of arrival.
- `status`: `counted`, `outstanding`, `quarantined` or `excluded`; without it a station with figures is counted and one
  without is outstanding.
- `valid`: checked against the sum of the options. `blank`, `null`: ballots that are neither.
- every other column: the votes of one option, whole numbers.

What leaves no way of reading the file raises CallError. What can be read but cannot be true (a station listed twice, more
ballots than the roll, a sum that differs from `valid`) is returned in `incoherent`, so that no call is made on it.
"""

from dataclasses import dataclass
from typing import Final

from scrutineer.calls.partial import PartialCount

MAX_TABLE_SIZE: Final = 256 * 1024 * 1024  # bytes
MAX_STATIONS: Final = 2_000_000
MAX_FIGURES: Final = 1 << 27  # stations times options


@dataclass(frozen=True, eq=False)
class TableInput:
    """A partial count out of a table, and what was found while reading it."""

    partial: PartialCount
    stations: tuple[str, ...]
    """Names of the stations, in the order of the partial count's rows."""
    incoherent: tuple[str, ...]
    """What cannot be true, in words with lines; not empty makes the verdict `not-coherent`."""
    notes: tuple[str, ...]
    """What limits the answer, in words: missing rolls, figures left out."""


def read_table(
    data: bytes,
    baseline: bytes | None = None,
    *,
    extra_ballots: int = 0,
    name: str = "the table",
    baseline_name: str = "the baseline",
) -> TableInput:
    """Read a table of station results and, where given, the baseline: the same stations' votes at an earlier election.

    `extra_ballots` are those that a station may lawfully take beyond its roll. Raises CallError.
    """
    raise NotImplementedError
