"""Serves the published files. Reading has its own application, port and process: it can never slow down intake.

Every file has an ETag, answers `If-None-Match` and ranges, and says how long it may be cached. Tiles and entry bundles, also
partial ones, never change (C2SP tlog-tiles), nor do snapshots and what has a part of its hash in its name. Everything else is
asked for again after a short time, which costs one answer without a body where it is the same. A cache may show pages and
tables for another day where this server cannot be reached: that is when they are looked for most. What says which files belong
together is never older than a second. What is hidden in the folder is no part of the site.
"""

import os
import re
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from scrutineer.errors import UsageError

FOR_EVER: Final = "public, max-age=31536000, immutable"
SHORTLY: Final = "public, max-age=60, stale-if-error=86400"
AT_ONCE: Final = "public, max-age=1"

_TILE: Final = re.compile(r"(?:^|/)tile/(?:entries|[0-9]{1,2})/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[0-9]{1,3})?$")
_LASTING: Final = re.compile(
    r"(?:^|/)(?:assets/[^/]+\.[0-9a-f]{10}\.[a-z0-9]+|images/[0-9a-f]{64}\.[a-z]+|snapshots/[0-9]+\.json)$"
)
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".pdf": "application/pdf",
    ".json": "application/json",
    ".geojson": "application/geo+json",
    ".parquet": "application/vnd.apache.parquet",
    ".cose": "application/cose",
}
"""What files are, whatever the machine's own list of endings says; C2SP tlog-tiles: a checkpoint is text, a tile is bytes."""
_NOTES: Final = frozenset({"checkpoint", "manifest"})
_HEADS: Final = _NOTES | {"head.json", "site.json"}
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    # Each page names in itself what it needs, which is less. Here stands what all may need, and what a page cannot say of itself.
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "access-control-allow-origin": "*",
}


def reader_app(site: Path) -> Starlette:
    """An ASGI application for a published site. Raises UsageError when there is no such folder.

    The folder may be a link that is replaced while files are served, as that of a mirror is.
    """
    if not site.is_dir():
        raise UsageError(f"there is no published site at {site}: run `scrutineer publish` first, or check the path")
    return Starlette(routes=[Mount("/", _Site(directory=site, html=True))])


def cache_control(path: str) -> str:
    """How long a published file may be cached, by its path below the site."""
    if _TILE.search(path) or _LASTING.search(path):
        return FOR_EVER
    return AT_ONCE if path.rpartition("/")[2] in _HEADS else SHORTLY


class _Site(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            if any(part.startswith(".") and part != "." for part in path.split("/")):
                raise HTTPException(404)
            response = await super().get_response(path, scope)
            if response.status_code == 404:  # The site's own page for what is not there, which the library has found.
                response.headers.update({**_HEADERS, "cache-control": AT_ONCE, "content-type": _TYPES[".html"]})
            return response
        except HTTPException as refusal:
            # What is not there yet may be there in a moment: no cache must keep that it was not.
            raise HTTPException(
                refusal.status_code, refusal.detail, {**(refusal.headers or {}), "cache-control": AT_ONCE}
            ) from refusal

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = cache_control(scope["path"])
        name = Path(full_path).name
        kind = "text/plain; charset=utf-8" if name in _NOTES else _TYPES.get(Path(name).suffix, "application/octet-stream")
        response.headers["content-type"] = kind
        response.headers.update(_HEADERS)
        return response
