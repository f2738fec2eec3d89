"""Whether the consents that the journal tells of hold: each is checked again, from its evidence, before anything is signed.

Between a consent and the signature may lie a restart, hours, and whoever can write to the disk. What signs is therefore not that
a line says that an officer consented, but the officer's passkey, over a challenge that was made for exactly these bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from scrutineer.control.challenges import SIZE, purpose_hash
from scrutineer.control.officers import Passkey
from scrutineer.control.passkeys import Origin
from scrutineer.control.proposals import Proposal
from scrutineer.errors import ControlError
from scrutineer.language import msg

UNPROVED: Final = msg("a confirmation of this draft does not hold when it is checked again: make a new draft")


def unproved(proposal: Proposal, passkeys: Mapping[str, Sequence[Passkey]], origin: Origin) -> str:
    """Why the consents to a proposal do not hold; empty where they do.

    One holds where a passkey that its officer has (`passkeys`, by officer) signed a challenge for this draft. The checks are
    those of WebAuthn level 3, section 7.2, but for the counter and the challenge's age, which were checked when it was given.
    """
    for officer, evidence in zip(proposal.officers, proposal.evidence, strict=True):
        try:
            (passkey,) = (own for own in passkeys[officer] if own.id == evidence["passkey"])
            _check(evidence, passkey, proposal.purpose(officer), origin)
        except Exception:  # Whatever a changed line makes the library stumble over is a consent that does not hold.
            return UNPROVED
    return ""


def _check(evidence: dict[str, Any], passkey: Passkey, purpose: bytes, origin: Origin) -> None:
    challenge = base64url_to_bytes(evidence["challenge"])
    if len(challenge) != SIZE or challenge[-32:] != purpose_hash(purpose, challenge):
        raise ControlError("the challenge was made for something else")
    name = bytes_to_base64url(bytes.fromhex(passkey.id))
    verify_authentication_response(
        credential={
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {
                "authenticatorData": evidence["authenticator_data"],
                "clientDataJSON": evidence["client_data"],
                "signature": evidence["signature"],
            },
        },
        expected_challenge=challenge,
        expected_rp_id=origin.host,
        expected_origin=origin.url,
        credential_public_key=bytes.fromhex(passkey.public_key),
        credential_current_sign_count=0,
        require_user_verification=True,
    )
