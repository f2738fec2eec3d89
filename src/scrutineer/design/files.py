"""Style sheets, scripts and pictures, each under a name that holds a part of its hash, so that a cache may keep it for ever."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

FOLDER: Final = "assets"
"""The folder of the site in which they lie."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: the name that it has in its room, its path on the site, and its bytes."""

    name: str
    path: str
    data: bytes


@cache
def asset(room: str, name: str) -> Asset:
    """A file of the folder `assets` of a package, such as `scrutineer.design`."""
    data = files(room).joinpath("assets", *name.split("/")).read_bytes()
    stem, _, ending = name.rpartition(".")
    return Asset(name, f"{FOLDER}/{stem}.{hashlib.sha256(data).hexdigest()[:10]}.{ending}", data)


def assets(room: str) -> Iterator[Asset]:
    """All files directly in the folder `assets` of a package, by name."""
    folder = files(room).joinpath("assets")
    for name in sorted(entry.name for entry in folder.iterdir() if entry.is_file()) if folder.is_dir() else ():
        yield asset(room, name)
