"""The witnesses of an election's log, and how many of them must have cosigned what is shown as its head."""

import urllib.parse
from typing import Final

import msgspec

from scrutineer.errors import DefinitionError

MAX_WITNESSES: Final = 32
MAX_URL_LENGTH: Final = 256  # characters
MAX_VKEY_LENGTH: Final = 4_096  # characters; one of ML-DSA-44 has about 1,900


def check_url(url: str, what: str) -> None:
    """Raise DefinitionError unless this is an http or https address of printable characters."""
    try:
        parts = urllib.parse.urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or len(url) > MAX_URL_LENGTH or not url.isprintable() or " " in url or "?" in url or "#" in url:
        raise DefinitionError(f"{what} is {url[:64]!r}: write an address such as 'https://host:port'")


class NamedWitness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A witness: every C2SP verifier key with which it cosigns, all of one name, and where it is asked."""

    keys: tuple[str, ...]
    url: str = ""
    """Its submission prefix; empty where whoever runs the log is told in another way."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.keys) <= 2 or len({key.partition("+")[0] for key in self.keys}) != 1 or not self.name:
            raise DefinitionError(
                "a witness has one or two verifier keys of one name, as `scrutineer witness DIR --keys` prints them: copy those"
            )
        if any(len(key) > MAX_VKEY_LENGTH or key.count("+") < 2 or not key.isprintable() for key in self.keys):
            raise DefinitionError(f"a key of witness {self.name[:64]!r} is not a verifier key: copy it as its program prints it")
        if self.url:
            check_url(self.url, f"the address of witness {self.name!r}")

    @property
    def name(self) -> str:
        """The name that its keys carry."""
        return self.keys[0].partition("+")[0]


class WitnessPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who may cosign the log's checkpoints, and how many must: without them a checkpoint is pending, never the head."""

    quorum: int
    witnesses: tuple[NamedWitness, ...]

    def __post_init__(self) -> None:
        names = [witness.name for witness in self.witnesses]
        if not 1 <= self.quorum <= len(names) <= MAX_WITNESSES:
            raise DefinitionError(
                f"a quorum of {self.quorum} of {len(names)} witnesses cannot be had: name 1 to {MAX_WITNESSES} witnesses, "
                "and a quorum from 1 to their number"
            )
        keys = [key for witness in self.witnesses for key in witness.keys]
        if len(set(names)) != len(names) or len(set(keys)) != len(keys):
            raise DefinitionError("two witnesses have the same name or the same key: name each witness once")
