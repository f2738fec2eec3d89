"""`qr`: a signed statement on paper and back."""

from pathlib import Path

import click

from scrutineer.errors import StatementError, UsageError
from scrutineer.statements import parse_statement
from scrutineer.statements.qr import qr_svg
from scrutineer.statements.qr_image import qr_png, read_qr_image


@click.command("qr")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "target", required=True, metavar="OUT", type=click.Path(path_type=Path), help="File to write.")
def qr_command(source: Path, target: Path) -> None:
    """Write the signed statement FILE as a QR code (OUT ends in .png or .svg), or read the code in the image FILE.

    A tally sheet fits one code. What is read from an image is the signed statement, byte for byte, ready for `submit`.
    """
    if target.suffix in (".png", ".svg"):
        data = source.read_bytes()
        parse_statement(data)
        if target.suffix == ".png":
            qr_png(data, target)
        else:
            target.write_text(qr_svg(data))
        click.echo(f"wrote {target}")
        return
    found = read_qr_image(source)
    if len(found) != 1:
        raise UsageError(f"{source} holds {len(found)} codes of statements, and one is needed: crop the image")
    statement = parse_statement(found[0])
    if target.exists():
        raise StatementError(f"{target} exists already: choose another name")
    target.write_bytes(found[0])
    click.echo(f"{statement.kind} by {statement.issuer}; wrote {target}")
