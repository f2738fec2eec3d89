"""The command line: one module per group of commands, loaded only when its command is used."""

import importlib
import io
import sys
from typing import Final

import click

from scrutineer import __version__
from scrutineer.errors import ScrutineerError

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "new": ("folder_commands", "Scaffold an election folder that teaches."),
    "check": ("folder_commands", "Validate an election folder; name every error's file, line and field."),
    "open": ("folder_commands", "Make keys, sign the definition, start the log with it."),
    "serve": ("serve_commands", "Run the intake service, and serve the published files."),
    "control": ("control_commands", "Run the control room: the state of the night for officers, and release by two of them."),
    "status": ("status_commands", "Say how service, log, store, witnesses and publications stand, on one screen."),
    "sign": ("submit_commands", "Sign tally sheets of a table with the stations' keys."),
    "submit": ("submit_commands", "Register signed statements; resumes after interruption."),
    "relay": ("relay_commands", "Take signed statements from stations, and forward them to the intake service."),
    "count": ("count_commands", "Show the totals by unit at any log size."),
    "call": ("call_commands", "Say whether the outcome can still change, and what would change it."),
    "decide": ("count_commands", "Sign and register a decision on a quarantined sheet."),
    "accredit": ("key_commands", "Admit an issuer with a key, by a signed act."),
    "revoke": ("key_commands", "Revoke an issuer's key, by a signed act."),
    "endorse": ("endorse_commands", "Look at an act in plain words, and sign it as one more officer."),
    "attest": ("attest_commands", "Sign your own copies of stations' sheets, as an agent or observer."),
    "bulletin": ("count_commands", "Sign and register a bulletin."),
    "certify": ("count_commands", "Sign and register the certificate of the final result."),
    "claim": ("claim_commands", "Check announced figures: with themselves, each other, and a record."),
    "incident": ("incident_commands", "Sign and register what happened: an outage, an attack, an intimidation."),
    "incidents": ("incident_commands", "Show what the intake refused and what was reported; check the journal."),
    "audit": ("audit_commands", "Audit an outcome by public dice: plan, draw, enter, report; and check audits."),
    "publish": ("publish_commands", "Write the static site: log, data files, pages."),
    "verify": ("verify_commands", "Replay everything that was published; PASS, or exactly what is wrong."),
    "track": ("track_commands", "Find a ballot by its tracking code, and say what became of it."),
    "mirror": ("mirror_commands", "Make and keep a verified copy of a published site that anyone can serve."),
    "replay": ("replay_commands", "Put somebody's published results through the whole path."),
    "simulate": ("replay_commands", "Make a synthetic election with known truth."),
    "demo": ("replay_commands", "Count an invented republic, then check the result."),
    "witness": ("witness_commands", "Cosign the checkpoints of logs that only grow, as a party or an observer."),
    "store": ("store_commands", "Check, back up, restore and move the log's store."),
    "station": ("station_commands", "Sign, keep and send a station's sheets until the log has given a receipt for each."),
    "ballots": ("ballots_commands", "Check encrypted ballots and what was decrypted of them, and look into a bundle."),
    "trustees": ("trustees_commands", "Make the keys that ballots are encrypted under, and decrypt totals together."),
    "qr": ("qr_commands", "Write a signed statement as a QR code, or read one from an image."),
}


class _Commands(click.Group):
    """Knows every command by name and loads its module when it is called."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        known = COMMANDS.get(name)
        if known is None:
            return None
        module = importlib.import_module(f"scrutineer.cli.{known[0]}")
        command: click.Command = getattr(module, f"{name}_command")
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="scrutineer")
def cli() -> None:
    """Count an election so that anyone can check it.

    Everything that is said about the election is a signed statement in one public log. Everything that is shown is computed
    from that log, and `scrutineer verify` computes it again.

    Start with `scrutineer demo`, or make an election of your own: `scrutineer new DIR`, edit the two files, then `check`,
    `open`, `serve`, `submit`, `count`, `bulletin`, `publish` and `verify`.
    """


def main() -> None:
    """Run the command line. Exit status 0 for success, 1 for a failed check, 2 for a command that cannot be used as given."""
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding cannot show must not end the command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        # A command that ends with a status of its own (a failed check) hands it back here instead of leaving with it.
        status = cli.main(prog_name="scrutineer", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        command = context.command_path if context is not None else "scrutineer"
        message = " ".join(error.format_message().split())
        click.echo(f"{command}: {message.rstrip('.')}; `{command} --help` shows how it is used", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Interrupted. What was recorded stays recorded; run the same command to go on.", err=True)
        sys.exit(130)
    except ScrutineerError as error:
        click.echo(f"scrutineer: {error}", err=True)
        sys.exit(error.exit_status)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"scrutineer: {where}{error.strerror or error}: check the path, its permissions and the free space", err=True)
        sys.exit(1)
