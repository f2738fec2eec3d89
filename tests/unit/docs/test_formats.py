"""docs/formats.md names everything that goes over the wire; a field that is added there is added here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import msgspec
import pytest

from scrutineer.election.baseline import BASELINE_HEADER, BASELINE_TABLE, MAX_CONTEST_VOTES, MAX_VOTES
from scrutineer.election.register import KINDS_BY_ROLE
from scrutineer.election.tables import REGISTER_HEADER, UNITS_HEADER
from scrutineer.election.units import MAX_DEPTH as MAX_TREE_DEPTH
from scrutineer.statements import KINDS, TallySheet
from scrutineer.statements.codec import MAX_DEPTH, MAX_STATEMENT_SIZE
from scrutineer.statements.envelope import CONTENT_TYPE_PREFIX, CONTENT_TYPE_SUFFIX, MAX_CLAIM_LENGTH
from scrutineer.statements.keys import COSE_ALGORITHMS, SIGNATURE_SIZES
from scrutineer.statements.qr import MAX_QR_VERSION, QR_PREFIX
from scrutineer.statements.statement import TYPE_BY_KIND

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text()


def section(kind: str) -> str:
    """The section that describes a kind."""
    found = re.search(rf"^### [^\n]*`{kind}`.*?(?=^##|\Z)", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None, f"docs/formats.md has no section on {kind}"
    return found[0]


def structs(of: object) -> Iterator[type[msgspec.Struct]]:
    """A struct type and every one that is reached from it."""
    if isinstance(of, type) and issubclass(of, msgspec.Struct):
        yield of
        for hint in get_type_hints(of).values():
            yield from structs(hint)
    elif get_origin(of) is not None:
        for part in get_args(of):
            yield from structs(part)


def words(of: object) -> Iterator[str]:
    """Every word that a type allows where it allows only some."""
    if get_origin(of) is not None:
        for part in get_args(of):
            yield from [part] if isinstance(part, str) else words(part)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_and_field_is_described(kind: str) -> None:
    assert f"| `{kind}` |" in DOCUMENT
    described = section(kind)
    if kind == "tally-sheet":
        for key, field in enumerate(TallySheet._fields, start=1):
            assert re.search(rf"^\s+(\? )?{key} => .*\b{field}\b", described, re.MULTILINE), f"{key}, {field}"
        return
    for struct in set(structs(TYPE_BY_KIND[kind])):
        for field in msgspec.structs.fields(struct):
            mark = re.search(rf"(?<!\w)(\? )?{field.encode_name}:", described)
            assert mark, f"{struct.__name__}.{field.encode_name}"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tally-sheet"])
def test_optional_fields_are_marked(kind: str) -> None:
    described = section(kind)
    for field in msgspec.structs.fields(TYPE_BY_KIND[kind]):
        marked = re.search(rf"\? {field.encode_name}:", described) is not None
        assert marked != field.required, field.encode_name


def test_every_choice_is_named() -> None:
    for struct in {found for kind in KINDS if kind != "tally-sheet" for found in structs(TYPE_BY_KIND[kind])}:
        for field, hint in get_type_hints(struct).items():
            for word in words(hint):
                assert f'"{word}"' in DOCUMENT or f"`{word}`" in DOCUMENT, f"{struct.__name__}.{field}: {word}"


def test_roles_and_what_they_sign() -> None:
    statements = DOCUMENT.partition("\n## The tables of the definition")[0]  # where a column is called like a role
    rows = {
        match[1]: match[2] for match in re.finditer(r"^\| (`[a-z`, -]+`|every other role) \| (.+) \|$", statements, re.MULTILINE)
    }
    for role, kinds in KINDS_BY_ROLE.items():
        row = next((text for roles, text in rows.items() if f"`{role}`" in roles), rows["every other role"])
        assert set(re.findall(r"`([a-z-]+)`", row)) == kinds, role
        assert f"`{role}`" in DOCUMENT


@pytest.mark.parametrize(
    "text",
    [
        f"`{','.join(UNITS_HEADER)}`",
        f"`{','.join(REGISTER_HEADER)}`",
        f"**`{BASELINE_TABLE}`**",
        f"`{','.join(BASELINE_HEADER)}`",
        f"| 0 to {MAX_VOTES:,} in decimal digits",
        f"at most {MAX_CONTEST_VOTES:,} votes in all",
        f'"{CONTENT_TYPE_PREFIX}" kind "{CONTENT_TYPE_SUFFIX}"',
        f"at most {MAX_STATEMENT_SIZE:,} bytes",
        f"at most {MAX_DEPTH} levels of nesting",
        f"at most {MAX_TREE_DEPTH} levels deep",
        f"tstr .size (1..{MAX_CLAIM_LENGTH})",
        f"1 => {' / '.join(map(str, COSE_ALGORITHMS.values()))},",
        f"{SIGNATURE_SIZES['ed25519']} bytes (Ed25519) or {SIGNATURE_SIZES['ml-dsa-44']:,} bytes (ML-DSA-44)",
        f"`{QR_PREFIX}`",
        f"none above {MAX_QR_VERSION}",
        "SHA-256(0x00 ‖ bytes)",
    ],
)
def test_sizes_and_marks_are_those_of_the_code(text: str) -> None:
    assert text in DOCUMENT


def test_the_contents_lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
        for title in re.findall(r"^##+ (.+)$", DOCUMENT, re.MULTILINE)
    }
    for link in re.findall(r"\]\(#([^)]+)\)", DOCUMENT):
        assert link in anchors
