"""`attest`: agents and observers sign their own copies of stations' sheets, on a machine without the log."""

from pathlib import Path
from typing import Final

import click

from scrutineer.cli.evidence import evidence_hash
from scrutineer.cli.keyring import load_key
from scrutineer.cli.record_folder import find_record, load_record
from scrutineer.cli.sheet_table import read_sheets
from scrutineer.cli.statement_files import write_statements
from scrutineer.election import Election
from scrutineer.errors import PolicyError, UsageError
from scrutineer.portal.images import MAX_IMAGE_SIZE
from scrutineer.statements import Attestation, SigningKey, TallySheet, sign_statement
from scrutineer.statements.policy import Policy

_ROLES: Final = ("agent", "observer", "authority")
_LATER: Final = ("unknown-issuer", "unknown-key")
"""Why a statement is refused here whose issuer was accredited after the definition; the log knows better."""


@click.command("attest")
@click.argument("table", metavar="TABLE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", "key_file", required=True, metavar="PEM", type=click.Path(path_type=Path), help="Your own key.")
@click.option("--to", "target", required=True, metavar="FILE", type=click.Path(path_type=Path), help="File to write.")
@click.option(
    "--image",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your photograph of the sheet, where TABLE is of one station: its SHA-256 is signed, and you keep the file.",
)
@click.option("--as", "issuer", metavar="ROLE/NAME", help="Who signs, where the key was accredited after the definition.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of definition.cose and its tables: the election folder's record/, or a site's definition/.  [default: found "
    "beside TABLE]",
)
def attest_command(
    table: Path, key_file: Path, target: Path, image: Path | None, issuer: str | None, record: Path | None
) -> None:
    """Sign your own copies of stations' sheets, as an agent or observer.

    TABLE is a CSV file with the columns station, contest, one votes:<option> for each option, and where you copied them blank,
    null, cast, voters, roll and time. An empty cell says that you did not copy the figure, which is not zero. Write what your
    copy says, also where you think that the sheet is wrong. Then `scrutineer submit` sends FILE to the log.

    Pages show each copy beside the station's sheet, and whether they agree. It changes no total.
    """
    election = load_record(record or find_record(table, "stations and contests are those of the election's definition"))
    key = load_key(key_file)
    if issuer is not None and issuer.partition("/")[0] not in _ROLES:
        raise UsageError(f"{issuer!r} cannot attest: agents and observers do, such as observer/owl")
    signer = issuer or _issuer_of(key, election)
    copies = _copies(table, election, image)
    policy = Policy(election)
    known = True
    statements = []
    for copy in copies:
        statements.append(sign_statement(copy, signer, key))
        try:
            policy.check(statements[-1])
        except PolicyError as error:
            if issuer is None or error.code not in _LATER:
                raise
            known = False
    number = write_statements(target, statements)
    click.echo(f"Signed {number:,} {'copy' if number == 1 else 'copies'} as {signer}: {target}")
    if not known:
        click.echo(f"Not checked: whether {signer} may say this, as the definition does not have this key. The log will tell.")
    click.echo(f"To send: scrutineer submit {target} --to URL")


def _copies(table: Path, election: Election, image: Path | None) -> list[Attestation]:
    """What the table says. Raises UsageError where it says something twice, or a photograph would be of several stations."""
    sheets = list(read_sheets(table, election))
    if len({(sheet.station, sheet.contest) for sheet in sheets}) != len(sheets):
        raise UsageError(f"{table} has two rows for the same station and contest: keep the right one")
    if image is not None and len({sheet.station for sheet in sheets}) > 1:
        raise UsageError(f"{table} has several stations, and a photograph is of one: give a table of that station with --image")
    digest = None if image is None else evidence_hash(image, MAX_IMAGE_SIZE)
    return [_copy(sheet, digest) for sheet in sheets]


def _copy(sheet: TallySheet, image: bytes | None) -> Attestation:
    return Attestation(
        election=sheet.election,
        station=sheet.station,
        contest=sheet.contest,
        counts=sheet.counts,
        blank=sheet.blank,
        null=sheet.null,
        cast=sheet.cast,
        voters=sheet.voters,
        roll=sheet.roll,
        time=sheet.time,
        image=image,
    )


def _issuer_of(key: SigningKey, election: Election) -> str:
    """Whose key of the definition it is, of those who may attest."""
    for known in election.register.others():
        if known.role in _ROLES and (known.key, known.algorithm) == (key.public_key, key.algorithm):
            return known.id
    raise UsageError(
        "this key is no agent's or observer's of the definition: check --key; where it was accredited later, say whose it is "
        "with --as"
    )
