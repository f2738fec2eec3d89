"""Messages between the service and its checkers: length, kind, and a list of byte strings or verdicts."""

import socket
from typing import Final

import msgspec

CHECK: Final = 0
"""Check these statements and answer with one verdict each."""
APPLY: Final = 1
"""Take note of these logged statements, in order; no answer."""

Verdict = tuple[str, str] | None
"""None for a statement that may be logged; else the reason code and a sentence."""

BY_REVOKED_KEY: Final = ("revoked-key", "")
"""The verdict on a statement that may be logged although its key has been revoked: it is evidence, and worth noting."""

_HEAD_SIZE: Final = 5  # bytes: length (4, little-endian) and kind
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODE_STATEMENTS: Final = msgspec.msgpack.Decoder(list[bytes]).decode
_DECODE_VERDICTS: Final = msgspec.msgpack.Decoder(list[tuple[str, str] | None]).decode


def statements_frame(kind: int, statements: list[bytes]) -> bytes:
    """A frame to a checker."""
    return _frame(kind, _ENCODE(statements))


def verdicts_frame(verdicts: list[Verdict]) -> bytes:
    """A checker's answer."""
    return _frame(CHECK, _ENCODE(verdicts))


def read_statements(connection: socket.socket) -> tuple[int, list[bytes]] | None:
    """Wait for the next frame to a checker; None when the service has closed the connection."""
    head = _read_exactly(connection, _HEAD_SIZE)
    if head is None:
        return None
    body = _read_exactly(connection, int.from_bytes(head[:4], "little"))
    return None if body is None else (head[4], _DECODE_STATEMENTS(body))


def take_verdicts(buffer: bytearray) -> list[Verdict] | None:
    """Remove one whole answer from what has arrived; None while it is not whole."""
    if len(buffer) < _HEAD_SIZE:
        return None
    end = _HEAD_SIZE + int.from_bytes(buffer[:4], "little")
    if len(buffer) < end:
        return None
    verdicts = _DECODE_VERDICTS(bytes(buffer[_HEAD_SIZE:end]))
    del buffer[:end]
    return verdicts


def _frame(kind: int, body: bytes) -> bytes:
    return b"".join((len(body).to_bytes(4, "little"), bytes((kind,)), body))


def _read_exactly(connection: socket.socket, size: int) -> bytes | None:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        try:
            count = connection.recv_into(view)
        except ConnectionError:
            return None
        if not count:
            return None
        view = view[count:]
    return bytes(data)
