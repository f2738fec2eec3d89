"""Who may say what, and acts that need several signatures (docs/formats.md, "The envelope of a statement" and "Counting").

`Policy` follows the log: it knows whom the register and the accreditations in effect so far admit, and whose key was revoked.
"""

from dataclasses import dataclass, field
from typing import Any

from second_look import audits, signatures
from second_look.election import Election, Key
from second_look.report import FormatError
from second_look.statements import Statement

_EVERYONE = {"endorsement", "claim"}
_AUDIT = {*audits.SHAPES}
MAY_SIGN = {
    "authority": _EVERYONE
    | _AUDIT
    | {"definition", "accreditation", "decision", "bulletin", "certificate", "attestation", "incident"},
    "station": {"station-opened", "tally-sheet", "endorsement", "incident"},
    "agent": _EVERYONE | {"attestation"},
    "observer": _EVERYONE | {"attestation", "incident"},
    "operator": _EVERYONE | {"incident"},
    "auditor": _EVERYONE | _AUDIT,
}


@dataclass
class Act:
    """A statement that takes effect with so many officers' signatures, and who has signed."""

    statement: Statement
    index: int
    unit: str
    signers: set[str] = field(default_factory=set)
    done: bool = False


class Policy:
    """The issuers as they stand after a prefix of the log."""

    def __init__(self, election: Election) -> None:
        self.election = election
        self.admitted: dict[str, list[Key]] = {}
        """Keys admitted by accreditations, the newest first."""
        self.revoked: set[tuple[str, bytes]] = set()
        self.acts: dict[bytes, Act] = {}
        self.audits = audits.Order()
        self._ahead: dict[bytes, list[Key]] = {}
        """Officers who signed something that is not in the log yet."""

    def keys(self, issuer: str) -> list[Key]:
        """Every key that an issuer has or had, the newest first."""
        return self.admitted.get(issuer, []) + self.election.register.get(issuer, [])

    def key_of(self, statement: Statement) -> Key | None:
        """The key that a header names."""
        for key in self.keys(statement.issuer):
            if key.algorithm == statement.algorithm and key.thumbprint() == statement.kid:
                return key
        return None

    def is_revoked(self, statement: Statement) -> bool:
        """Whether the key that a header names was revoked before."""
        return (statement.issuer, statement.kid) in self.revoked

    def speaks_for(self, key: Key, unit: str) -> bool:
        """Whether a unit lies inside the issuer's own; empty: the whole country."""
        if unit and unit not in self.election.units:
            return False
        return not key.unit or key.unit in self.election.path(unit)

    def check(self, statement: Statement) -> None:
        """Everything that must hold of a statement in the log; raises FormatError. The signature is looked at last."""
        election, payload, kind = self.election, statement.payload, statement.kind
        if kind == "definition":
            raise FormatError("a second definition")
        key = self.key_of(statement)
        if key is None:
            raise FormatError(f"the key is not one of {statement.issuer}")
        role = statement.issuer.partition("/")[0]
        if kind not in MAY_SIGN.get(role, _EVERYONE):
            raise FormatError(f"{statement.issuer} may not sign a {kind}")
        if payload[1 if kind == "tally-sheet" else "election"] != election.hash:
            raise FormatError("it belongs to another election")
        if kind in ("tally-sheet", "station-opened", "attestation", "decision"):
            station, contest = (payload[2], payload[3]) if kind == "tally-sheet" else (payload["station"], payload.get("contest"))
            if station not in election.stations or not self.speaks_for(key, station):
                raise FormatError(f"{statement.issuer} does not speak for station {station[:64]!r}")
            if contest is not None:
                if not election.votes_in(station, contest):
                    raise FormatError(f"station {station!r} does not vote in contest {contest[:64]!r}")
                self._check_counts(statement, election.contests[contest])
        elif kind == "accreditation" and not self.speaks_for(key, self._unit_of(statement)):
            raise FormatError(f"{statement.issuer} does not speak for the unit of {payload['issuer']}")
        elif kind in ("bulletin", "certificate"):
            if key.unit:
                raise FormatError(f"{statement.issuer} does not speak for the whole country")
            for result in payload["contests"]:
                contest = election.contests.get(result["contest"])
                if contest is None or len(result["votes"]) != len(contest["options"]):
                    raise FormatError("its totals are of another contest or of other options")
        elif kind in audits.SHAPES:
            self._check_audit(statement, key)
        if not signatures.holds(key.algorithm, key.public, statement.signed, statement.signature):
            raise FormatError("the signature does not hold")

    def _check_audit(self, statement: Statement, key: Key) -> None:
        election, payload, kind = self.election, statement.payload, statement.kind
        self.audits.check(kind, payload, statement.issuer, statement.hash)
        if kind in ("audit-plan", "audit-count"):
            unit = payload["unit"] if kind == "audit-plan" else payload["box"]
            if kind == "audit-count" and unit not in election.units:
                unit = self.audits.find(payload).plan["unit"]
            if not self.speaks_for(key, unit):
                raise FormatError(f"{statement.issuer} does not speak for unit {unit[:64]!r}")
        seen: list[tuple[str, Any, list[int]]] = [(each["contest"], each["counts"], []) for each in payload.get("totals", ())]
        seen += [(contest, None, marks) for card in payload.get("cards", ()) for contest, marks in card["marks"].items()]
        seen += [(each["contest"], None, []) for each in payload.get("risks", ())]
        for name, counts, marks in seen:
            if name not in election.contests:
                raise FormatError(f"there is no contest {name[:64]!r}")
            contest = election.contests[name]
            options = len(contest["options"])
            if counts is not None and len(counts) != (0 if contest["rule"] == "ranked" else options):
                raise FormatError(f"{len(counts)} counts for {options} options")
            if any(option >= options for option in marks):
                raise FormatError(f"a mark beyond the last of {options} options")

    def _check_counts(self, statement: Statement, contest: dict) -> None:  # type: ignore[type-arg]
        payload, options = statement.payload, len(contest["options"])
        ranked = contest["rule"] == "ranked"
        if statement.kind == "tally-sheet":
            counts = payload[4]
            if ranked != (payload[13] is not None) or any(
                option >= options for order, _ in payload[13] or () for option in order
            ):
                raise FormatError("rankings where none belong, of other options, or none")
        elif statement.kind == "attestation":
            counts = payload["counts"]
        else:
            counts = payload["after"]["counts"] if payload["after"] is not None else None
        if counts is not None and len(counts) != (0 if ranked else options):
            raise FormatError(f"{len(counts)} counts for {options} options")

    def _unit_of(self, statement: Statement) -> str:
        """The unit that an act is about; empty: the whole country."""
        payload = statement.payload
        if statement.kind == "decision":
            return str(payload["station"])
        if statement.kind == "accreditation":
            station = payload["issuer"].partition("station/")
            return str(station[2] if station[1] and not station[0] else payload["unit"])
        return ""

    def follow(self, index: int, statement: Statement) -> list[Act]:
        """Take note of the next statement; returns the acts that take effect with it."""
        officer = None
        if statement.kind in audits.SHAPES and not self.is_revoked(statement):
            self.audits.follow(statement.kind, statement.payload, statement.issuer, statement.hash, index)
        if statement.issuer.startswith("authority/") and not self.is_revoked(statement):
            officer = self.key_of(statement)
        if statement.kind in ("accreditation", "decision"):
            act = self.acts[statement.hash] = Act(statement, index, self._unit_of(statement))
            signing = self._ahead.pop(statement.hash, []) + ([officer] if officer else [])
        elif statement.kind == "endorsement" and officer is not None and statement.payload["verdict"] == "sign":
            known = self.acts.get(statement.payload["statement"])
            if known is None:
                self._ahead.setdefault(statement.payload["statement"], []).append(officer)
                return []
            act, signing = known, [officer]
        else:
            return []
        act.signers |= {key.issuer for key in signing if self.speaks_for(key, act.unit)}
        if act.done or len(act.signers) < self.election.needed(act.statement.kind):
            return []
        act.done = True
        return [act]

    def accredit(self, act: Act) -> tuple[str, bytes] | None:
        """Let an accreditation take effect; returns issuer and thumbprint of a key that is revoked from now on."""
        payload = act.statement.payload
        unit = self._unit_of(act.statement)
        key = Key(payload["issuer"], unit, payload["algorithm"], payload["key"], payload["name"])
        if payload["action"] == "admit":
            if key not in self.keys(key.issuer):
                self.admitted.setdefault(key.issuer, []).insert(0, key)
            return None
        name = (key.issuer, key.thumbprint())
        fresh = name not in self.revoked
        self.revoked.add(name)
        return name if fresh else None
