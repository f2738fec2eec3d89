"""What `verify` says of a report to people."""

import pytest

from scrutineer.cli.verify_commands import print_report
from scrutineer.verify import Report
from scrutineer.verify.report import Check


@pytest.mark.parametrize(
    ("checks", "complete", "said"),
    [
        (("witnesses",), True, "everything is what the log gives, but the cosignatures"),
        (("witnesses",), False, "nothing further was checked"),
        (("witnesses", "log"), True, "what was published is not what the record gives"),
        ((), False, "what was published is not what the record gives"),
    ],
)
def test_missing_witnesses_are_not_called_a_wrong_record(
    checks: tuple[Check, ...], complete: bool, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(complete=complete)
    for check in checks:
        report.add(check, "log/checkpoint", "1 of 3 witnesses has cosigned")
    print_report(report)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("FAIL: ")
    assert said in last
