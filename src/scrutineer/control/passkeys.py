"""The two ceremonies of WebAuthn (W3C, level 3): registering a passkey, and using one. The checks are those of py_webauthn.

User verification (a fingerprint, a face, a PIN) is required in both, so that a passkey proves a person and not just a device.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json, parse_client_data_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from scrutineer.control.challenges import LIFETIME, Challenges
from scrutineer.control.officers import Passkey
from scrutineer.errors import ControlError, UsageError
from scrutineer.language import msg

_LOOPBACK: Final = ("localhost",)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where officers open the control room, as their browsers write it: `https://control.example.org`."""

    url: str
    host: str
    """The relying party id: passkeys are bound to it."""
    secure: bool
    netloc: str

    @classmethod
    def parse(cls, url: str) -> "Origin":
        """Read an origin. Raises UsageError for one at which browsers would not offer passkeys."""
        try:
            parts = urlsplit(url.rstrip("/"))
            port = parts.port
        except ValueError as error:
            raise UsageError(f"--origin {url!r} is not an address: write one such as https://control.example.org") from error
        host = parts.hostname or ""
        if parts.scheme not in ("https", "http") or not host or parts.path or parts.query or parts.fragment or parts.username:
            raise UsageError(f"--origin {url!r} is not an origin: write scheme, host and port, as https://control.example.org")
        if parts.scheme == "http" and host not in _LOOPBACK:
            raise UsageError(
                f"--origin {url!r}: browsers offer passkeys at https addresses and at http://localhost only; "
                "put a web server with a certificate in front and name its https address"
            )
        if not host.isascii():
            raise UsageError(f"--origin {url!r}: write the name as browsers send it, which for these letters begins with xn--")
        if host.replace(".", "").isdigit() or ":" in host:
            raise UsageError(f"--origin {url!r}: passkeys are bound to a name, so give a host name in place of the address")
        # A port that the scheme implies is left out by browsers.
        implied = {"https": 443, "http": 80}[parts.scheme]
        netloc = host if port in (None, implied) else f"{host}:{port}"
        return cls(f"{parts.scheme}://{netloc}", host, parts.scheme == "https", netloc)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A passkey that was used: which, how far it has counted, and the evidence for the journal."""

    passkey: str
    sign_count: int
    evidence: dict[str, str]
    """What anybody needs to check the signature again (WebAuthn section 7.2): base64url, as browsers send it."""


class Ceremonies:
    """Asks for passkeys and checks the answers, for one origin and one election, of this name and hash."""

    def __init__(self, origin: Origin, name: str, election: bytes, challenges: Challenges) -> None:
        self._origin = origin
        self._name = name
        self._election = election
        self._challenges = challenges

    def registration(self, officer: str, known: tuple[Passkey, ...], purpose: bytes) -> dict[str, Any]:
        """What `navigator.credentials.create` is given, as JSON values.

        `known` are the passkeys of all officers: an authenticator that holds one of them makes no other.
        """
        options = generate_registration_options(
            rp_id=self._origin.host,
            rp_name=self._name,
            user_name=officer,
            # A device replaces its passkey of the same user: a rehearsal must not take away that of the election.
            user_id=hashlib.sha256(self._election + officer.encode()).digest(),
            challenge=self._challenges.issue(purpose),
            timeout=LIFETIME * 1_000,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes.fromhex(passkey.id)) for passkey in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        return _json(options)

    def registered(self, answer: Mapping[str, Any], purpose: bytes, name: str, now: int) -> Passkey:
        """The passkey that an authenticator made. Raises ControlError unless the answer is in order."""
        challenge = self._challenge(answer)
        try:
            found = verify_registration_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self._origin.host,
                expected_origin=self._origin.url,
                require_user_verification=True,
            )
        except Exception as error:  # The library reads what strangers send: whatever it stumbles over is a refusal.
            raise ControlError(msg("the passkey was not accepted: try again")) from error
        self._challenges.take(challenge, purpose)
        return Passkey(
            id=found.credential_id.hex(),
            public_key=found.credential_public_key.hex(),
            name=name,
            added=now,
            sign_count=found.sign_count,
            synced=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        )

    def assertion(self, passkeys: tuple[Passkey, ...], purpose: bytes) -> dict[str, Any]:
        """What `navigator.credentials.get` is given, as JSON values. Without passkeys the browser offers those it knows."""
        options = generate_authentication_options(
            rp_id=self._origin.host,
            challenge=self._challenges.issue(purpose),
            timeout=LIFETIME * 1_000,
            allow_credentials=[PublicKeyCredentialDescriptor(id=bytes.fromhex(passkey.id)) for passkey in passkeys],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _json(options)

    def asserted(self, answer: Mapping[str, Any], passkey: Passkey, purpose: bytes) -> Assertion:
        """Check that this passkey was used now, by its person, for this purpose. Raises ControlError."""
        challenge = self._challenge(answer)
        try:
            found = verify_authentication_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self._origin.host,
                expected_origin=self._origin.url,
                credential_public_key=bytes.fromhex(passkey.public_key),
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except Exception as error:  # As above.
            raise ControlError(msg("the passkey was not accepted: try again")) from error
        if found.credential_id.hex() != passkey.id:
            raise ControlError(msg("the passkey was not accepted: it is another one than was asked for"))
        self._challenges.take(challenge, purpose)
        response = answer["response"]
        evidence = {
            "passkey": passkey.id,
            "public_key": passkey.public_key,
            "authenticator_data": str(response["authenticatorData"]),
            "client_data": str(response["clientDataJSON"]),
            "signature": str(response["signature"]),
            "challenge": bytes_to_base64url(challenge),
        }
        return Assertion(passkey.id, found.new_sign_count, evidence)

    @staticmethod
    def _challenge(answer: Mapping[str, Any]) -> bytes:
        """The challenge that an answer says it answers; whether it is one of ours is checked by taking it."""
        try:
            return parse_client_data_json(base64url_to_bytes(answer["response"]["clientDataJSON"])).challenge
        except Exception as error:  # As above.
            raise ControlError(msg("the browser's answer cannot be read: try again")) from error


def passkey_id(answer: Mapping[str, Any]) -> str:
    """The credential id that an answer names, in hexadecimal. Raises ControlError."""
    try:
        return base64url_to_bytes(answer["rawId"]).hex()
    except Exception as error:  # As above.
        raise ControlError(msg("the browser's answer cannot be read: try again")) from error


def _json(options: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(options_to_json(options))
    return decoded
