"""An authenticator in software (WebAuthn level 3, section 6), for tests that need to make it lie."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, ELIGIBLE, ATTESTED = 0x01, 0x04, 0x08, 0x40


@dataclass
class Authenticator:
    """One device with one passkey. Its fields are what it claims, and can be set to what is not so."""

    origin: str
    host: str
    name: bytes = b"passkey of a heron"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    counts: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives."""
        public = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.name).to_bytes(2, "big") + self.name + cose
        data = self._data(self.flags | ATTESTED) + attested
        return self._answer(
            "webauthn.create",
            options,
            attestationObject=bytes_to_base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get` gives."""
        self.count += self.counts
        data = self._data(self.flags)
        answer = self._answer("webauthn.get", options, authenticatorData=bytes_to_base64url(data))
        client = hashlib.sha256(base64url_to_bytes(answer["response"]["clientDataJSON"])).digest()
        signature = self.key.sign(data + client, ec.ECDSA(hashes.SHA256()))
        answer["response"]["signature"] = bytes_to_base64url(signature)
        return answer

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, kind: str, options: dict[str, Any], **response: str) -> dict[str, Any]:
        client = json.dumps({"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False})
        return {
            "id": bytes_to_base64url(self.name),
            "rawId": bytes_to_base64url(self.name),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {"clientDataJSON": bytes_to_base64url(client.encode()), **response},
        }
