"""Which ballots a trustee's machine has helped to decrypt, so that none is decrypted a second time in other company.

    decrypted/<SHA-256 of the bundle>   the identifiers of its ballots, 32 bytes each, in their order

The proofs of a ballot are bound to its identifier, and to nothing of the device that made it. So whoever has a published bundle
can put one of its ballots into a bundle of an invented device, alone or among ballots whose content they know, and that bundle
passes every verification. Its totals would show the vote. A ballot cannot be given another identifier: its proofs would not hold.
"""

import contextlib
import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from scrutineer.ballots.bundle import read_bundle
from scrutineer.ballots.hashing import HASH_SIZE
from scrutineer.ballots.identifiers import Identifiers
from scrutineer.ballots.pre_encrypted_record import PreEncryptedBallot
from scrutineer.ballots.record import Ballot
from scrutineer.cli.trustee_folder import chunks_of, lines_of, write_lines
from scrutineer.durable import sync_folder
from scrutineer.errors import BallotError, UsageError
from scrutineer.pieces import hashed
from scrutineer.verify.ballots import FileSpill

FOLDER: Final = "decrypted"
_NEW: Final = ".new"


class Remembered:
    """The ballots of all bundles that a trustee's machine has committed to decrypt."""

    def __init__(self, path: Path) -> None:
        """`path` is the trustee's folder."""
        self._folder: Final = path / FOLDER

    def compare(self, bundles: Mapping[bytes, Path], before: Collection[bytes]) -> None:
        """Hold the ballots of new bundles against those of all other bundles that were committed to before.

        Raises BallotError where one stands in both, and where what is remembered of a bundle of `before` is missing.
        """
        for digest in before:
            if digest not in bundles and not self._path(digest).exists():
                raise BallotError(
                    f"{self._path(digest)} is missing, by which this machine knows the ballots that it has decrypted: put the "
                    "folder back as it was, or decrypt without this trustee"
                )
        new = {digest: path for digest, path in bundles.items() if not self._path(digest).exists()}
        for digest, path in new.items():
            write_lines(self._path(digest, _NEW), _identifiers(digest, path))
        known = [digest for digest in self._known() if digest not in bundles]
        if not known or not new:
            return
        files = [*map(self._path, known), *(self._path(digest, _NEW) for digest in new)]
        with FileSpill() as spill:
            identifiers = Identifiers(spill)
            for number, file in enumerate(files):
                for line, identifier in enumerate(_read(file), 1):
                    identifiers.add(identifier, number, line)
            for one in identifiers.repeated():
                if one.bundle >= len(known):
                    own, other = files[one.bundle].name.removesuffix(_NEW), files[one.first_bundle].name.removesuffix(_NEW)
                    raise BallotError(
                        f"the bundle with the SHA-256 {own} holds ballot {one.first_line} of the bundle {other}, which was "
                        "decrypted here before: decrypted again among others, that ballot would be shown. Find out which "
                        "bundle the signed tally sheet of the station names"
                    )

    def keep(self, bundles: Mapping[bytes, Path]) -> None:
        """Make the ballots of these bundles, which were compared, durable among those that are remembered."""
        try:
            for digest in bundles:
                with contextlib.suppress(FileNotFoundError):
                    self._path(digest, _NEW).replace(self._path(digest))
            sync_folder(self._folder)
        except OSError as error:
            raise UsageError(f"{self._folder} cannot be written ({error.strerror}): then give the same command again") from error

    def _path(self, digest: bytes, ending: str = "") -> Path:
        return self._folder / f"{digest.hex()}{ending}"

    def _known(self) -> list[bytes]:
        names = sorted(path.name for path in self._folder.iterdir()) if self._folder.exists() else []
        return [bytes.fromhex(name) for name in names if len(name) == 2 * HASH_SIZE and name.strip("0123456789abcdef") == ""]


def _identifiers(digest: bytes, path: Path) -> Iterator[bytes]:
    """The identifiers of a bundle. Raises BallotError where it is not the bundle with this hash any more."""
    sha256 = hashlib.sha256()
    for item in read_bundle(hashed(lines_of(path), sha256), str(path)):
        if isinstance(item.value, Ballot | PreEncryptedBallot):
            yield item.value.identifier
    if sha256.digest() != digest:
        raise BallotError(f"{path} changed while it was read: copy it to this machine first")


def _read(path: Path) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks_of(path):
        data = rest + chunk
        whole = len(data) - len(data) % HASH_SIZE
        yield from (data[start : start + HASH_SIZE] for start in range(0, whole, HASH_SIZE))
        rest = data[whole:]
