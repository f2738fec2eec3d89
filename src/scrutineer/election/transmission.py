"""How sheets travel from a station to the centre: the ways that the election provides, in the order in which to try them."""

from typing import Final, Literal, get_args

import msgspec

from scrutineer.election.witness_policy import check_url
from scrutineer.errors import DefinitionError

Way = Literal["intake", "relay", "bundle", "paper"]
"""`intake`: straight to an intake endpoint. `relay`: to somebody who stores and forwards. `bundle`: a file on a stick.
`paper`: the printed sheet with its QR codes, scanned at the centre."""
WAYS: Final[tuple[Way, ...]] = get_args(Way)

MAX_ENDPOINTS: Final = 64


class Transmission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where stations send, and in which order they try the ways. Part of the definition, so that no station has to be told."""

    endpoints: tuple[str, ...] = ()
    """Addresses of intake services, equal among themselves: any of them gives the receipt."""
    relays: tuple[str, ...] = ()
    """Addresses of relays that every station may use; a station may know nearer ones."""
    ways: tuple[Way, ...] = WAYS

    def __post_init__(self) -> None:
        for what, urls in (("an intake endpoint", self.endpoints), ("a relay", self.relays)):
            for url in urls:
                check_url(url, f"the address of {what}")
            if len(set(urls)) != len(urls) or len(urls) > MAX_ENDPOINTS:
                raise DefinitionError(
                    f"the address of {what} is given twice, or there are more than {MAX_ENDPOINTS}: give each once"
                )
        if not self.ways or len(set(self.ways)) != len(self.ways) or set(self.ways) - set(WAYS):
            raise DefinitionError(f"the ways are {', '.join(self.ways) or 'none'}: name each of {', '.join(WAYS)} at most once")
