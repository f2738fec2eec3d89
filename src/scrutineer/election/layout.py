"""Layouts: which column of somebody's results file is what, so that a new country costs ten lines of TOML and no code."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout as read from its TOML file."""

    name: str
    title: str
    publisher: str
    """Who published the file; becomes the source of the definition."""


def layouts() -> dict[str, str]:
    """Names of the layouts that are shipped, with their titles."""
    raise NotImplementedError


def load_layout(name_or_path: str | Path) -> Layout:
    """A shipped layout by name, or one of your own by the path of its TOML file. Raises LayoutError."""
    raise NotImplementedError
