"""scitt-cose and this package accept each other's statements (IETF SCITT signed statements, RFC 9943)."""

import base64
import hashlib

import cbor2
import pytest
import scitt_cose
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scrutineer.errors import SignatureError, StatementError
from scrutineer.statements import KINDS, SigningKey, parse_statement, sign_statement, statement_hash, thumbprint
from scrutineer.statements.envelope import CONTENT_TYPE_PREFIX, CONTENT_TYPE_SUFFIX
from scrutineer.statements.statement import encode_payload, subject_of
from statement_samples import sample_payloads

KEY = SigningKey(bytes(range(32)))
PRIVATE = Ed25519PrivateKey.from_private_bytes(KEY.seed)
PRIVATE_PEM = PRIVATE.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
PUBLIC_PEM = PRIVATE.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
SAMPLES = sample_payloads()


def content_type(kind: str) -> str:
    return f"{CONTENT_TYPE_PREFIX}{kind}{CONTENT_TYPE_SUFFIX}"


def with_sorted_header(built: bytes) -> bytes:
    """What scitt-cose built, with the protected header in deterministic order and signed again.

    RFC 9052 leaves the order of headers open and scitt-cose writes `kid` last; here a statement has one sequence of bytes.
    """
    protected, unprotected, payload, _ = cbor2.loads(built).value
    header = cbor2.dumps(cbor2.loads(protected), canonical=True)
    signature = PRIVATE.sign(cbor2.dumps(["Signature1", header, b"", payload]))
    return cbor2.dumps(cbor2.CBORTag(18, [header, unprotected, payload, signature]))


def build(kind: str, **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "alg": "EdDSA",
        "private_key_pem": PRIVATE_PEM,
        "issuer": "authority/plover",
        "subject": subject_of(SAMPLES[kind]),
        "content_type": content_type(kind),
        "kid": KEY.kid,
    }
    built: bytes = scitt_cose.build_signed_statement(encode_payload(SAMPLES[kind]), **{**arguments, **changes})
    return built


@pytest.mark.parametrize("kind", KINDS)
def test_scitt_cose_verifies_our_statements(kind: str) -> None:
    data = sign_statement(SAMPLES[kind], "authority/plover", KEY)
    parsed = scitt_cose.parse_signed_statement(data, public_key_pem=PUBLIC_PEM)
    assert parsed["signature_verified"] is True
    assert parsed["issuer"] == "authority/plover"
    assert parsed["subject"] == subject_of(SAMPLES[kind])
    assert parsed["content_type"] == content_type(kind)
    assert parsed["payload"] == encode_payload(SAMPLES[kind])
    assert scitt_cose.leaf_hash(data.hex()) == statement_hash(data).hex()


@pytest.mark.parametrize("kind", KINDS)
def test_scitt_cose_refuses_what_we_refuse(kind: str) -> None:
    data = sign_statement(SAMPLES[kind], "authority/plover", KEY)
    for position in range(0, len(data), 7):
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises(StatementError):
            parse_statement(changed).envelope.check_signature(KEY.public_key)
        assert scitt_cose.parse_signed_statement(changed, public_key_pem=PUBLIC_PEM)["signature_verified"] is False


@pytest.mark.parametrize("kind", KINDS)
def test_we_verify_what_scitt_cose_builds(kind: str) -> None:
    built = with_sorted_header(build(kind))
    statement = parse_statement(built)
    assert statement.payload == SAMPLES[kind]
    statement.envelope.check_signature(KEY.public_key)
    assert built == sign_statement(SAMPLES[kind], "authority/plover", KEY)


def test_what_scitt_cose_signs_for_another_key_fails() -> None:
    statement = parse_statement(with_sorted_header(build("decision")))
    with pytest.raises(SignatureError):
        statement.envelope.check_signature(KEY.derive("another").public_key)


def test_another_header_profile_is_refused() -> None:
    for built in (
        build("decision"),  # header not in deterministic order
        with_sorted_header(build("decision", kid=None)),
        with_sorted_header(build("decision", kid=b"short")),
        with_sorted_header(build("decision", extra_cwt_claims={6: 1_722_211_200})),
        with_sorted_header(build("decision", content_type="application/json")),
        scitt_cose.attach_receipts(with_sorted_header(build("decision")), [b"receipt"]),
    ):
        with pytest.raises(StatementError):
            parse_statement(built)


def test_the_thumbprint_agrees_with_an_independent_computation() -> None:
    # RFC 9679 section 3 from the JWK side: x of the same key as cryptography exports it, in a COSE_Key of required members.
    x = PRIVATE.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    cose_key = cbor2.dumps({-2: x, -1: 6, 1: 1}, canonical=True)
    assert thumbprint(x) == hashlib.sha256(cose_key).digest() == KEY.kid
    # The vector of RFC 9679 section 6 is an EC2 key; the same method gives its thumbprint.
    ec2 = {
        1: 2,
        -1: 1,
        -2: bytes.fromhex("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"),
        -3: bytes.fromhex("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"),
    }
    digest = hashlib.sha256(cbor2.dumps(ec2, canonical=True)).digest()
    assert digest.hex() == "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"


def test_the_public_key_is_the_one_of_the_pem() -> None:
    der = base64.b64decode(b"".join(PUBLIC_PEM.splitlines()[1:-1]))
    assert der[-32:] == KEY.public_key
