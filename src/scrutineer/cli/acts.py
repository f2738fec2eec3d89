"""How an act of the authority is signed by as many officers as it needs, and reaches the log.

Three ways: into the log of the folder, to a running service, or into a file that goes to officers on other machines, who add
their endorsements (`scrutineer endorse`) until it can be sent (`scrutineer submit`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from scrutineer.cli.office import KEYS, Office, officer, sign_act
from scrutineer.cli.show import Progress
from scrutineer.cli.statement_files import write_statements
from scrutineer.errors import StoreError, UsageError
from scrutineer.intake import submit_statements
from scrutineer.intake.lanes import Trust
from scrutineer.statements import Payload, parse_statement
from scrutineer.statements.accreditations import Accreditations, may_accredit
from scrutineer.statements.policy import Policy

_HOST_AND_PORT: Final = re.compile(r"[^/]+:[0-9]+")

to_option = click.option(
    "--to",
    "target",
    metavar="URL|FILE",
    help="Send to this intake service, as is needed while a service writes the log; or write a file for officers elsewhere.",
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of an act: its log index, or the file that it was written to."""

    index: int | None
    file: Path | None
    signed: int
    """How many officers have signed."""
    needed: int

    def words(self) -> str:
        """A sentence for people, to be put behind the name of the act."""
        if self.file is None:
            return f"recorded as entry {self.index}."
        if self.signed < self.needed:
            return (
                f"signed by {self.signed} of {self.needed} officers: {self.file}. It takes effect when the others have "
                "endorsed it (`scrutineer endorse`) and it was sent (`scrutineer submit`)."
            )
        return f"signed by all {self.needed} officers that it needs: {self.file}. Send it with `scrutineer submit`."


def read_known(office: Office, progress: Progress) -> Accreditations:
    """Who is known by now, as the log of a folder says; also beside a running service."""
    known = Accreditations(office.election)
    log = office.read_log(progress=lambda done, total: progress("Reading the log", done, total))
    try:
        apply_accreditations(known, log.entries(0, log.size))
    finally:
        log.close()
    return known


def apply_accreditations(known: Accreditations, entries: Iterable[bytes]) -> None:
    """Apply entries of the log, in order, to who is known."""
    for entry in entries:
        if may_accredit(entry):
            known.apply(parse_statement(entry))


def record_act(
    office: Office,
    payloads: Sequence[Payload],
    act: str,
    target: str | None,
    progress: Progress,
    *,
    known: Accreditations,
    avoid: str = "",
    trust: Trust | None = None,
) -> Recorded:
    """Sign one act, or several of a kind, and record them where `target` says: URL, file, or None for the folder's own log.

    An officer whose key has been revoked does not sign. `avoid` is an officer who signs only where there are too few others.
    `trust` says whom to believe behind an https address, and who is asking.
    Raises UsageError where this machine holds too few officers' keys, unless the act goes to a file; PolicyError for what a
    service would refuse; StoreError while a service writes the log.
    """
    if target is not None and _HOST_AND_PORT.fullmatch(target):
        raise UsageError(f"--to {target!r} could be a file or a service: write http://{target} for the service")
    needed = office.election.definition.needed(act)
    officers = _signers(office, known, avoid)
    file = Path(target) if target is not None and "://" not in target else None
    if not officers:
        raise UsageError(
            f"the officers' keys in {office.folder / KEYS} were all revoked, or there is none: run this where an officer's key is"
        )
    if len(officers) < needed and file is None:
        raise UsageError(
            f"this act needs {needed} officers, and this machine holds the keys of {len(officers)}: write it to a file with "
            "--to FILE, which the other officers sign where their keys are with `scrutineer endorse`"
        )
    signed = min(needed, len(officers))
    statements = [
        statement
        for payload in payloads
        for statement in sign_act(payload, office.election.hash, signed, officers, office.officer_key)
    ]
    if file is None and target is not None:
        receipts = submit_statements(
            statements,
            target,
            office.log_signer().verifier,
            progress=lambda done, total: progress("Sending", done, total),
            trust=trust,
        )
        return Recorded(receipts[0].index, None, signed, needed)
    policy = Policy(office.election)
    policy.accreditations = known
    for statement in statements:
        policy.check(statement)
    if file is not None:
        write_statements(file, statements)
        return Recorded(None, file, signed, needed)
    try:
        log = office.open_log()
    except StoreError as error:
        raise StoreError(f"{error}. While a service writes this log, send to it: --to URL") from error
    try:
        return Recorded(log.append(statements)[0].index, None, signed, needed)
    finally:
        log.close()


def _signers(office: Office, known: Accreditations, avoid: str) -> list[int]:
    """Numbers of the officers whose keys this machine holds and who may sign. Whose key is unknown is refused by the policy."""
    held = []
    for number in office.officers():
        key = office.officer_key(number)
        if not known.is_revoked(officer(number), key.kid):
            held.append(number)
    held.sort(key=lambda number: (officer(number) == avoid, number))
    return held
