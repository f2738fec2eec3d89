"""The checklist: twenty requirements on the transparency of a count, and what this site does about each, without praise.

What depends on the record is worked out from it, so that the page claims nothing that is not there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from scrutineer.language import HtmlSay, msg
from scrutineer.portal.formats import SiteFile
from scrutineer.portal.pages import Pages
from scrutineer.portal.requirements import REQUIREMENTS
from scrutineer.portal.view import View
from scrutineer.statements import Decision

PATH: Final = "checklist.html"
Status = Literal["met", "part", "published", "procedure"]
STATUS_WORDS: Final[dict[Status, str]] = {
    "met": msg("Met here"),
    "part": msg("Met here in part"),
    "published": msg("Depends on what is published"),
    "procedure": msg("Up to the procedure, not to this site"),
}
_MARKS: Final[dict[Status, str]] = {"met": "counted", "part": "official", "published": "open", "procedure": "elsewhere"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the site does about one requirement. Texts are HTML; `links` are pages with what they are called."""

    status: Status
    said: str
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    id: str
    text: str
    source: str
    mark: str
    label: str
    said: str
    links: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]


def checklist_page(pages: Pages) -> Iterator[SiteFile]:
    """`checklist.html`."""
    say, given = pages.say, answers(pages)
    rows = [
        _Row(
            number,
            asked.id,
            say.later(asked.text),
            say.later(asked.source),
            _MARKS[given[asked.id].status],
            say.later(STATUS_WORDS[given[asked.id].status]),
            given[asked.id].said,
            given[asked.id].links,
            asked.tests,
        )
        for number, asked in enumerate(REQUIREMENTS, start=1)
    ]
    tally = [
        (say.later(words), say.number(sum(answer.status == status for answer in given.values())))
        for status, words in STATUS_WORDS.items()
    ]
    yield pages.render("checklist.html", PATH, say("Checklist"), rows=rows, tally=tally)


def answers(pages: Pages) -> dict[str, Answer]:
    """What the site does about each requirement, by its id."""
    view, say = pages.view, pages.say
    check = ("check.html", say("Check this count"))
    data = ("data.html", say("Take it away"))
    find = ("search.html", say("Find a station"))
    places = ("places.html", say("Places"))
    return {
        "by-station": Answer(
            "met",
            say.joined([say("Every station stands in the tables, whether or not its sheet has arrived."), _arrived(view, say)]),
            (places, data),
        ),
        "every-level": _every_level(view, say, places),
        "posted": Answer(
            "procedure",
            say(
                "No web site can hang a sheet on a door. What helps: the QR code on the printed sheet holds the same signed "
                "statement as the page of the station, so that whoever photographs it can compare."
            ),
            (find,),
        ),
        "copies": _copies(view, say, data),
        "scrutiny": _scrutiny(view, say),
        "honest": Answer(
            "part",
            say(
                "That every total follows from the signed sheets can be checked by anybody, down to the last "
                "vote. Whether a sheet says what lay in the box can only be said by those who were there."
            ),
            (check, ("observers.html", say("Observers"))),
        ),
        "numbers": Answer(
            "part",
            say(
                "Every result is given in numbers of votes, down to the station; percentages come in addition. Whether the time "
                "that the law sets is kept is up to the authority; each bulletin shows when it was signed."
            ),
            (("bulletins/index.html", say("Bulletins")),),
        ),
        "comparable": _comparable(view, say, find),
        "not-optional": Answer(
            "met",
            say(
                "The totals are computed from the stations and from nothing else: without them this site could not be made. A "
                "station that is missing is shown as missing."
            ),
            (("quarantine.html", say("Quarantine")), places),
        ),
        "no-bare-outcome": _no_bare_outcome(view, say, check),
        "printed-protocol": Answer(
            "part",
            say(
                "Shown here: the signature of the station, the hash that names its sheet, and its QR code. "
                "Signatures by hand stand on the paper alone."
            ),
            (find,),
        ),
        "open-data": _open_data(view, say, data),
        "transmission": _transmission(view, say),
        "software-independence": Answer(
            "part",
            say(
                "The signed statements are the evidence: another program can replay them and must come to the "
                "same totals, and the formats are public standards. Whether the paper says the same, audits show."
            ),
            (check, data, ("audits.html", say("Audits"))),
        ),
        "path": Answer(
            "part",
            say(
                "Every step is shown: the sheets, the rules that they were held against, what was kept out, "
                "what was decided, and the totals that follow. To inspect the devices at stations "
                "and the servers is up to the procedure."
            ),
            (("rules.html", say("Rules")), check),
        ),
        "corrections": _corrections(view, say),
        "all-stages": _all_stages(view, say, check),
        "layers": Answer(
            "met",
            say(
                "The result and every bulletin say whether totals are preliminary, official or certified. Sheets in "
                "quarantine stand beside the totals and never in them. What nobody knows is shown as unknown, never as zero."
            ),
            (("quarantine.html", say("Quarantine")), ("dictionary.html", say("Data dictionary"))),
        ),
        "no-machine-reading": _no_machine_reading(view, say),
        "accessible": Answer(
            "met",
            say(
                "Pages of every kind, in every language, are tested with the rules of WCAG 2.2 at level AA, "
                "with the keyboard alone, on small screens and without scripts. Such tests do not "
                "find everything: people who use screen readers find more."
            ),
        ),
    }


def _arrived(view: View, say: HtmlSay) -> str:
    total = sum(now.result.stations for now in view.standings)
    outstanding = sum(now.result.outstanding for now in view.standings)
    return say.several(
        "{arrived} of {n} sheet has arrived.", "{arrived} of {n} sheets have arrived.", total, arrived=total - outstanding
    )


def _every_level(view: View, say: HtmlSay, places: tuple[str, str]) -> Answer:
    said = say("Every unit has its totals as soon as one of its stations is counted, with blank and null votes.")
    silent = [say.name(now.contest.title) for now in view.standings if now.result.counted and now.result.null is None]
    if not silent:
        return Answer("met", said, (places,))
    lacking = say("No sheet states null votes in: {contests}.", contests=say.listed(silent))
    return Answer("published", say.joined([said, lacking]), (places,))


def _copies(view: View, say: HtmlSay, data: tuple[str, str]) -> Answer:
    copies = say.several(
        "{n} copy that an observer or agent made is published.",
        "{n} copies that observers or agents made are published.",
        len(view.count.attestations),
    )
    said = say("Everybody can take away every signed sheet and every table. Copies on paper are handed out at the station.")
    return Answer("part", say.joined([said, copies]), (data, ("observers.html", say("Observers"))))


def _comparable(view: View, say: HtmlSay, find: tuple[str, str]) -> Answer:
    said = say(
        "Each station’s figures are shown as it signed them, found by its number or name, beside the totals they went into."
    )
    images = say.several(
        "{n} image of a paper sheet is published.", "{n} images of paper sheets are published.", len(view.record.images)
    )
    return Answer("met", say.joined([said, images]), (find,))


def _scrutiny(view: View, say: HtmlSay) -> Answer:
    others = sum(not endorsement.statement.envelope.issuer.startswith("authority/") for endorsement in view.count.endorsements)
    said = say("Who was present and what a court can review is not for a web site to say.")
    signed = say.several(
        "{n} signature or refusal by people at the stations is published.",
        "{n} signatures and refusals by people at the stations are published.",
        others,
    )
    return Answer("procedure", say.joined([said, signed]), (("observers.html", say("Observers")),))


def _no_bare_outcome(view: View, say: HtmlSay, check: tuple[str, str]) -> Answer:
    said = say("A bulletin is bound to the log at one size, from which anybody can compute its figures, station by station.")
    incidents = say.several("{n} incident is on record.", "{n} incidents are on record.", len(view.count.incidents))
    audits = say.several("{n} audit is planned or held.", "{n} audits are planned or held.", len(view.audits.every))
    rest = say("Legal deadlines are up to the authority.")
    links = (
        ("bulletins/index.html", say("Bulletins")),
        ("incidents.html", say("Incidents")),
        ("audits.html", say("Audits")),
        check,
    )
    return Answer("part", say.joined([said, incidents, audits, rest]), links)


def _open_data(view: View, say: HtmlSay, data: tuple[str, str]) -> Answer:
    said = say("All figures down to the station, in bulk, in open formats, for everybody, at no cost and without a key.")
    if view.election.definition.provenance == "replayed":
        terms = say("The figures are those of {source}, whose terms hold.", source=say.name(view.election.definition.source))
    else:
        terms = say("No licence is asked for.")
    kept = say("Everything that was published here stays here; it stays for ever if others keep copies as well.")
    return Answer("part", say.joined([said, terms, kept]), (data, ("night.html", say("The night"))))


def _transmission(view: View, say: HtmlSay) -> Answer:
    if view.election.definition.transmission is None:
        declared = say("The signed definition of this election declares no ways of transmission.")
    else:
        declared = say("The ways by which sheets may travel are declared in the signed definition.")
    said = say(
        "A sheet is signed at its station, so that nothing on the way can change it unnoticed. Refused attempts are counted and "
        "outages reported. The custody of the paper is up to the procedure."
    )
    return Answer("published", say.joined([declared, said]), (("incidents.html", say("Incidents")),))


def _corrections(view: View, say: HtmlSay) -> Answer:
    decisions = sum(isinstance(act.recorded.statement.payload, Decision) for act in view.act_at.values())
    said = say(
        "What a station signed can never be replaced. A correction is a decision of its own: signed, with its reason, beside it."
    )
    number = say.several("There is {n} decision.", "There are {n} decisions.", decisions)
    return Answer("met", say.joined([said, number]), (("decisions.html", say("Decisions")),))


def _all_stages(view: View, say: HtmlSay, check: tuple[str, str]) -> Answer:
    found = view.cosigners
    if found is None:
        witnesses = say("No outside witnesses of the log are named in the definition.")
    else:
        witnesses = say.several(
            "{have} of {n} outside witness has signed the head of the log that is shown.",
            "{have} of {n} outside witnesses have signed the head of the log that is shown.",
            len(found.cosigned) + len(found.missing),
            have=len(found.cosigned),
        )
    said = say(
        "Everything that was recorded is in a public log that only grows. Access to rooms and servers is up to the procedure."
    )
    return Answer("part", say.joined([said, witnesses]), (check,))


def _no_machine_reading(view: View, say: HtmlSay) -> Answer:
    definition = view.election.definition
    if definition.provenance == "replayed":
        return Answer(
            "published",
            say(
                "The figures were taken from {source}; how they were read there is not known here.",
                source=say.name(definition.source),
            ),
        )
    return Answer(
        "met",
        say("Every figure here was signed by a station or by officers. No program reads figures from pictures for this site."),
        (("check.html", say("Check this count")),),
    )
