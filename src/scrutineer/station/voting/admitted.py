"""People whom the centre admitted, or whose keys it revoked, after the machine's folder was made.

The register lies in the folder as the definition names it, and never changes. What came later are accreditations: statements
of the public log, which take effect with the signatures of as many officers as the definition asks for. A copy of them is kept
beside the register and read anew for every act of a poll worker; nobody has to be believed for it, since every signature is
checked each time.

    DIR/voting/admitted.json     accreditations and endorsements of officers, in the order of the log
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

import msgspec

from scrutineer.durable import write_whole
from scrutineer.election import Election, Issuer
from scrutineer.election.register import Role
from scrutineer.errors import PolicyError, ScrutineerError, StoreError
from scrutineer.statements import Accreditation, Endorsement
from scrutineer.statements.accreditations import Accreditations
from scrutineer.statements.policy import Policy
from scrutineer.station.voting.people import POLL_WORKERS, of_station
from scrutineer.station.voting.totals import MAX_WORKERS

ADMITTED_FILE: Final = "admitted.json"
MAX_ADMITTED: Final = 512
"""How many statements are kept; a station has a few dozen people."""


class _Admitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    statements: tuple[bytes, ...]


class People:
    """Who may act at a station by now."""

    def __init__(self, election: Election, statements: Sequence[bytes] = ()) -> None:
        """`statements` in the order of the log. Raises PolicyError, StatementError or SignatureError for one that is not good."""
        policy = Policy(election)
        for data in statements:
            statement = policy.admit(data)
            if not isinstance(statement.payload, Accreditation | Endorsement):
                raise PolicyError(
                    f"a statement of kind {statement.kind!r} admits nobody: give accreditations, and endorsements of them"
                )
            policy.apply(statement)
        self._election = election
        self._known: Accreditations = policy.accreditations

    def at(self, station: str, roles: Collection[Role] = POLL_WORKERS) -> tuple[Issuer, ...]:
        """Everyone of these roles who may act at a station, each key once: those of the register, then those admitted later."""
        # Where a key was admitted more than once, the newest admission says what it speaks for.
        newest: dict[tuple[str, bytes], Issuer] = {}
        for name in self._known.people():
            for issuer in self._known.current(name):
                newest.setdefault((name, issuer.key), issuer)
        return of_station(self._election, station, newest.values(), roles)


def read_admitted(folder: Path) -> tuple[bytes, ...]:
    """The statements kept in the folder of a machine; none where nobody was admitted. Raises StoreError."""
    path = folder / ADMITTED_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Admitted).statements
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{path} cannot be read ({error}): remove it, and take in the accreditations again") from error


def people_of(election: Election, folder: Path) -> People:
    """Who is known in the folder of a machine. Raises StoreError for a file that was changed."""
    try:
        return People(election, read_admitted(folder))
    except StoreError:
        raise
    except ScrutineerError as error:
        raise StoreError(
            f"{folder / ADMITTED_FILE} was changed ({error}): remove it, and take in the accreditations again"
        ) from error


def take_in(election: Election, station: str, folder: Path, statements: Sequence[bytes]) -> People:
    """Keep further statements, in the order of the log; who is known with them. Those kept already change nothing.

    Raises PolicyError, StatementError or SignatureError for one that is not good, PolicyError where too few or too many poll
    workers would be left, StoreError where the file cannot be written. Nothing is changed then.
    """
    kept = tuple(dict.fromkeys((*read_admitted(folder), *statements)))
    if len(kept) > MAX_ADMITTED:
        raise PolicyError(f"at most {MAX_ADMITTED} accreditations and endorsements are kept: give those of this station alone")
    people = People(election, kept)
    workers_of(people, station)
    try:
        write_whole(folder / ADMITTED_FILE, msgspec.json.encode(_Admitted(kept)))
    except OSError as error:
        raise StoreError(f"{folder / ADMITTED_FILE} cannot be written ({error.strerror}): make room on the disk") from error
    return people


def workers_of(people: People, station: str) -> tuple[bytes, ...]:
    """The keys of a station's poll workers, to whom its totals are sealed. Raises PolicyError for too few or too many."""
    keys = tuple(dict.fromkeys(worker.key for worker in people.at(station)))
    if not 2 <= len(keys) <= MAX_WORKERS:
        raise PolicyError(
            f"there are {len(keys)} poll workers for this station, and a machine serves 2 to {MAX_WORKERS}: "
            "register poll workers for their own stations"
        )
    return keys
