"""The envelope: exactly four protected headers, nothing unprotected, one sequence of bytes."""

import cbor2
import pytest

from scrutineer.errors import StatementError
from scrutineer.statements import SigningKey
from scrutineer.statements.codec import MAX_STATEMENT_SIZE
from scrutineer.statements.envelope import (
    MAX_CLAIM_LENGTH,
    assemble,
    byte_string,
    open_envelope,
    protected_header,
    seal,
    signed_bytes,
)

KEY = SigningKey(b"\x07" * 32)
TYPE = "application/vnd.scrutineer.tally-sheet+cbor"
HEADER = {1: -8, 3: TYPE, 4: KEY.kid, 15: {1: "station/1", 2: "1/president"}}
PAYLOAD = b"\xa0"
SIGNATURE = b"\x01" * 64


def sign1(header: object = HEADER, unprotected: object = None, payload: object = PAYLOAD, signature: object = SIGNATURE) -> bytes:
    protected = header if isinstance(header, bytes) else cbor2.dumps(header, canonical=True)
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {} if unprotected is None else unprotected, payload, signature]))


def header(**changes: object) -> dict[object, object]:
    names = {"alg": 1, "crit": 2, "type": 3, "kid": 4, "iv": 5, "x5chain": 33, "claims": 15}
    return {**HEADER, **{names[name]: value for name, value in changes.items()}}


def without(label: int) -> dict[int, object]:
    return {key: value for key, value in HEADER.items() if key != label}


GOOD = sign1()
REFUSED = {
    "empty": b"",
    "no tag": GOOD[1:],
    "another tag": b"\xd1" + GOOD[1:],
    "tag in two bytes": b"\xd8\x12" + GOOD[1:],
    "two tags": b"\xd2" + GOOD,
    "self-described": b"\xd9\xd9\xf7" + GOOD,
    "array of three": cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps(HEADER), {}, PAYLOAD])),
    "array of five": cbor2.dumps(cbor2.CBORTag(18, [cbor2.dumps(HEADER), {}, PAYLOAD, SIGNATURE, 0])),
    "indefinite array": b"\xd2\x9f" + GOOD[2:] + b"\xff",
    "a map": b"\xd2\xa0",
    "text": b"\xd2\x61a",
    "trailing byte": GOOD + b"\x00",
    "unprotected header": sign1(unprotected={4: KEY.kid}),
    "unprotected receipts": sign1(unprotected={394: [b"receipt"]}),
    "unprotected not a map": sign1(unprotected=[]),
    "detached payload": sign1(payload=None),
    "payload is text": sign1(payload="text"),
    "payload is a list": sign1(payload=[1]),
    "signature is text": sign1(signature="s" * 64),
    "signature too short": sign1(signature=b"\x01" * 63),
    "signature too long": sign1(signature=b"\x01" * 65),
    "signature of the other algorithm": sign1(signature=b"\x01" * 2420),
    "no signature": sign1(signature=None),
    "empty protected header": sign1(b""),
    "protected header is a list": sign1([1]),
    "protected header is not CBOR": sign1(b"\xff"),
    "protected header continued": sign1(cbor2.dumps(HEADER, canonical=True) + b"\x00"),
    "protected header out of order": sign1(cbor2.dumps({3: TYPE, 1: -8, 4: KEY.kid, 15: HEADER[15]})),
    "protected header doubled key": sign1(b"\xa5\x01\x27" + cbor2.dumps(HEADER, canonical=True)[1:]),
    "protected header indefinite": sign1(b"\xbf" + cbor2.dumps(HEADER, canonical=True)[1:] + b"\xff"),
    "protected header with long integer": sign1(cbor2.dumps(HEADER, canonical=True).replace(b"\x01\x27", b"\x01\x38\x07", 1)),
    "no algorithm": sign1(without(1)),
    "no content type": sign1(without(3)),
    "no key": sign1(without(4)),
    "no claims": sign1(without(15)),
    "ES256": sign1(header(alg=-7)),
    "algorithm none": sign1(header(alg=0)),
    "algorithm by name": sign1(header(alg="EdDSA")),
    "algorithm is a float": sign1(header(alg=-8.0)),
    "algorithm is NaN": sign1(header(alg=float("nan"))),
    "algorithm is a list": sign1(header(alg=[-8])),
    "algorithm is long": sign1(header(alg="x" * 60_000)),
    "critical header": sign1(header(crit=[1])),
    "unknown header": sign1(header(x5chain=b"certificate")),
    "partial IV": sign1(header(iv=b"iv")),
    "text header": sign1({**HEADER, "text": 1}),
    "content type of another vendor": sign1(header(type="application/json")),
    "content type without kind": sign1(header(type="application/vnd.scrutineer.")),
    "content type is a number": sign1(header(type=61)),
    "content type is bytes": sign1(header(type=TYPE.encode())),
    "kid too short": sign1(header(kid=KEY.kid[:-1])),
    "kid too long": sign1(header(kid=KEY.kid + b"\x00")),
    "kid is text": sign1(header(kid="k" * 32)),
    "claims are a list": sign1(header(claims=["station/1", "1/president"])),
    "no issuer": sign1(header(claims={2: "1/president"})),
    "no subject": sign1(header(claims={1: "station/1"})),
    "issuer is bytes": sign1(header(claims={1: b"station/1", 2: "1/president"})),
    "issuer is a number": sign1(header(claims={1: 1, 2: "1/president"})),
    "another claim": sign1(header(claims={1: "station/1", 2: "1/president", 6: 1_722_211_200})),
    "issuer too long": sign1(header(claims={1: "s" * (MAX_CLAIM_LENGTH + 1), 2: "1/president"})),
    "issuer is not UTF-8": GOOD.replace(b"station/1", b"station/\xff"),
    "oversize": sign1(payload=b"\x00" * MAX_STATEMENT_SIZE),
    "nesting": b"\xd2\x84" + b"\x81" * 60_000,
    "nesting in the protected header": sign1(b"\x81" * 60_000),
}


def test_the_reference_is_good() -> None:
    envelope = open_envelope(GOOD)
    assert envelope[:5] == ("tally-sheet", "station/1", "1/president", KEY.kid, "ed25519")
    assert (envelope.payload, envelope.signature) == (PAYLOAD, SIGNATURE)
    assert assemble(envelope.protected, envelope.payload, envelope.signature) == GOOD


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refuses(data: bytes) -> None:
    with pytest.raises(StatementError) as caught:
        open_envelope(data)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("algorithm", ["ed25519", "ml-dsa-44"])
def test_what_is_sealed_opens(algorithm: str) -> None:
    key = SigningKey(b"\x07" * 32, algorithm)  # type: ignore[arg-type]
    envelope = open_envelope(seal("bulletin", "authority/plover", "bulletin/1", b"payload", key))
    assert envelope.algorithm == algorithm
    assert envelope.kid == key.kid
    envelope.check_signature(key.public_key)


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65_000])
def test_lengths_are_written_as_the_general_encoder_writes_them(size: int) -> None:
    data = b"\x55" * size
    assert byte_string(data) == cbor2.dumps(data)
    protected = protected_header("tally-sheet", "i" * min(size, 192), "s", KEY.kid)
    assert protected == cbor2.dumps({1: -8, 3: TYPE, 4: KEY.kid, 15: {1: "i" * min(size, 192), 2: "s"}}, canonical=True)
    # RFC 9052 section 4.4: Sig_structure = ["Signature1", body_protected, external_aad, payload].
    assert signed_bytes(protected, data) == cbor2.dumps(["Signature1", protected, b"", data])


@pytest.mark.parametrize(
    ("issuer", "subject", "payload"),
    [
        ("a" * (MAX_CLAIM_LENGTH + 1), "s", b""),
        ("i", "s" * (MAX_CLAIM_LENGTH + 1), b""),
        ("\ud800", "s", b""),
        ("i", "s", b"\x00" * MAX_STATEMENT_SIZE),
    ],
    ids=["issuer", "subject", "surrogate", "payload"],
)
def test_refuses_to_seal_what_would_not_open(issuer: str, subject: str, payload: bytes) -> None:
    with pytest.raises(StatementError):
        seal("bulletin", issuer, subject, payload, KEY)


def test_the_largest_statement_opens() -> None:
    overhead = len(seal("definition", "authority/plover", "republic", b"\x00" * 60_000, KEY)) - 60_000
    data = seal("definition", "authority/plover", "republic", b"\x00" * (MAX_STATEMENT_SIZE - overhead), KEY)
    assert len(data) == MAX_STATEMENT_SIZE
    assert open_envelope(data).kind == "definition"
