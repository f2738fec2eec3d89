"""The running totals of a machine: sealed so that any two poll workers together can open them, and nobody else.

A tally sheet needs counts when the polls close, and a power cut must not lose them. So what is kept is the count of each field
alone, in one file of constant size that is replaced as a whole with each cast ballot; of single ballots it holds nothing but the
confirmation code of the last one, which binds it to the journal.

Each version is encrypted (XSalsa20-Poly1305) under a key of its own that nobody keeps. That key is shared among the poll workers
so that two shares give it and one says nothing (Shamir's scheme: a line modulo a prime of 256 bits), and each share is encrypted
to the Ed25519 key of its poll worker, converted to Curve25519 (libsodium's sealed boxes). The machine itself cannot open
what it wrote: whoever takes the disk, and the memory as well, learns the present totals at most.

What remains possible, and for whom, is in docs/decisions/voting-machine-storage.md.
"""

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from nacl.bindings import crypto_sign_ed25519_pk_to_curve25519
from nacl.exceptions import CryptoError
from nacl.public import PublicKey, SealedBox
from nacl.secret import SecretBox
from nacl.signing import SigningKey as NaclKey

from scrutineer.ballots.group import RandomBytes
from scrutineer.ballots.manifest import Manifest
from scrutineer.durable import sync_folder
from scrutineer.errors import BallotError, StoreError
from scrutineer.statements import SigningKey

MAX_WORKERS: Final = 32
_MAGIC: Final = b"SCRTOT1\n"
_PRIME: Final = 2**256 - 189
_SHARE: Final = 32 + 48  # bytes: a share in a sealed box
_COUNT: Final = 4  # bytes of a count
_HEAD: Final = 32 + 8  # bytes before the counts: the last code, and the number of cast ballots
_WHEN: Final = (0, 0)  # the times that files here say they were read and written


@dataclass(frozen=True, slots=True)
class RunningTotals:
    """Counts of cast ballots for each verifiable field, and which ballot was counted last."""

    contests: tuple[int, ...]
    """Numbers of the contests counted, ascending."""
    counts: tuple[tuple[int, ...], ...]
    """For each of them, the count of each field in the order of the manifest."""
    cast: int
    """How many ballots are counted."""
    last: bytes
    """Confirmation code of the last of them; zeros before the first."""

    @classmethod
    def zero(cls, manifest: Manifest, styles: Sequence[int]) -> "RunningTotals":
        """No ballot yet, for the contests of these ballot styles."""
        contests = tuple(sorted({contest for style in styles for contest in manifest.style(style).contests}))
        return cls(contests, tuple((0,) * len(manifest.contest(contest).labels()) for contest in contests), 0, bytes(32))

    def plus(self, code: bytes, values: Mapping[int, Sequence[int]]) -> "RunningTotals":
        """With one more ballot: its values for the fields of each of its contests. Raises BallotError for other contests."""
        if set(values) - set(self.contests) or len(code) != 32:
            raise BallotError("a ballot has contests that this machine does not count: use a ballot style of its station")
        counts = []
        for contest, own in zip(self.contests, self.counts, strict=True):
            added = values.get(contest, (0,) * len(own))
            if len(added) != len(own) or any(value < 0 for value in added):
                raise BallotError(f"a ballot does not give one value for each field of contest {contest}")
            counts.append(tuple(map(int.__add__, own, added)))
        return RunningTotals(self.contests, tuple(counts), self.cast + 1, code)

    def of(self, contest: int) -> tuple[int, ...]:
        """The counts of a contest by its number. Raises BallotError where the machine does not count it."""
        if contest not in self.contests:
            raise BallotError(f"this machine does not count contest {contest}")
        return self.counts[self.contests.index(contest)]

    def encode(self) -> bytes:
        """As bytes whose length follows from the contests alone."""
        flat = b"".join(count.to_bytes(_COUNT, "big") for own in self.counts for count in own)
        return self.last + self.cast.to_bytes(8, "big") + flat

    def decode(self, data: bytes) -> "RunningTotals":
        """Read totals of the same contests as these. Raises StoreError."""
        sizes = [len(own) for own in self.counts]
        if len(data) != _HEAD + _COUNT * sum(sizes):
            raise StoreError("the sealed totals are those of other contests: is this the folder of another machine?")
        flat = [int.from_bytes(data[at : at + _COUNT], "big") for at in range(_HEAD, len(data), _COUNT)]
        ends = [0]
        for size in sizes:
            ends.append(ends[-1] + size)
        counts = tuple(tuple(flat[start:end]) for start, end in pairwise(ends))
        return RunningTotals(self.contests, counts, int.from_bytes(data[32:_HEAD], "big"), data[:32])


def seal(plain: bytes, workers: Sequence[bytes], context: bytes, random: RandomBytes) -> bytes:
    """Seal bytes so that any two of these people, given by their Ed25519 public keys, can open them together.

    `context` (32 bytes) says what it belongs to, and must be the same when it is opened. Raises BallotError for fewer than two or
    too many people, or a key that is none.
    """
    if not 2 <= len(workers) <= MAX_WORKERS or len(set(workers)) != len(workers):
        raise BallotError(f"totals are sealed to 2 to {MAX_WORKERS} poll workers with different keys: {len(workers)} were given")
    secret, slope = (_below_prime(random) for _ in range(2))
    parts = [_MAGIC, context, bytes((len(workers),))]
    for place, worker in enumerate(workers, 1):
        share = (secret + slope * place) % _PRIME
        try:
            box = SealedBox(PublicKey(crypto_sign_ed25519_pk_to_curve25519(worker)))
        except (CryptoError, ValueError, TypeError) as error:
            raise BallotError(
                f"the key {worker.hex()[:16]}… of a poll worker is no Ed25519 key: totals cannot be sealed to it"
            ) from error
        parts += (worker, bytes(box.encrypt(share.to_bytes(32, "big"))))
    head = b"".join(parts)
    body = head + bytes(SecretBox(_key(secret, head)).encrypt(plain, random(SecretBox.NONCE_SIZE)))
    return body + hashlib.sha256(body).digest()


def sealed_to(data: bytes, context: bytes) -> tuple[bytes, ...]:
    """The public keys of those to whom totals are sealed. Raises StoreError for bytes that `seal` did not write for `context`."""
    start = len(_MAGIC) + 33
    body = data[:-32]
    if len(data) < start + 32 or data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(body).digest() != data[-32:]:
        raise StoreError("the file of the sealed totals is damaged: keep the folder as it is, and tell the centre")
    if data[len(_MAGIC) : start - 1] != context:
        raise StoreError("the sealed totals belong to another machine or election: put back the file of this one")
    each = 32 + _SHARE
    return tuple(data[start + each * place : start + each * place + 32] for place in range(data[start - 1]))


def unseal(data: bytes, first: SigningKey, second: SigningKey, context: bytes) -> bytes:
    """What was sealed, by two of those to whom it was.

    Raises StoreError for a damaged file, BallotError where a key is not one of those, or both are the same.
    """
    workers = sealed_to(data, context)
    if first.public_key == second.public_key:
        raise BallotError("both keys are the same: two different poll workers are needed")
    start, each = len(_MAGIC) + 33, 32 + _SHARE
    shares = []
    for key in (first, second):
        if key.public_key not in workers:
            raise BallotError(
                "a key is not one of those to which the totals are sealed: use the keys of two poll workers of today; "
                "whoever was admitted since can act once two of the others have suspended the machine and enabled it again"
            )
        place = workers.index(key.public_key)
        box = data[start + each * place + 32 : start + each * (place + 1)]
        try:
            share = SealedBox(NaclKey(key.seed).to_curve25519_private_key()).decrypt(box)
        except CryptoError as error:
            raise StoreError(
                "a share of the sealed totals cannot be opened: keep the folder as it is, and tell the centre"
            ) from error
        shares.append((place + 1, int.from_bytes(share, "big")))
    (x1, y1), (x2, y2) = shares
    # The line through both points, at zero.
    secret = (y1 * x2 - y2 * x1) * pow(x2 - x1, -1, _PRIME) % _PRIME
    end = start + each * len(workers)
    try:
        return bytes(SecretBox(_key(secret, data[:end])).decrypt(data[end:-32]))
    except CryptoError as error:
        raise StoreError("the sealed totals cannot be opened: keep the folder as it is, and tell the centre") from error


class TotalsFile:
    """The file of the sealed totals. Replaced as a whole; the version before is overwritten with zeros."""

    def __init__(self, path: Path) -> None:
        self.path: Final = path
        self._partial: Final = path.with_name(f"{path.name}.partial")

    def read(self) -> bytes:
        """The present version. Raises StoreError."""
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be read ({error.strerror}): without it the totals of the machine are lost; "
                "keep the folder as it is, and tell the centre"
            ) from error

    def stage(self, data: bytes) -> None:
        """Write the next version beside the present one, which still holds. Raises StoreError; nothing is changed then."""
        try:
            self.discard()
            with os.fdopen(os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.utime(file.fileno(), _WHEN)
                os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                self.discard()
            raise StoreError(
                f"{self.path} cannot be written ({error.strerror}): make room on the disk, then try again"
            ) from error

    def commit(self) -> None:
        """Put the staged version in place of the present one, durably, and destroy that one. Raises OSError.

        After a failure it is not known which of the two is found when the machine starts again.
        """
        old = self._open_old()
        try:
            self._partial.replace(self.path)
            sync_folder(self.path.parent)
        finally:
            if old is not None:
                _wipe(old)

    def discard(self) -> None:
        """Destroy a staged version that was not put in place. Raises OSError."""
        _destroy(self._partial)

    def destroy(self) -> None:
        """Destroy all versions, once the totals are signed. Raises OSError."""
        self.discard()
        _destroy(self.path)

    def _open_old(self) -> int | None:
        try:
            return os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None


def _destroy(path: Path) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    _wipe(handle)
    path.unlink()
    sync_folder(path.parent)


def _wipe(handle: int) -> None:
    """Overwrite and close. Where that fails the bytes stay encrypted, as they would on a disk that keeps old blocks."""
    with contextlib.suppress(OSError):
        os.pwrite(handle, bytes(os.fstat(handle).st_size), 0)
        os.fsync(handle)
    os.close(handle)


def _key(secret: int, head: bytes) -> bytes:
    # The key depends on everything before the box, so that no share can be exchanged unseen.
    return hashlib.blake2b(
        secret.to_bytes(32, "big") + hashlib.sha256(head).digest(), digest_size=32, person=b"scr-totals"
    ).digest()


def _below_prime(random: RandomBytes) -> int:
    while True:
        value = int.from_bytes(random(32), "big")
        if value < _PRIME:
            return value
