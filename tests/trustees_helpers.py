"""What the tests of `trustees` share: the steps of a ceremony and of a decryption, in folders."""

from pathlib import Path

import msgspec

from ballot_helpers import SMALL, every_contest, seeded
from cli_helpers import call, refused
from scrutineer.ballots.bundle import BundleWriter
from scrutineer.ballots.encrypt import ContestChoice, Encryptor, open_ballot
from scrutineer.ballots.keys import election_keys, read_key_record
from scrutineer.ballots.rounds import RoundReader, RoundWriter

WORDS = "correct heron battery siskin"
NAMES = ("Ana", "Bea", "Cai", "Dov", "Eli")


def begin(base: Path, count: int = 5, quorum: int = 3) -> Path:
    """All trustees' first step; their public files lie in one folder, as on a stick that goes around."""
    base.mkdir(exist_ok=True)
    (base / "manifest.json").write_bytes(every_contest().encode())
    for index in range(1, count + 1):
        new(base, index, count, quorum)
    return base


def new(base: Path, index: int, count: int, quorum: int, *options: object) -> None:
    call(
        *("trustees", "new", base / f"t{index}", "--manifest", base / "manifest.json", "--index", index, "--of", count),
        *("--quorum", quorum, "--name", NAMES[index - 1], "--no-passphrase", "--to", base / "stick", *options),
    )


def shared(base: Path, count: int = 5, quorum: int = 3) -> Path:
    begin(base, count, quorum)
    for index in range(1, count + 1):
        call("trustees", "share", base / f"t{index}", base / "stick", "--to", base / "stick")
    return base


def confirmed(base: Path, count: int = 5, quorum: int = 3) -> Path:
    shared(base, count, quorum)
    for index in range(1, count + 1):
        call("trustees", "receive", base / f"t{index}", base / "stick")
    call("trustees", "finish", base / "stick", "--manifest", base / "manifest.json", "-o", base / "ballots.json")
    for index in range(1, count + 1):
        call("trustees", "confirm", base / f"t{index}", base / "ballots.json")
    return base


def voted(base: Path, station: str, cast: int) -> None:
    """A bundle with some ballots for wren, a challenged and a spoiled one; the device's openings beside it."""
    record = read_key_record((base / "ballots.json").read_bytes(), SMALL)
    own = election_keys(record, SMALL)
    encryptor, writer = Encryptor(own, random=seeded(station)), BundleWriter(own, station, f"device of {station}")
    lines, openings = [writer.header()], []
    for number in range(cast + 2):
        choices = {1: ContestChoice((1, 0, 0, 0, 0)), 4: ContestChoice((0, 1, 0, 0))}
        made = encryptor.encrypt(2, choices, writer.chain)
        status = "challenged" if number == 1 else "spoiled" if number == 2 else "cast"
        ballot = msgspec.structs.replace(made.ballot, status=status)
        if status == "challenged":
            openings.append(msgspec.json.encode(open_ballot(own, ballot, made.nonce)) + b"\n")
        lines.append(writer.add(ballot))
    lines.append(writer.close())
    (base / "bundles").mkdir(exist_ok=True)
    (base / "bundles" / f"{station}.ballots").write_bytes(b"".join(lines))
    (base / f"{station}.openings").write_bytes(b"".join(openings))


def step(base: Path, name: str, index: int, *options: object) -> None:
    what = (base / "bundles", "--present", "1,3,5", *options) if name == "commit" else (base / "carried", *options)
    call("trustees", "tally", name, base / f"t{index}", *what, "--to", base / "carried")


def rounds(base: Path, *options: object) -> None:
    for name in ("commit", "reveal", "respond"):
        for index in (1, 3, 5):
            step(base, name, index, *(options if name == "commit" else ()))


def combine(base: Path, *options: object, code: int = 0) -> str:
    arguments = ("trustees", "tally", "combine", base / "bundles", "--keys", base / "ballots.json", "--from", base / "carried")
    given = (*arguments, "-o", base / "tallies", *options)
    return refused(*given) if code else call(*given, "--json").out


def forged(path: Path, change: object) -> None:
    """Rewrite a round file as a dishonest machine would: changed, and with a right end."""
    reader = RoundReader(path.read_bytes().splitlines(keepends=True), path.name)
    writer = RoundWriter()
    lines = [writer.line(reader.header), *[writer.line(change(line)) for line in reader]]  # type: ignore[operator]
    path.write_bytes(b"".join([*lines, writer.end()]))
