"""What the steps of `audit` have in common: who signs, with which key, and how the signed statement gets into the log."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from scrutineer.cli.audit_inputs import AuditFolder, AuditRecord
from scrutineer.cli.evidence import evidence_hash
from scrutineer.cli.keyring import load_key
from scrutineer.cli.office import RECORD, Office
from scrutineer.cli.trust_options import trust_options
from scrutineer.errors import StoreError, UsageError
from scrutineer.intake import submit_statements
from scrutineer.intake.lanes import Trust
from scrutineer.log import LogVerifier
from scrutineer.statements import Payload, SigningKey, sign_statement

MAX_EVIDENCE_FILE: Final = 1 << 34  # bytes

folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))


def log_option(*, required: bool = False) -> Callable[..., Any]:
    """The option that names the log: an election folder or a published site."""
    return click.option(
        "--log",
        required=required,
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        metavar="ELECTION|SITE",
        help="The log of the election: an opened election folder, or a published site.",
    )


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, and where the statement goes."""

    issuer: str
    key: SigningKey
    address: str | None
    record: bool
    trust: Trust

    def sign(self, payload: Payload) -> bytes:
        """Sign a payload. Raises StatementError for one that could not be read back."""
        return sign_statement(payload, self.issuer, self.key)


def signing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a step that signs; hands them over as `signing`."""

    @click.option("--as", "issuer", required=True, metavar="ROLE/NAME", help="Sign as this issuer, such as auditor/wren.")
    @click.option(
        "--key",
        required=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="PEM",
        help="The private key of that issuer.",
    )
    @click.option("--to", "address", metavar="URL", help="Also register it with this intake service.")
    @click.option(
        "--record", is_flag=True, help="Also record it in the log of the election folder of --log, where no service runs."
    )
    @trust_options
    @functools.wraps(command)
    def with_signing(
        *arguments: Any, issuer: str, key: Path, address: str | None, record: bool, trust: Trust, **options: Any
    ) -> Any:
        if address is not None and record:
            raise UsageError("--to sends the statement to a service, and --record writes it into the log here: give one of them")
        return command(*arguments, signing=Signing(issuer, load_key(key), address, record, trust), **options)

    return with_signing


def kept_and_sent(audit: AuditFolder, name: str, statement: bytes, signing: Signing, record: AuditRecord | None) -> int | None:
    """Keep a signed statement in the audit's folder, and register it where that is asked for; its log index.

    Raises PolicyError for what a service would refuse.
    """
    if record is not None and record.policy is not None:
        record.policy.check(statement)
    audit.keep(name, statement)
    if signing.address is None and not signing.record:
        return None
    if record is None:
        raise UsageError("name the log with --log: its keys say which receipts hold, and whether the statement may be made")
    if signing.address is not None:
        verifier = LogVerifier.from_vkeys(*record.election.definition.log.keys)
        return submit_statements([statement], signing.address, verifier, trust=signing.trust)[0].index
    if not (Path(record.where) / RECORD).is_dir():
        raise UsageError(
            f"{record.where} is a published site, into which nothing can be recorded: send to its service with --to URL"
        )
    try:
        log = Office.load(Path(record.where)).open_log()
    except StoreError as error:
        raise StoreError(f"{error}. While a service writes this log, send to it: --to URL") from error
    try:
        return log.append([statement])[0].index
    finally:
        log.close()


def evidence_hashes(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """SHA-256 of files that whoever signs keeps; each once. Raises UsageError for one that cannot be read."""
    return tuple(dict.fromkeys(evidence_hash(path, MAX_EVIDENCE_FILE) for path in paths))
