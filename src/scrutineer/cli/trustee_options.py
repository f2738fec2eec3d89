"""Arguments and options that the steps of trustees share."""

from pathlib import Path
from typing import Final

import click

FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
ANY: Final = click.Path(path_type=Path, exists=True)
"""A file or a folder of them."""

folder_argument = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
files_argument = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=ANY)
passphrase_option = click.option(
    "--passphrase-file", type=FILE, metavar="FILE", help="Read the passphrase from a file instead of the keyboard."
)
to_option = click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Folder to write the file to.  [default: DIR]",
)
