"""Where tests find real data that is not part of the repository: published vectors and election files."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[1]


def shared(path: str) -> Path:
    """Return a file or folder of the shared data; skip the calling test, with the reason, where it is absent."""
    folder = Path(os.environ.get("SCRUTINEER_DATA") or _REPOSITORY.parent / "shared" / "data")
    found = folder / path
    if not found.exists():
        pytest.skip(f"shared data {path} is not in {folder}; set SCRUTINEER_DATA to the folder that holds it")
    return found
