"""Writes reports as Arlo exports them, from the values that a test is about."""

import csv
import io
from collections.abc import Mapping, Sequence

Votes = Mapping[str, int]


def votes_text(votes: Votes) -> str:
    return "; ".join(f"{name}: {number}" for name, number in votes.items())


def report(
    kind: str,
    math: str,
    seed: str,
    *,
    contests: Sequence[tuple[object, ...]],
    rounds: Sequence[tuple[object, ...]],
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    contest_columns: Sequence[str] = (),
    round_columns: Sequence[str] = (),
    online: bool = True,
    risk_limit: str = "10%",
) -> bytes:
    """Contests are name, targeted, winners, votes allowed, ballots, votes.

    Rounds are number, contest, targeted, size, met, P-value, votes.
    """
    text = io.StringIO()
    table = csv.writer(text)

    def section(name: str, head: Sequence[str], lines: Sequence[Sequence[object]]) -> None:
        table.writerow([f"######## {name} ########"])
        table.writerow(head)
        table.writerows(lines)

    section("ELECTION INFO", ["Organization", "Election Name", "State"], [["Heath", "Election of birds", "CA"]])
    table.writerow([])
    head = ["Contest Name", "Targeted?", "Number of Winners", "Votes Allowed", "Total Ballots Cast", "Vote Totals"]
    section("CONTESTS", [*head, *contest_columns], [_contest(row) for row in contests])
    table.writerow([])
    head = ["Audit Name", "Audit Type", "Audit Math Type", "Risk Limit", "Random Seed", "Online Data Entry?"]
    section("AUDIT SETTINGS", head, [["Heath audit", kind, math, risk_limit, seed, "Yes" if online else "No"]])
    table.writerow([])
    head = ["Round Number", "Contest Name", "Targeted?", "Sample Size", "Risk Limit Met?", "P-Value", "Start Time", "End Time"]
    section("ROUNDS", [*head, "Audited Votes", *round_columns], [[*row[:6], "then", "later", *row[6:]] for row in rounds])
    table.writerow([])
    section("SAMPLED BATCHES" if kind == "BATCH_COMPARISON" else "SAMPLED BALLOTS", columns, rows)
    return text.getvalue().encode()


def _contest(row: tuple[object, ...]) -> list[object]:
    name, targeted, winners, allowed, ballots, votes, *rest = row
    assert isinstance(votes, Mapping)
    return [name, "Targeted" if targeted else "Opportunistic", winners, allowed, ballots, votes_text(votes), *rest]


def batch_report(
    seed: str,
    contests: Mapping[str, tuple[int, Votes]],
    rounds: Sequence[tuple[int, str, int | None, str, Votes]],
    rows: Sequence[tuple[str, str, Mapping[str, str], Mapping[str, Votes], Mapping[str, Votes]]],
    *,
    pending: int = 0,
    combined: Mapping[str, str] | None = None,
    batch_votes: Votes | None = None,
) -> bytes:
    """A batch comparison. Contests: votes allowed and totals. Rounds: number, contest, size, P-value, votes found.

    Rows: jurisdiction, batch, and by contest ticket numbers, reported votes, votes found; `combined` has the cell of some rows.
    """
    names = list(contests)
    tickets_of = [f"Ticket Numbers: {name}" for name in names]
    columns = ["Jurisdiction Name", "Batch Name", "Ballots in Batch", *tickets_of, "Audited?"]
    for name in names:
        columns += [
            f"Reported Results: {name}",
            f"Audit Results: {name}",
            f"Change in Results: {name}",
            f"Change in Margin: {name}",
        ]
    columns += ["Last Edited By", "Combined Batch"]
    lines: list[list[object]] = []
    for jurisdiction, batch, tickets, said, found in rows:
        line: list[object] = [jurisdiction, batch, "", *(tickets.get(name, "") for name in names), "Yes" if found else "No"]
        for name in names:
            line += [votes_text(said.get(name, {})), votes_text(found.get(name, {})), "", ""]
        lines.append([*line, "", (combined or {}).get(batch, "")])
    return report(
        "BATCH_COMPARISON",
        "MACRO",
        seed,
        contests=[
            (name, True, 1, allowed, 5000, votes, votes_text(batch_votes or {}), pending)
            for name, (allowed, votes) in contests.items()
        ],
        contest_columns=["Vote Totals from Batches", "Pending Ballots"],
        rounds=[(number, name, "Targeted", size, "No", p, votes_text(votes)) for number, name, size, p, votes in rounds],
        columns=columns,
        rows=[*lines, ["Totals", "", 0]],
        online=False,
    )


def table(columns: str, rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([columns.split(","), *rows])
    return text.getvalue().encode()
