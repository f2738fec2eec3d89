"""The definition of an election and its tables, for whoever signs something on a machine without the log."""

from pathlib import Path

from scrutineer.cli.office import DEFINITION_FILE, RECORD
from scrutineer.election import Election
from scrutineer.election.definition import BASELINE_TABLE, REGISTER_TABLE, UNITS_TABLE
from scrutineer.errors import UsageError
from scrutineer.statements.bootstrap import open_election


def find_record(file: Path, why: str) -> Path:
    """The folder of a definition near a file. Raises UsageError, which begins with the reason why one is needed."""
    folder = file.resolve().parent
    for candidate in (folder, folder / RECORD, folder / "definition", folder / "election" / RECORD):
        if (candidate / DEFINITION_FILE).is_file():
            return candidate
    raise UsageError(
        f"{why}: pass --record DIR with definition.cose and its tables (the election folder's record/, or definition/ of a "
        "published site)"
    )


def load_record(record: Path) -> Election:
    """The election of such a folder. Raises UsageError where a file is missing, and what `open_election` raises."""
    try:
        definition, units, register = ((record / name).read_bytes() for name in (DEFINITION_FILE, UNITS_TABLE, REGISTER_TABLE))
        baseline = (record / BASELINE_TABLE).read_bytes() if (record / BASELINE_TABLE).exists() else None
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be read ({error.strerror}): pass --record DIR with all of them") from error
    return open_election(definition, units, register, baseline)
