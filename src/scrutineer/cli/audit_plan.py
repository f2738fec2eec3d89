"""`audit plan`: says what will be audited and how, before anyone can know what is drawn."""

import hashlib
from fractions import Fraction
from pathlib import Path

import click

from scrutineer.audits.cards.reading import read_cards
from scrutineer.audits.manifest_files import read_manifest_file
from scrutineer.audits.plan import DESIGNS, DRAWS, MAX_PER_BOX, DrawMode, PlanDesign
from scrutineer.audits.plan_costs import other_designs
from scrutineer.audits.plan_make import USUAL_PER_BOX, make_plan
from scrutineer.audits.planned.files import open_files
from scrutineer.audits.planner import Row
from scrutineer.cli.audit_inputs import PLAN_STATEMENT, AuditFolder, record_at
from scrutineer.cli.audit_sign import Signing, folder_argument, kept_and_sent, log_option, signing_options
from scrutineer.cli.audit_words import plan_json, print_designs, print_plan, say_next
from scrutineer.cli.show import json_option, print_json, progress_display
from scrutineer.election.contests import parse_share
from scrutineer.errors import DefinitionError, UsageError
from scrutineer.statements import AuditPlan, statement_hash
from scrutineer.statements.audit import SUBJECTS, AuditFile, AuditSubject


@click.command("plan")
@folder_argument
@log_option(required=True)
@click.option("--name", metavar="ID", help="Name of the audit, for files and addresses.  [default: the folder's name]")
@click.option("--about", type=click.Choice(SUBJECTS), default="outcome", show_default=True, help="What is audited.")
@click.option("--title", metavar="TEXT", help="Title of the audit, for people.")
@click.option("--by", "holder", metavar="TEXT", help="Who holds the audit, for people.")
@click.option(
    "--protocol",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    required=True,
    help="Text file that says what is done, step by step, and who may watch.",
)
@click.option("--unit", default="", metavar="ID", help="The unit that is audited; the whole country if left out.")
@click.option("--board", multiple=True, metavar="ROLE/NAME", help="Who else may register seed, counts and report.")
@click.option("--contest", "contests", multiple=True, metavar="ID", help="Audit this contest; all if left out.")
@click.option(
    "--also",
    multiple=True,
    metavar="ID",
    help="Measure this contest too, over what is drawn for the others; the audit does not go on for its sake.",
)
@click.option("--also-all", is_flag=True, help="Measure every other contest so.")
@click.option("--size", type=int, metavar="N", help="Log size at which the results stand.  [default: all of the log]")
@click.option("--risk-limit", default="0.05", show_default=True, metavar="SHARE", help="Chance of confirming a wrong outcome.")
@click.option("--design", type=click.Choice(DESIGNS), default="batch-betting", show_default=True)
@click.option(
    "--sampler",
    type=click.Choice(DRAWS),
    default="canonical",
    show_default=True,
    help="How to draw; nested: cards of every contest at its own rate, where not all stations vote in all contests.",
)
@click.option("--replacement", is_flag=True, help="A card may be drawn again. (Boxes always may.)")
@click.option(
    "--per-box",
    type=click.IntRange(1, MAX_PER_BOX),
    metavar="K",
    help=f"With the design 'two-stage': how many cards of each drawn box.  [default: {USUAL_PER_BOX}]",
)
@click.option(
    "--compared",
    type=click.IntRange(1, 99),
    metavar="N",
    help="With the design 'strata': of 100 draws how many are of boxes with records.  [default: what will probably take least]",
)
@click.option(
    "--manifest",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Boxes and how many cards lie in each, established without the voting system. Needed where single cards are drawn. "
    "[default: at most as many as the roll of the station]",
)
@click.option(
    "--cards",
    type=click.Path(path_type=Path, exists=True),
    metavar="PATH",
    help="Records of single cards, of any maker, for the design 'comparison', and of some boxes for 'oneaudit' and 'strata'. "
    "Ids of contests and options are the definition's.",
)
@click.option(
    "--draws", type=click.IntRange(0), metavar="N", help="Draws of the first round. [default: as many as will probably do]"
)
@click.option(
    "--file",
    "named",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A file that is fixed in advance, of an audit about anything but the outcome.",
)
@signing_options
@json_option
def plan_command(
    folder: Path,
    log: Path,
    name: str | None,
    about: AuditSubject,
    title: str | None,
    holder: str | None,
    protocol: Path,
    unit: str,
    board: tuple[str, ...],
    contests: tuple[str, ...],
    also: tuple[str, ...],
    also_all: bool,
    size: int | None,
    risk_limit: str,
    design: PlanDesign,
    sampler: DrawMode,
    replacement: bool,
    per_box: int | None,
    compared: int | None,
    manifest: Path | None,
    cards: Path | None,
    draws: int | None,
    named: tuple[Path, ...],
    signing: Signing,
    as_json: bool,
) -> None:
    """Say what will be audited and how, before anyone can know what is drawn; and sign it.

    For an audit of the outcome, every contest becomes assertions that together imply its whole legal outcome. What only a full
    count can confirm, such as a tie, is said now. Register the plan before the dice are thrown: a seed is refused without it.
    """
    audit, name = AuditFolder(folder), name or folder.resolve().name
    with progress_display(as_json) as progress:
        record = record_at(log, progress)
        made = None
        if about == "outcome":
            at = record.size if size is None else size
            progress("Counting", 0, at)
            count = record.count(at)
            listed = None if manifest is None else read_manifest_file(manifest)
            records = None if cards is None else read_cards(cards, progress=progress)
            if listed is not None and records is not None:
                records = listed.named(records)
            made = make_plan(
                count,
                record.root(at) or b"",
                name=name,
                contests=contests,
                also=tuple(contest.id for contest in record.election.contests) if also_all and contests else also,
                risk_limit=_share(risk_limit),
                design=design,
                draw=sampler,
                replacement=replacement,
                per_box=per_box,
                per_hundred=compared,
                manifest=None if listed is None else listed.manifest,
                cards=records,
                first_round=draws,
            )
        files = dict(made.files) if made is not None else {path.name: path.read_bytes() for path in named}
        statement = signing.sign(
            AuditPlan(
                election=record.election.hash,
                name=name,
                about=about,
                title=title or name,
                by=holder or signing.issuer,
                protocol=protocol.read_text(encoding="utf-8"),
                unit=unit,
                board=tuple(sorted(set(board))),
                size=made.plan.size if made is not None else 0,
                root=bytes.fromhex(made.plan.root) if made is not None else None,
                risk_limit=made.plan.risk_limit if made is not None else "",
                plan=made.plan.hash if made is not None else None,
                contests=made.plan.measured() if made is not None else (),
                files=tuple(
                    AuditFile(name=file, sha256=hashlib.sha256(data).digest(), size=len(data))
                    for file, data in sorted(files.items())
                ),
            )
        )
        if made is not None:
            audit.keep_plan(made.plan, files)
        else:
            for file, data in files.items():
                audit.keep(file, data)
        rows: tuple[Row, ...] = ()
        if made is not None:
            progress("Comparing designs", 0, 1)
            rows = other_designs(open_files(made.plan, made.files))
        entry = kept_and_sent(audit, PLAN_STATEMENT, statement, signing, record)
    if as_json:
        print_json(plan_json(statement_hash(statement).hex(), made, entry, rows))
        return
    click.echo(f"Audit {name!r} is planned in {folder}.")
    if made is not None:
        print_plan(made, record.election)
        print_designs(rows)
    then = "Then throw ten-sided dice in public, and: scrutineer audit seed"
    if made is None:
        then = "Then hold it, and: scrutineer audit report"
    elif not made.plan.sampled:
        then = "Nothing is drawn. Count everything by hand, and: scrutineer audit report"
    say_next(entry, folder / PLAN_STATEMENT, then)


def _share(text: str) -> Fraction:
    try:
        return parse_share(text, "--risk-limit")
    except DefinitionError as error:
        raise UsageError(str(error)) from error
