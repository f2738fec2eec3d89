"""The definition of a simulated election, signed, with its tables: what a log begins with."""

from dataclasses import dataclass

from scrutineer.election import Election, LogIdentity
from scrutineer.election.definition import REGISTER_TABLE, UNITS_TABLE, table_hash, write_register, write_units
from scrutineer.election.folder import draft_definition
from scrutineer.simulate.acts import KeyOf
from scrutineer.simulate.republic import OFFICERS, Simulation
from scrutineer.statements import sign_statement, statement_hash


@dataclass(frozen=True, slots=True, eq=False)
class OpenedElection:
    """A definition as a signed statement, the two tables that it names, and the three together."""

    definition: bytes
    units_csv: bytes
    register_csv: bytes
    election: Election


def open_republic(simulation: Simulation, key_of: KeyOf, log: LogIdentity) -> OpenedElection:
    """Give everyone a key and sign the definition as the first officer."""
    register = simulation.register(key_of)
    units_csv, register_csv = write_units(simulation.units), write_register(register)
    tables = {UNITS_TABLE: table_hash(units_csv), REGISTER_TABLE: table_hash(register_csv)}
    definition = draft_definition(simulation.draft(register), tables, log)
    statement = sign_statement(definition, OFFICERS[0], key_of(OFFICERS[0]))
    election = Election(definition, simulation.units, register, statement_hash(statement))
    return OpenedElection(statement, units_csv, register_csv, election)
