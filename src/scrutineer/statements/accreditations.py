"""Who is known by now: the register of the definition plus the accreditations that took effect, in log order.

An accreditation takes effect when as many authority issuers as the definition asks for have signed it: its own issuer and
those who endorse it, each counted once, before or after the accreditation itself was logged. Where a key is admitted again,
the newest accreditation says what it speaks for. A revoked key stays revoked, and signs nothing into effect any more.
"""

from typing import Final

from scrutineer.election.definition import Election
from scrutineer.election.register import Algorithm, Issuer
from scrutineer.errors import DefinitionError
from scrutineer.statements.envelope import CONTENT_TYPE_PREFIX, CONTENT_TYPE_SUFFIX
from scrutineer.statements.keys import thumbprint
from scrutineer.statements.kinds import Accreditation, Endorsement
from scrutineer.statements.statement import Statement

_ACCREDITATION: Final = f"{CONTENT_TYPE_PREFIX}accreditation{CONTENT_TYPE_SUFFIX}".encode()
_ENDORSEMENT: Final = f"{CONTENT_TYPE_PREFIX}endorsement{CONTENT_TYPE_SUFFIX}".encode()


def may_accredit(data: bytes) -> bool:
    """Whether the bytes of a well-formed statement may change who is known; looks at its header alone, and may err to yes."""
    start = data[:160]
    return _ACCREDITATION in start or (_ENDORSEMENT in start and b"authority/" in start)


class Accreditations:
    """The issuers of one election as they stand after a prefix of its log."""

    def __init__(self, election: Election) -> None:
        self._election = election
        self._admitted: dict[str, tuple[Issuer, ...]] = {}
        self._revoked: set[tuple[str, bytes]] = set()
        self._pending: dict[bytes, Accreditation] = {}
        self._signers: dict[bytes, dict[str, Issuer]] = {}
        self._needed = election.definition.needed("accreditation")

    def find(self, issuer_id: str) -> tuple[Issuer, ...]:
        """Every key that an issuer has or had, the newest first; a revoked one is still there."""
        return (*self._admitted.get(issuer_id, ()), *self._election.register.find(issuer_id))

    def match(self, issuer_id: str, kid: bytes, algorithm: Algorithm) -> Issuer | None:
        """The issuer with the key that a header names, or None."""
        for issuer in self.find(issuer_id):
            if issuer.algorithm == algorithm and thumbprint(issuer.key, algorithm) == kid:
                return issuer
        return None

    @property
    def revoked_issuers(self) -> frozenset[str]:
        """Everyone who had a key that has been revoked."""
        return frozenset(issuer for issuer, _ in self._revoked)

    @property
    def any_revoked(self) -> bool:
        """Whether any key has been revoked; where none has, nobody need ask for each statement."""
        return bool(self._revoked)

    def is_revoked(self, issuer_id: str, kid: bytes) -> bool:
        """Whether this key of an issuer, named by its thumbprint, has been revoked."""
        return (issuer_id, kid) in self._revoked

    def unit_of(self, issuer: Issuer) -> str:
        """The unit that an issuer speaks for; empty for the whole country. A station's is itself."""
        return issuer.id.partition("/")[2] if issuer.role == "station" else issuer.unit

    def speaks_for(self, issuer: Issuer, unit: str) -> bool:
        """Whether a unit lies inside the scope of an issuer; empty means the whole country. No unit of that name: it does not."""
        units = self._election.units
        try:
            inside = units.position(unit) if unit else 0
            scope = self.unit_of(issuer)
            return not scope or units.position(scope) in units.path(inside)
        except DefinitionError:
            return False

    def current(self, issuer_id: str) -> tuple[Issuer, ...]:
        """The keys of an issuer that have not been revoked, the newest first."""
        revoked = self._revoked
        return tuple(
            issuer for issuer in self.find(issuer_id) if (issuer_id, thumbprint(issuer.key, issuer.algorithm)) not in revoked
        )

    def authorities(self) -> frozenset[str]:
        """The issuers of the authority that have a key which is not revoked."""
        return frozenset(name for name in self.people() if name.startswith("authority/") and self.current(name))

    def people(self) -> tuple[str, ...]:
        """Every issuer but the stations' first keys: those of the register in its order, then those admitted later."""
        return tuple(dict.fromkeys((*(issuer.id for issuer in self._election.register.others()), *self._admitted)))

    def apply(self, statement: Statement) -> Accreditation | None:
        """Take note of the next statement of the log; kinds that change nothing here are passed over.

        Returns the accreditation that took effect with this statement and changed who is known; None where none did.
        """
        payload = statement.payload
        if isinstance(payload, Accreditation):
            name = statement.hash
            self._pending[name] = payload
            return self._sign(name, statement)
        if isinstance(payload, Endorsement) and payload.verdict == "sign":
            return self._sign(payload.statement, statement)
        return None

    def _sign(self, name: bytes, statement: Statement) -> Accreditation | None:
        envelope = statement.envelope
        if not envelope.issuer.startswith("authority/") or self.is_revoked(envelope.issuer, envelope.kid):
            return None
        signer = self.match(envelope.issuer, envelope.kid, envelope.algorithm)
        if signer is not None:
            self._signers.setdefault(name, {}).setdefault(signer.id, signer)
        accreditation = self._pending.get(name)
        if accreditation is None:
            return None
        unit = self.unit_of(accreditation.as_issuer())
        signers = self._signers.get(name, {}).values()
        if sum(self.speaks_for(authority, unit) for authority in signers) < self._needed:
            return None
        del self._pending[name], self._signers[name]
        return accreditation if self._take_effect(accreditation) else None

    def _take_effect(self, accreditation: Accreditation) -> bool:
        """Whether this changed anything."""
        issuer = accreditation.as_issuer()
        if accreditation.action == "revoke":
            key = (issuer.id, thumbprint(issuer.key, issuer.algorithm))
            changed = key not in self._revoked
            self._revoked.add(key)
            return changed
        if issuer in self.find(issuer.id):
            return False
        self._admitted[issuer.id] = (issuer, *self._admitted.get(issuer.id, ()))
        return True
