"""Reads manifests as others write them: tables of Arlo, Dominion, Hart and Colorado, and published counts of stations."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scrutineer.audits.manifest import Manifest


@dataclass(frozen=True, slots=True)
class FoundManifest:
    """A manifest, and where its boxes are kept, where the file says it."""

    manifest: Manifest
    places: Mapping[str, str]
    """By box: container, cart, tray or store."""


def read_manifest_file(path: Path) -> FoundManifest:
    """The manifest in a CSV file of any of the layouts named above, or in canonical form.

    A box is named `tabulator-batch` where the file names tabulators, as records of cards name it, and otherwise by its batch;
    where that would name two boxes alike and the file has containers, all are named `container-tabulator-batch`. Raises AuditError,
    naming the line.
    """
    raise NotImplementedError


def manifest_of_stations(cards: Mapping[str, int]) -> Manifest:
    """The manifest of stations whose published sheets say how many ballots were found. Raises AuditError as Manifest does."""
    return Manifest.of(cards.items())
