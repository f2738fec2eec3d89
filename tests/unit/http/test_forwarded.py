"""Whom a proxy forwards for."""

import pytest

from scrutineer.errors import UsageError
from scrutineer.http.forwarded import MAX_HOPS, client_of, is_trusted, read_networks

PROXIES = read_networks(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"])


@pytest.mark.parametrize(
    ("field", "client"),
    [
        (b"203.0.113.9", "203.0.113.9"),
        (b"198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (b"203.0.113.9, 10.1.1.1,10.2.2.2", "203.0.113.9"),
        (b"203.0.113.9, 2001:db8::7", "203.0.113.9"),
        (b"::ffff:203.0.113.9", "203.0.113.9"),
        (b"2001:DB9:0::1", "2001:db9::1"),
        (b"nonsense", "10.0.0.1"),
        (b"203.0.113.9, nonsense, 10.7.7.7", "10.7.7.7"),
        (b"", "10.0.0.1"),
        (b"203.0.113.9:80", "10.0.0.1"),
        (b"\xff\xfe", "10.0.0.1"),
        (b"10.9.9.9, 10.8.8.8", "10.9.9.9"),
        (b"203.0.113.9" + b", 10.0.0.2" * (MAX_HOPS + 3), "10.0.0.2"),
        (b"203.0.113.9," * 100_000 + b"198.51.100.4", "198.51.100.4"),
    ],
)
def test_the_last_address_that_no_trusted_proxy_has(field: bytes, client: str) -> None:
    assert client_of("10.0.0.1", field, PROXIES) == client


def test_who_is_trusted() -> None:
    assert is_trusted("10.255.0.1", PROXIES)
    assert is_trusted("::ffff:192.0.2.1", PROXIES)
    assert not is_trusted("192.0.2.2", PROXIES)
    assert not is_trusted("", PROXIES)


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "heron", "10.0.0.0/33"])
def test_other_texts_are_no_networks(text: str) -> None:
    with pytest.raises(UsageError, match="is not a network"):
        read_networks([text])
