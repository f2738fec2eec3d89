"""An election folder as people write it by hand: the marsh, with a heron and an owl."""

HEAD = """\
[election]
id = "marsh"
name = "Election of the marsh"
date = "2026-06-07"
timezone = "UTC"
authority = "Council of the marsh"
"""


def marsh(contest: str, title: str) -> str:
    """The file of an election with one contest."""
    return f"""{HEAD}[[contest]]
id = "{contest}"
title = "{title}"
rule = "plurality"
[[contest.option]]
id = "heron"
name = "Heron"
[[contest.option]]
id = "owl"
name = "Owl"
"""
