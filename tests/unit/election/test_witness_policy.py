"""Who must cosign, and what cannot be a quorum."""

import pytest

from scrutineer.election.transmission import Transmission
from scrutineer.election.witness_policy import NamedWitness, WitnessPolicy
from scrutineer.errors import DefinitionError


def vkey(name: str, key: str = "AAAA") -> str:
    return f"{name}+12345678+{key}"


def named(name: str) -> NamedWitness:
    return NamedWitness((vkey(name, f"BB{name}"),), f"https://{name}.example:8472")


def test_a_witness_is_called_what_its_keys_are_called() -> None:
    assert NamedWitness((vkey("heron/watch"), vkey("heron/watch", "CC+C"))).name == "heron/watch"


@pytest.mark.parametrize(
    ("keys", "url"),
    [
        ((), ""),
        (("", ""), ""),
        ((vkey("a"), vkey("b")), ""),
        (("a+only",), ""),
        ((vkey("a"), vkey("a", "C"), vkey("a", "D")), ""),
        ((vkey("a"),), "ftp://heron.example"),
        ((vkey("a"),), "https://"),
        ((vkey("a"),), "https://heron.example:0x"),
        ((vkey("a"),), "https://heron.example/ spoon"),
        ((vkey("a"),), "https://heron.example/?q"),
        ((vkey("a" * 5_000),), ""),
    ],
)
def test_what_cannot_be_a_witness_is_refused(keys: tuple[str, ...], url: str) -> None:
    with pytest.raises(DefinitionError):
        NamedWitness(keys, url)


@pytest.mark.parametrize("quorum", [0, 3, -1])
def test_a_quorum_that_cannot_be_had_is_refused(quorum: int) -> None:
    with pytest.raises(DefinitionError, match="quorum"):
        WitnessPolicy(quorum, (named("heron"), named("egret")))


def test_one_witness_counts_once() -> None:
    with pytest.raises(DefinitionError, match="once"):
        WitnessPolicy(2, (named("heron"), named("heron")))


@pytest.mark.parametrize(
    ("endpoints", "relays", "ways"),
    [
        (("heron.example",), (), ("intake",)),
        (("https://a.example",) * 2, (), ("intake",)),
        ((), ("http://[::1",), ("relay",)),
        ((), (), ()),
        ((), (), ("intake", "intake")),
        ((), (), ("pigeon",)),
    ],
)
def test_ways_that_cannot_be_are_refused(endpoints: tuple[str, ...], relays: tuple[str, ...], ways: tuple[str, ...]) -> None:
    with pytest.raises(DefinitionError):
        Transmission(endpoints, relays, ways)  # type: ignore[arg-type]


def test_the_ways_default_to_all() -> None:
    assert Transmission().ways == ("intake", "relay", "bundle", "paper")
