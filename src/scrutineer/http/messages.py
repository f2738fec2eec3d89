"""What goes in and out: requests, responses, and who hears of them."""

import functools
from collections.abc import Callable
from typing import NamedTuple

from scrutineer.http.problems import MEDIA_TYPE, Problem


class Request(NamedTuple):
    """A whole request: method, path (still percent-encoded, without the query), media type in lower case, body, and from where.

    `peer` is the client's address without its port: the other end of the connection or, behind a trusted proxy, of that one's.
    """

    method: bytes
    path: bytes
    media_type: bytes
    body: bytes
    peer: str = ""


class Response(NamedTuple):
    """Status, header fields as they go out (each ended by CRLF; length and date are added), body.

    `reason` is the code of a refusal, or another word for what is worth noting about the request; empty for everything usual.
    """

    status: int
    fields: bytes
    body: bytes
    reason: str = ""


Done = Callable[[Response], object]
Handler = Callable[[Request, Done], object]
Refuse = Callable[[Problem], Response]
Note = Callable[[str, str], object]  # the reason of an answer, the client's address

_PROBLEM_TYPE = b"content-type: " + MEDIA_TYPE.encode() + b"\r\n"


def problem_response(problem: Problem, fields: bytes = b"") -> Response:
    """A refusal as a response."""
    return _respond(problem, fields) if fields else _respond_alike(problem.code, problem.detail, problem.wait)


@functools.lru_cache(maxsize=64)
def _respond_alike(code: str, detail: str, wait: int | None) -> Response:
    # Floods are refused with the same words again and again.
    return _respond(Problem(code, detail, wait), b"")


def _respond(problem: Problem, fields: bytes) -> Response:
    wait = problem.retry_after
    if wait is not None:
        fields += b"retry-after: %d\r\n" % wait
    return Response(problem.status, fields + _PROBLEM_TYPE, problem.encode(), problem.code)
