"""`trustees`: make the keys that ballots are encrypted under, each trustee on a machine of its own, and decrypt together."""

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.table import Table

from scrutineer.ballots.ceremony import Ceremony
from scrutineer.ballots.confirmation import spoken
from scrutineer.ballots.from_election import manifest_of
from scrutineer.ballots.keys import MAX_GUARDIANS, MAX_RECORD_SIZE, read_key_record
from scrutineer.ballots.manifest import MAX_MANIFEST_SIZE, Manifest, read_manifest
from scrutineer.ballots.trustee import (
    MAX_CARRIED_SIZE,
    CarriedFile,
    PublicFile,
    SharesFile,
    TrusteeState,
    collect_public,
    confirm,
    encode_carried,
    make_shares,
    new_trustee,
    public_file,
    read_carried,
    receive_shares,
    record_of,
    shares_file,
)
from scrutineer.cli import trustee_folder
from scrutineer.cli.show import json_option, plain_console, print_json
from scrutineer.cli.trustee_folder import KEYS_FILE, ask_passphrase, make_folder, opened, read_bounded, write_lines
from scrutineer.cli.trustee_options import FILE, files_argument, folder_argument, passphrase_option, to_option
from scrutineer.cli.trustees_tally_commands import tally_command
from scrutineer.count.rules import RULE_IDS
from scrutineer.election.folder import read_folder
from scrutineer.errors import BallotError, UsageError

_NAMES: Final[dict[type[CarriedFile], str]] = {PublicFile: "public", SharesFile: "shares"}
_Kind = TypeVar("_Kind", PublicFile, SharesFile)


@click.group("trustees")
def trustees_command() -> None:
    """Make the keys that ballots are encrypted under, and decrypt totals together.

    Each trustee works on a machine of its own that is on no network; files are carried between them. DIR is a trustee's folder.
    Every step checks what it is given, says whose file is wrong, and may be given again.

    The ceremony: `manifest` once, then every trustee `new`, `share`, `receive`; `finish` once; then every trustee `confirm`.
    After the election: `tally commit`, `tally reveal`, `tally respond` by those who are there, and `tally combine` once.
    """


trustees_command.add_command(tally_command)


@trustees_command.command("manifest")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("-o", "--output", default="manifest.json", type=click.Path(path_type=Path, dir_okay=False), show_default=True)
def manifest_command(folder: Path, output: Path) -> None:
    """Write what the keys are made for: the contests and ballot styles of the election in FOLDER."""
    draft = read_folder(folder, RULE_IDS)
    manifest = manifest_of(draft.id, draft.name, draft.date, draft.contests, draft.units, draft.parties)
    write_lines(output, [manifest.encode()])
    click.echo(
        f"Wrote {output}: {len(manifest.contests)} contest(s) and {len(manifest.styles)} ballot style(s) of {manifest.name}."
    )
    click.echo("Give the same file to every trustee.")


@trustees_command.command("new")
@folder_argument
@click.option("--manifest", "manifest_path", required=True, type=FILE, metavar="FILE", help="What the keys are made for.")
@click.option("--index", required=True, type=click.IntRange(1, MAX_GUARDIANS), metavar="N", help="Which trustee this is, from 1.")
@click.option("--of", "guardians", required=True, type=click.IntRange(1, MAX_GUARDIANS), metavar="N", help="How many there are.")
@click.option("--quorum", required=True, type=click.IntRange(1, MAX_GUARDIANS), metavar="K", help="How many suffice to decrypt.")
@click.option("--name", required=True, help="Name of this trustee, which is published.")
@click.option("--no-passphrase", is_flag=True, help="Keep the secrets unsealed: whoever takes the disk has them.")
@passphrase_option
@to_option
def new_command(
    folder: Path,
    manifest_path: Path,
    index: int,
    guardians: int,
    quorum: int,
    name: str,
    no_passphrase: bool,
    passphrase_file: Path | None,
    target: Path | None,
) -> None:
    """Begin: make this trustee's secrets in DIR, and the public file that all others need."""
    manifest = read_manifest(read_bounded(manifest_path, MAX_MANIFEST_SIZE, "the manifest"))
    if no_passphrase and passphrase_file is not None:
        raise UsageError("--no-passphrase and --passphrase-file were both given: choose one")
    if (folder / trustee_folder.SECRET_FILE).exists():
        _again(folder, manifest, (index, guardians, quorum, name), passphrase_file, target)
        return
    passphrase = None if no_passphrase else ask_passphrase(passphrase_file, new=True)
    state = new_trustee(manifest, index, guardians, quorum, name, secrets.token_bytes, trustee_folder.group)
    make_folder(folder, manifest, state, passphrase)
    if no_passphrase:
        click.echo(
            f"WARNING: the secrets in {folder} are NOT sealed by a passphrase. Whoever copies this folder can decrypt with it.",
            err=True,
        )
    path = _carry(state, public_file(state), "public", target or folder)
    click.echo(f"Trustee {index} of {guardians} ({name}) is ready for {manifest.name}; {quorum} of {guardians} can decrypt.")
    click.echo(f"Carry to all other trustees:  {path}")


@trustees_command.command("share")
@folder_argument
@files_argument
@passphrase_option
@to_option
def share_command(folder: Path, files: tuple[Path, ...], passphrase_file: Path | None, target: Path | None) -> None:
    """Check the public files of all trustees, and write this trustee's sealed shares for them.

    FILE names public files, or folders that hold them. This trustee's own may be left out.
    """
    given = _carried(files, PublicFile)
    with opened(folder, _ask(passphrase_file)) as own:
        before = own.state.sealed is not None
        guardians = collect_public(own.state.terms, given, own.state.public)
        own.keep(make_shares(own.state, guardians, secrets.token_bytes, trustee_folder.group))
        path = _carry(own.state, shares_file(own.state), "shares", target or folder)
    click.echo("These shares were made before; the same file was written again." if before else "All public keys hold.")
    click.echo(f"Carry to all other trustees:  {path}")


@trustees_command.command("receive")
@folder_argument
@files_argument
@passphrase_option
def receive_command(folder: Path, files: tuple[Path, ...], passphrase_file: Path | None) -> None:
    """Check the shares of all other trustees, and keep what this trustee will decrypt with.

    FILE names shares files, or folders that hold them.
    """
    given = _carried(files, SharesFile)
    with opened(folder, _ask(passphrase_file)) as own:
        own.keep(receive_shares(own.state, given, trustee_folder.group))
        count = own.state.terms.guardians
        words = _words(own.state)
    click.echo(f"The shares of all {count} trustees hold.")
    click.echo("Read this aloud together; every trustee must see the same words:")
    click.echo(f"  {words}")
    click.echo(f"Next: one of you runs `trustees finish`, then everybody `trustees confirm {folder} {KEYS_FILE}`.")


@trustees_command.command("finish")
@files_argument
@click.option("--manifest", "manifest_path", required=True, type=FILE, metavar="FILE", help="What the keys were made for.")
@click.option(
    "-o", "--output", default=KEYS_FILE, type=click.Path(path_type=Path, dir_okay=False), show_default=True, help="File to write."
)
@json_option
def finish_command(files: tuple[Path, ...], manifest_path: Path, output: Path, as_json: bool) -> None:
    """Join the public files of all trustees into the keys of the election. Needs no secret; anyone can repeat it."""
    manifest = read_manifest(read_bounded(manifest_path, MAX_MANIFEST_SIZE, "the manifest"))
    record, compared = record_of(manifest, _carried(files, PublicFile), trustee_folder.group)
    write_lines(output, [record.encode()])
    if as_json:
        names = {str(keys.index): keys.name for keys in record.guardians}
        compare = {"hash": compared.hex(), "words": spoken(compared)}
        print_json({"file": str(output), "trustees": names, "quorum": record.quorum, **compare})
        return
    click.echo(f"Wrote {output}: the keys of {len(record.guardians)} trustees, of whom {record.quorum} can decrypt.")
    click.echo("Every trustee must see the same words:")
    click.echo(f"  {spoken(compared)}")


@trustees_command.command("confirm")
@folder_argument
@click.argument("keys", metavar="BALLOTS_JSON", type=FILE)
@passphrase_option
def confirm_command(folder: Path, keys: Path, passphrase_file: Path | None) -> None:
    """Compare the joined keys with what this trustee received, and forget what is not needed any more."""
    data = read_bounded(keys, MAX_RECORD_SIZE, "the joined keys")
    record = read_key_record(data, trustee_folder.group)
    with opened(folder, _ask(passphrase_file)) as own:
        state = confirm(own.state, record, trustee_folder.group)
        # The keys come first: a state that says confirmed always has them beside it.
        write_lines(folder / KEYS_FILE, [data])
        own.keep(state)
        words = _words(own.state)
    click.echo("The joined keys are those that this trustee received. Its own first secrets are deleted; its share is kept.")
    click.echo(f"  {words}")
    click.echo(f"Now make a copy of {folder} on a second stick, and keep both in different safe places.")
    click.echo("Deleting does not wipe a disk: destroy every copy of this folder that was made before this step.")


@trustees_command.command("status")
@folder_argument
@passphrase_option
@json_option
def status_command(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
    """Say how far this trustee is, and what comes next."""
    with opened(folder, _ask(passphrase_file)) as own:
        state = own.state
        words = _words(state) if state.guardians else ""
    steps = (
        ("new", True, "make secrets"),
        ("share", state.sealed is not None, "run `trustees share` with all public files"),
        ("receive", bool(state.vote_share), "run `trustees receive` with all shares files"),
        ("confirm", bool(state.confirmed), "run `trustees confirm` with the joined keys"),
    )
    last = "wait for the end of the vote, then `trustees tally commit`"
    following = next((advice for _, done, advice in steps if not done), last)
    if as_json:
        found: dict[str, Any] = {
            "index": state.public.index,
            "name": state.public.name,
            "trustees": state.terms.guardians,
            "quorum": state.terms.quorum,
            "election": state.election,
            "done": [name for name, done, _ in steps if done],
            "words": words,
            "bundles": len(state.decrypted),
            "rounds": [
                {"round": each.round.hex(), "revealed": bool(each.committed), "responded": bool(each.answered)}
                for each in state.rounds
            ],
        }
        print_json(found)
        return
    click.echo(f"Trustee {state.public.index} of {state.terms.guardians}: {state.public.name}, election {state.election}")
    table = Table(box=None)
    table.add_column("Step")
    table.add_column("Done")
    for name, done, _ in steps:
        table.add_row(name, "yes" if done else "no")
    for number, each in enumerate(state.rounds, 1):
        table.add_row(f"decryption {number}", "responded" if each.answered else "revealed" if each.committed else "committed")
    plain_console().print(table)
    if words:
        click.echo(f"Words to compare:  {words}")
    click.echo(f"Next: {following}")


def _again(
    folder: Path, manifest: Manifest, given: tuple[int, int, int, str], passphrase_file: Path | None, target: Path | None
) -> None:
    """Write the public file of a trustee who has begun before, and make nothing new."""
    with opened(folder, _ask(passphrase_file)) as own:
        state = own.state
        before = (state.public.index, state.terms.guardians, state.terms.quorum, state.public.name)
        if before != given or own.manifest() != manifest:
            raise UsageError(
                f"{folder} holds trustee {before[0]} ({before[3]}) already, begun with other numbers, name or manifest: a key is "
                "never overwritten; choose another folder"
            )
        path = _carry(state, public_file(state), "public", target or folder)
    click.echo(f"Trustee {before[0]} ({before[3]}) was begun before; the same public file was written again.")
    click.echo(f"Carry to all other trustees:  {path}")


def _ask(passphrase_file: Path | None) -> Callable[[], str]:
    return lambda: ask_passphrase(passphrase_file)


def _words(state: TrusteeState) -> str:
    return spoken(Ceremony(trustee_folder.group, state.terms).record_hash(state.guardians))


def _carry(state: TrusteeState, value: CarriedFile, what: str, folder: Path) -> Path:
    path = folder / f"trustee-{state.public.index}.{what}.json"
    write_lines(path, [encode_carried(value)])
    return path


def _carried(paths: Iterable[Path], kind: type[_Kind]) -> list[tuple[str, _Kind]]:
    """Carried files of one kind, from named files and from folders that hold them. Raises UsageError and BallotError."""
    found: list[tuple[str, _Kind]] = []
    for path in paths:
        for file in sorted(path.glob(f"*.{_NAMES[kind]}.json")) if path.is_dir() else (path,):
            value = read_carried(read_bounded(file, MAX_CARRIED_SIZE, "a trustee's file"), str(file))
            if not isinstance(value, kind):
                raise BallotError(
                    f"{file} is not a {_NAMES[kind]} file of a trustee: give the files named trustee-N.{_NAMES[kind]}.json"
                )
            found.append((str(file), value))
    if not found:
        raise UsageError(f"no {_NAMES[kind]} file was found: they are named trustee-N.{_NAMES[kind]}.json")
    return found
