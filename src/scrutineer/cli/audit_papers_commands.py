"""`audit papers` and `audit pages`: what people need who fetch boxes and count, on paper and on telephones without a network."""

from pathlib import Path

import click

from scrutineer.audits.fieldwork.page import PAGE_FILE, entry_page
from scrutineer.audits.fieldwork.papers import PAPERS
from scrutineer.audits.fieldwork.work import FieldWork, field_work
from scrutineer.audits.plan_draw import DRAW_FILE, difference, draws_in, encode_draw
from scrutineer.audits.status import draw
from scrutineer.cli.audit_inputs import AuditFolder, record_at
from scrutineer.cli.audit_sign import folder_argument, log_option
from scrutineer.cli.show import Progress, json_option, print_json, progress_display
from scrutineer.durable import write_whole
from scrutineer.errors import AuditError, UsageError

_to_folder = click.option(
    "--to",
    "target",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Where they are written; earlier ones of the same name are written over.",
)
_from_draw = click.option(
    "--from-draw",
    "first_draw",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Leave out what was drawn before this draw: for a later round.",
)


@click.command("papers")
@folder_argument
@log_option(required=True)
@_to_folder
@click.option("--list", "parts", flag_value="list", multiple=True, help="Write only list.pdf, the boxes and cards to fetch.")
@click.option("--labels", "parts", flag_value="labels", multiple=True, help="Write only labels.pdf, a label for each box.")
@click.option("--sheets", "parts", flag_value="sheets", multiple=True, help="Write only sheets.pdf, blind sheets to count on.")
@_from_draw
@json_option
def papers_command(folder: Path, log: Path, target: Path, parts: tuple[str, ...], first_draw: int, as_json: bool) -> None:
    """Write papers for those who fetch and count what was drawn, as PDF: a list, labels, blind sheets.

    No paper shows what was reported. The code on a sheet names audit, plan and box, so that a photograph of it finds its place.
    Give --list, --labels and --sheets together as you need them; all three are written where none is given.
    """
    wanted = [name for name in PAPERS if name in parts or not parts]
    with progress_display(as_json) as progress:
        work = _work(folder, log, first_draw, progress)
        made = {}
        for number, name in enumerate(wanted):
            progress("Printing", number, len(wanted))
            made[f"{name}.pdf"] = PAPERS[name](work)
        _write(target, made)
    _say(work, target, list(made), as_json)
    if not as_json:
        click.echo(f"Then fetch, count, and: scrutineer audit enter {folder}")


@click.command("pages")
@folder_argument
@log_option(required=True)
@_to_folder
@_from_draw
@json_option
def pages_command(folder: Path, log: Path, target: Path, first_draw: int, as_json: bool) -> None:
    """Write the page on which auditors enter what they see, for telephones without a network.

    It is one file, index.html, that works from any web server and from a file, loads nothing and sends nothing. It shows nothing
    of what was reported. Each person saves a file with it, which `scrutineer audit enter` reads.
    """
    with progress_display(as_json) as progress:
        work = _work(folder, log, first_draw, progress)
        if not work.boxes:
            raise UsageError(f"nothing is drawn from draw {first_draw} on: there is nothing to enter")
        _write(target, {PAGE_FILE: entry_page(work)})
    _say(work, target, [PAGE_FILE], as_json)
    if not as_json:
        click.echo(
            f"Two people enter each box and save a file; then: scrutineer audit enter {folder} FILE FILE --by NAME --by NAME"
        )


def _work(folder: Path, log: Path, first_draw: int, progress: Progress) -> FieldWork:
    """What was drawn, drawn again. Raises UsageError where there is no draw, AuditError where it or the plan was changed."""
    audit = AuditFolder(folder)
    planned, plan = audit.plan_statement()
    files, seeded, given = audit.plan_files(), audit.seed_statement(), audit.read(DRAW_FILE)
    if files.plan.hash != plan.plan:
        raise AuditError(
            f"the plan file in {folder} is not the one that was signed: use the one that `scrutineer audit plan` wrote"
        )
    if seeded is None or given is None:
        raise UsageError(f"{folder} holds no draw: run `scrutineer audit draw {folder}` first")
    record = record_at(log, progress)
    if record.election.hash != plan.election:
        raise UsageError(f"{log} is the log of another election than that of the plan: give its own")
    sample = draw(files, seeded[1].seed, draws_in(given))
    if differs := difference(given, encode_draw(sample)):
        raise AuditError(f"{differs}: the file was changed; move it away and draw again")
    return field_work(files, sample, record.election, planned=planned.hash, title=plan.title, first_draw=first_draw)


def _write(target: Path, made: dict[str, bytes]) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, data in made.items():
            write_whole(target / name, data)
    except OSError as error:
        raise UsageError(
            f"{error.filename or target} cannot be written ({error.strerror}): check the folder, its permissions and the "
            "free space"
        ) from error


def _say(work: FieldWork, target: Path, names: list[str], as_json: bool) -> None:
    cards = sum(len(box.positions) for box in work.boxes)
    if as_json:
        print_json({"boxes": len(work.boxes), "cards": cards, "files": [str(target / name) for name in names]})
        return
    what = f"{cards:,} cards in {len(work.boxes):,} boxes" if cards else f"{len(work.boxes):,} boxes"
    click.echo(f"{', '.join(str(target / name) for name in names)}: {what}.")
