"""What was drawn: tickets in the order of the draw, and what has to be fetched from where for them."""

from collections import Counter
from dataclasses import dataclass

from scrutineer.errors import AuditError


@dataclass(frozen=True, slots=True)
class Ticket:
    """One draw."""

    number: str
    """What was drawn by, as the method of drawing writes it: 64 hexadecimal digits, or a decimal fraction."""
    box: str
    position: int
    """The place of the card in its box, from 1; 0: the whole box."""
    time: int = 1
    """How often it has been drawn by now, this time included; in two stages, how often its box has."""
    more: tuple[int, ...] = ()
    """In two stages: the places of the other cards of this draw, all in the same box, ascending; `position` is the first."""

    @property
    def positions(self) -> tuple[int, ...]:
        """The places of all cards of this draw; 0 alone: the whole box."""
        return (self.position, *self.more)


@dataclass(frozen=True, slots=True)
class Sample:
    """Tickets in the order of the draw. A larger sample of the same seed begins with the smaller one."""

    tickets: tuple[Ticket, ...]

    def __len__(self) -> int:
        return len(self.tickets)

    def drop(self, count: int) -> "Sample":
        """What is drawn after the first `count`: the next round. Raises AuditError where so many were not drawn."""
        if not 0 <= count <= len(self.tickets):
            raise AuditError(f"{len(self.tickets)} tickets are drawn; the first {count} cannot be left out")
        return Sample(self.tickets[count:])

    def units(self) -> dict[tuple[str, int], int]:
        """What has to be fetched, by bytes of the box and position, and how often each of these was drawn."""
        times = Counter((ticket.box, position) for ticket in self.tickets for position in ticket.positions)
        return {unit: times[unit] for unit in sorted(times, key=lambda unit: (unit[0].encode(), unit[1]))}

    def boxes(self) -> tuple[str, ...]:
        """The boxes that have to be opened, in the order of their names' bytes."""
        return tuple(sorted({ticket.box for ticket in self.tickets}, key=str.encode))
