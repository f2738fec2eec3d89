"""`accredit` and `revoke`: which keys speak for whom, as signed acts of the authority."""

from pathlib import Path

import click

from scrutineer.cli.act_words import act_words, key_words
from scrutineer.cli.acts import Recorded, read_known, record_act, to_option
from scrutineer.cli.office import Office
from scrutineer.cli.public_keys import read_public_key
from scrutineer.cli.show import progress_display
from scrutineer.cli.trust_options import trust_options
from scrutineer.election.register import KEY_SIZES, KINDS_BY_ROLE, Issuer
from scrutineer.errors import StatementError, UsageError
from scrutineer.intake.lanes import Trust
from scrutineer.statements import Accreditation, thumbprint
from scrutineer.statements.accreditations import Accreditations

_folder = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))
_issuer = click.argument("issuer", metavar="ISSUER")


@click.command("accredit")
@_folder
@_issuer
@click.option(
    "--key", "key_text", required=True, metavar="KEY", help="Public key: a PEM file, or its bytes in base64 or hexadecimal."
)
@click.option("--role", type=click.Choice(sorted(KINDS_BY_ROLE)), help="Role, where ISSUER is a name without one.")
@click.option("--unit", default="", metavar="ID", help="The unit that it speaks for.  [default: the whole country]")
@click.option("--name", default="", help="Name as people know it; published.")
@click.option("--algorithm", type=click.Choice(list(KEY_SIZES)), help="Refuse a key of another algorithm.")
@to_option
@trust_options
def accredit_command(
    folder: Path,
    issuer: str,
    key_text: str,
    role: str | None,
    unit: str,
    name: str,
    algorithm: str | None,
    target: str | None,
    trust: Trust,
) -> None:
    """Admit ISSUER with a public key, by a signed act.

    ISSUER is ROLE/NAME, such as observer/owl, or the id of a station, whose device was replaced for instance. It may sign from
    the moment at which as many officers have signed as the definition asks for. Earlier keys of the same issuer stay valid
    until they are revoked.
    """
    office = Office.load(folder)
    issuer_id = _issuer_id(issuer, role)
    found = read_public_key(key_text, algorithm)
    with progress_display() as progress:
        known = read_known(office, progress)
        _check_scope(office, issuer_id, unit)
        if known.is_revoked(issuer_id, thumbprint(found.key, found.algorithm)):
            raise UsageError(f"this key of {issuer_id} was revoked, which is for good: make a new key and accredit that one")
        admission = _accreditation(office, "admit", issuer_id, found.key, found.algorithm, unit=unit, name=name)
        if admission.as_issuer() in known.find(issuer_id):
            raise UsageError(f"{issuer_id} is accredited with this key already: nothing needs to be done")
        recorded = record_act(office, [admission], "accreditation", target, progress, known=known, trust=trust)
    _announce(office, [admission], recorded)


@click.command("revoke")
@_folder
@_issuer
@click.option("--key", "key_text", metavar="KEY", help="Public key, where ISSUER has several and keeps the others.")
@click.option("--reason", required=True, help="Why; published with the act.")
@to_option
@trust_options
def revoke_command(folder: Path, issuer: str, key_text: str | None, reason: str, target: str | None, trust: Trust) -> None:
    """Revoke the keys of ISSUER, or one of them, by a signed act.

    ISSUER is ROLE/NAME, or the id of a station. What a key signed before the act takes effect stays in the count and is
    flagged; what it signs afterwards is recorded and held back. A revoked key stays revoked: `scrutineer accredit` admits
    another one.
    """
    office = Office.load(folder)
    issuer_id = _issuer_id(issuer, None)
    with progress_display() as progress:
        known = read_known(office, progress)
        keys = _keys_to_revoke(known, issuer_id, key_text)
        _check_enough_left(office, known, issuer_id, keys)
        revocations = [
            _accreditation(office, "revoke", issuer_id, one.key, one.algorithm, unit=one.unit, name=one.name, reason=reason)
            for one in keys
        ]
        recorded = record_act(office, revocations, "accreditation", target, progress, known=known, avoid=issuer_id, trust=trust)
    _announce(office, revocations, recorded)


def _issuer_id(issuer: str, role: str | None) -> str:
    prefix, separator, _ = issuer.partition("/")
    if not separator:
        return f"{role or 'station'}/{issuer}"
    if prefix not in KINDS_BY_ROLE:
        raise UsageError(f"{prefix!r} in {issuer!r} is no role: use one of {', '.join(sorted(KINDS_BY_ROLE))}")
    if role is not None and role != prefix:
        raise UsageError(f"{issuer!r} has the role {prefix!r}, and --role says {role!r}: leave one of them out")
    return issuer


def _check_scope(office: Office, issuer_id: str, unit: str) -> None:
    role, _, name = issuer_id.partition("/")
    if role == "station" and name not in office.election.units.station_index:
        raise UsageError(
            f"the definition has no station {name!r}: write the id of a station, or another issuer as ROLE/NAME such as "
            "observer/owl"
        )
    if unit:
        office.election.units.position(unit)  # Raises DefinitionError that names the unit.


def _accreditation(
    office: Office, action: str, issuer_id: str, key: bytes, algorithm: str, *, unit: str, name: str, reason: str = ""
) -> Accreditation:
    role = issuer_id.partition("/")[0]
    try:
        return Accreditation(
            election=office.election.hash,
            action=action,  # type: ignore[arg-type]
            issuer=issuer_id,
            role=role,  # type: ignore[arg-type]
            algorithm=algorithm,  # type: ignore[arg-type]
            key=key,
            unit=unit,
            name=name,
            reason=reason,
        )
    except StatementError as error:
        raise UsageError(str(error)) from error


def _keys_to_revoke(known: Accreditations, issuer_id: str, key_text: str | None) -> list[Issuer]:
    """The current keys of an issuer, or the one that is named; each once, however often it was admitted."""
    current = {(one.key, one.algorithm): one for one in reversed(known.current(issuer_id))}
    if not current:
        known_as = "has no key that is not revoked already" if known.find(issuer_id) else "is not known in this election"
        raise UsageError(f"{issuer_id} {known_as}: check the id (`scrutineer accredit` admits a key)")
    if key_text is None:
        return list(current.values())
    found = read_public_key(key_text)
    chosen = current.get((found.key, found.algorithm))
    if chosen is None:
        raise UsageError(f"the {key_words(thumbprint(*found), found.algorithm)} is no current key of {issuer_id}: check --key")
    return [chosen]


def _check_enough_left(office: Office, known: Accreditations, issuer_id: str, keys: list[Issuer]) -> None:
    """The authority must not take from itself the officers that its acts need."""
    if not issuer_id.startswith("authority/") or len(keys) < len({(one.key, one.algorithm) for one in known.current(issuer_id)}):
        return
    left = len(known.authorities() - {issuer_id})
    needed = max([1, *(count for act, count in office.election.definition.thresholds.items() if act != "definition")])
    if left < needed:
        raise UsageError(
            f"the authority would be left with {left} officers, and its acts need {needed}: accredit another officer's key first "
            f"(`scrutineer accredit {office.folder} authority/NAME --key …`)"
        )


def _announce(office: Office, acts: list[Accreditation], recorded: Recorded) -> None:
    for act in acts:
        for line in act_words(act, office.election):
            click.echo(f"  {line}")
    click.echo(f"{'Revocation' if acts[0].action == 'revoke' else 'Accreditation'} {recorded.words()}")
