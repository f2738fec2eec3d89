"""From statement 0 and the tables that it names to an election: the first check that anyone makes."""

from scrutineer.election.definition import (
    BASELINE_TABLE,
    REGISTER_TABLE,
    UNITS_TABLE,
    Definition,
    Election,
    read_baseline,
    read_register,
    read_units,
    table_hash,
)
from scrutineer.errors import DefinitionError
from scrutineer.statements.keys import thumbprint
from scrutineer.statements.statement import parse_statement


def open_election(definition: bytes, units_csv: bytes, register_csv: bytes, baseline_csv: bytes | None = None) -> Election:
    """Check that statement 0 names these tables and is signed by an authority of its own register; return the election.

    `baseline_csv` is None where there is no such file; the definition must not name it then, and must where there is one.
    This shows that the parts belong together. That it is the right election shows only its hash, which whoever checks must
    have from elsewhere. Raises StatementError, DefinitionError, or SignatureError.
    """
    statement = parse_statement(definition)
    payload = statement.payload
    if not isinstance(payload, Definition):
        raise DefinitionError(f"statement 0 is a {statement.kind!r}: the log of an election begins with its definition")
    for name, data in ((UNITS_TABLE, units_csv), (REGISTER_TABLE, register_csv), (BASELINE_TABLE, baseline_csv)):
        check_table(payload, name, data)
    units = read_units(units_csv)
    baseline = () if baseline_csv is None else read_baseline(baseline_csv, payload.contests, units)
    election = Election(payload, units, read_register(register_csv, units), statement.hash, baseline)
    envelope = statement.envelope
    for issuer in election.register.find(envelope.issuer):
        if issuer.algorithm == envelope.algorithm and thumbprint(issuer.key, issuer.algorithm) == envelope.kid:
            if not election.may(issuer, "definition"):
                raise DefinitionError(f"the definition is signed by {issuer.id}: only an authority may define an election")
            envelope.check_signature(issuer.key)
            return election
    raise DefinitionError(
        f"the definition is signed with a key that its register does not give to {envelope.issuer!r}: add the key and sign again"
    )


def check_table(definition: Definition, name: str, data: bytes | None) -> None:
    """Refuse a table (None: there is none) that is not the one the definition names, or none. Raises DefinitionError."""
    named = definition.tables.get(name)
    if data is None:
        if named is not None:
            raise DefinitionError(f"{name} is missing, and the definition names it: take all files that were published with it")
    elif named is None:
        raise DefinitionError(f"{name} is not a table of the definition, which names none of that name: leave it out")
    elif table_hash(data) != named:
        raise DefinitionError(
            f"{name} is not the table that the definition names ({len(data)} bytes of another hash): "
            "take the file that was published with this definition, unchanged"
        )
