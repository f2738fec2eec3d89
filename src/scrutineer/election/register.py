"""Who may sign what: issuers, their roles, the units they speak for, and their keys."""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from scrutineer.election.contests import check_id, check_name
from scrutineer.errors import DefinitionError

Role = Literal["authority", "station", "poll-worker", "agent", "observer", "auditor", "tribunal", "candidate", "operator"]

MAX_ISSUER_LENGTH: Final = 96  # characters
Algorithm = Literal["ed25519", "ml-dsa-44"]
KEY_SIZES: Final[dict[str, int]] = {"ed25519": 32, "ml-dsa-44": 1312}  # bytes, RFC 8032 and FIPS 204

_AUDIT: Final = frozenset({"audit-plan", "audit-seed", "audit-count", "audit-report"})
KINDS_BY_ROLE: Final[dict[str, frozenset[str]]] = {
    "authority": frozenset(
        {"definition", "accreditation", "endorsement", "decision", "bulletin", "certificate", "attestation", "claim", "incident"}
    )
    | _AUDIT,
    "station": frozenset({"station-opened", "tally-sheet", "endorsement", "incident"}),
    "poll-worker": frozenset({"endorsement", "claim"}),
    "agent": frozenset({"attestation", "endorsement", "claim"}),
    "observer": frozenset({"attestation", "endorsement", "claim", "incident"}),
    "auditor": frozenset({"endorsement", "claim"}) | _AUDIT,
    "tribunal": frozenset({"endorsement", "claim"}),
    "candidate": frozenset({"endorsement", "claim"}),
    "operator": frozenset({"endorsement", "claim", "incident"}),
}


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One key and what it may be used for. An issuer with several keys appears once for each."""

    id: str
    """`<role>/<name>`; a station's is `station/<station id>`."""
    role: Role
    key: bytes
    algorithm: Algorithm = "ed25519"
    unit: str = ""
    """The unit that this issuer speaks for; the whole country where it is left empty. A station's is itself."""
    name: str = ""

    def __post_init__(self) -> None:
        role, _, rest = self.id.partition("/")
        if len(self.id) > MAX_ISSUER_LENGTH or role != self.role:
            raise DefinitionError(
                f"issuer {self.id!r} has the role {self.role!r}: write its id as '{self.role}/<name>', "
                f"at most {MAX_ISSUER_LENGTH} characters"
            )
        check_id(rest, f"issuer {self.id!r}: the part behind '/'")
        if self.name:
            check_name(self.name, f"name of issuer {self.id}")
        if len(self.key) != KEY_SIZES[self.algorithm]:
            raise DefinitionError(
                f"key of issuer {self.id!r} has {len(self.key)} bytes: an {self.algorithm} public key has "
                f"{KEY_SIZES[self.algorithm]}"
            )
        if self.role == "station" and self.unit not in ("", rest):
            raise DefinitionError(f"issuer {self.id!r} speaks for unit {self.unit!r}: a station speaks for itself alone")


def station_issuer(station: str) -> str:
    """The issuer id of a station."""
    return f"station/{station}"


class Register:
    """All issuers of the definition. Station keys are held as one block of bytes, 32 for each station number."""

    __slots__ = ("_others", "_station_keys", "stations")

    def __init__(self, stations: dict[str, int], station_keys: bytes, others: Iterable[Issuer]) -> None:
        """Take station numbers by id, their Ed25519 keys in that order (32 zero bytes: none), and everyone else.

        Raises DefinitionError for a key block of the wrong size and for the same key given to the same issuer twice.
        """
        if len(station_keys) != 32 * len(stations):
            raise DefinitionError(
                f"the register holds {len(station_keys) // 32} station keys for {len(stations)} stations: give each station one"
            )
        self.stations = stations
        self._station_keys = station_keys
        self._others: dict[str, tuple[Issuer, ...]] = {}
        for issuer in others:
            known = self._others.get(issuer.id, ())
            if any(other.key == issuer.key for other in known):
                raise DefinitionError(f"issuer {issuer.id!r} is listed twice with the same key: remove one of the rows")
            self._others[issuer.id] = (*known, issuer)

    def station_key(self, number: int) -> bytes | None:
        """The definition's key of a station, by station number; None where it was given none."""
        key = self._station_keys[32 * number : 32 * number + 32]
        return key if any(key) else None

    @property
    def station_keys(self) -> bytes:
        """All station keys, 32 bytes each, in station order."""
        return self._station_keys

    def find(self, issuer_id: str) -> tuple[Issuer, ...]:
        """Every key that the definition gives to an issuer; empty where it knows none of that name."""
        others = self._others.get(issuer_id, ())
        role, _, station = issuer_id.partition("/")
        if role == "station" and (number := self.stations.get(station)) is not None:
            key = self.station_key(number)
            if key is not None:
                return (Issuer(issuer_id, "station", key, unit=station), *others)
        return others

    def others(self) -> Iterator[Issuer]:
        """Every issuer but the stations' first keys, in the order given."""
        for issuers in self._others.values():
            yield from issuers
