"""Every published audit of the outcome: its files, its results, its draw, its risks, and what its reports say of them."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from second_look.audits import Audit
from second_look.count import Count
from second_look.notes import Checkpoint, read_checkpoint
from second_look.outcome.counts import Boxes, Seen, card_values, not_drawn, resolve, status_of
from second_look.outcome.draw import Ticket, draw, table, units
from second_look.outcome.implied import unproved
from second_look.outcome.plan import NotComputedError, Planned, open_plan, read_plan
from second_look.outcome.results import Sheets, check_results
from second_look.outcome.risk import Null, risk_of, rounded_up
from second_look.report import BROKEN, FormatError, Report, UnknownFieldError
from second_look.shapes import load_json
from second_look.statements import Statement, read

Tell = Callable[[str], None]
Signed = Callable[[Checkpoint, str], None]
"""Adds findings where a head is not signed by the log: the head, and where it stands."""
_ERRORS = (*BROKEN, ArithmeticError, MemoryError)
_FIELDS = {"format", "name", "election", "plan", "seed", "size", "outcome", "risk_limit", "draws", "units", "counted", "missing"}
_FIELDS |= {"illegible", "pending", "contests", "tests", "counts", "replaced", "others", "voids", "faults"}


class OutcomeAudits:
    """The audits of a site. Their plans are known before the log is followed, so that our count is at hand at their sizes."""

    def __init__(self, site: Path, log: list[bytes], signed: Signed, report: Report, tell: Tell = lambda _: None) -> None:
        self._site, self._signed, self.report, self._tell = site, signed, report, tell
        self._roots: dict[int, bytes] = {}
        self._heads: dict[str, Checkpoint] = {}
        self._waiting: dict[int, list[Statement]] = {}
        self._opened: dict[bytes, Planned | None] = {}
        """By hash of the signed plan; None where there is something wrong, unknown here or not published, which was said."""
        for index, entry in enumerate(log):
            if b".audit-plan+cbor" in entry[:160]:
                try:
                    statement = read(entry)
                except FormatError:
                    continue  # Said where the log is followed.
                with suppress(*_ERRORS):  # Said with the audit.
                    head = self._folder(statement.payload["name"]) / "head.txt"
                    self._heads[statement.payload["name"]] = read_checkpoint(head.read_bytes())
                if 0 < statement.payload["size"] <= index:
                    self._waiting.setdefault(statement.payload["size"], []).append(statement)

    def sizes(self) -> set[int]:
        """The log sizes at which audited results stand, and of the heads that seeds name."""
        return {*self._waiting} | {head.size for head in self._heads.values()}

    def at(self, size: int, root: bytes, count: Count) -> None:
        """Hold the plans of a log size against our own count, which has just reached it."""
        self._roots[size] = root
        for statement in self._waiting.pop(size, ()):
            name = statement.payload["name"]
            if statement.hash in self._opened or not (self._folder(name) / "plan.json").is_file():
                continue
            self._tell(f"audit {name}: plan")
            self._opened[statement.hash] = None
            try:
                if statement.payload["root"] != root:
                    raise FormatError("its root is not the log's at its size")
                plan = read_plan((self._folder(name) / "plan.json").read_bytes(), statement.payload)
                missing = sorted(file for file in plan["files"] if not (self._folder(name) / file).is_file())
                if missing:
                    self.take(name, f"its files {', '.join(missing)} are not published")
                    continue
                planned = open_plan(plan, self._folder(name))
                wrong, taken = check_results(planned, count)
            except (NotComputedError, UnknownFieldError) as error:
                self.take(name, f"{error} is not computed by this verifier")
                continue
            except _ERRORS as error:
                self.find(name, "plan.json", f"{error}")
                continue
            for message in wrong:
                self.find(name, "plan.json", message)
            for message in taken:
                self.take(name, message)
            self._opened[statement.hash] = planned

    def finish(self, count: Count) -> None:
        """Check what followed each plan, to the end of the log."""
        order = count.policy.audits
        for name, audit in order.audits.items():
            title = audit.plan["name"]
            self._tell(f"audit {title}")
            try:
                self._check_names(audit)
                self._check_head(audit)
                if audit.plan["about"] != "outcome":
                    continue
                if audit.plan["size"] > audit.index:
                    self.find(title, "plan.json", "it speaks of a log size that the log had not reached")
                planned = self._opened.get(name)
                if planned is None and name not in self._opened:
                    self.take(title, "its files are not published")
                if planned is not None:
                    _Check(planned, audit, name, order.audits, self._folder(title), self).run(count)
            except NotComputedError as error:
                self.take(title, f"{error} is not computed by this verifier")
            except _ERRORS as error:
                self.find(title, "", f"{error}")
        if (self._site / "audits").is_dir():
            known = {audit.plan["name"] for audit in order.audits.values()}
            for folder in sorted((self._site / "audits").iterdir()):
                if folder.is_dir() and folder.name not in known and any(path.suffix != ".html" for path in folder.iterdir()):
                    self.find(folder.name, "", "files of an audit that no signed plan names")

    def _check_names(self, audit: Audit) -> None:
        """Every file of an audit is one that a statement names by hash, draw.csv, or a page of a report."""
        named = {file["name"]: file["sha256"] for file in audit.plan["files"]} | {"plan.json": audit.plan["plan"]}
        if audit.seeded is not None and audit.seeded["head"] is not None:
            named["head.txt"] = audit.seeded["head"]
        evidence = {each for value in audit.values() for key in ("evidence", "images") for each in value.get(key, ())}
        for number, (_, _, value) in enumerate(audit.reports, 1):
            name = "report.json" if number == 1 else f"report-{number}.json"
            named[name] = value["report"]
        for path in sorted(self._folder(audit.plan["name"]).glob("*")):
            if not path.is_file() or path.name in ("draw.csv", "index.html"):
                continue
            page = re.fullmatch(r"(report(-[0-9]+)?)\.html", path.name)
            if page is not None and f"{page[1]}.json" in named:
                continue
            digest = hashlib.sha256(path.read_bytes()).digest()
            if named.get(path.name) != digest and digest not in evidence:
                self.find(audit.plan["name"], path.name, "it is not a file that the statements of this audit name")

    def _check_head(self, audit: Audit) -> None:
        """The head that was shown before the dice were thrown holds the plan and not the seed, and is one of this log."""
        name, wanted = audit.plan["name"], audit.seeded["head"] if audit.seeded is not None else None
        if wanted is None:
            return
        if not (self._folder(name) / "head.txt").is_file():
            self.take(name, "head.txt is not published, which its seed names")
            return
        data = (self._folder(name) / "head.txt").read_bytes()
        head = self._heads[name] if name in self._heads else read_checkpoint(data)
        if hashlib.sha256(data).digest() != wanted:
            self.find(name, "head.txt", "it is not the head that the seed names")
        if not audit.index < head.size <= audit.seeded_at or self._roots.get(head.size) != head.root:
            self.find(name, "head.txt", "it is no head of this log, or does not hold the plan, or holds the seed as well")
        self._signed(head, f"audits/{name}/head.txt")

    def _folder(self, name: str) -> Path:
        return self._site / "audits" / name

    def find(self, name: str, file: str, message: str) -> None:
        """Keep a finding about a file of an audit."""
        self.report.add("audit", f"audits/{name}/{file}", message)

    def take(self, name: str, message: str) -> None:
        """Say what of an audit is taken as published."""
        if (line := f"audit {name}: {message}") not in self.report.taken:
            self.report.taken.append(line)


class _Check:
    """One audit whose plan holds."""

    def __init__(
        self, planned: Planned, audit: Audit, name: bytes, every: dict[bytes, Audit], folder: Path, site: OutcomeAudits
    ) -> None:
        self.planned, self.audit, self.name, self.every, self.folder, self.site = planned, audit, name, every, folder, site
        self.boxes = Boxes(planned) if planned.by_box and any(test.target for test in planned.tests) else None
        self.drawn: list[Ticket] = []

    def find(self, file: str, message: str) -> None:
        """Note a finding."""
        self.site.find(self.audit.plan["name"], file, message)

    def run(self, count: Count) -> None:
        """Draw, measure, and compare with the reports."""
        reports = self._reports()
        self._draw([given["draws"] for _, _, _, given in reports if type(given.get("draws")) is int])
        for file, index, signed, given in reports:
            try:
                self._check_report(file, index, signed, given)
            except _ERRORS as error:
                self.find(file, f"it has not the fields of a report: {error}")
        now, seen = self._measured(self.drawn, [(name, value) for _, name, value in self.audit.counts])
        last = reports[-1][3] if reports else {}
        faults = seen.left_out + not_drawn(self.planned, self.drawn, seen)
        if faults > len(last.get("faults") or ()):
            self.find("", f"{faults} counts contradict others or are of what was not drawn, and the last report does not say so")
        outcome = self.audit.reports[-1][2]["outcome"] if self.audit.reports else "not reported"
        if outcome == "confirmed":
            if not now["confirmed"]:
                self.find("report.json", "it confirms the outcome, and with all counts that are registered it is not confirmed")
            self._check_now(count)
        risks = ", ".join(f"{contest['contest']} {contest['risk']}" for contest in now["contests"])
        self.site.report.checked.append(
            f"audit {self.audit.plan['name']}: {self.planned.plan['design']}, {now['draws']} draws of {now['units']} units, "
            f"{now['counted']} counted; risk: {risks} (limit {self.planned.plan['risk_limit']}); "
            f"{len(reports)} report(s); {outcome}"
        )
        self.site.report.audits.append({"name": self.audit.plan["name"], "outcome": outcome, "reports": len(reports)} | now)

    def _check_now(self, count: Count) -> None:
        """Say of a confirmed outcome that another one stands at the end of the log."""
        for contest in self.planned.plan["contests"]:
            tally, _ = Sheets(count, row := count.election.contests[contest["contest"]]).tally()
            tests = [test for test in self.planned.tests if test.contest == contest["contest"]]
            try:
                if any(True for _ in unproved(row, tally, contest, tests)):
                    self.site.take(
                        self.audit.plan["name"],
                        f"contest {contest['contest']}: the results that stand now are others than the audited ones, and their "
                        "outcome was not confirmed",
                    )
            except NotComputedError:
                pass

    def _reports(self) -> list[tuple[str, int, dict[str, Any], dict[str, Any]]]:
        """Reports that are published: file, place of the signed report in the log, that report, and what the file says."""
        found = []
        for number, (index, _, signed) in enumerate(self.audit.reports, 1):
            file = "report.json" if number == 1 else f"report-{number}.json"
            if not (self.folder / file).is_file():
                said = f"{file} is not published; its signed report says {signed['outcome']!r}"
                self.site.take(self.audit.plan["name"], said)
                continue
            try:
                given = load_json((self.folder / file).read_bytes(), canonical=True)
                if type(given) is not dict:
                    raise FormatError("not a report")
            except _ERRORS as error:
                self.find(file, f"{error}")
                continue
            if strange := given.keys() - _FIELDS:
                raise NotComputedError(f"a report with the field {min(map(str, strange))!r}")
            found.append((file, index, signed, given))
        return found

    def _draw(self, claimed: list[int]) -> None:
        file = self.folder / "draw.csv"
        given = file.read_bytes() if file.is_file() else None
        seed = self.audit.seeded
        if seed is not None and (self.boxes is not None or not self.planned.by_box) and any(t.target for t in self.planned.tests):
            rows = max([0, *claimed]) if given is None else given.count(b"\n") - 1
            bounds = self.boxes.bounds if self.boxes is not None else {}
            self.drawn = draw(self.planned, bounds, seed["seed"], rows)
        if given is not None and (seed is None or given != table(self.drawn)):
            self.find("draw.csv", "it is not what plan and seed give")

    def _measured(self, drawn: list[Ticket], counts: list[tuple[bytes, dict[str, Any]]]) -> tuple[dict[str, Any], Seen]:
        """What a report has to say after so many draws and counts."""
        planned, plan, seen = self.planned, self.planned.plan, resolve(counts)
        void = False
        values: dict[int, tuple[list[float], Null]] = {}
        if drawn and self.boxes is not None:
            values, void = self.boxes.values(drawn, seen)
        elif drawn:
            values, void = card_values(planned, drawn, seen)
        risks = []
        for at, test in enumerate(planned.tests):
            if self.boxes is not None and self.boxes.settled(at):
                risks.append(Fraction(0))
            elif at in values:
                risks.append(Fraction(risk_of(plan["risk"], test.given["parameters"], *values[at])))
            else:
                risks.append(Fraction(1))
        contests = []
        for contest in plan["contests"]:
            own = [risk for risk, test in zip(risks, planned.tests, strict=True) if test.contest == contest["contest"]]
            risk = Fraction(1) if contest["full_count"] or void else max(own, default=Fraction(0))
            row = {"contest": contest["contest"], "risk": rounded_up(risk), "full_count": contest["full_count"]}
            contests.append(row | {"confirmed": risk <= Fraction(plan["risk_limit"]), "target": contest["target"]})
        places = sorted(units(drawn), key=lambda place: (place[0].encode(), place[1]))
        found: dict[str, list[str]] = {"counted": [], "missing": [], "illegible": [], "pending": []}
        for box, position in places:
            found[status_of(planned, seen, box, position)].append(f"{box}, card {position}" if position else box)
        status: dict[str, Any] = {"draws": len(drawn), "units": len(places), **found, "counted": len(found["counted"])}
        tests = [
            {"contest": test.contest, "code": test.given["code"], "risk": rounded_up(risk)}
            for test, risk in zip(planned.tests, risks, strict=True)
        ]
        confirmed = all(row["confirmed"] for row in contests if row["target"])
        return status | {"contests": contests, "tests": tests, "void": void, "confirmed": confirmed}, seen

    def _check_report(self, file: str, index: int, signed: dict[str, Any], given: dict[str, Any]) -> None:
        plan = self.planned.plan
        if hashlib.sha256((self.folder / file).read_bytes()).digest() != signed["report"]:
            self.find(file, "it is not the file that the signed report names")
        risks = {row["contest"]: row["risk"] for row in given["contests"]}
        told = (signed["size"], signed["outcome"], {row["contest"]: row["risk"] for row in signed["risks"]})
        if told != (given["size"], given["outcome"], risks) or not given["size"] <= index:
            self.find(file, "it has another size, outcome or risk than the signed report, or a size that the log had not reached")
        drawn = self.drawn[: given["draws"]] if signed["seed"] is not None else []
        counts = [(name, value) for at, name, value in self.audit.counts if at < given["size"]]
        own, seen = self._measured(drawn, counts)
        void, confirmed = own.pop("void"), own.pop("confirmed")
        if void or any(row["full_count"] and row["target"] for row in plan["contests"]):
            own["outcome"] = "full-count"
        elif confirmed and signed["seed"] is not None:
            own["outcome"] = "confirmed"
        else:
            own["outcome"] = "stopped" if given["outcome"] == "stopped" else "continuing"
        # Sentences are compared by their number alone.
        faults = seen.left_out + not_drawn(self.planned, drawn, seen)
        own |= {"faults": given["faults"] if len(given["faults"]) == faults else faults}
        own |= {"voids": given["voids"] if bool(given["voids"]) == void else void}
        own |= {"format": "scrutineer-audit-report/1", "plan": self.name.hex(), "seed": (signed["seed"] or b"").hex()}
        own |= {field: plan[field] for field in ("name", "election", "risk_limit")} | {"size": given["size"]}
        own["counts"] = [
            {"box": value["box"], "statement": name.hex(), "status": value["status"], "cards": len(value["cards"])}
            | {"discrepancies": value["discrepancies"]}
            for name, value in sorted(seen.held.items(), key=lambda item: (item[1]["box"].encode(), item[0]))
        ]
        own["replaced"] = [
            {"box": value["box"], "statement": name.hex(), "by": by.hex(), "note": note}
            for name, value, by, note in sorted(seen.replaced, key=lambda row: (row[1]["box"].encode(), row[0]))
        ]
        own["contests"] = [{key: row[key] for key in ("contest", "risk", "confirmed", "full_count")} for row in own["contests"]]
        own["others"] = self._others(given["size"], {contest["contest"] for contest in plan["contests"]})
        wrong = sorted(field for field in _FIELDS if field not in given or given[field] != own[field])
        if wrong:
            field = wrong[0]
            said = f"{', '.join(wrong)}: {field} is {given.get(field)!r:.200}, and plan, seed and counts give {own[field]!r:.200}"
            self.find(file, f"it says otherwise in {said}")

    def _others(self, size: int, contests: set[str]) -> list[dict[str, Any]]:
        """The other plans for these contests in the log at a size."""
        found = []
        for name, audit in self.every.items():
            if name == self.name or audit.index >= size or audit.plan["about"] != "outcome":
                continue
            reports = [value for index, _, value in audit.reports if index < size]
            both = {*audit.plan["contests"]} & contests
            if both:
                row = {"plan": name.hex(), "name": audit.plan["name"], "before": audit.index < self.audit.index}
                row |= {"drawn": audit.seeded is not None and audit.seeded_at < size, "contests": sorted(both)}
                found.append(row | {"outcome": reports[-1]["outcome"] if reports else None})
        return found
