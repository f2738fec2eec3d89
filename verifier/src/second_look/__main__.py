"""`python -m second_look SITE_FOLDER [--definition HASH] [--part K/N] [--json]`."""

import argparse
import json
import sys
from pathlib import Path

from second_look.report import Report
from second_look.site import verify_site

NOT_CHECKED = (
    "who is elected, run-offs, margins and whether an outcome can still change (bulletins and summary state them)",
    "the calls of bulletins, announcements that were quoted, incidents, and observers' copies beside the sheets",
    "what pages, maps, API files, the Parquet table and the NIST report say (only that they are as they were published)",
    "the index of confirmation codes; that a voter's own code is there, everyone can look up in the bundles",
    "that the dice of an audit fell as its seed says, and after its plan was registered; the sentences and pages of its reports",
    "photographs, and anything that happened on paper",
)


def show(report: Report) -> str:
    """The report as text."""
    lines = [f"checked: {line}" for line in report.checked]
    lines += [f"taken as published: {line}" for line in report.taken]
    lines += [f"not checked: {line}" for line in NOT_CHECKED]
    lines += [f"FAIL {row['check']}, {row['where']}: {row['message']}" for row in report.findings]
    if report.count > len(report.findings):
        lines.append(f"… and {report.count - len(report.findings)} more findings")
    lines.append("everything that was checked holds" if not report.count else f"{report.count} findings: see the lines with FAIL")
    return "\n".join(lines)


def _part(text: str) -> tuple[int, int]:
    own, _, parts = text.partition("/")
    if not (own.isdecimal() and parts.isdecimal() and 1 <= int(own) <= int(parts)):
        raise argparse.ArgumentTypeError("write it as 1/4, for the first of four parts")
    return int(own), int(parts)


def _tell(what: str) -> None:
    sys.stderr.write(f"\r\033[K{what} …")


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0: everything that was checked holds; 1: there are findings; 2: no such folder."""
    parser = argparse.ArgumentParser(prog="second_look", description="Checks the folder of a published election site.")
    parser.add_argument("site", type=Path, help="folder of the site")
    parser.add_argument("--definition", default="", metavar="HASH", help="hash of the definition, as it was announced")
    parser.add_argument("--part", type=_part, default=(1, 1), metavar="K/N", help="only part K of N of the encrypted ballots")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    given = parser.parse_args(arguments)
    if not given.site.is_dir():
        sys.stderr.write(f"{given.site} is no folder: name the folder of a published site\n")
        return 2
    report = verify_site(given.site, given.definition, given.part, _tell if sys.stderr.isatty() else lambda _: None)
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if given.json:
        fields = {"holds": not report.count, "count": report.count, "findings": report.findings}
        fields |= {"checked": report.checked, "taken": report.taken, "not_checked": NOT_CHECKED, "audits": report.audits}
        sys.stdout.write(json.dumps(fields, indent=2) + "\n")
    else:
        sys.stdout.write(show(report) + "\n")
    return 1 if report.count else 0


if __name__ == "__main__":
    sys.exit(main())
