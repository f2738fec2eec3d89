"""Whom the collector asks, and what is refused before anything is signed."""

from pathlib import Path

import pytest

from cli_helpers import call, refused
from cosigning_helpers import WitnessProcess, policy_toml
from scrutineer.cli.cosigning import witness_addresses
from scrutineer.cli.office import Office
from scrutineer.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An opened election with two witnesses, of which one has an address."""
    witnesses = [WitnessProcess(tmp_path / bird, f"{bird}.example/watch") for bird in ("heron", "owl")]
    for witness in witnesses:
        witness.make()
    folder = tmp_path / "election"
    call("new", folder)
    with (folder / "election.toml").open("a") as file:
        file.write(policy_toml(witnesses, 1) + 'url = "https://owl.example:8472"\n')
    call("open", folder)
    return folder


def test_addresses_are_those_of_the_definition_and_of_the_command_line(folder: Path) -> None:
    definition = Office.load(folder).election.definition

    def asked(*given: str, without: tuple[str, ...] = ()) -> dict[str, str]:
        return {address.name: address.url for address in witness_addresses(definition, given, without)}

    assert asked() == {"owl.example/watch": "https://owl.example:8472"}
    both = asked("heron.example/watch=http://127.0.0.1:1/a=b", "owl.example/watch=https://moved.example")
    assert both == {"heron.example/watch": "http://127.0.0.1:1/a=b", "owl.example/watch": "https://moved.example"}
    assert asked(without=("owl.example/watch",)) == {}
    for wrong in (
        "stork=https://stork.example",
        "https://owl.example",
        "owl.example/watch=ftp://owl",
        "owl.example/watch=http://",
    ):
        with pytest.raises(UsageError):
            asked(wrong)
    with pytest.raises(UsageError, match="names no witness 'stork'"):
        asked(without=("stork",))


def test_keys_that_are_of_no_use_are_refused_before_anything_is_signed(tmp_path: Path) -> None:
    folder = tmp_path / "election"
    call("new", folder)
    with (folder / "election.toml").open("a") as file:
        file.write('\n[witnesses]\nquorum = 1\n[[witnesses.witness]]\nkeys = ["owl+12345678+AAAA"]\n')
    assert "the witnesses in election.toml cannot be used" in refused("open", folder, code=2)
    assert not (folder / "record").exists()
