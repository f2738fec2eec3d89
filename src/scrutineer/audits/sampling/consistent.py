"""Consistent sampling as R. L. Rivest defined it: the same ticket numbers, digit by digit, for audits that were drawn by it.

Source: R. L. Rivest, Consistent Sampling with Replacement, arXiv 1808.10016, sections 3 and 4. Colorado and Arlo draw ballots
so. A ticket number is a decimal fraction between 0 and 1, written as text, and texts are compared letter by letter.

- The first number of an id is the fraction whose digits are those of h, the last digit first, where h is SHA-256 of (the
  hexadecimal SHA-256 of the seed, followed by the id), read as a whole number and written with at least 64 digits.
- The next number x' of an id with number x keeps the nines with which the digits of x begin. The fraction digits of SHA-256 of
  the text x:1 follow; where that is not greater than x, those of x:2, and so on.
- Numbers are shown cut off after so many digits behind the nines with which they begin; what is drawn is decided by all digits.

This is for auditing again what others drew. Audits of our own draw by `canonical`.
"""

import heapq
from collections.abc import Iterable
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from scrutineer.errors import AuditError


class Drawn(NamedTuple):
    """One draw of consistent sampling. The order of these is the order of drawing."""

    number: str
    """The ticket number."""
    id: str
    generation: int
    """How often the id has been drawn by now, this time included."""


def consistent_sample(
    ids: Iterable[str], seed: str, count: int, *, replacement: bool, skip: int = 0, digits: int = 9
) -> tuple[Drawn, ...]:
    """The draws after the first `skip`, `count` of them, or as many as there are without replacement.

    Numbers are cut off after `digits` digits. Raises AuditError for an id that occurs twice.
    """
    if count < 0 or skip < 0 or digits < 1:
        raise AuditError(f"{count} draws after {skip}, numbers of {digits} digits: give 0 or more, and 1 digit or more")
    seed_hash = sha256(text_bytes(seed)).hexdigest()
    some = list(ids)
    if len(set(some)) != len(some):
        raise AuditError(f"among the {len(some)} ids to draw from at least one stands twice: each has one line")
    basket = heapq.nsmallest(skip + count, (Drawn(_fraction(seed_hash + id_), id_, 1) for id_ in some))
    drawn: list[Drawn] = []
    while basket and len(drawn) < skip + count:
        ticket = basket[0]
        drawn.append(ticket)
        if replacement:
            heapq.heapreplace(basket, Drawn(next_number(ticket.number), ticket.id, ticket.generation + 1))
        else:
            heapq.heappop(basket)
    return tuple(ticket._replace(number=cut_off(ticket.number, digits)) for ticket in islice(drawn, skip, None))


def first_number(id_: str, seed: str) -> str:
    """The ticket number of an id that has not been drawn yet."""
    return _fraction(sha256(text_bytes(seed)).hexdigest() + id_)


def next_number(number: str) -> str:
    """The ticket number of an id after it was drawn by another number. Raises AuditError for what is no such number."""
    start = _nines(number)
    attempt = 1
    while (after := number[:start] + _fraction(f"{number}:{attempt}")[2:]) <= number + "0":
        attempt += 1
    return after


def cut_off(number: str, digits: int) -> str:
    """A ticket number with so many digits behind the nines with which it begins. Raises AuditError for what is no such number."""
    return number[: _nines(number) + digits]


def tuple_text(*parts: object) -> str:
    """The id of an object that Arlo names by a pair or triple, such as ('Finch County', 'Box 7'): as Python writes it."""
    return str(parts)


def _nines(number: str) -> int:
    """Where the nines with which the digits of a number begin end."""
    if not number.startswith("0.") or not number[2:].isdecimal() or not number.isascii():
        raise AuditError(f"{number[:90]!r} is no ticket number: it is written as 0. and digits")
    return 2 + len(number) - 2 - len(number[2:].lstrip("9"))


def _fraction(text: str) -> str:
    return "0." + f"{int.from_bytes(sha256(text_bytes(text)).digest(), 'big'):064d}"[::-1]


def text_bytes(text: str) -> bytes:
    """A text in UTF-8. Raises AuditError for what is not Unicode."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise AuditError(f"{text[:90]!r} is not Unicode text and cannot be drawn by") from error
