"""Asks witnesses to cosign a checkpoint of our log.

httpx is loaded by the functions that ask: most programs that know of witnesses ask none.
"""

import asyncio
import functools
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scrutineer.errors import LogError, UsageError
from scrutineer.log.checkpoint import HeadLines
from scrutineer.log.merkle import Path
from scrutineer.log.note import parse_note
from scrutineer.witness.answers import (
    MAX_ANSWER_SIZE,
    Cosigned,
    OtherSize,
    Trouble,
    WitnessAddress,
    add_cosignatures,
    format_request,
    read_answer,
)

if TYPE_CHECKING:
    import httpx

TIMEOUT: Final = 5.0  # seconds for one witness, all its attempts together
GRACE: Final = 0.5  # seconds that the others still have once the quorum has cosigned
LONGEST: Final = 60.0  # seconds for one step of one request; `timeout` ends it earlier
ATTEMPTS: Final = 3  # the size we remember, the size that it tells, and once more where another request came between

Proofs = Callable[[int], Path]


@dataclass(frozen=True, slots=True)
class Collected:
    """A checkpoint with the cosignatures that were had for it."""

    checkpoint: bytes
    """The note: the log's signatures, then those of the witnesses."""
    size: int
    """Entries of the log at this checkpoint."""
    cosigners: tuple[str, ...]
    """The witnesses that have cosigned, in the order in which they were given."""
    troubles: tuple[Trouble, ...]
    """Why the others have not."""
    quorum: int

    @property
    def complete(self) -> bool:
        """Whether enough witnesses have cosigned. Without them a checkpoint may be shown as pending, never as cosigned."""
        return len(self.cosigners) >= self.quorum


def collect(
    checkpoint: bytes,
    proofs: Proofs,
    witnesses: Sequence[WitnessAddress],
    quorum: int,
    *,
    sizes: Mapping[str, int] | None = None,
    timeout: float = TIMEOUT,
    grace: float = GRACE,
    clock: Callable[[], float] = time.time,
) -> Collected:
    """Ask all witnesses at once for cosignatures of a signed checkpoint; see `collect_from`, which runs in an event loop."""

    async def run() -> Collected:
        async with client() as http:
            return await collect_from(
                http, checkpoint, proofs, witnesses, quorum, sizes=sizes, timeout=timeout, grace=grace, clock=clock
            )

    return asyncio.run(run())


def client() -> "httpx.AsyncClient":
    """A client for `collect_from`; keeping it open from checkpoint to checkpoint keeps the connections too."""
    import httpx

    return httpx.AsyncClient(
        follow_redirects=False, trust_env=False, timeout=LONGEST, verify=_tls(), headers={"accept-encoding": "identity"}
    )


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates of the authorities takes longer than a round trip: once is enough."""
    return ssl.create_default_context()


async def collect_from(
    http: "httpx.AsyncClient",
    checkpoint: bytes,
    proofs: Proofs,
    witnesses: Sequence[WitnessAddress],
    quorum: int,
    *,
    sizes: Mapping[str, int] | None = None,
    timeout: float = TIMEOUT,
    grace: float = GRACE,
    clock: Callable[[], float] = time.time,
) -> Collected:
    """Ask all witnesses at once; return when all have answered, or `grace` seconds after the quorum has cosigned.

    `proofs(size)` gives the consistency proof from an earlier size ≥ 1 to the checkpoint (`Log.consistency`), `sizes` what is
    known of the size that a witness cosigned last, by name. A witness that does not answer within `timeout` seconds, refuses, or
    answers nonsense is reported and never counted, and a witness counts only if ALL its keys have signed. Raises UsageError for
    a quorum that the witnesses cannot reach, or for two witnesses that share a name or a key, and NoteError where the
    checkpoint is none.
    """
    head = HeadLines.parse(parse_note(checkpoint).text)
    _require_distinct(witnesses, quorum)
    known = sizes or {}
    tasks = {
        asyncio.create_task(
            _ask(http, checkpoint, head, proofs, witness, min(known.get(witness.name, 0), head.size), timeout, clock)
        ): witness
        for witness in witnesses
    }
    results: dict[str, Cosigned | Trouble] = {}
    waiting = set(tasks)
    deadline: float | None = None
    loop = asyncio.get_running_loop()
    try:
        while waiting:
            left = None if deadline is None else deadline - loop.time()
            done, waiting = await asyncio.wait(waiting, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                results[tasks[task].name] = task.result()
            if not done:
                break
            if deadline is None and sum(isinstance(result, Cosigned) for result in results.values()) >= quorum:
                deadline = loop.time() + grace
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    for task in waiting:
        name = tasks[task].name
        results[name] = Trouble(name, "unreachable", "it had not answered when the quorum was complete")
    cosigned = {name: result for witness in witnesses if isinstance(result := results[name := witness.name], Cosigned)}
    return Collected(
        add_cosignatures(checkpoint, list(cosigned.values())),
        head.size,
        tuple(cosigned),
        tuple(result for witness in witnesses if isinstance(result := results[witness.name], Trouble)),
        quorum,
    )


async def _ask(
    http: "httpx.AsyncClient",
    checkpoint: bytes,
    head: HeadLines,
    proofs: Proofs,
    witness: WitnessAddress,
    old: int,
    timeout: float,
    clock: Callable[[], float],
) -> Cosigned | Trouble:
    """Ask one witness, again from the size that it tells; whatever goes wrong is its trouble alone."""
    import httpx

    try:
        async with asyncio.timeout(timeout):
            for _ in range(ATTEMPTS):
                if old > head.size:
                    return Trouble(
                        witness.name,
                        "ahead",
                        f"it says that it has cosigned {old:,} entries of {head.origin}, and this log has {head.size:,}: this "
                        "log was put back to an older copy, or another history was signed with its keys; find out before "
                        "anything is published",
                        old,
                    )
                proof = proofs(old) if 0 < old < head.size else ()
                answer = await _send(http, witness, format_request(old, proof, checkpoint), checkpoint, clock)
                if not isinstance(answer, OtherSize):
                    return answer
                old = answer.size
            return Trouble(witness.name, "refused", f"it told another size each time it was asked, {ATTEMPTS} times")
    except TimeoutError:
        return Trouble(witness.name, "unreachable", f"no answer within {timeout:g} seconds from {witness.url}")
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        return Trouble(witness.name, "unreachable", f"{witness.url} cannot be reached ({error or type(error).__name__})")
    except LogError as error:
        return Trouble(witness.name, "nonsense", f"it asked for a proof that this log cannot give: {error}")


async def _send(
    http: "httpx.AsyncClient", witness: WitnessAddress, body: bytes, checkpoint: bytes, clock: Callable[[], float]
) -> Cosigned | OtherSize | Trouble:
    async with http.stream("POST", f"{witness.url}/add-checkpoint", content=body) as response:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > MAX_ANSWER_SIZE:
                return Trouble(witness.name, "nonsense", f"its answer is longer than {MAX_ANSWER_SIZE} bytes")
            parts.append(part)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return read_answer(witness, checkpoint, response.status_code, media_type, b"".join(parts), int(clock()))


def _require_distinct(witnesses: Sequence[WitnessAddress], quorum: int) -> None:
    names = [witness.name for witness in witnesses]
    keys = [verifier.key.public_key for witness in witnesses for verifier in witness.verifiers]
    if len(set(names)) != len(names) or len(set(keys)) != len(keys):
        raise UsageError("two of the witnesses share a name or a key, and one party must not count twice: leave one out")
    if not 1 <= quorum <= len(witnesses):
        raise UsageError(f"a quorum of {quorum} cannot be had from {len(witnesses)} witnesses")
