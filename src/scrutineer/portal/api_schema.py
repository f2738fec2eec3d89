"""JSON Schemas (draft 2020-12) of the published JSON files, made from the data dictionary, but for that of the map."""

from typing import Final

from scrutineer.portal.api_tables import DESCRIBED, INNER
from scrutineer.portal.dictionary import Field, Table
from scrutineer.portal.formats import SiteFile, write_json
from scrutineer.portal.map_schema import MAP_SCHEMA, MAP_SCHEMA_FILE

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_COUNT: Final[dict[str, object]] = {"type": "integer", "minimum": 0}
_TEXT: Final[dict[str, object]] = {"type": "string"}
_BY_NAME: Final = {table.name: table for table in INNER}
_SIGNED: Final = ("slack",)  # the numbers that may be negative


def schema_path(table: Table) -> str:
    """Where the schema of a kind of files lies."""
    return f"api/v1/schema/{table.name}.json"


def schema_files() -> list[SiteFile]:
    """The schemas; the same for every election."""
    made = {schema_path(table): json_schema(table) for table in DESCRIBED} | {MAP_SCHEMA_FILE: MAP_SCHEMA}
    return [SiteFile(path, (write_json(schema),)) for path, schema in made.items()]


def schema_paths() -> list[str]:
    """Where all schemas lie."""
    return [*map(schema_path, DESCRIBED), MAP_SCHEMA_FILE]


def json_schema(table: Table) -> dict[str, object]:
    """The schema of a kind of files, which holds those of the objects in them."""
    inner: dict[str, Table] = {}
    _collect(table, inner)
    return {
        "$schema": _DIALECT,
        "title": table.title,
        **_object(table),
        "$defs": {name: _object(inner[name]) for name in sorted(inner)},
    }


def _collect(table: Table, found: dict[str, Table]) -> None:
    for field in table.fields:
        if field.of and field.of not in found:
            found[field.of] = _BY_NAME[field.of]
            _collect(found[field.of], found)


def _object(table: Table) -> dict[str, object]:
    return {
        "description": table.about,
        "type": "object",
        "properties": {field.name: _property(field) for field in table.fields},
        "required": [field.name for field in table.fields],
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, object]:
    value = _value(field)
    if not field.empty:
        return {"description": field.meaning, **value}
    return {"description": f"{field.meaning} Null: {field.empty}", "anyOf": [value, {"type": "null"}]}


def _value(field: Field) -> dict[str, object]:
    match field.kind:
        case "number":
            return {"type": "integer"} if field.name in _SIGNED else _COUNT
        case "yes-no":
            return {"type": "boolean"}
        case "hash":
            return {"type": "string", "pattern": "^[0-9a-f]{64}$"}
        case "texts":
            return {"type": "array", "items": _text(field)}
        case "votes" | "numbers":
            return {"type": "object", "additionalProperties": _COUNT}
        case "stated":
            return {"type": "object", "additionalProperties": {"anyOf": [_COUNT, {"type": "null"}]}}
        case "rows":
            return {"type": "array", "items": {"$ref": f"#/$defs/{field.of}"}}
        case "record":
            return {"$ref": f"#/$defs/{field.of}"}
        case _:
            return _text(field)


def _text(field: Field) -> dict[str, object]:
    return {"type": "string", "enum": list(field.choices)} if field.choices else _TEXT
