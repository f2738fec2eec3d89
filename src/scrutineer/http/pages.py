"""What the programs that answer with pages of their own have in common: headers of their answers, and the files of their look.

Control room, poll workers' board and voting machine are each for one origin alone: nothing of another loads into their pages,
and no other page frames them or reads from them.
"""

from functools import cached_property
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from scrutineer.design import Asset, asset

FOR_EVER: Final = "public, max-age=31536000, immutable"
DESIGN: Final = "scrutineer.design"
_TYPES: Final = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def page_headers(*, images: str = "'self'") -> dict[str, str]:
    """Header fields of every answer that is no file of the look. `images`: where pictures may come from, as CSP says it."""
    return {
        "content-security-policy": (
            f"default-src 'none'; style-src 'self'; script-src 'self'; img-src {images}; connect-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "x-content-type-options": "nosniff",
        # With no referrer at all, browsers would leave the origin out of forms, by which others' requests are told apart.
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }


class Look:
    """The style sheets, scripts and pictures of one program, served under names that change with their bytes."""

    def __init__(self, room: str, *names: str, below: str = "") -> None:
        """Those of the design that every page has, and `names` of the package `room`. `below` is the path of the program."""
        self._files: Final = (*((DESIGN, name) for name in ("style.css", "icon.svg")), *((room, name) for name in names))
        self._below: Final = below

    def path(self, name: str) -> str:
        """Where a file lies, for templates. Raises KeyError for one that is not of this look."""
        return self._paths[name]

    def route(self) -> Route:
        """The route that answers with the files."""
        return Route(f"{self._below}/assets/{{name}}", self._answer)

    @cached_property
    def _served(self) -> dict[str, Asset]:
        return {f"{self._below}/{one.path}": one for one in (asset(room, name) for room, name in self._files)}

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {one.name: path for path, one in self._served.items()}

    async def _answer(self, request: Request) -> Response:
        found = self._served.get(request.url.path)
        if found is None:
            return Response(status_code=404)
        kind = _TYPES[found.path.rpartition(".")[2]]
        return Response(found.data, media_type=kind, headers={"cache-control": FOR_EVER, "x-content-type-options": "nosniff"})
