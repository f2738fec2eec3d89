"""Reads the files of a published site from its address, one request for each, and believes nothing of what comes.

Redirects are not followed: they could lead to another machine than the one that was asked for. Compressed answers are not
taken: their size says nothing about what they unfold to. Sizes are bounded, and so is the time that a body may take.
"""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import httpx

from scrutineer.errors import PublicationError, TransportError

TIMEOUT: Final = 30.0  # seconds without a byte
PATIENCE: Final = 60.0  # seconds until an answer must have begun, and from which on its body must have come at LEAST_RATE
LEAST_RATE: Final = 4096  # bytes per second
_LOOK: Final = 0.25  # seconds between two looks at what is under way

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Answer:
    """A small file and the server's name for its version, where it gives one. `data` is None where it is as the one known."""

    data: bytes | None
    etag: str | None


class WebSite:
    """A published site at an address. May be used by several threads at once."""

    def __init__(self, address: str, *, connections: int = 8, timeout: float = TIMEOUT, clock: Clock = time.monotonic) -> None:
        self.address = address.rstrip("/") + "/"
        self._clock = clock
        self._limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._timeout = timeout
        self._client = self._connect()
        self._waiting: dict[int, float] = {}  # since when each thread has been waiting for an answer to begin
        self._watch: threading.Thread | None = None
        self._closed = threading.Event()
        self._start = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End every connection."""
        self._closed.set()
        self._client.close()

    def _connect(self) -> httpx.Client:
        headers = {"accept-encoding": "identity"}
        return httpx.Client(timeout=self._timeout, limits=self._limits, follow_redirects=False, headers=headers)

    def _begin(self, since: float) -> None:
        """Note that this thread waits for an answer: headers can come byte by byte for ever, and each byte be in time."""
        self._waiting[threading.get_ident()] = since
        with self._start:
            if self._watch is None:
                self._watch = threading.Thread(target=self._look, daemon=True)
                self._watch.start()

    def _look(self) -> None:
        while not self._closed.wait(_LOOK):
            if any(self._clock() - since > PATIENCE for since in list(self._waiting.values())):
                self._waiting.clear()
                # Whoever waits on the old connections is told so; what comes next gets new ones.
                hanging, self._client = self._client, self._connect()
                hanging.close()

    def url(self, path: str) -> str:
        """The address of a file."""
        return f"{self.address}{path}"

    def pieces(self, path: str, limit: int, *, fresh: bool = False) -> Iterator[bytes] | None:
        """The body of a file in pieces; None where there is none. `fresh` asks caches in between to look again.

        Raises TransportError where the server cannot be reached, answers with anything else than the file, or is too slow;
        PublicationError where the file is larger than `limit` bytes. Both also while the pieces are taken.
        """
        _, body = self._open(path, limit, {"cache-control": "no-cache"} if fresh else {})
        return body

    def read(self, path: str, limit: int, etag: str | None = None) -> Answer | None:
        """A small file at once, or None where there is none. With `etag` of the version that is known, it may be left out.

        Raises as `pieces` does.
        """
        answer, body = self._open(path, limit, {} if etag is None else {"if-none-match": etag})
        if body is None:
            return answer
        return Answer(b"".join(body), answer.etag if answer is not None else None)

    def _open(self, path: str, limit: int, headers: dict[str, str]) -> tuple[Answer | None, Iterator[bytes] | None]:
        """Send the request; what the server answered, None for no file, and the body where it sends one."""
        answers: list[Answer] = []
        body = self._body(path, limit, headers, answers)
        if next(body):
            return answers[0], body
        return (answers[0] if answers else None), None

    def _body(self, path: str, limit: int, headers: dict[str, str], answers: list[Answer]) -> Iterator[bytes]:
        """Yields one byte where a body follows and none where not, and then the body in pieces."""
        url = self.url(path)
        began = self._clock()
        client = self._client
        self._begin(began)
        try:
            with client.stream("GET", url, headers=headers) as response:
                self._waiting.pop(threading.get_ident(), None)
                etag = response.headers.get("etag")
                if response.status_code == 404:
                    yield b""
                    return
                if response.status_code == 304 and "if-none-match" in headers:
                    answers.append(Answer(None, etag))
                    yield b""
                    return
                if response.status_code != 200:
                    raise TransportError(_not_the_file(url, response))
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise TransportError(f"{url} came compressed although it was asked for as it is: use another mirror")
                answers.append(Answer(b"", etag))
                yield b"\x01"
                total = 0
                for piece in response.iter_raw():
                    total += len(piece)
                    if total > limit:
                        raise PublicationError(f"{url} is larger than {limit} bytes: this is not a file of a published site")
                    waited = self._clock() - began
                    if waited > PATIENCE and total < waited * LEAST_RATE:
                        raise TransportError(f"{url} comes too slowly ({total} bytes in {waited:.0f} s): use another mirror")
                    yield piece
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, RuntimeError) as error:
            # httpx says so of a client that was closed because one of its answers never began.
            if isinstance(error, RuntimeError) and client is self._client and not isinstance(error, httpx.StreamError):
                raise
            raise TransportError(
                f"{url} could not be read ({error or type(error).__name__}): check the address and the connection"
            ) from error
        finally:
            self._waiting.pop(threading.get_ident(), None)


def _not_the_file(url: str, response: httpx.Response) -> str:
    """What to say of an answer that is not the file."""
    if response.is_redirect:
        # What a server sends is shown as text, and never all of it.
        target = response.headers.get("location", "")[:200].encode("unicode_escape").decode()
        return f"{url} answered {response.status_code} and leads to {target}: redirects are not followed, give the address itself"
    return f"{url} answered {response.status_code}: is this the address of a published site?"
