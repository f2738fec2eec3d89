"""Writes `election.toml` for contests that came from elsewhere, in the form that people go on editing."""

import json
from collections.abc import Iterable, Iterator

import msgspec

from scrutineer.election.call_settings import CallSettings
from scrutineer.election.contests import Contest

_HEAD = """\
# Written from another file. Look through it, fill in what that file could not say, then run `scrutineer check`.
# `scrutineer new` without a file writes an example whose comments explain every key.
"""


def election_toml(election_id: str, name: str, date: str, contests: Iterable[Contest]) -> str:
    """The text of an election.toml. What it says of the contests reads back as the same contests."""
    calls = CallSettings()
    lines = [
        _HEAD,
        "[election]",
        f"id = {_value(election_id)}",
        f"name = {_value(name)}",
        f"date = {_value(date)}",
        'timezone = "UTC"                         # the election\'s own',
        f"authority = {_value('The authority of ' + name)}",
        "",
        "[calls]                                  # what is promised before the first result about calls",
        f"risk = {_value(calls.risk)}",
        f"gamma = {_value(calls.gamma)}",
        f"strata = {_value(calls.strata)}",
        "",
    ]
    for contest in contests:
        lines += _contest(contest)
    return "\n".join(lines)


def _contest(contest: Contest) -> Iterator[str]:
    fields = msgspec.to_builtins(contest)
    yield "[[contest]]"
    for key, value in fields.items():
        if key not in ("options", "candidates"):
            yield f"{key} = {_value(value)}"
    yield ""
    for table, items in (("option", contest.options), ("candidate", contest.candidates)):
        for item in items:
            yield f"[[contest.{table}]]"
            for key, value in msgspec.to_builtins(item).items():
                if value != "":
                    yield f"{key} = {_value(value)}"
            yield ""


def _value(value: object) -> str:
    # A JSON string of printable characters is a TOML basic string, and so is a JSON number a TOML integer.
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(own)}" for key, own in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
