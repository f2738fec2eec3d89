"""What tests of several parts ask for by name: an election whose ballots were encrypted."""

from pathlib import Path

import pytest

from sealed_election import Sealed, sealed_election


@pytest.fixture(scope="session")
def sealed() -> Sealed:
    """The election at its end. Nobody changes it."""
    return sealed_election()


@pytest.fixture
def sealed_folder(sealed: Sealed, tmp_path: Path) -> Path:
    """Its ballots as a folder."""
    return sealed.write_folder(tmp_path / "ballots")
