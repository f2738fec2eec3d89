"""The definition of a simulated election, signed, with its tables: what a log begins with."""

from dataclasses import dataclass

from scrutineer.election import Election, LogIdentity
from scrutineer.election.definition import REGISTER_TABLE, SHAPES_TABLE, UNITS_TABLE, table_hash, write_register, write_units
from scrutineer.election.folder import draft_definition
from scrutineer.simulate.acts import KeyOf
from scrutineer.simulate.republic import OFFICERS, Simulation
from scrutineer.statements import sign_statement, statement_hash


@dataclass(frozen=True, slots=True, eq=False)
class OpenedElection:
    """A definition as a signed statement, the tables that it names, and all of them together."""

    definition: bytes
    units_csv: bytes
    register_csv: bytes
    election: Election
    shapes: bytes


def open_republic(simulation: Simulation, key_of: KeyOf, log: LogIdentity) -> OpenedElection:
    """Give everyone a key and sign the definition as the first officer."""
    register = simulation.register(key_of)
    units_csv, register_csv = write_units(simulation.units), write_register(register)
    draft = simulation.draft(register)
    shapes = draft.shapes or b""
    tables = {UNITS_TABLE: table_hash(units_csv), REGISTER_TABLE: table_hash(register_csv), SHAPES_TABLE: table_hash(shapes)}
    definition = draft_definition(draft, tables, log)
    statement = sign_statement(definition, OFFICERS[0], key_of(OFFICERS[0]))
    election = Election(definition, simulation.units, register, statement_hash(statement))
    return OpenedElection(statement, units_csv, register_csv, election, shapes)
