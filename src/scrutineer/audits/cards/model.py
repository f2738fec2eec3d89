"""Cards in columns: how every card of an election is marked, in few bytes, whoever made the records.

A card is one sheet of paper, or its cast vote record. Within a contest the ways in which cards are marked are few (65 rankings on
146,662 cards of one contest), so each is kept once, and a card holds its number.

What a record says is kept apart from what it does not say. A card without a contest is ABSENT there; a card that holds it and on
which nothing counts bears the empty marks; a card of which no record says how it is marked, or whether it holds the contest at
all, is UNKNOWN there: a phantom (the manifest counts it, no record does) or a record that was blacked out before publication. An
audit counts UNKNOWN as the worst case, never as blank.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scrutineer.audits.assertions import Assertion, Marks
from scrutineer.errors import AuditError

ABSENT: Final = -1
"""The pattern of a card that does not hold the contest."""
UNKNOWN: Final = -2
"""The pattern of a card of which no record says how it is marked in the contest, nor whether it holds it."""

PatternNumbers: TypeAlias = NDArray[np.int32] | NDArray[np.int16] | NDArray[np.int8]


def number_type(patterns: int) -> type[np.int8] | type[np.int16] | type[np.int32]:
    """The smallest type that holds the numbers of so many patterns."""
    return np.int8 if patterns <= 127 else np.int16 if patterns <= 32_767 else np.int32


@dataclass(frozen=True, eq=False)
class ContestColumn:
    """One contest over all cards. Raises AuditError for options, patterns and numbers that do not fit each other."""

    id: str
    options: tuple[str, ...]
    patterns: tuple[Marks, ...]
    """Each way in which a card is marked, once. More options than `most` are an overvote, which counts as no mark."""
    pattern: PatternNumbers
    """By card: the number of its pattern, or ABSENT, or UNKNOWN."""
    most: int = 1
    """How many options a card may mark."""
    ranked: bool = False
    title: str = ""
    """The name for people, where the records have one besides the id."""
    titles: tuple[str, ...] = ()
    """Names of the options for people; as many as options, or none."""

    def __post_init__(self) -> None:
        def wrong(what: str) -> AuditError:
            return AuditError(f"contest {self.id!r}: {what}")

        if not self.id or len(set(self.options)) != len(self.options) or "" in self.options:
            raise wrong("a contest and its options have names, no two alike; rename the one that is doubled or missing")
        if self.most < 1 or (self.titles and len(self.titles) != len(self.options)):
            raise wrong("a card may mark at least 1 option, and there are as many names for people as options, or none")
        if len(set(self.patterns)) != len(self.patterns):
            raise wrong("one way of marking is listed twice")
        for marks in self.patterns:
            if any(not 0 <= option < len(self.options) for option in marks) or len(set(marks)) != len(marks):
                raise wrong(f"marks {marks} name an option twice, or one that is not among the {len(self.options)}")
            if not self.ranked and any(first >= second for first, second in pairwise(marks)):
                raise wrong(f"marks {marks} are not in ascending order")
        if self.pattern.ndim != 1 or self.pattern.dtype not in (np.int8, np.int16, np.int32):
            raise wrong("patterns of cards are one array of int8, int16 or int32")
        if len(self.pattern) and not UNKNOWN <= self.pattern.min() <= self.pattern.max() < len(self.patterns):
            raise wrong("a card bears a pattern that is not listed")

    def tally(self) -> NDArray[np.int64]:
        """How many cards bear each pattern."""
        return np.bincount(self.pattern[self.pattern >= 0], minlength=len(self.patterns)).astype(np.int64)

    def cards(self) -> int:
        """How many cards are known to hold the contest."""
        return int(np.count_nonzero(self.pattern >= 0))

    def unknown(self) -> int:
        """How many cards may hold the contest without a record that says so."""
        return int(np.count_nonzero(self.pattern == UNKNOWN))

    def votes(self) -> NDArray[np.int64]:
        """By option: on how many cards it is marked (unranked) or ranked first, overvotes left out."""
        votes = np.zeros(len(self.options), np.int64)
        for marks, count in zip(self.patterns, self.tally().tolist(), strict=True):
            if self.ranked:
                votes[list(marks[:1])] += count
            elif len(marks) <= self.most:
                votes[list(marks)] += count
        return votes

    def scores(self, assertion: Assertion) -> NDArray[np.int64]:
        """The score of each pattern."""
        return np.fromiter((assertion.score(marks) for marks in self.patterns), np.int64, len(self.patterns))

    def renamed(self, contest: str, options: Sequence[str], names: Mapping[str, str], most: int | None = None) -> "ContestColumn":
        """The same cards with the id and the options of an election's contest, in its order.

        `names` gives for each option of the records the option of the election; one that is left out keeps its name. Two options
        of the records must not become one. `most` is how many options may be marked, where the election knows it better. Raises
        AuditError for an option that is marked and that the contest does not have.
        """
        place = {option: number for number, option in enumerate(options)}
        marked = {option for marks in self.patterns for option in marks}
        target: dict[int, int] = {}
        for number, option in enumerate(self.options):
            name = names.get(option, option)
            if name in place:
                target[number] = place[name]
            elif number in marked:
                raise AuditError(
                    f"contest {self.id!r}: option {option!r} is marked on cards, and contest {contest!r} has no such option; "
                    "say which of its options is meant, by its id"
                )
        if len(set(target.values())) != len(target):
            raise AuditError(f"contest {self.id!r}: two options of the records were given the same option of {contest!r}")
        moved = [tuple(target[option] for option in marks) for marks in self.patterns]
        patterns = tuple(marks if self.ranked else tuple(sorted(marks)) for marks in moved)
        return replace(self, id=contest, options=tuple(options), patterns=patterns, most=most or self.most, titles=())


@dataclass(frozen=True, eq=False)
class Cards:
    """All cards, in the order of their records; and where each of them lies.

    Raises AuditError for columns of different lengths, contests or batches named twice, and numbers out of range. That no record
    stands there twice is for `repeated` to say: readers refuse such files.
    """

    contests: tuple[ContestColumn, ...]
    batches: tuple[str, ...]
    """Names of boxes, as the manifest has them."""
    batch: NDArray[np.int32]
    """By card: the number of its batch."""
    position: NDArray[np.int32]
    """By card: its place in the batch, from 1; 0 where the records do not say."""
    ids: pa.StringArray | pa.LargeStringArray
    """By card: its name in the records (imprinted id, or what the system calls it)."""

    def __post_init__(self) -> None:
        lengths = {len(self.batch), len(self.position), len(self.ids), *(len(contest.pattern) for contest in self.contests)}
        if len(lengths) > 1:
            raise AuditError(f"cards: columns of different lengths {sorted(lengths)}; each has one entry for every card")
        if len({contest.id for contest in self.contests}) != len(self.contests):
            raise AuditError("cards: two contests have the same name; rename one of them")
        if len(set(self.batches)) != len(self.batches) or "" in self.batches:
            raise AuditError("cards: batches have names, no two alike")
        if len(self) and not (self.batch.min() >= 0 and self.batch.max() < len(self.batches) and self.position.min() >= 0):
            raise AuditError("cards: a card names a batch that is not listed, or a negative place in it")
        if self.ids.null_count:
            raise AuditError("cards: a card has no id")

    def __len__(self) -> int:
        return len(self.batch)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {contest.id: place for place, contest in enumerate(self.contests)}

    def column(self, contest: str) -> ContestColumn:
        """One contest. Raises AuditError for a contest that the records do not have."""
        place = self._places.get(contest)
        if place is None:
            known = ", ".join(repr(each) for each in list(self._places)[:10])
            raise AuditError(
                f"the records have no contest {contest!r}; they have {known or 'none'}: name contests in them by the ids of the "
                "definition"
            )
        return self.contests[place]

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "Cards":
        """Some cards, in the order asked for: by row number, or by a mask. Patterns and batches keep their numbers."""
        chosen = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows.astype(np.int64)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(self):
            raise AuditError(f"there are {len(self)} cards, numbered from 0; a row outside was asked for")
        return Cards(
            tuple(replace(contest, pattern=contest.pattern[chosen]) for contest in self.contests),
            self.batches,
            self.batch[chosen],
            self.position[chosen],
            self.ids.take(pa.array(chosen)),
        )

    def only(self, contests: Sequence[str]) -> "Cards":
        """The same cards with some contests, in the order asked for. Raises AuditError for one that the records do not have."""
        return replace(self, contests=tuple(self.column(contest) for contest in contests))

    def rows_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """The row of each of these ids. Raises AuditError for an id that no card has, or more than one."""
        wanted = pa.array(ids, self.ids.type)
        found = np.flatnonzero(pc.is_in(self.ids, value_set=wanted).to_numpy(zero_copy_only=False))
        rows: dict[str, int] = {}
        for row, name in zip(found.tolist(), self.ids.take(pa.array(found)).to_pylist(), strict=True):
            if name in rows:
                raise AuditError(f"card {name!r} stands in the records twice")
            rows[name] = row
        missing = [name for name in ids if name not in rows]
        if missing:
            raise AuditError(f"no record has the id {missing[0]!r}")
        return np.array([rows[name] for name in ids], np.int64)

    def memory(self) -> int:
        """Bytes that the columns take, the ids left out."""
        return self.batch.nbytes + self.position.nbytes + sum(contest.pattern.nbytes for contest in self.contests)
