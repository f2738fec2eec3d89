"""The client's address behind a proxy that is trusted to tell it."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from scrutineer.errors import UsageError

MAX_HOPS: Final = 16  # addresses looked at, from the end
MAX_FIELD_SIZE: Final = 1_024  # bytes looked at, from the end

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks of proxies, such as 10.0.0.0/8 or one address. Raises UsageError."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise UsageError(f"{text!r} is not a network ({error}): write it as 10.0.0.0/8 or 2001:db8::/32") from error
    return tuple(networks)


def is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    """Whether an address lies in one of the networks."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in trusted)


def client_of(peer: str, field: bytes, trusted: tuple[Network, ...]) -> str:
    """The last address of X-Forwarded-For that no trusted proxy has; `peer` is a trusted proxy that passed the field on.

    Each proxy appends the address that it was reached from, so only what trusted ones wrote, from the end on, is believed. Where
    something else than an address stands there, the last proxy that could be told apart is the client.
    """
    client = peer
    for part in reversed(field[-MAX_FIELD_SIZE:].split(b",")[-MAX_HOPS:]):
        address = _parse(part.strip().decode("latin-1"))
        if address is None:
            break
        client = str(address)
        if not any(address in network for network in trusted):
            break
    return client


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
