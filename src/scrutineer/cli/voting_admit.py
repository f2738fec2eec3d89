"""`station admit`: a voting machine learns of poll workers, agents and observers who were admitted later."""

from pathlib import Path

import click

from scrutineer.cli.show import json_option, print_json
from scrutineer.cli.statement_files import read_statements
from scrutineer.errors import PolicyError, SignatureError, StatementError
from scrutineer.station.folder import StationFolder
from scrutineer.station.voting.admitted import take_in
from scrutineer.station.voting.people import SIGNERS
from scrutineer.station.voting.place import Place


@click.command("admit")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def admit_command(folder: Path, files: tuple[Path, ...], as_json: bool) -> None:
    """Let the voting machine know whom the centre admitted, or whose key it revoked, since the machine was made.

    FILE holds accreditations of the public log and the endorsements that they need, in the order of the log. Everything is
    checked against the officers of the definition. Where the machine was opened already, two poll workers whom it knows
    suspend it between voters and enable it again; then the new ones can open, resume and close as well.
    """
    place = Place.load(StationFolder.load(folder))
    before = set(place.people().at(place.name, SIGNERS))
    try:
        people = take_in(place.election, place.name, place.folder, [data for file in files for data in read_statements(file)])
    except (PolicyError, StatementError, SignatureError) as error:
        raise type(error)(f"nobody was admitted: {error}", code=error.code) from None
    known = people.at(place.name, SIGNERS)
    new, gone = [one for one in known if one not in before], [one for one in before if one not in known]
    if as_json:
        print_json(
            {
                "station": place.name,
                "admitted": [one.id for one in new],
                "removed": sorted(one.id for one in gone),
                "known": [one.id for one in known],
            }
        )
        return
    for one in new:
        click.echo(f"Admitted: {one.name or one.id} ({one.id})")
    for one in sorted(gone, key=lambda one: one.id):
        click.echo(f"Not admitted any more: {one.name or one.id} ({one.id})")
    if not new and not gone:
        click.echo("Nobody new for this station: the same people are known as before.")
    elif any(one.role == "poll-worker" for one in (*new, *gone)):
        click.echo("If the machine is open: suspend it between voters, and let two of the poll workers so far enable it again.")
