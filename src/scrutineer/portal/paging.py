"""Long lists over several pages: which rows stand on which page, and the links between the pages."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from scrutineer.portal.places import ROWS_PER_PAGE, numbered

_NEAR: Final = 2
"""So many pages before and after the current one are linked, besides the first and the last."""


class PageLink(NamedTuple):
    """A link to one page of a list."""

    number: int
    path: str
    here: bool


@dataclass(frozen=True, slots=True)
class Paging:
    """One page of a list. `path` is that of the first page; pages count from 1."""

    path: str
    number: int
    pages: int

    @property
    def own_path(self) -> str:
        """The path of this page."""
        return numbered(self.path, self.number)

    @property
    def shown(self) -> list[PageLink | None]:
        """The links; None where some pages are left out between two; empty where there is one page alone."""
        if self.pages < 2:
            return []
        near = range(max(1, self.number - _NEAR), min(self.pages, self.number + _NEAR) + 1)
        numbers = sorted({1, self.pages, *near})
        links: list[PageLink | None] = []
        for before, number in pairwise([0, *numbers]):
            if number > before + 1:
                links.append(None)
            links.append(PageLink(number, numbered(self.path, number), number == self.number))
        return links


def paged(path: str, rows: int, rows_per_page: int = ROWS_PER_PAGE) -> Iterator[Paging]:
    """The pages of a list of so many rows; one where there are none."""
    pages = max(1, -(-rows // rows_per_page))
    for number in range(1, pages + 1):
        yield Paging(path, number, pages)
