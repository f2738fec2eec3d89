"""Statement 0 and its tables belong together, and an authority of the register signed."""

import pytest
from msgspec.structs import replace

from intake_helpers import AGENT, AUTHORITIES, republic, station_key
from scrutineer.election.call_settings import CallSettings
from scrutineer.election.definition import table_hash
from scrutineer.errors import DefinitionError, ScrutineerError, SignatureError, StatementError
from scrutineer.statements import SigningKey, sign_statement, statement_hash
from scrutineer.statements.bootstrap import open_election

LAND = republic()


def test_opens() -> None:
    election = open_election(LAND.definition, LAND.units, LAND.register)
    assert election.hash == statement_hash(LAND.definition)
    assert election.units.station_count == 4


def test_tables_of_another_hash() -> None:
    for units, register in ((LAND.units + b"\n", LAND.register), (LAND.units, LAND.register.replace(b"heron", b"robin"))):
        with pytest.raises(DefinitionError, match="is not the table"):
            open_election(LAND.definition, units, register)


BASELINE = b"station,contest,option,votes\n" + b"".join(
    b"%s,president,%s,%d\n" % (station, option, votes)
    for votes, station in enumerate((b"n1", b"n2", b"s1", b"s2"))
    for option in (b"heron", b"kestrel", b"wren")
)


def committed() -> bytes:
    """The definition with a baseline, signed."""
    plain = LAND.election.definition
    tables = plain.tables | {"baseline.csv": table_hash(BASELINE)}
    return sign_statement(replace(plain, tables=tables, calls=CallSettings()), "authority/0", AUTHORITIES[0])


def test_opens_with_a_baseline() -> None:
    president, north, speaker = open_election(committed(), LAND.units, LAND.register, BASELINE).baseline
    assert president is not None
    assert president.tolist() == [[votes] * 3 for votes in range(4)]
    assert (north, speaker) == (None, None)


@pytest.mark.parametrize("baseline", [BASELINE + b"\n", BASELINE.replace(b"3", b"4"), b""])
def test_another_baseline(baseline: bytes) -> None:
    with pytest.raises(DefinitionError, match=r"baseline\.csv is not the table that the definition names"):
        open_election(committed(), LAND.units, LAND.register, baseline)


def test_a_baseline_is_there_exactly_where_the_definition_names_one() -> None:
    with pytest.raises(DefinitionError, match=r"baseline\.csv is missing, and the definition names it"):
        open_election(committed(), LAND.units, LAND.register)
    with pytest.raises(DefinitionError, match=r"baseline\.csv is not a table of the definition"):
        open_election(LAND.definition, LAND.units, LAND.register, BASELINE)


def test_another_kind_of_statement() -> None:
    with pytest.raises(DefinitionError, match="tally-sheet"):
        open_election(LAND.sheet(), LAND.units, LAND.register)
    with pytest.raises(StatementError):
        open_election(b"", LAND.units, LAND.register)


@pytest.mark.parametrize(
    ("issuer", "key"),
    [
        ("authority/9", SigningKey(b"q" * 32)),
        ("authority/0", SigningKey(b"q" * 32)),
        ("agent/heron", AGENT),
        ("station/n1", station_key("n1")),
    ],
)
def test_signed_by_someone_else(issuer: str, key: SigningKey) -> None:
    with pytest.raises(DefinitionError, match="signed"):
        open_election(sign_statement(LAND.election.definition, issuer, key), LAND.units, LAND.register)


def test_broken_signature() -> None:
    with pytest.raises(SignatureError):
        open_election(LAND.definition[:-1] + bytes([LAND.definition[-1] ^ 1]), LAND.units, LAND.register)


def test_every_changed_byte_is_noticed() -> None:
    for position in range(0, len(LAND.definition), 3):
        changed = bytearray(LAND.definition)
        changed[position] ^= 1
        with pytest.raises(ScrutineerError):
            open_election(bytes(changed), LAND.units, LAND.register)
