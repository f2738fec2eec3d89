# ruff: noqa: E402 - run as a program, this file finds the tests' helpers and the package by itself
"""Fuzzes every decoder of outside bytes: whatever comes in, it is read or refused with this project's own errors, in one line.

    python tests/fuzz/fuzz_decoders.py                    every decoder, a plain seeded mutator
    python tests/fuzz/fuzz_decoders.py statement          one decoder
    python tests/fuzz/fuzz_decoders.py statement --runs 1000000 --seed 7

Where atheris is installed, a single decoder is fuzzed with coverage feedback and libFuzzer's options; otherwise valid
examples are mutated by a seeded generator, so that a failure can be had again.
"""

import argparse
import importlib.resources
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "src")]

from audit_artifacts import held
from log_helpers import MemoryStore, signer
from scrutineer.audits.check import check_audit
from scrutineer.audits.entry_table import read_entries
from scrutineer.audits.plan import read_plan
from scrutineer.audits.plan_totals import read_totals
from scrutineer.audits.report import read_report
from scrutineer.election import Definition, Election, Register, UnitRow, Units
from scrutineer.election.election_file import read_election_file
from scrutineer.election.folder import scaffold
from scrutineer.election.layout import load_layout
from scrutineer.election.layout_model import Layout
from scrutineer.election.layout_reader import read_published
from scrutineer.election.nist import export_definition, import_definition
from scrutineer.election.tables import read_register, read_units, write_register, write_units
from scrutineer.election.toml_table import parse_toml
from scrutineer.errors import NoteError, ScrutineerError
from scrutineer.log import Log
from scrutineer.log.checkpoint import open_checkpoint
from scrutineer.log.note import VerifierKey, parse_note, sign_note
from scrutineer.log.proof import LogProof
from scrutineer.log.receipt import verify_receipt
from scrutineer.log.tiles import decode_bundle, encode_bundle
from scrutineer.statements import SigningKey, codec, parse_statement, sign_statement, statement_hash
from scrutineer.statements.qr import from_qr_text, to_qr_text
from scrutineer.statements.tally_sheet import decode_payload, encode_payload
from scrutineer.witness.answers import Trouble, format_request, read_answer
from scrutineer.witness.rules import Refusal, parse_request
from statement_samples import sample_payloads
from witness_helpers import TIME, address, signers

INTERESTING: Final = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\n",
    b",",
    b'"',
    b"\xd8\x1c",
    b"\xd8\x1d\x00",
    b"\x9f",
    b"\xbf",
    b"\xf9\x7e\x00",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\xc2\x5a\x00\x00",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"-1",
    b"NaN",
    b"1e999",
)
MAX_SIZE: Final = 70_000  # bytes


class Target(NamedTuple):
    """A decoder and valid examples of what it reads."""

    decode: Callable[[bytes], object]
    seeds: list[bytes]


def laughing(levels: int, width: int) -> bytes:
    """CBOR arrays of references to the array before, which unfold to `width ** levels` items."""
    head = b"\xd8\x1c\x99" + width.to_bytes(2)
    arrays = [head + b"\x00" * width]
    arrays += [head + (b"\xd8\x1d\x18" + bytes([level])) * width for level in range(levels - 1)]
    return bytes([0x80 + levels]) + b"".join(arrays)


def _audit_targets() -> dict[str, Target]:
    """The files of audits, each by itself; and a whole audit with one of them changed, whose check never raises."""
    audit = held()
    files = audit.artifacts.files
    tables = [b"box,contest,votes\na1,president,1 2 -\n", b'[{"box": "a1", "contest": "president"}]', b'[[row]]\nbox = "a1"\n']

    def checked(name: str) -> Callable[[bytes], object]:
        return lambda data: check_audit(replace(audit.artifacts, files={**files, name: data}, admit=None, root=None, count=None))

    return {
        "audit-plan": Target(read_plan, [files["plan.json"]]),
        "audit-totals": Target(read_totals, [files["totals.csv"]]),
        "audit-report": Target(read_report, [files["report.json"]]),
        "audit-entries": Target(lambda data: read_entries(data, "Wren", "table"), tables),
        **{f"audit-with-{name}": Target(checked(name), [files[name]]) for name in ("plan.json", "draw.csv", "report.json")},
    }


def targets(folder: Path) -> dict[str, Target]:
    """Every decoder by name. `folder` takes the files of those that read files."""
    key = SigningKey(bytes(range(32)))
    payloads = sample_payloads()
    statements = [sign_statement(payload, "authority/plover", key) for payload in payloads.values()]
    sheet = encode_payload(payloads["tally-sheet"])  # type: ignore[arg-type]
    bomb = laughing(5, 60)

    log = Log.open(MemoryStore(), signer(), clock=lambda: 1_722_211_200_000)
    receipts = [item.receipt for item in log.append(statements)]
    verifier, leaf = signer().verifier, statement_hash(statements[0])
    hostile_receipt = b"\xd2\x84" + b"\x59" + len(bomb).to_bytes(2) + bomb + receipts[0][-100:]

    units = Units(
        [
            UnitRow("land", "", "Land", "country", None),
            UnitRow("a", "land", "A, “x”", "station", 400),
            UnitRow("b", "land", "B", "station", None),
        ]
    )
    register = Register(units.station_index, key.public_key * 2, ())
    definition = payloads["definition"]
    assert isinstance(definition, Definition)

    report = json.dumps(export_definition(Election(definition, units, register, bytes(32)), generated_at=0)).encode()
    scaffold(folder / "election")
    layout_file = folder / "own.toml"
    layout = _layout_text("venezuela-2024-v2")
    table_file = folder / "published.csv"
    published = load_layout("venezuela-2024-v2")

    def read_layout(data: bytes) -> object:
        layout_file.write_bytes(data)
        return load_layout(layout_file)

    def read_table(data: bytes) -> object:
        table_file.write_bytes(data)
        return read_published(table_file, published)

    def read_definition_file(data: bytes) -> object:
        findings: list = []  # type: ignore[type-arg]
        table = parse_toml(data, "election.toml", findings)
        if table is not None:
            read_election_file(table, None)
        for finding in findings:
            _check_message(str(finding))
        return table

    def read_request(data: bytes) -> object:
        request = parse_request(data)
        if isinstance(request, Refusal):
            raise NoteError(request.detail)
        return request

    def read_cosignatures(data: bytes) -> object:
        answer = read_answer(
            address("http://witness.example"), log.checkpoint(), data[0] + 200 if data else 0, "", data[1:], TIME
        )
        if isinstance(answer, Trouble):
            raise NoteError(answer.detail)
        return answer

    head = log.checkpoint()
    cosigned = sign_note(parse_note(head).text, signers(), TIME).partition(b"\n\n")[2]

    return {
        "statement": Target(parse_statement, [*statements, b"\xd2\x84" + bomb[1:]]),
        "cbor": Target(
            codec.decode, [statement[2:] for statement in statements[:2]] + [codec.encode({"a": [1, None, b"x"]}), bomb]
        ),
        "tally-sheet": Target(decode_payload, [sheet, sheet[:-1] + bomb]),
        "qr-text": Target(lambda data: from_qr_text(data.decode("latin-1")), [to_qr_text(statements[4]).encode()]),
        "note": Target(parse_note, [log.checkpoint()]),
        "verifier-key": Target(
            lambda data: VerifierKey.parse(data.decode("latin-1")), [vkey.encode() for vkey in verifier.vkeys]
        ),
        "checkpoint": Target(lambda data: open_checkpoint(data, verifier.note_verifiers, ()), [log.checkpoint()]),
        "entry-bundle": Target(decode_bundle, [encode_bundle(statements)]),
        "receipt": Target(lambda data: verify_receipt(data, leaf, verifier), [*receipts, hostile_receipt]),
        "log-proof": Target(LogProof.from_text, [log.proof(index) for index in range(3)]),
        "witness-request": Target(read_request, [format_request(3, (bytes(32),) * 2, head), format_request(0, (), head)]),
        "witness-answer": Target(read_cosignatures, [b"\x00" + cosigned, b"\xd1" + b"3\n"]),
        "units-table": Target(read_units, [write_units(units)]),
        "register-table": Target(lambda data: read_register(data, units), [write_register(register)]),
        "nist-report": Target(import_definition, [report]),
        "election-file": Target(read_definition_file, [(folder / "election" / "election.toml").read_bytes()]),
        "layout": Target(read_layout, [layout]),
        **_audit_targets(),
        "published-table": Target(read_table, [_published_text(published)]),
    }


def _layout_text(name: str) -> bytes:

    return (importlib.resources.files("scrutineer.election") / "layouts" / f"{name}.toml").read_bytes()


def _published_text(layout: Layout) -> bytes:
    """A table that the layout `venezuela-2024-v2` reads."""
    places = ("COD_EDO", "EDO", "COD_MUN", "MUN", "COD_PAR", "PAR", "CENTRO", "MESA", "RE", "URL", "VOTOS_VALIDOS", "VOTOS_NULOS")
    options = [column for columns in layout.contests[0].options for column in columns]
    rows = [[*places, *options]]
    for table in range(1, 4):
        place = ["1", "North", "1", "Town", "1", "Parish", "10101001", str(table), "400", "", str(len(options)), "2"]
        rows.append(place + ["1"] * len(options))
    return "\n".join(",".join(row) for row in rows).encode()


def run_one(target: Target, data: bytes) -> bool:
    """Give bytes to a decoder; whether it read them. Anything but an error of this project, in one line, is a failure."""
    try:
        target.decode(data)
    except ScrutineerError as error:
        _check_message(str(error))
        return False
    return True


def _check_message(message: str) -> None:
    if not message or "\n" in message or len(message) > 5000:
        raise AssertionError(f"not one line: {message[:200]!r}")


def mutations(seeds: list[bytes], source: random.Random) -> Iterator[bytes]:
    """Mutated seeds without end."""
    while True:
        data = bytearray(source.choice(seeds))
        for _ in range(1 + min(int(source.expovariate(0.7)), 8)):
            position = source.randrange(len(data) + 1)
            kind = source.randrange(8)
            if kind == 0 and position < len(data):
                data[position] ^= 1 << source.randrange(8)
            elif kind == 1 and position < len(data):
                data[position] = source.randrange(256)
            elif kind == 2:
                data[position:position] = source.choice(INTERESTING)
            elif kind == 3:
                del data[position : position + 1 + int(source.expovariate(0.1))]
            elif kind == 4:
                del data[position:]
            elif kind == 5:
                end = position + 1 + int(source.expovariate(0.05))
                data[position:position] = data[position:end] * source.choice((1, 2, 50))
            elif kind == 6:
                other = source.choice(seeds)
                start = source.randrange(len(other) + 1)
                data[position : position + 20] = other[start : start + 20]
            else:
                data[position : position + 4] = source.randbytes(source.randrange(9))
        yield bytes(data[:MAX_SIZE])


def fuzz(target: Target, runs: int, seed: int) -> int:
    """Run the seeds and then mutations of them; how many mutations were read."""
    for data in target.seeds:
        run_one(target, data)
    found = mutations(target.seeds, random.Random(seed))
    read = 0
    for _ in range(runs):
        data = next(found)
        try:
            read += run_one(target, data)
        except BaseException:
            print(f"failing input: {data.hex()}", file=sys.stderr)
            raise
    return read


def main() -> None:
    """Fuzz from the command line."""
    parser = argparse.ArgumentParser(description="Fuzz the decoders.")
    parser.add_argument("target", nargs="?", help="one decoder; all where it is left out")
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments, rest = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        known = targets(Path(folder))
        if arguments.target is not None and arguments.target not in known:
            parser.error(f"there is no decoder {arguments.target!r}; choose one of {', '.join(known)}")
        try:
            import atheris
        except ImportError:
            atheris = None
        if atheris is not None and arguments.target is not None:
            chosen = known[arguments.target]
            atheris.instrument_all()
            atheris.Setup(
                [sys.argv[0], f"-runs={arguments.runs}", f"-seed={arguments.seed}", *rest], lambda data: run_one(chosen, data)
            )
            atheris.Fuzz()
            return
        for name, target in known.items():
            if arguments.target in (None, name):
                read = fuzz(target, arguments.runs, arguments.seed)
                print(f"{name}: {arguments.runs} mutations, {read} read, the others refused")


if __name__ == "__main__":
    main()
