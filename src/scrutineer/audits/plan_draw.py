"""The table of what is drawn, draw.csv: one line for each draw, in order.

Canonical form: a CSV file in UTF-8 with the columns `draw,number,box,position,time`, ended by LF. A later round adds lines and
changes none. Where a draw is of several cards of a box, `position` has their places in ascending order, with spaces between
them. Nothing in it is anything but a function of plan and seed; it is kept so that people can work with it.
"""

import csv
import io
from typing import Final

from scrutineer.audits.plan import MAX_DRAWS
from scrutineer.audits.sampling.sample import Sample
from scrutineer.errors import AuditError

DRAW_FILE: Final = "draw.csv"
HEADER: Final = ("draw", "number", "box", "position", "time")
MAX_DRAW: Final = 1 << 30  # bytes


def encode_draw(sample: Sample) -> bytes:
    """The canonical form. `position` is empty where whole boxes are drawn, and a list where some cards of each are."""
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(HEADER)
    for number, ticket in enumerate(sample.tickets, 1):
        positions = " ".join(map(str, ticket.positions)) if ticket.position else ""
        table.writerow((number, ticket.number, ticket.box, positions, ticket.time))
    return out.getvalue().encode()


def draws_in(data: bytes) -> int:
    """How many draws a table has; what they are is computed again. Raises AuditError for what is no such table."""
    if len(data) > MAX_DRAW:
        raise AuditError(f"{DRAW_FILE}: {len(data)} bytes are more than the file may have")
    if not data.startswith(f"{','.join(HEADER)}\n".encode()) or not data.endswith(b"\n"):
        raise AuditError(f"{DRAW_FILE} does not begin with the line {','.join(HEADER)}, or does not end with a line: draw again")
    draws = data.count(b"\n") - 1
    if draws > MAX_DRAWS:
        raise AuditError(f"{DRAW_FILE} has {draws} draws, and no audit has more than {MAX_DRAWS}: count all cards instead")
    return draws


def difference(given: bytes, drawn: bytes) -> str:
    """Where a table first differs from what plan and seed give; empty where it does not."""
    if given == drawn:
        return ""
    ours, theirs = drawn.splitlines(), given.splitlines()
    for line, (expected, found) in enumerate(zip(ours, theirs, strict=False), 1):
        if expected != found:
            return (
                f"{DRAW_FILE}, line {line}: {found.decode(errors='replace')[:120]!r}, and plan and seed give "
                f"{expected.decode()[:120]!r}"
            )
    return f"{DRAW_FILE} has {len(theirs)} lines, and plan and seed give {len(ours)}"
