"""The frame around the content of pages that differ in little else, made once for all of them."""

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import escape

from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Crumb, Pages

# Names on a page are printable, so that these stand in a frame where nothing else does.
_FILE: Final = "\x01"
_TITLE: Final = "\x02"
_CONTENT: Final = "\x03"


class Frame:
    """The frame of pages in one folder that share crumbs, scripts and style sheets, and differ by name, title and content."""

    def __init__(
        self,
        pages: Pages,
        folder: str,
        place: int,
        crumbs: Sequence[Crumb],
        scripts: Iterable[str] = (),
        styles: Sequence[str] = (),
    ) -> None:
        """`place` is one of the places that the pages are about; the others have pages in the same languages."""
        page = f"{folder}/{_FILE}.html"
        made = pages.render(
            "frame.html", page, _TITLE, place=place, crumbs=crumbs, scripts=scripts, styles=styles, content=_CONTENT
        )
        before, rest = b"".join(made.chunks).decode().split(_TITLE, 1)
        between, after = rest.split(_CONTENT, 1)
        self._path = pages.path(page)
        self._parts = [part.split(_FILE) for part in (before, between, after)]
        self.values = pages.context(page, "", place=place)
        """What templates of the content may use."""

    def around(self, file: str, title: str, content: str) -> SiteFile:
        """A page. `file` is its name without the ending, `title` is plain text or Markup, `content` is HTML."""
        before, between, after = (file.join(part) for part in self._parts)
        page = f"{before}{escape(title)}{between}{content}{after}"
        return SiteFile(self._path.replace(_FILE, file), (page.encode(),))
