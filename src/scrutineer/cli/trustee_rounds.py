"""One trustee's part of a decryption, in its folder: what is kept between the steps, and what leaves it.

    rounds/<round>/requests   what is decrypted of each bundle
    rounds/<round>/commit     the commit file, as it was handed over
    rounds/<round>/reveals    what will be revealed
    rounds/<round>/respond    the respond file, as it was handed over
    decrypted/                the ballots of all bundles that were committed to (trustee_memory.py)

Everything that a step publishes is durable here before it leaves, and so is what decided it. After a crash the same command
writes the same file. Other files than those that were answered once are refused: two answers would give the secret away.
"""

import contextlib
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from scrutineer.ballots.decryption import Quorum
from scrutineer.ballots.keys import election_keys
from scrutineer.ballots.manifest import FORMAT
from scrutineer.ballots.record import OpenedBallot
from scrutineer.ballots.rounds import (
    CommitLine,
    RespondLine,
    RevealLine,
    RoundHeader,
    RoundIdentity,
    RoundWriter,
    Scanned,
    Step,
    complete,
    decode_request,
    decode_reveal,
    digests_of,
    encode_request,
    encode_reveal,
    scan_round,
    seen_hash,
)
from scrutineer.ballots.tally_request import TallyRequest
from scrutineer.ballots.tallying import commit_bundle, respond_bundle
from scrutineer.ballots.trustee import DecryptedBundle, RoundState, key_share
from scrutineer.cli import trustee_folder
from scrutineer.cli.show import Progress
from scrutineer.cli.trustee_folder import ROUNDS, TrusteeFolder, chunks_of, lines_of, write_lines
from scrutineer.cli.trustee_inputs import (
    Verify,
    collect,
    commitments_of,
    naming_station,
    read_together,
    reveals_of,
    scan_files,
    verify_bundles,
)
from scrutineer.cli.trustee_memory import Remembered
from scrutineer.durable import whole_file
from scrutineer.errors import BallotError, UsageError

_REQUESTS: Final = "requests"
_REVEALS: Final = "reveals"


class Listed(NamedTuple):
    """A bundle of a decryption, as people compare it."""

    station: str
    device: str
    bundle: bytes
    cast: int
    challenged: int
    """Challenged ballots that the trustees have to open."""


class TallyWork:
    """A trustee's machine at work on decryptions."""

    def __init__(self, own: TrusteeFolder) -> None:
        """Raises BallotError before the keys are confirmed."""
        self.own: Final = own
        self.record: Final = own.keys()
        self.share: Final = key_share(own.state, self.record, trustee_folder.group)
        self.keys: Final = election_keys(self.record, trustee_folder.group)
        self._before: Final = {(each.station, each.device): each.bundle for each in own.state.decrypted}

    @property
    def index(self) -> int:
        """Which trustee this is."""
        return self.own.state.public.index

    def commit(
        self,
        bundles: Mapping[bytes, Path],
        present: Sequence[int],
        attempt: int,
        data: Collection[tuple[bytes, int]],
        openings: Sequence[OpenedBallot],
        progress: Progress,
        verify: Verify = verify_bundles,
    ) -> "Committed":
        """The first step. Raises BallotError for a bundle that must not be decrypted."""
        quorum = Quorum(self.keys, self.record.guardians, present)
        if self.index not in quorum.numbers:
            raise UsageError(f"this is trustee {self.index}, who is not named in --present: add the number, on all machines")
        verify(self.own.keys_data(), bundles, progress)
        listed: list[Listed] = []
        identity = RoundIdentity(self.keys.extended_hash, attempt, quorum.numbers)

        def requests() -> Iterator[bytes]:
            for request, _ in collect(self.keys, bundles, data, openings):
                self._refuse_other(request)
                identity.add(request)
                listed.append(Listed(request.station, request.device, request.bundle, request.cast, len(request.challenged)))
                yield encode_request(request)

        collected = self.own.path / ROUNDS / "collected"
        write_lines(collected, requests(), 0o600)
        folder = self._folder(identity.digest())
        folder.mkdir(mode=0o700, exist_ok=True)
        collected.replace(folder / _REQUESTS)
        again = any(each.round == identity.digest() for each in self.own.state.rounds) and (folder / "commit").exists()
        if not again:
            remembered = Remembered(self.own.path)
            remembered.compare(bundles, [each.bundle for each in self.own.state.decrypted])
            remembered.keep(bundles)
            state = self._begin(identity.digest(), listed)
            header = RoundHeader(
                FORMAT,
                self.keys.extended_hash,
                identity.digest(),
                attempt,
                "commit",
                self.index,
                quorum.numbers,
                len(listed),
            )
            write_lines(folder / "commit", self._commit_lines(folder, header, quorum, state, progress), 0o600)
        return Committed(identity.digest(), quorum.numbers, tuple(listed), again)

    def _commit_lines(
        self, folder: Path, header: RoundHeader, quorum: Quorum, state: RoundState, progress: Progress
    ) -> Iterator[bytes]:
        writer = RoundWriter()
        yield writer.line(header)
        # The reveals are made with the commitments, and kept back. They are durable before the commit file is.
        with _kept(folder / _REVEALS) as keep:
            for number, request in enumerate(self._requests(folder), 1):
                commitment, reveals = commit_bundle(quorum, self.share, state.seed, request)
                keep(encode_reveal(RevealLine(request.bundle, reveals)))
                yield writer.line(CommitLine(request.bundle, commitment.items, commitment.nonces))
                progress("Committing", number, header.bundles)
        yield writer.end()

    def reveal(self, files: Iterable[Path], progress: Progress) -> bytes:
        """The second step; gives the round. Raises BallotError, naming whose file is missing, wrong, or another than before."""
        state, own, scanned = self._find(files, progress)
        digests = digests_of(scanned, complete(scanned, "commit", own))
        _same("commit", state.committed, digests)
        self._remember(msgspec.structs.replace(state, committed=digests))
        folder = self._folder(state.round)
        header = msgspec.structs.replace(own, step="reveal", seen=seen_hash(digests))

        def lines() -> Iterator[bytes]:
            writer = RoundWriter()
            yield writer.line(header)
            for line in lines_of(folder / _REVEALS):
                yield writer.line(decode_reveal(line))
            yield writer.end()

        write_lines(folder / "reveal", lines(), 0o600)
        return state.round

    def respond(self, files: Iterable[Path], progress: Progress) -> bytes:
        """The third step; gives the round. Raises BallotError as `reveal`, and GuardianError."""
        state, own, scanned = self._find(files, progress)
        if not state.committed:
            raise BallotError("this trustee has not revealed yet: run `trustees tally reveal` with all commit files first")
        folder = self._folder(state.round)
        scanned[str(folder / "reveal")] = scan_round(lines_of(folder / "reveal"), str(folder / "reveal"))
        commits, reveals = complete(scanned, "commit", own), complete(scanned, "reveal", own)
        seen = digests_of(scanned, commits)
        _same("commit", state.committed, seen)
        for index, name in reveals.items():
            if scanned[name].header.seen != seen_hash(seen):
                raise BallotError(
                    f"trustee {index} revealed for other commit files than those that are here: one of them was replaced on its "
                    "way; compare the commit files on all sticks, and begin again with a new --attempt"
                )
        answered = digests_of(scanned, reveals)
        _same("reveal", state.answered, answered)
        quorum = Quorum(self.keys, self.record.guardians, own.present)
        header = msgspec.structs.replace(own, step="respond", seen=seen_hash(seen, answered))
        # Nothing leaves before it is durable what was answered to: the file gets its name after that.
        ready = folder / "ready"
        write_lines(ready, self._respond_lines(folder, header, quorum, state, commits, reveals, progress), 0o600)
        self._remember(msgspec.structs.replace(state, answered=answered))
        ready.replace(folder / "respond")
        return state.round

    def _respond_lines(
        self,
        folder: Path,
        header: RoundHeader,
        quorum: Quorum,
        state: RoundState,
        commits: Mapping[int, str],
        reveals: Mapping[int, str],
        progress: Progress,
    ) -> Iterator[bytes]:
        writer = RoundWriter()
        yield writer.line(header)
        together = zip(self._requests(folder), read_together(commits), read_together(reveals), strict=True)
        for number, (request, committed, revealed) in enumerate(together, 1):
            with naming_station(request):
                response = respond_bundle(
                    quorum, self.share, state.seed, request, commitments_of(request, committed), reveals_of(request, revealed)
                )
            yield writer.line(RespondLine(request.bundle, response))
            progress("Responding", number, header.bundles)
        yield writer.end()

    def hand_over(self, identity: bytes, step: Step, target: Path | None) -> Path:
        """Copy the file of a step to where it is carried from. Raises UsageError."""
        path = (target or self.own.path) / f"trustee-{self.index}.{step}.jsonl"
        write_lines(path, chunks_of(self._folder(identity) / step))
        return path

    def _folder(self, identity: bytes) -> Path:
        return self.own.path / ROUNDS / identity.hex()[:32]

    def _requests(self, folder: Path) -> Iterator[TallyRequest]:
        return map(decode_request, lines_of(folder / _REQUESTS))

    def _refuse_other(self, request: TallyRequest) -> None:
        before = self._before.get((request.station, request.device), request.bundle)
        if before != request.bundle:
            raise BallotError(
                f"another bundle of station {request.station} was decrypted here before (SHA-256 {before.hex()}): two bundles "
                "that differ by one ballot would show that ballot. Find out which of them the signed tally sheet names"
            )

    def _begin(self, identity: bytes, listed: Sequence[Listed]) -> RoundState:
        """The secret seed of a round, made durable before anything is made from it."""
        for each in self.own.state.rounds:
            if each.round == identity:
                return each
        state = RoundState(identity, secrets.token_bytes(32))
        known = set(self.own.state.decrypted)
        new = [entry for each in listed if (entry := DecryptedBundle(each.station, each.device, each.bundle)) not in known]
        self.own.keep(
            msgspec.structs.replace(
                self.own.state, rounds=(*self.own.state.rounds, state), decrypted=(*self.own.state.decrypted, *new)
            )
        )
        return state

    def _remember(self, state: RoundState) -> None:
        rounds = tuple(state if each.round == state.round else each for each in self.own.state.rounds)
        self.own.keep(msgspec.structs.replace(self.own.state, rounds=rounds))

    def _find(self, files: Iterable[Path], progress: Progress) -> tuple[RoundState, RoundHeader, dict[str, Scanned]]:
        """The round that carried files belong to, this trustee's own header of it, and all files, its own commit file too."""
        scanned = scan_files(files, progress)
        given = {each.header.round for each in scanned.values()}
        states = [each for each in self.own.state.rounds if each.round in given]
        if not states:
            raise BallotError(
                "these files are of no decryption that this trustee has committed to: run `trustees tally commit` here with the "
                "same bundles, trustees and attempt as all others"
            )
        path = self._folder(states[-1].round) / "commit"
        if not path.exists():
            raise BallotError("the commit step of this decryption was interrupted: give the same `trustees tally commit` again")
        scanned[str(path)] = scan_round(lines_of(path), str(path))
        own = scanned[str(path)].header
        # What is left on a stick from an earlier attempt is passed over.
        current = {name: each for name, each in scanned.items() if each.header.attempt >= own.attempt}
        return states[-1], own, current


class Committed(NamedTuple):
    """What the first step decided."""

    round: bytes
    present: tuple[int, ...]
    bundles: tuple[Listed, ...]
    again: bool
    """Whether the commit file was there already."""


def _same(what: str, before: Mapping[int, bytes], now: Mapping[int, bytes]) -> None:
    """Refuse files other than those that were answered before. Raises BallotError, naming whose file is another."""
    changed = [index for index, digest in now.items() if before and before.get(index) != digest]
    if changed:
        raise BallotError(
            f"the {what} file of trustee {' and '.join(map(str, changed))} is another than the one that was answered here "
            "before: a machine never writes two. Ask why; then begin again with a new --attempt"
        )


@contextlib.contextmanager
def _kept(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A file that is durable under its name when the block ends well."""
    try:
        with whole_file(path, 0o600) as file:
            yield file.write
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): make room; then give the same command again") from error
