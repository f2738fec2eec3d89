"""Reads pages the way a strict browser would: tags balanced, ids unique, links collected."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urldefrag, urlsplit

from scrutineer.portal.formats import MISSING_PAGE

VOID = {"meta", "link", "br", "hr", "img", "source", "input"}
DRAWN = {"rect", "path", "circle", "line", "use", "polyline", "polygon"}
"""Elements of pictures that may close themselves."""


@dataclass
class Page:
    """What was read from one page."""

    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    tags: list[str] = field(default_factory=list)
    text: str = ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        assert not [name for name in names if name.startswith("on") or name == "style"], f"<{tag}> has active or inline {names}"
        given = dict(attrs)
        for name in ("href", "src", "srcset"):
            if name in given:
                self.page.links.append(given[name] or "")
        if (own := given.get("id")) is not None:
            assert own not in self.page.ids, f"id {own} stands twice"
            self.page.ids.add(own)
        self.page.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID | DRAWN, tag
        self.handle_starttag(tag, attrs)
        if tag in DRAWN:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> without its opening"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.page.text += data


def read_page(data: bytes) -> Page:
    """Read a page; fails on anything that is not balanced."""
    reader = _Reader()
    text = data.decode()
    assert text.startswith("<!DOCTYPE html>\n")
    assert "\x00" not in text
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader.page


def read_pages(files: dict[str, bytes]) -> dict[str, Page]:
    """Read every page of a site."""
    return {path: read_page(data) for path, data in files.items() if path.endswith(".html")}


def target(path: str, link: str) -> tuple[str, str]:
    """The file and the id that a link on a page leads to; fails for a link that leaves the site."""
    parts = urlsplit(link)
    assert not parts.scheme, f"{path} links out of the site: {link}"
    assert not parts.netloc, f"{path} links out of the site: {link}"
    if path == MISSING_PAGE:  # which a server shows whatever the address, so that its links have to begin at the root
        assert link.startswith(("/", "#")), f"{path} has a relative link: {link}"
        link = link.removeprefix("/")
    assert not link.startswith("/"), f"{path} has a link that is not relative: {link}"
    bare, fragment = urldefrag(link)
    bare = bare.partition("?")[0]
    if not bare:
        return path, fragment
    found = normpath(join(dirname(path), unquote(bare)))
    assert not found.startswith(".."), f"{path} links out of the site: {link}"
    return found, fragment
