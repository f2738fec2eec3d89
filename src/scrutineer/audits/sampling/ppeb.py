"""The draw of batches as Arlo makes it, so that published batch audits can be drawn again, bit by bit.

This is for replaying what others drew. Audits of our own draw by `canonical.draw_boxes`, which asks for no floating point.

**How Arlo draws** (votingworks/arlo, server/audit_math/sampler.py and macro.py, as of August 2026; in use since May 2021). For
each contest on its own:

1. The error bound of a batch is the largest of (v_w - v_l + ballots) / (V_w - V_l - pending - unauditable) over winners w and
   losers l, with v the votes in the batch and V the contest's; pending are ballots not counted yet (asked for since November
   2024), and unauditable ones are the votes missing from the batches, divided by the votes allowed (since then as well). Each
   bound, their sum U, and bound / U are decimal numbers of 28 significant digits, rounded half to even; the last is then made the
   nearest binary floating-point number.
2. SHA-256 of the seed's text, read as a whole number, seeds NumPy's `default_rng`, whose `choice` draws with replacement by
   weight: each draw takes the next fraction of the generator, and the batch where the running sum of weights (added one after
   the other, then divided by the last) first exceeds it. The order of the batches therefore matters: jurisdictions by name (in
   the collation of Arlo's database), within each the batches as its file of candidate totals lists them.
3. Each draw has a ticket number (`consistent`), made from the pair of jurisdiction and batch name as Python writes it, and cut
   off after 18 digits; that of a batch drawn again follows from the number cut off. Ticket numbers order the p-value's factors,
   not the draws. (Arlo pins NumPy 1.26. Under NumPy 2 the pair's strings are written in another way and all ticket numbers
   change; the batches do not.)
4. A later round draws from the start and leaves out as many draws as there were. Where the draws of all rounds together reach
   the number of batches, every batch that was not drawn yet is taken once instead, in the order of the pairs.
"""

import decimal
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import accumulate
from math import fsum, isfinite
from typing import Final, NamedTuple, TypeAlias

from scrutineer.audits.sampling.consistent import cut_off, first_number, next_number, text_bytes, tuple_text
from scrutineer.audits.sampling.pcg64 import Pcg64
from scrutineer.errors import AuditError

BatchKey: TypeAlias = tuple[str, str]
"""Names of the jurisdiction and of the batch."""

TICKET_DIGITS: Final = 18
_DECIMALS: Final = decimal.Context(prec=28, rounding=decimal.ROUND_HALF_EVEN)
_SUM_TOLERANCE: Final = 2.0**-26
"""How far from 1 the sum of weights may be for NumPy's `choice`."""


class BatchDraw(NamedTuple):
    """One draw of a batch."""

    ticket: str
    batch: BatchKey


@dataclass(frozen=True, slots=True)
class ArloContest:
    """A contest as Arlo is told of it. Raises AuditError for one without a winner and a loser."""

    totals: tuple[int, ...]
    """Votes by choice."""
    winners: int = 1
    votes_allowed: int = 1
    pending: int = 0
    majority: bool = False
    """Whether a majority decides at once and the two first go to a second round otherwise (since May 2026)."""
    unauditable: bool = True
    """Whether votes that are missing from the batches lower the margins (since November 2024)."""

    def __post_init__(self) -> None:
        if not 1 <= self.winners < len(self.totals) or self.votes_allowed < 1 or min(self.totals) < 0 or self.pending < 0:
            raise AuditError("a contest of Arlo's has totals of 0 or more, at least one winner and at least one loser")


@dataclass(frozen=True, slots=True)
class ArloBatch:
    """A batch and its reported votes in one contest."""

    key: BatchKey
    votes: tuple[int, ...] | None
    """By choice; None where the batch does not hold the contest."""
    ballots: int


def arlo_bounds(contest: ArloContest, batches: Sequence[ArloBatch]) -> tuple[Decimal, ...]:
    """By batch: its error bound.

    Raises AuditError where a margin is gone (a full count is due), and for votes of other choices.
    """
    pairs = arlo_margins(contest, batches)
    bounds = []
    for batch in batches:
        bound = Decimal(0)
        if (votes := batch.votes) is not None:
            for weights, margin in pairs:
                bound = max(bound, _DECIMALS.divide(Decimal(_weighed(weights, votes) + batch.ballots), Decimal(margin)))
        bounds.append(bound)
    return tuple(bounds)


def arlo_margins(contest: ArloContest, batches: Sequence[ArloBatch]) -> tuple[tuple[tuple[int, ...], int], ...]:
    """What has to be above zero: weights of the choices' votes, and the margin less what is pending or missing.

    Raises AuditError as `arlo_bounds` does.
    """
    gone = _unauditable(contest, batches) + contest.pending
    pairs = tuple((weights, _weighed(weights, contest.totals) - gone) for weights in _comparisons(contest))
    if min(margin for _, margin in pairs) <= 0:
        raise AuditError("the reported margin is no larger than what is pending or missing; count all batches")
    return pairs


def arlo_weights(bounds: Sequence[Decimal]) -> tuple[float, ...]:
    """By batch: the probability with which each draw takes it. Raises AuditError where all bounds are 0."""
    total = arlo_limit(bounds)
    if total == 0:
        raise AuditError("no batch holds the contest; there is nothing to draw")
    return tuple(float(_DECIMALS.divide(bound, total)) for bound in bounds)


def arlo_limit(bounds: Sequence[Decimal]) -> Decimal:
    """U: all bounds together, added one after the other."""
    total = Decimal(0)
    for bound in bounds:
        total = _DECIMALS.add(total, bound)
    return total


def draw_by_weights(seed: str, weights: Sequence[float], count: int) -> list[int]:
    """Places of the batches drawn: `default_rng(int(sha256(seed), 16)).choice(len(weights), count, p=weights)`.

    Raises AuditError for weights that are negative or do not add up to 1, as NumPy refuses them.
    """
    if count < 0 or not all(isfinite(weight) and weight >= 0 for weight in weights) or abs(fsum(weights) - 1) > _SUM_TOLERANCE:
        raise AuditError(f"{len(weights)} weights have to be 0 or more and add up to 1; they add up to {fsum(weights)}")
    sums = list(accumulate(weights))
    shares = [share / sums[-1] for share in sums]
    generator = Pcg64(int.from_bytes(sha256(text_bytes(seed)).digest(), "big"))
    return [bisect_right(shares, generator.fraction()) for _ in range(count)]


def draw_batches(
    seed: str, contest: ArloContest, batches: Sequence[ArloBatch], count: int, earlier: Sequence[BatchKey] = ()
) -> tuple[BatchDraw, ...]:
    """The draws of a round of `count`, in Arlo's order; `earlier` are the batches of all draws of earlier rounds.

    Raises AuditError as `arlo_bounds` does, and for a batch that stands twice.
    """
    keys = [batch.key for batch in batches]
    if len(set(keys)) != len(keys):
        raise AuditError("a pair of jurisdiction and batch stands twice among the batches: each has one line")
    drawn = len(earlier) + count
    if drawn >= len(keys):
        return tickets(seed, [*earlier, *sorted(set(keys) - set(earlier))])[len(earlier) :]
    places = draw_by_weights(seed, arlo_weights(arlo_bounds(contest, batches)), drawn)
    return tickets(seed, [keys[place] for place in places])[len(earlier) :]


def tickets(seed: str, drawn: Sequence[BatchKey]) -> tuple[BatchDraw, ...]:
    """Draws with their ticket numbers."""
    last: dict[BatchKey, str] = {}
    made = []
    for batch in drawn:
        number = next_number(last[batch]) if batch in last else first_number(tuple_text(*batch), seed)
        last[batch] = cut_off(number, TICKET_DIGITS)
        made.append(BatchDraw(last[batch], batch))
    return tuple(made)


def retrieval(draws: Sequence[BatchDraw]) -> dict[BatchKey, tuple[str, ...]]:
    """What to fetch: by pair, in order, the ticket numbers of its draws in ascending order, as Arlo's report lists them."""
    listed: dict[BatchKey, list[str]] = {}
    for draw in draws:
        listed.setdefault(draw.batch, []).append(draw.ticket)
    return {batch: tuple(sorted(listed[batch])) for batch in sorted(listed)}


def _unauditable(contest: ArloContest, batches: Sequence[ArloBatch]) -> int:
    """Votes missing from the batches, as ballots, rounded up; below zero where the batches have more."""
    for batch in batches:
        if batch.votes is not None and len(batch.votes) != len(contest.totals):
            raise AuditError(f"batch {batch.key}: votes of {len(batch.votes)} choices, and the contest has {len(contest.totals)}")
    if not contest.unauditable:
        return 0
    missing = sum(contest.totals) - sum(sum(batch.votes) for batch in batches if batch.votes is not None)
    return -(-missing // contest.votes_allowed)


def _comparisons(contest: ArloContest) -> list[tuple[int, ...]]:
    """What has to be above zero, as weights of the choices' votes."""
    choices = range(len(contest.totals))
    total = sum(contest.totals)
    ranked = sorted(choices, key=lambda choice: -contest.totals[choice])
    first_has_majority = 2 * contest.totals[ranked[0]] > total
    winners = 2 if contest.majority and not first_has_majority else contest.winners
    made = []
    for winner in ranked[:winners]:
        made += [tuple((at == winner) - (at == loser) for at in choices) for loser in ranked[winners:]]
    if contest.majority:
        for winner in ranked[:winners]:
            sign = 1 if 2 * contest.totals[winner] > total else -1
            made.append(tuple(sign if at == winner else -sign for at in choices))
    return made


def _weighed(weights: tuple[int, ...], votes: Sequence[int]) -> int:
    return sum(weight * each for weight, each in zip(weights, votes, strict=True))
