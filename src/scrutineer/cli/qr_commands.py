"""`qr`: a signed statement on paper and back."""

from pathlib import Path
from typing import Literal

import click

from scrutineer.cli.statement_files import read_statements
from scrutineer.errors import UsageError
from scrutineer.statements import parse_statement
from scrutineer.statements.qr import qr_svg
from scrutineer.statements.qr_image import qr_png, read_qr_image


@click.command("qr")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "target", required=True, metavar="OUT", type=click.Path(path_type=Path), help="File to write.")
@click.option("--number", type=click.IntRange(min=1), metavar="N", help="Which statement of a FILE that holds several, from 1.")
def qr_command(source: Path, target: Path, number: int | None) -> None:
    """Write the signed statement FILE as a QR code (OUT ends in .png or .svg), or read the code in the image FILE.

    A tally sheet fits one code. What is read from an image is the signed statement, byte for byte, ready for `submit`.
    """
    if target.suffix in (".png", ".svg"):
        data = _pick(source, number)
        parse_statement(data)
        if target.suffix == ".png":
            qr_png(data, target)
        else:
            _write(target, qr_svg(data).encode(), "wb")
        click.echo(f"wrote {target}")
        return
    if number is not None:
        raise UsageError("--number chooses among the statements of a file: OUT must then end in .png or .svg")
    found = read_qr_image(source)
    if len(found) != 1:
        raise UsageError(f"{source} holds {len(found)} codes of statements, and one is needed: crop the image")
    statement = parse_statement(found[0])
    _write(target, found[0], "xb")
    click.echo(f"{statement.kind} by {statement.issuer}; wrote {target}")


def _write(target: Path, data: bytes, mode: Literal["wb", "xb"]) -> None:
    try:
        with target.open(mode) as file:
            file.write(data)
    except FileExistsError as error:
        raise UsageError(f"{target} exists already: choose another name") from error
    except OSError as error:
        raise UsageError(f"{target} cannot be written ({error.strerror}): choose another path, or make room") from error


def _pick(source: Path, number: int | None) -> bytes:
    """The statement of a file that `number` names, or the only one."""
    statements = list(read_statements(source))
    if number is None and len(statements) != 1:
        raise UsageError(f"{source} holds {len(statements):,} statements, and a code takes one: choose it with --number")
    if number is not None and number > len(statements):
        raise UsageError(f"{source} holds {len(statements):,} statements: there is no number {number:,}")
    return statements[(number or 1) - 1]
