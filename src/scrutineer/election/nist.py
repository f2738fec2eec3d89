"""NIST SP 1500-100 Election Results Reporting, version 2, as JSON: an election as a pre-election report.

What the schema has no place for travels in `ExternalIdentifier` with the type `other`, as its documentation provides:
the exact rule of a contest and its parameters, and the hash of the definition. Where a report names units, contests and
options, their identifiers follow a prefix that says what they are (`gp.`, `ct.`, `cs.`, `can.`, `pt.`, `co.`).

Reading reports is in nist_import.py; result reports are written in the count package on top of `ReportParts`.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from scrutineer.election.contests import LIST_RULES, Candidate, Contest
from scrutineer.election.definition import Election
from scrutineer.election.nist_import import (
    CONTEST_PREFIX,
    OWN,
    UNIT_PREFIX,
    UNIT_TYPES,
    VARIATION_BY_RULE,
    import_definition,
    selection_prefix,
)
from scrutineer.election.units import UNKNOWN

ReportStatus = Literal["pre-election", "unofficial-partial", "unofficial-complete", "certified", "correction", "recount"]
DetailLevel = Literal["precinct-level", "summary-contest"]
_BLOCK: Final = 8192  # units
UNDETERMINED: Final = "und"
"""Language tag (BCP 47) of names whose language the definition does not say."""

__all__ = ["DetailLevel", "ReportParts", "ReportStatus", "export_definition", "import_definition"]


def export_definition(election: Election, *, generated_at: int, language: str = UNDETERMINED) -> dict[str, Any]:
    """An election as a pre-election `ElectionReport`, ready to be written as JSON.

    `generated_at` is in seconds since 1970, `language` the BCP 47 tag of the names.
    """
    parts = ReportParts(election, language)
    report = parts.head("precinct-level", "pre-election", generated_at)
    report["GpUnit"] = list(parts.units())
    report["Party"] = parts.parties()
    body = parts.election()
    body["Candidate"] = parts.candidates()
    body["Contest"] = []
    for number, contest in enumerate(election.contests):
        entry = parts.contest(number)
        entry["ContestSelection"] = [parts.selection(contest, option) for option in range(len(contest.options))]
        body["Contest"].append(entry)
    report["Election"] = [body]
    return report


@dataclass(frozen=True, slots=True)
class ReportParts:
    """The objects of a report, one by one, so that large reports can be written piece by piece. Key order is fixed."""

    source: Election
    language: str = UNDETERMINED

    def head(self, detail: DetailLevel, status: ReportStatus, generated_at: int, sequence: int = 1) -> dict[str, Any]:
        """`ElectionReport` without its lists. `generated_at` is in seconds since 1970."""
        definition = self.source.definition
        moment = datetime.datetime.fromtimestamp(generated_at, datetime.UTC)
        head: dict[str, Any] = {
            "@type": "ElectionResults.ElectionReport",
            "Format": detail,
            "GeneratedDate": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Issuer": definition.authority,
            "IssuerAbbreviation": definition.id,
            "SequenceStart": sequence,
            "SequenceEnd": sequence,
            "Status": status,
            "VendorApplicationId": "scrutineer",
            "Notes": definition.provenance_sentence(),
            "ExternalIdentifier": [_own("definition", self.source.hash.hex())],
        }
        if definition.provenance != "official":
            head["IsTest"] = True
            head["TestType"] = definition.provenance
        return head

    def units(self, shown: NDArray[np.bool_] | None = None) -> Iterator[dict[str, Any]]:
        """`ReportingUnit` for every unit in pre-order, with the sum of the rolls below it where all are known.

        `shown` says, by position among the units, which ones the report has at all; left out, it has all of them.
        """
        units = self.source.units
        known = np.concatenate(([0], np.cumsum(units.rolls != UNKNOWN)))
        sums = np.concatenate(([0], np.cumsum(np.where(units.rolls == UNKNOWN, 0, units.rolls))))
        shown = np.ones(units.unit_count, dtype=np.bool_) if shown is None else shown
        at = np.flatnonzero(shown)
        first, last = units.first_station[at], units.last_station[at]
        rolls = np.where(known[last] - known[first] == last - first, sums[last] - sums[first], UNKNOWN)
        parents = units.parent[at]
        order = np.argsort(parents, kind="stable")
        children, parents = at[order], parents[order]
        rows = np.stack((at, rolls, np.searchsorted(parents, at, "left"), np.searchsorted(parents, at, "right")), axis=1)
        # As Python's integers a block at a time, because those take much more memory.
        for unit, roll, start, stop in (
            row for block in range(0, len(at), _BLOCK) for row in rows[block : block + _BLOCK].tolist()
        ):
            kind = units.kinds[unit]
            entry: dict[str, Any] = {
                "@id": UNIT_PREFIX + units.ids[unit],
                "@type": "ElectionResults.ReportingUnit",
                "Type": kind if kind in UNIT_TYPES else "other",
            }
            if kind not in UNIT_TYPES:
                entry["OtherType"] = kind
            entry["Name"] = self._text(units.names[unit])
            if start < stop:
                entry["ComposingGpUnitIds"] = [UNIT_PREFIX + units.ids[child] for child in children[start:stop].tolist()]
            if roll != UNKNOWN:
                entry["VotersRegistered"] = roll
            yield entry

    def parties(self) -> list[dict[str, Any]]:
        """`Party` for every option that has a name apart from its candidate's, `Coalition` for every alliance of lists."""
        found: list[dict[str, Any]] = []
        for contest in self.source.contests:
            for option, candidate in zip(contest.options, _candidates(contest), strict=True):
                if contest.rule in LIST_RULES or (contest.rule != "yes-no" and _allied(option.candidate, option.name, candidate)):
                    found.append(
                        {
                            "@id": f"pt.{contest.id}.{option.id}",
                            "@type": "ElectionResults.Party",
                            "Name": self._text(option.name),
                        }
                    )
            if contest.rule in LIST_RULES:
                found += self._coalitions(contest)
        return found

    def _coalitions(self, contest: Contest) -> Iterator[dict[str, Any]]:
        of_option = _candidates(contest)
        for candidate in contest.standing():
            members = [option for option, own in zip(contest.options, of_option, strict=True) if own.id == candidate.id]
            if any(_allied(option.candidate, option.name, candidate) for option in members):
                yield {
                    "@id": f"co.{contest.id}.{candidate.id}",
                    "@type": "ElectionResults.Coalition",
                    "Name": self._text(candidate.name),
                    "ContestIds": [CONTEST_PREFIX + contest.id],
                    "PartyIds": [f"pt.{contest.id}.{option.id}" for option in members],
                }

    def election(self) -> dict[str, Any]:
        """`Election` without its lists."""
        definition = self.source.definition
        return {
            "@type": "ElectionResults.Election",
            "Type": "general",
            "Name": self._text(definition.name),
            "StartDate": definition.date,
            "EndDate": definition.date,
            "ElectionScopeId": UNIT_PREFIX + self.source.units.ids[0],
            "ExternalIdentifier": [_own("election", definition.id)],
        }

    def candidates(self) -> list[dict[str, Any]]:
        """`Candidate` for everyone who stands in a contest of candidates."""
        return [
            {
                "@id": f"can.{contest.id}.{candidate.id}",
                "@type": "ElectionResults.Candidate",
                "BallotName": self._text(candidate.name),
            }
            for contest in self.source.contests
            if contest.rule not in LIST_RULES and contest.rule != "yes-no"
            for candidate in contest.standing()
        ]

    def contest(self, number: int) -> dict[str, Any]:
        """The contest at a position of the definition, without its selections."""
        contest = self.source.contests[number]
        lists, measure = contest.rule in LIST_RULES, contest.rule == "yes-no"
        kind = "PartyContest" if lists else "BallotMeasureContest" if measure else "CandidateContest"
        entry: dict[str, Any] = {
            "@id": CONTEST_PREFIX + contest.id,
            "@type": f"ElectionResults.{kind}",
            "Name": contest.title,
            "ElectionDistrictId": UNIT_PREFIX + self.source.units.ids[self.source.contest_units[number]],
            "VoteVariation": VARIATION_BY_RULE[contest.rule],
        }
        identifiers = [_own("rule", contest.rule)]
        if measure:
            entry["Type"] = "referendum"
        elif not lists:
            entry["NumberElected"] = contest.seats
            entry["VotesAllowed"] = contest.max_choices
        elif contest.seats != 1:
            identifiers.append(_own("seats", str(contest.seats)))
        if contest.threshold:
            identifiers.append(_own("threshold", contest.threshold))
        if contest.alternative is not None:
            identifiers.append(_own("alternative-share", contest.alternative.share))
            identifiers.append(_own("alternative-lead", contest.alternative.lead))
        if contest.base != "valid":
            identifiers.append(_own("base", contest.base))
        entry["ExternalIdentifier"] = identifiers
        return entry

    def selection(self, contest: Contest, number: int) -> dict[str, Any]:
        """The selection of a contest that stands for an option, by its position, without its counts."""
        option, candidate = contest.options[number], _candidates(contest)[number]
        entry: dict[str, Any] = {"@id": selection_prefix(contest.id) + option.id}
        if contest.rule in LIST_RULES:
            entry["@type"] = "ElectionResults.PartySelection"
            entry["PartyIds"] = [f"pt.{contest.id}.{option.id}"]
        elif contest.rule == "yes-no":
            entry["@type"] = "ElectionResults.BallotMeasureSelection"
            entry["Selection"] = self._text(option.name)
            if _allied(option.candidate, option.name, candidate):
                entry["ExternalIdentifier"] = [{**_own("candidate", candidate.id), "Label": candidate.name}]
        else:
            entry["@type"] = "ElectionResults.CandidateSelection"
            entry["CandidateIds"] = [f"can.{contest.id}.{candidate.id}"]
            if _allied(option.candidate, option.name, candidate):
                entry["EndorsementPartyIds"] = [f"pt.{contest.id}.{option.id}"]
        entry["SequenceOrder"] = number + 1
        return entry

    def _text(self, content: str) -> dict[str, Any]:
        return {
            "@type": "ElectionResults.InternationalizedText",
            "Text": [{"@type": "ElectionResults.LanguageString", "Content": content, "Language": self.language}],
        }


def _candidates(contest: Contest) -> list[Candidate]:
    """The candidate of each option."""
    standing = contest.standing()
    return [standing[position] for position in contest.candidate_of_option()]


def _allied(candidate_id: str, name: str, candidate: Candidate) -> bool:
    """Whether an option is more than another word for its candidate."""
    return bool(candidate_id) or name != candidate.name


def _own(what: str, value: str) -> dict[str, Any]:
    return {"@type": "ElectionResults.ExternalIdentifier", "Type": "other", "OtherType": OWN + what, "Value": value}
