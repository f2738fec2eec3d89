"""`mirror`: a verified copy of a published site, kept up to date from whichever of several addresses answers."""

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import click

from scrutineer.cli.interruption import interruption
from scrutineer.cli.show import Progress, json_option, print_json, progress_display
from scrutineer.errors import PublicationError, UsageError
from scrutineer.verify.mirror import Mirror, MirrorFolder, MirrorRound
from scrutineer.verify.web import WebSite


@click.command("mirror")
@click.argument("addresses", metavar="URL...", nargs=-1, required=True)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--definition", metavar="HASH", help="Hash of the definition, from a source that you trust.")
@click.option(
    "--every", metavar="SECONDS", type=click.FloatRange(1, 86_400), help="Look again every so often, until interrupted."
)
@click.option("--connections", type=click.IntRange(1, 64), default=8, show_default=True, help="Files that are fetched at a time.")
@json_option
def mirror_command(
    addresses: tuple[str, ...], folder: Path, definition: str | None, every: float | None, connections: int, as_json: bool
) -> None:
    """Make a verified copy of the site published at URL... in DIR, or bring the one that is there up to date.

    The copy is DIR/site: serve that folder with any web server. Whoever reads it sees one whole publication or the next.

    Nothing is taken that the log did not sign: the checkpoint is signed by the keys in the definition, cosigned by the quorum
    of witnesses where it names some, and extends the one that the copy holds; the entries give its root, and every file has the
    hash in the signed manifest. Name the definition's hash with --definition; without it, a new mirror follows the first
    definition that it sees, and says so.

    Of several URLs whichever answers is used. One that lags, or shows what does not fit, is named, and nothing of it gets into
    the copy. Two checkpoints that contradict each other are kept in DIR/evidence.

    Only changed files are fetched. With --every, one line is printed for each change (with --json, one document a line).

    Exit status 0 where DIR/site is what every URL that answers shows, 1 for anything else.
    """
    expected = definition_hash(definition) if definition is not None else None
    with contextlib.ExitStack() as stack:
        sources = _web_sites(addresses, stack, connections)
        held = stack.enter_context(MirrorFolder(folder))
        progress = stack.enter_context(progress_display(as_json))
        mirror = Mirror(held, sources, definition=expected, connections=connections, progress=progress)
        good = _once(mirror, folder, as_json) if every is None else _keep(mirror, folder, every, as_json)
    if not good:
        raise click.exceptions.Exit(1)


def mirror_once(addresses: Sequence[str], folder: Path, definition: bytes | None, progress: Progress) -> MirrorRound:
    """A verified copy from whichever of several addresses answers. Raises UsageError where one is no address."""
    with contextlib.ExitStack() as stack:
        sources = _web_sites(addresses, stack, 8)
        held = stack.enter_context(MirrorFolder(folder))
        return Mirror(held, sources, definition=definition, progress=progress).run()


def print_sources(result: MirrorRound) -> None:
    """What is wrong with sources, for people."""
    for finding in result.findings:
        click.echo(str(finding))


def sources_json(result: MirrorRound) -> dict[str, object]:
    """What sources showed, for programs."""
    return {
        "sources_current": list(result.current),
        "source_findings": [{"source": f.source, "fault": f.fault, "message": f.message} for f in result.findings],
        "evidence": [str(path) for path in result.evidence],
    }


def is_address(site: str) -> bool:
    """Whether a site is given by its address, and not as a folder."""
    return site.startswith(("http://", "https://"))


def definition_hash(text: str) -> bytes:
    """The hash of a definition as people write it. Raises UsageError."""
    try:
        value = bytes.fromhex(text.strip())
    except ValueError:
        value = b""
    if len(value) != 32:
        raise UsageError(f"{text!r} is not a definition's hash: give its 64 hexadecimal digits")
    return value


def _web_sites(addresses: Sequence[str], stack: contextlib.ExitStack, connections: int) -> list[WebSite]:
    for address in addresses:
        if not is_address(address):
            raise UsageError(f"{address!r} is not an address: give it with http:// or https:// in front")
    unique = dict.fromkeys(f"{address.rstrip('/')}/" for address in addresses)
    return [stack.enter_context(WebSite(address, connections=connections)) for address in unique]


def _once(mirror: Mirror, folder: Path, as_json: bool) -> bool:
    result = mirror.run()
    if as_json:
        print_json(_round_json(result))
    else:
        _print_round(result, folder)
        print_sources(result)
    return result.good


def _keep(mirror: Mirror, folder: Path, every: float, as_json: bool) -> bool:
    """Round after round until interrupted; whether the last one was good."""
    before: tuple[object, ...] = ()
    good = False
    with interruption() as interrupted:
        while not interrupted.is_set():
            try:
                result = mirror.run()
            except PublicationError as error:
                # A full disk may have room again in a moment, and the copy that is shown stays whole.
                good = False
                if before != (str(error),):
                    click.echo(f"scrutineer: {error}", err=True)
                    before = (str(error),)
            else:
                good = result.good
                now = (result.checkpoint, result.findings)
                if result.changed or now != before:
                    if as_json:
                        click.echo(json.dumps(_round_json(result), ensure_ascii=False))
                    else:
                        _print_round(result, folder)
                        print_sources(result)
                before = now
            interrupted.wait(every)
    return good


def _print_round(result: MirrorRound, folder: Path) -> None:
    if result.checkpoint is None:
        click.echo(f"There is no copy: none of the addresses gave a site that fits. Nothing was written to {folder / 'site'}.")
        return
    state = f"log size {result.checkpoint.size:,}, {result.files:,} files"
    if result.changed:
        came = ", ".join(result.used) or "what was there"
        click.echo(f"{folder / 'site'} is new: {state}; {result.fetched:,} fetched ({result.fetched_bytes:,} bytes) from {came}.")
    else:
        click.echo(f"{folder / 'site'} is as it was: {state}.")
    if result.first_use and result.definition is not None:
        click.echo(
            f"This mirror follows the first definition that it saw, with the hash\n  {result.definition.hex()}\n"
            "Compare that hash with a source that you trust, or pass it with --definition."
        )


def _round_json(result: MirrorRound) -> dict[str, object]:
    head = result.checkpoint
    return {
        "good": result.good,
        "definition": result.definition.hex() if result.definition is not None else None,
        "first_use": result.first_use,
        "origin": head.origin if head is not None else None,
        "size": head.size if head is not None else None,
        "root": head.root.hex() if head is not None else None,
        "changed": result.changed,
        "files": result.files,
        "fetched": result.fetched,
        "fetched_bytes": result.fetched_bytes,
        "used": list(result.used),
    } | sources_json(result)
