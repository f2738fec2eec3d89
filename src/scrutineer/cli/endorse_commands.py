"""`endorse`: another officer looks at an act in plain words, and signs it or refuses to, on a machine without the log."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import click

from scrutineer.cli.act_words import act_words, printable
from scrutineer.cli.keyring import load_key
from scrutineer.cli.record_folder import find_record, load_record
from scrutineer.cli.statement_files import read_statements, write_statements
from scrutineer.election import Definition, Election
from scrutineer.election.definition import THRESHOLD_ACTS
from scrutineer.errors import PolicyError, StatementError, UsageError
from scrutineer.statements import Endorsement, SigningKey, Statement, parse_statement, sign_statement
from scrutineer.statements.policy import Policy

_MOST: Final = 1_000  # statements in a file; an act has at most 100 signatures


@click.command("endorse")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", "key_file", required=True, metavar="PEM", type=click.Path(path_type=Path), help="The officer's own key.")
@click.option("--to", "target", required=True, metavar="FILE", type=click.Path(path_type=Path), help="File to write.")
@click.option("--refuse", metavar="REASON", help="Refuse to sign, for this reason, which is published.")
@click.option("--as", "issuer", metavar="ISSUER", help="Who signs, where the key was accredited after the definition.")
@click.option(
    "--record",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of definition.cose and its tables: the election folder's record/, or a site's definition/.  [default: found "
    "beside FILE]",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def endorse_command(
    file: Path, key_file: Path, target: Path, refuse: str | None, issuer: str | None, record: Path | None, yes: bool
) -> None:
    """Show the acts in FILE in plain words, and sign them as one more officer, or refuse to.

    FILE was written with `--to FILE` by a command such as `revoke` or `decide`, or by `endorse`. The new file holds all that was
    in it and the endorsement. When as many officers have signed as the act needs, `scrutineer submit` sends it.
    """
    election = load_record(record or find_record(file, "what is signed is shown in the words of the election's definition"))
    key = load_key(key_file)
    statements = list(islice(read_statements(file), _MOST + 1))
    if len(statements) > _MOST:
        raise UsageError(f"{file} holds more than {_MOST} statements: pass the file of an act")
    parsed = [parse_statement(statement) for statement in statements]
    acts = [one for one in parsed if not isinstance(one.payload, Endorsement)]
    signer = issuer or _issuer_of(key, election)
    _check(file, acts, election, signer)
    policy = Policy(election)
    for act in acts:
        _show(act, parsed, election, policy)
        if refuse is None and signer in _verdicts(act, parsed, "sign"):
            raise UsageError(f"{signer} has signed this already: each officer counts once")
    if not yes:
        click.confirm(f"{'Sign' if refuse is None else 'Refuse'} as {signer}?", abort=True)
    endorsements = [_endorse(act, election, signer, key, refuse) for act in acts]
    for endorsement in endorsements:
        if issuer is None:
            policy.check(endorsement)
    write_statements(target, [*statements, *endorsements])
    after = [*parsed, *map(parse_statement, endorsements)]
    missing = max(_missing(act, after, election) for act in acts)
    rest = f"{missing} more needed" if missing else "all that it needs: send it with `scrutineer submit`"
    click.echo(f"{'Signed' if refuse is None else 'Refused'} as {signer}; {rest}. Written to {target}.")


def _issuer_of(key: SigningKey, election: Election) -> str:
    """The officer whom the definition gives a key."""
    for known in election.register.others():
        if known.role == "authority" and (known.key, known.algorithm) == (key.public_key, key.algorithm):
            return known.id
    raise UsageError(
        "this key is no officer's of the definition: check --key; where it was accredited later, say whose it is with --as"
    )


def _check(file: Path, acts: Sequence[Statement], election: Election, signer: str) -> None:
    if not acts:
        raise UsageError(f"{file} holds no act, only endorsements: pass the file with the act")
    if not signer.startswith("authority/"):
        raise UsageError(f"{signer!r} is not of the authority, whose officers alone sign its acts: write --as authority/NAME")
    for act in acts:
        if act.kind not in THRESHOLD_ACTS or isinstance(act.payload, Definition):
            raise UsageError(f"{file} holds a statement of kind {act.kind!r}, which officers do not sign together")
        if act.payload.election != election.hash:
            raise UsageError(
                f"the act in {file} belongs to election {act.payload.election.hex()[:16]}…, and the definition is that of "
                f"{election.hash.hex()[:16]}…: pass the right --record"
            )


def _show(act: Statement, parsed: Sequence[Statement], election: Election, policy: Policy) -> None:
    definition = election.definition
    click.echo(f"{definition.name}, {definition.date} ({definition.authority})")
    click.echo(f"Act {act.hash.hex()[:16]}…, made by {printable(act.issuer)}:")
    for line in act_words(act.payload, election):
        click.echo(f"  {line}")
    for one in (act, *(other for other in parsed if _is_about(other, act))):
        # Whoever was accredited after the definition cannot be known here; a forged signature of one who is known can.
        try:
            reading = policy.read(one.data)
        except PolicyError as error:
            if error.code not in ("unknown-issuer", "unknown-key"):
                raise
            click.echo(f"  Not checked: the signature of {printable(one.issuer)}, whose key the definition does not have.")
        else:
            reading.check_signature()
    signed, refused = _verdicts(act, parsed, "sign"), _verdicts(act, parsed, "refuse")
    needed = definition.needed(act.kind)
    click.echo(f"  Signed by {len(signed)} of {needed} officers: {printable(', '.join(signed))}")
    for name, reason in refused.items():
        click.echo(f"  Refused by {printable(name)}: {printable(reason)}")


def _is_about(statement: Statement, act: Statement) -> bool:
    return isinstance(statement.payload, Endorsement) and statement.payload.statement == act.hash


def _verdicts(act: Statement, parsed: Sequence[Statement], verdict: str) -> dict[str, str]:
    """The officers who have signed, or refused, with their reasons; whoever made the act has signed it."""
    found = {act.issuer: ""} if verdict == "sign" else {}
    for one in parsed:
        payload = one.payload
        if isinstance(payload, Endorsement) and payload.statement == act.hash and payload.verdict == verdict:
            found.setdefault(one.issuer, payload.reason)
    return found


def _missing(act: Statement, parsed: Sequence[Statement], election: Election) -> int:
    return max(0, election.definition.needed(act.kind) - len(_verdicts(act, parsed, "sign")))


def _endorse(act: Statement, election: Election, signer: str, key: SigningKey, refuse: str | None) -> bytes:
    try:
        payload = Endorsement(
            election=election.hash, statement=act.hash, verdict="sign" if refuse is None else "refuse", reason=refuse or ""
        )
    except StatementError as error:
        raise UsageError(str(error)) from error
    return sign_statement(payload, signer, key)
