"""Serves the published files. Reading has its own application, port and process: it can never slow down intake."""

import os
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from scrutineer.errors import UsageError

FOR_EVER: Final = "public, max-age=31536000, immutable"
SHORTLY: Final = "public, max-age=60"
AT_ONCE: Final = "public, max-age=1"

_NOTES: Final = frozenset({"checkpoint", "manifest"})
_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'",
    "referrer-policy": "no-referrer",
    "access-control-allow-origin": "*",
}


def reader_app(site: Path) -> Starlette:
    """An ASGI application for a published site. Raises UsageError when there is no such folder.

    Whole tiles and entry bundles (C2SP tlog-tiles) never change and are cached for ever; the checkpoint is fresh every
    second; pages and tables are fresh every minute.
    """
    if not site.is_dir():
        raise UsageError(f"there is no published site at {site}: run `scrutineer publish` first, or check the path")
    return Starlette(routes=[Mount("/", _Site(directory=site, html=True))])


def cache_control(path: str) -> str:
    """How long a published file may be cached, by its path below the site."""
    parts = path.strip("/").split("/")
    if "tile" in parts and not any(part.endswith(".p") for part in parts):
        return FOR_EVER
    return AT_ONCE if parts[-1] == "checkpoint" else SHORTLY


class _Site(StaticFiles):
    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = cache_control(scope["path"])
        if Path(full_path).name in _NOTES:
            # C2SP tlog-tiles: a checkpoint is text.
            response.headers["content-type"] = "text/plain; charset=utf-8"
        for name, value in _HEADERS.items():
            response.headers[name] = value
        return response
