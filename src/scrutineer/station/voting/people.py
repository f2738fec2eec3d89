"""Who stands at the machine: poll workers, agents and observers of its station, each with a private key of their own. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from scrutineer.election import Election, Issuer
from scrutineer.election.register import Role
from scrutineer.errors import PolicyError, UsageError
from scrutineer.statements import Endorsement, SigningKey, sign_statement

MAX_KEY_SIZE: Final = 16 * 1024  # bytes of a key file
POLL_WORKERS: Final[frozenset[Role]] = frozenset({"poll-worker"})
SIGNERS: Final[frozenset[Role]] = frozenset({"poll-worker", "agent", "observer"})
"""Who may countersign tally sheets at a station."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the register, present with the private key."""

    issuer: Issuer
    key: SigningKey

    @property
    def name(self) -> str:
        """The name in the register, or the id where it has none."""
        return self.issuer.name or self.issuer.id

    def endorse(self, election: Election, statement: bytes, refuse: str = "") -> bytes:
        """This person's signature under another statement, named by its hash; or the refusal to sign it, for a reason."""
        payload = Endorsement(election=election.hash, statement=statement, verdict="refuse" if refuse else "sign", reason=refuse)
        return sign_statement(payload, self.issuer.id, self.key)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two different poll workers, whom it takes to open, to close and to enable a machine again."""

    first: Person
    second: Person

    def __post_init__(self) -> None:
        """Raises PolicyError where both are the same, or one is no poll worker."""
        if self.first.issuer.id == self.second.issuer.id or self.first.key.seed == self.second.key.seed:
            raise PolicyError(f"both keys are those of {self.first.name}: a second poll worker has to use their own key")
        for person in (self.first, self.second):
            if person.issuer.role != "poll-worker":
                raise PolicyError(f"{person.name} is registered as {person.issuer.role}: two poll workers are needed")

    @property
    def people(self) -> tuple[Person, Person]:
        """Both."""
        return self.first, self.second


def read_private_key(data: bytes, passphrase: str = "") -> SigningKey:
    """Read a private key in PEM form, which may be protected by a passphrase. Raises UsageError that says what is wrong."""
    if len(data) > MAX_KEY_SIZE:
        raise UsageError("the key file is far too large for a key: choose the file that ends in .pem")
    try:
        key = serialization.load_pem_private_key(data, passphrase.encode() or None)
    except TypeError as error:  # The library's way to say that there is a passphrase too many or too few.
        what = "has no passphrase: leave the field empty" if passphrase else "is protected: type its passphrase"
        raise UsageError(f"the key file {what}") from error
    except ValueError as error:
        what = "cannot be opened with this passphrase: type it again" if b"ENCRYPTED" in data else "is no private key (PEM)"
        raise UsageError(f"the key file {what}") from error
    except Exception as error:  # Key files of kinds that the library does not support fail in ways of their own.
        raise UsageError("the key file is of a kind that cannot be read: make the key with Ed25519") from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise UsageError("the key file holds a key of another kind: poll workers and agents sign with Ed25519")
    return SigningKey(key.private_bytes_raw())


def of_station(
    election: Election, station: str, known: Iterable[Issuer], roles: Collection[Role] = POLL_WORKERS
) -> tuple[Issuer, ...]:
    """Those of the people known who have one of these roles and may act at a station, in their order."""
    units = election.units
    inside = {units.ids[unit] for unit in units.path(units.position(station))}
    return tuple(
        issuer
        for issuer in known
        if issuer.role in roles and issuer.algorithm == "ed25519" and (not issuer.unit or issuer.unit in inside)
    )


def identify(key: SigningKey, known: Collection[Issuer]) -> Person:
    """Whose key this is. Raises PolicyError where it is nobody's among these."""
    for issuer in known:
        if issuer.key == key.public_key:
            return Person(issuer, key)
    raise PolicyError(
        f"the key {key.public_key.hex()[:16]}… is not registered for this station, or not for this act: choose your own key "
        "file, or ask the centre to register it",
        code="unknown-key",
    )
