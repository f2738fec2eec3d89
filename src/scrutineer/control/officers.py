"""Who may enter: the officers' passkeys and enrolment codes, kept in DIR/control/officers.json.

A passkey is a public key: reading the file lets nobody in. Of an enrolment code only the hash is kept.
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from scrutineer.durable import write_whole
from scrutineer.errors import ControlError
from scrutineer.language import msg

OFFICERS_FILE: Final = "officers.json"
LOCK_FILE: Final = "lock"
CODE_LIFETIME: Final = 30 * 60  # seconds
MAX_PASSKEYS: Final = 16
"""Of one officer."""
MAX_FILE: Final = 1 << 20  # bytes
_CODE_BYTES: Final = 20


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """One passkey of an officer (WebAuthn level 3: a credential). `id` and `public_key` (COSE) are in hexadecimal."""

    id: str
    public_key: str
    name: str
    """What its officer calls it."""
    added: int
    sign_count: int = 0
    """How often the authenticator says that it was used; 0 where it does not count."""
    synced: bool = False
    """Whether it may be copied to other devices of an account (WebAuthn: backup eligible), so that the account holds it too."""


class Officer(msgspec.Struct, frozen=True, kw_only=True):
    """An officer of the control room."""

    passkeys: tuple[Passkey, ...] = ()
    code: str = ""
    """SHA-256 of the enrolment code that is out, in hexadecimal; empty where none is."""
    code_expires: int = 0
    language: str = ""


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str = "scrutineer-control/v1"
    officers: dict[str, Officer] = {}


class Officers:
    """The file. Each call reads it and, where it changes something, writes it whole, so that processes agree at any time."""

    def __init__(self, folder: Path, clock: Callable[[], int], randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._path = folder / OFFICERS_FILE
        self._lock = folder / LOCK_FILE
        self._clock = clock
        self._randomness = randomness

    def all(self) -> dict[str, Officer]:
        """Every officer who was ever enrolled, by issuer id."""
        return self._read().officers

    def find(self, passkey: str) -> tuple[str, Passkey]:
        """The officer and passkey of a credential id. Raises ControlError where nobody has it."""
        for name, officer in self._read().officers.items():
            for known in officer.passkeys:
                if known.id == passkey:
                    return name, known
        raise ControlError(msg("this passkey is not enrolled here: ask for an enrolment link"))

    def passkeys(self, name: str) -> tuple[Passkey, ...]:
        """The passkeys of an officer."""
        return self._read().officers.get(name, Officer()).passkeys

    def invite(self, name: str) -> str:
        """A new enrolment code for an officer, in place of any older one; it works once, for CODE_LIFETIME seconds."""
        code = secrets_text(self._randomness(_CODE_BYTES))
        with self._changing() as officers:
            known = officers.get(name, Officer())
            officers[name] = msgspec.structs.replace(known, code=_hash(code), code_expires=self._clock() + CODE_LIFETIME)
        return code

    def invited(self, code: str) -> str:
        """The officer whom a code was made for. Raises ControlError where it is not one that holds."""
        return self._invited(self._read().officers, code)

    def enrol(self, code: str, passkey: Passkey) -> str:
        """Use up a code: its officer gets the passkey. Raises ControlError where the code or the passkey cannot be used."""
        with self._changing() as officers:
            name = self._invited(officers, code)
            if any(passkey.id == known.id for officer in officers.values() for known in officer.passkeys):
                # Two officers with one passkey would be one person who counts twice.
                raise ControlError(msg("this passkey is enrolled already: use another device or key"))
            own = officers[name].passkeys
            if len(own) >= MAX_PASSKEYS:
                raise ControlError(f"{name} has {MAX_PASSKEYS} passkeys: have some of them forgotten first")
            officers[name] = msgspec.structs.replace(officers[name], passkeys=(*own, passkey), code="", code_expires=0)
        return name

    def forget(self, name: str, passkey: str = "") -> int:
        """Remove an officer's passkeys whose id begins so (empty: all) and any code that is out; says how many went.

        Raises ControlError, and removes nothing, where none begins so: somebody who mistyped would take the lost device for gone.
        """
        with self._changing() as officers:
            known = officers.get(name, Officer())
            left = tuple(one for one in known.passkeys if not one.id.startswith(passkey.lower()))
            if passkey and len(left) == len(known.passkeys):
                raise ControlError(f"{name} has no passkey whose id begins with {passkey!r}: --passkeys lists them")
            officers[name] = msgspec.structs.replace(known, passkeys=left, code="", code_expires=0)
        return len(known.passkeys) - len(left)

    def used(self, name: str, passkey: str, sign_count: int) -> None:
        """Remember how far an authenticator has counted. Raises ControlError where the passkey was forgotten meanwhile."""
        with self._changing() as officers:
            known = officers.get(name, Officer())
            if not any(one.id == passkey for one in known.passkeys):
                raise ControlError(msg("this passkey is not enrolled here: ask for an enrolment link"))
            passkeys = tuple(
                msgspec.structs.replace(one, sign_count=sign_count) if one.id == passkey else one for one in known.passkeys
            )
            officers[name] = msgspec.structs.replace(known, passkeys=passkeys)

    def set_language(self, name: str, code: str) -> None:
        """Remember the language in which an officer reads."""
        with self._changing() as officers:
            officers[name] = msgspec.structs.replace(officers.get(name, Officer()), language=code)

    def _invited(self, officers: dict[str, Officer], code: str) -> str:
        digest = _hash(code)
        for name, officer in officers.items():
            if officer.code and secrets.compare_digest(officer.code, digest) and self._clock() < officer.code_expires:
                return name
        raise ControlError(msg("this enrolment link was used, has expired or was replaced: ask for a new one"))

    def _read(self) -> _Kept:
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(MAX_FILE + 1), type=_Kept)
        except FileNotFoundError:
            return _Kept()
        except OSError as error:
            raise ControlError(f"{self._path} cannot be read ({error.strerror}): check its permissions") from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ControlError(f"{self._path} is not what this program writes ({error}): put a copy back or remove it") from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Officer]]:
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            officers = dict(self._read().officers)
            yield officers
            write_whole(self._path, msgspec.json.format(msgspec.json.encode(_Kept(officers=officers))) + b"\n", 0o600)
        finally:
            os.close(lock)


def secrets_text(data: bytes) -> str:
    """Random bytes as text that people can read to each other: groups of four hexadecimal digits."""
    digits = data.hex()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def _hash(code: str) -> str:
    return hashlib.sha256(code.strip().lower().encode()).hexdigest()
