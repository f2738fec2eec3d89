"""Addresses as they may be kept and published: shortened to their network, so that they name no household.

IPv4 is cut to 24 bits and IPv6 to 48. An IPv4 address written as IPv6 (`::ffff:192.0.2.7`) is cut as IPv4; of a 6to4 address
(2002::/16, RFC 3056), whose first 48 bits hold a whole IPv4 address, 40 bits are left for the same reason. The address of a
relay or proxy is an address like any other. What is no address becomes `UNKNOWN_NETWORK`.
"""

import functools
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

UNKNOWN_NETWORK: Final = "unknown"

_MAPPED: Final = bytes(10) + b"\xff\xff"  # RFC 4291 section 2.5.5.2
_6TO4: Final = b"\x20\x02"


def network_key(address: str) -> bytes:
    """The network of an address in 3 (IPv4) or 6 bytes (IPv6), quickly; empty for what is no address."""
    try:
        if ":" not in address:
            return inet_pton(AF_INET, address)[:3]
        packed = inet_pton(AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):
        return b""
    if packed.startswith(_MAPPED):
        return packed[12:15]
    if packed.startswith(_6TO4):
        return packed[:5] + b"\0"
    return packed[:6]


def network_text(key: bytes) -> str:
    """A network as text, such as `192.0.2.0/24` or `2001:db8:7::/48`."""
    if not key:
        return UNKNOWN_NETWORK
    if len(key) == 3:
        return f"{inet_ntop(AF_INET, key + bytes(1))}/24"
    return f"{inet_ntop(AF_INET6, key + bytes(10))}/{40 if key.startswith(_6TO4) else 48}"


def network_of(address: str) -> str:
    """The network of an address as text."""
    return network_text(network_key(address))


@functools.lru_cache(maxsize=4_096)
def is_network(text: str) -> bool:
    """Whether a text is a network as `network_of` writes it: one that tells more of an address is none."""
    return network_of(text.partition("/")[0]) == text
