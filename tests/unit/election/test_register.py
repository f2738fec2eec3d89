import pytest

from scrutineer.election.register import Issuer, Register, station_issuer
from scrutineer.errors import DefinitionError

KEY, OTHER = b"k" * 32, b"o" * 32
STATIONS = {"s1": 0, "s2": 1}


def test_a_station_is_found_by_its_key_in_the_block() -> None:
    register = Register(STATIONS, KEY + bytes(32), [])
    assert register.find("station/s1") == (Issuer("station/s1", "station", KEY, unit="s1"),)
    assert register.find("station/s2") == ()
    assert register.find("station/s3") == ()
    assert register.station_key(1) is None
    assert station_issuer("s1") == "station/s1"


def test_issuers_with_several_keys_are_found_with_all_of_them() -> None:
    first, second = Issuer("authority/a", "authority", KEY), Issuer("authority/a", "authority", OTHER)
    spare = Issuer("station/s1", "station", OTHER, unit="s1")
    register = Register(STATIONS, KEY + OTHER, [first, spare, second])
    assert register.find("authority/a") == (first, second)
    assert register.find("station/s1")[1:] == (spare,)
    assert list(register.others()) == [first, second, spare]


def test_the_same_key_twice() -> None:
    issuer = Issuer("agent/a", "agent", KEY)
    with pytest.raises(DefinitionError, match="'agent/a' is listed twice with the same key"):
        Register({}, b"", [issuer, issuer])


def test_a_key_block_of_the_wrong_size() -> None:
    with pytest.raises(DefinitionError, match="holds 1 station keys for 2 stations"):
        Register(STATIONS, KEY, [])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("agent/a", "observer", KEY), "has the role 'observer': write its id as 'observer/<name>'"),
        (("agent/", "agent", KEY), "the part behind '/'"),
        (("agent/a b", "agent", KEY), "cannot be used as an identifier"),
        (("agent/" + "a" * 91, "agent", KEY), "at most 96 characters"),
        (("agent/a", "agent", b"short"), "has 5 bytes: an ed25519 public key has 32"),
        (("agent/a", "agent", KEY, "ml-dsa-44"), "has 32 bytes: an ml-dsa-44 public key has 1312"),
        (("station/a", "station", KEY, "ed25519", "b"), "a station speaks for itself alone"),
        (("agent/a", "agent", KEY, "ed25519", "", "\n"), "name of issuer agent/a"),
    ],
)
def test_issuers_that_cannot_be(fields: tuple[str, ...], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        Issuer(*fields)  # type: ignore[arg-type]
