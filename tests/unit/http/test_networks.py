"""Shortened addresses: what is left of each form, and that a longer one is never taken for one."""

import pytest

from scrutineer.http.networks import is_network, network_key, network_of

NETWORKS = {
    "192.0.2.77": "192.0.2.0/24",
    "192.0.2.0": "192.0.2.0/24",
    "255.255.255.255": "255.255.255.0/24",
    "127.0.0.1": "127.0.0.0/24",
    "2001:db8:7:8:9:a:b:c": "2001:db8:7::/48",
    "2001:db8::1": "2001:db8::/48",
    "2001:DB8:7::1": "2001:db8:7::/48",
    "::1": "::/48",
    "fe80::1%eth0": "fe80::/48",
    "::ffff:192.0.2.77": "192.0.2.0/24",
    "::ffff:c000:24d": "192.0.2.0/24",
    "2002:c000:024d:1::9": "2002:c000:200::/40",
    "": "unknown",
    "station.example": "unknown",
    "192.0.2": "unknown",
    "192.0.2.256": "unknown",
    "192.0.2.7\0": "unknown",
    "²:": "unknown",
    "1:2:3": "unknown",
    "\ud800": "unknown",
}


@pytest.mark.parametrize(("address", "network"), NETWORKS.items(), ids=ascii)
def test_an_address_is_shortened(address: str, network: str) -> None:
    assert network_of(address) == network
    assert is_network(network)


@pytest.mark.parametrize(
    "address", ["192.0.2.77", "::ffff:192.0.2.77", "2002:c000:024d::1", "2001:db8:7:4d4d:4d4d:4d4d:4d4d:4d4d"]
)
def test_nothing_is_left_of_what_names_a_household(address: str) -> None:
    assert 0x4D not in network_key(address)
    assert "77" not in network_of(address)
    assert "4d" not in network_of(address)


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.77",
        "192.0.2.77/24",
        "192.0.2.0",
        "192.0.2.0/32",
        "192.0.2.0/24 ",
        "192.000.2.0/24",
        "2001:db8:7::/64",
        "2001:db8:7:1::/48",
        "2001:0db8:7::/48",
        "2001:DB8:7::/48",
        "2002:c000:24d::/48",
        "2002:c000:24d::/40",
        "::ffff:192.0.2.0/24",
        "fe80::%eth0/48",
        "unknown/24",
        "",
    ],
)
def test_what_tells_more_or_is_written_otherwise_is_no_network(text: str) -> None:
    assert not is_network(text)
