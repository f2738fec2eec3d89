"""`witness`: what a party or an observer mission runs to cosign the checkpoints of a log."""

import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from scrutineer.cli.keyring import load_key, make_key
from scrutineer.election import Definition
from scrutineer.election.register import Algorithm
from scrutineer.errors import NoteError, UsageError
from scrutineer.log.cosignature import Cosigner, Ed25519Cosigner, MlDsa44Signer
from scrutineer.log.note import check_key_name
from scrutineer.statements import parse_statement
from scrutineer.witness import Answer, Witness, WitnessService, WitnessState, read_logs
from scrutineer.witness.witness import MAX_NAME_SIZE

STATE_FILE: Final = "memory.db"
EVIDENCE: Final = "evidence"
KEYS: Final[dict[str, Algorithm]] = {"keys/ed25519.pem": "ed25519", "keys/ml-dsa-44.pem": "ml-dsa-44"}
LINES_A_MINUTE: Final = 30
_LONGEST_SHOWN: Final = 100
"""Characters of a verifier key that are shown on start: an ML-DSA key has 1,800 and would hide all else."""


@click.command("witness")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--log", "logs", metavar="VKEY[,VKEY...]", multiple=True, help="Verifier keys of a log to watch; repeatable.")
@click.option(
    "--definition",
    "definitions",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Watch the log that this election's definition names; repeatable.",
)
@click.option("--name", metavar="NAME", help="Name of the witness, such as example.org/observers; needed on the first start.")
@click.option("--mark", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Keep a counter here; see above.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8472, show_default=True, help="Port; 0 takes a free one.")
@click.option("--keys", "only_keys", is_flag=True, help="Print the verifier keys of the witness, and stop.")
def witness_command(
    folder: Path,
    logs: tuple[str, ...],
    definitions: tuple[Path, ...],
    name: str | None,
    mark: Path | None,
    host: str,
    port: int,
    only_keys: bool,
) -> None:
    """Watch logs and cosign what they sign, as long as each only grows (C2SP tlog-witness).

    DIR is made on the first start, with two private keys that only this user can read. Whoever checks cosignatures needs the
    verifier keys that are printed. Checkpoints come to POST /add-checkpoint; a second history, or anything that does not follow
    from what was cosigned before, is refused, and a fork is kept in DIR/evidence for anyone to check.

    A log is named by its verifier keys, separated by commas where it signs with several; all of them must have signed.

    Never put DIR back to an older copy: a witness that has forgotten what it cosigned could approve a second history. With
    --mark, a small file best kept on another disk, an older copy is recognised on start. Without it, that shows only when a
    checkpoint comes back that was cosigned in the forgotten time. If the newest copy is lost, start a new witness in a new
    folder.
    """
    named = [*logs, *(",".join(_log_keys(path)) for path in definitions)]
    if not named and not only_keys:
        raise UsageError("name the log to watch: --definition definition.cose, or --log with its verifier keys")
    watched = read_logs(named)
    state = _open_state(folder, name, mark)
    try:
        signers = _signers(folder, state)
        if only_keys:
            state.set_keys([str(signer.verifier.key) for signer in signers])
            click.echo("\n".join(state.keys))
            return
        witness = Witness(state, signers, watched, folder / EVIDENCE, time.time)
        reporter = Reporter(time.monotonic)
        WitnessService(
            witness, host=host, port=port, ready=lambda url: _announce(url, state, witness), report=reporter, tick=reporter.tick
        ).run()
        cosigned = "1 checkpoint was" if state.count == 1 else f"{state.count:,} checkpoints were"
        click.echo(f"Stopped. {cosigned} cosigned in all.")
    finally:
        state.close()


class Reporter:
    """Says on the screen what was refused, and what was cosigned; a flood of requests does not become a flood of lines."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = self._clock()
        self._lines = 0
        self._left_out: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()

    def __call__(self, answer: Answer) -> None:
        """Hear of one answer."""
        self.tick()
        # A case that is kept as evidence is always said, once; there are not many, as their number is limited.
        urgent = answer.evidence is not None and not self._seen[str(answer.evidence)]
        if self._lines >= LINES_A_MINUTE and not urgent:
            self._left_out[answer.code] += 1
            return
        self._lines += 1
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        click.echo(f"{stamp} UTC  {_printable(answer.words)}", err=answer.code != "cosigned")
        if answer.evidence is not None:
            self._seen[str(answer.evidence)] += 1
            click.echo(f"    kept as evidence: {answer.evidence}", err=True)
        sys.stdout.flush()

    def tick(self) -> None:
        """Once a minute, say what was left out."""
        if self._clock() - self._since < 60:
            return
        self._since = self._clock()
        self._lines = 0
        if self._left_out:
            left_out = ", ".join(f"{count:,} {code}" for code, count in sorted(self._left_out.items()))
            click.echo(f"    and in the last minute, not shown: {left_out}", err=True)
            self._left_out.clear()


def _open_state(folder: Path, name: str | None, mark: Path | None) -> WitnessState:
    path = folder / STATE_FILE
    if not path.exists():
        present = [key for key in KEYS if (folder / key).exists()]
        if present:
            raise UsageError(
                f"{folder} has keys and no memory: a witness that has forgotten what it cosigned must not use its keys again. "
                f"Restore the newest copy of {path}, or start a new witness in a new folder"
            )
        if name is None:
            raise UsageError(f"{folder} is new: name the witness, such as --name example.org/observers")
        try:
            check_key_name(name)
        except NoteError as error:
            raise UsageError(f"--name: {error}") from None
        if not name.isprintable() or len(name.encode()) > MAX_NAME_SIZE:
            raise UsageError(f"--name: a name has at most {MAX_NAME_SIZE} bytes, all of them printable")
        WitnessState.create(path, name)
    state = WitnessState.open(path, mark)
    known = state.name
    if name is not None and known != name:
        state.close()
        raise UsageError(f"the witness in {folder} is named {known}, not {name}: leave --name out, or use a new folder")
    return state


def _log_keys(path: Path) -> tuple[str, ...]:
    statement = parse_statement(path.read_bytes())
    if not isinstance(statement.payload, Definition):
        raise UsageError(f"{path} is a {statement.kind}: pass the definition of the election")
    return tuple(statement.payload.log.keys)


def _signers(folder: Path, state: WitnessState) -> list[Cosigner]:
    for file, algorithm in KEYS.items():
        # Keys are made only for a memory that has none yet: after a loss, a new key under the old name would be refused anyway.
        if not state.keys and not (folder / file).exists():
            # Under its name only when it is whole: a crash on the first start must not leave half a key.
            fresh = folder / f"{file}.new"
            fresh.unlink(missing_ok=True)
            make_key(fresh, algorithm)
            fresh.rename(folder / file)
    ed25519, mldsa44 = (load_key(folder / file) for file in KEYS)
    for file in KEYS:
        if (folder / file).stat().st_mode & 0o077:
            raise UsageError(f"others can read {folder / file}: run `chmod 600 {folder / file}`")
    return [Ed25519Cosigner(state.name, ed25519), MlDsa44Signer(state.name, mldsa44)]


def _announce(url: str, state: WitnessState, witness: Witness) -> None:
    click.echo(f"Witness {state.name} at {url}")
    click.echo("Its verifier keys, with which anyone checks what it cosigned:")
    for vkey in witness.vkeys:
        click.echo(f"  {vkey}" if len(vkey) <= _LONGEST_SHOWN else f"  {vkey[:_LONGEST_SHOWN]}… (--keys prints it whole)")
    for origin in witness.origins:
        last = state.latest(origin)
        reason = state.frozen(origin)
        known = "nothing cosigned yet" if last is None else f"last cosigned size {last.size:,}"
        click.echo(f"Watching {origin}: {known}" + (f"; STOPPED: {reason}" if reason else ""))
    sys.stdout.flush()


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
