"""SCRAPI, the HTTP interface of a transparency service (IETF draft-ietf-scitt-scrapi): which request gets which answer.

    POST /entries                          register a statement (application/cose); the receipt comes back
    GET  /entries/{id}                     the receipt again; id is the statement's hash in hexadecimal, or its index
    GET  /.well-known/scitt-keys           the keys that verify receipts, as a COSE Key Set
    GET  /.well-known/scitt-keys/{kid}     one of them; kid is its thumbprint in base64url

A statement that is new is answered with 201; one that the log already holds with 200, the same receipt and the same
Location, for nothing was created. No answer is given before the statement is durable, sequenced and integrated, so 202, 302
and 303 do not occur.
"""

import base64
from typing import Final

import cbor2

from scrutineer.errors import LogError
from scrutineer.http.connection import Done, Request, Response, problem_response
from scrutineer.http.problems import Problem
from scrutineer.intake.service import Answer, Intake
from scrutineer.statements.keys import COSE_ALGORITHMS

STATEMENT_TYPE: Final = b"application/cose"

_ENTRIES: Final = b"/entries"
_ENTRY: Final = b"/entries/"
_KEYS: Final = b"/.well-known/scitt-keys"
_COSE: Final = b"content-type: application/cose\r\n"
_CBOR: Final = b"content-type: application/cbor\r\n"
_FOR_EVER: Final = b"cache-control: public, max-age=31536000, immutable\r\n"


class Api:
    """Answers requests from an intake."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        verifier = intake.log.verifier
        # COSE_Key (RFC 9052 section 7): kty OKP, kid, alg EdDSA, crv Ed25519, x.
        key = {1: 1, 2: verifier.kid, 3: COSE_ALGORITHMS["ed25519"], -1: 6, -2: verifier.ed25519_public_key}
        self._key_id = base64.urlsafe_b64encode(verifier.kid).rstrip(b"=")
        self._key = cbor2.dumps(key, canonical=True)
        self._key_set = cbor2.dumps([key], canonical=True)

    def handle(self, request: Request, done: Done) -> None:
        """Answer one request; `done` gets the response now or later."""
        method, path, media_type, body, peer = request
        if path == _ENTRIES and method == b"POST":
            if media_type == STATEMENT_TYPE:
                self._intake.submit(body, lambda answer: done(_registered(answer)), peer)
            else:
                done(self._refuse("media-type", "send a statement as application/cose"))
        elif path == _ENTRIES:
            done(self._refuse("method-not-allowed", "statements are sent with POST", b"allow: POST\r\n"))
        elif path == _KEYS or path.startswith((_ENTRY, _KEYS + b"/")):
            if method in (b"GET", b"HEAD"):
                done(self._read(path))
            else:
                done(self._refuse("method-not-allowed", "this resource is only read, with GET", b"allow: GET, HEAD\r\n"))
        else:
            done(self._refuse("not-found", "there is no such resource: statements are sent to /entries"))

    def _read(self, path: bytes) -> Response:
        if path == _KEYS:
            return Response(200, _CBOR + b"cache-control: max-age=3600\r\n", self._key_set)
        if path.startswith(_KEYS):
            if path[len(_KEYS) + 1 :] == self._key_id:
                return Response(200, _CBOR + _FOR_EVER, self._key)
            return self._refuse("no-such-key", "no key with this thumbprint (base64url) signs receipts here")
        return self._entry(path[len(_ENTRY) :])

    def _entry(self, name: bytes) -> Response:
        log = self._intake.log
        index: int | None = None
        if len(name) == 64 and not name.strip(b"0123456789abcdef"):
            index = log.find(bytes.fromhex(name.decode()))
        elif 0 < len(name) < 16 and name.isdigit():
            index = int(name)
        if index is None or index >= log.size:
            return self._refuse("not-found", "no statement with this hash or index is in the log")
        try:
            return Response(200, _COSE + b"location: /entries/%b\r\n" % name + _FOR_EVER, log.receipt(index))
        except LogError as error:
            return self._refuse("store-failed", f"the receipt cannot be read: {error}")

    def _refuse(self, code: str, detail: str, fields: bytes = b"") -> Response:
        self._intake.counts[code] += 1
        return problem_response(Problem(code, detail), fields)


def _registered(answer: Answer) -> Response:
    if answer.problem is not None:
        return problem_response(answer.problem)
    fields = b"content-type: application/cose\r\nlocation: /entries/%b\r\n" % answer.leaf.hex().encode()
    if answer.fresh:
        return Response(201, fields, answer.receipt, answer.notice)
    return Response(200, fields, answer.receipt, answer.outcome)
