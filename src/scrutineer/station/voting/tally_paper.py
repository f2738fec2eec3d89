"""What poll workers print, as PDF: the zero tape of the opening and the tally sheets of the closing, with QR codes.

The codes hold the signed statement itself, byte for byte; the figures beside them say the same for people. A sheet also says what
only the machine knows: ballots set aside as provisional, tested and spoiled, the closing hash of the record, and who signed.
The bytes depend on the content alone.
"""

from typing import Final

from scrutineer.ballots.confirmation import chain_start, spoken
from scrutineer.design.typesetting import typeset
from scrutineer.election import Contest
from scrutineer.errors import BallotError, StoreError, TypesettingError
from scrutineer.statements import StationOpened, TallySheet, parse_statement
from scrutineer.statements.qr import qr_svgs
from scrutineer.statements.statement import statement_hash
from scrutineer.station.printed_sheet import DASH, shown_time
from scrutineer.station.voting.closing import Closing
from scrutineer.station.voting.place import Place

_TEMPLATE: Final = "sheet.typ"
_SIGNED: Final = {"signed": "signed with their own key", "by-hand": "signed by hand", "refused": "refused to sign"}
_LINES: Final = ("Presiding officer", "Poll worker", "Poll worker", "Agent", "Agent", "Agent", "Agent", "Observer")
_SPACE: Final = "\u202f"  # narrow and not breaking, between groups of digits
CLOSING_WORDS: Final = 12  # bytes of the closing hash that are also given in words


def zero_tape_pdf(place: Place, opened: StationOpened, people: tuple[str, ...], statement: bytes) -> bytes:
    """The zero tape: every count is zero, which keys and software the machine has, and the signed `station-opened`."""
    definition = place.election.definition
    contests = [
        {"title": contest.title, "rows": [[option.name, "0"] for option in contest.options]} for contest in _contests(place)
    ]
    _, opening = chain_start(place.keys, place.machine.device)
    software = opened.software.hex() if opened.software is not None else DASH
    return _compile(
        {
            "kind": "zero",
            "election": definition.name,
            "provenance": "" if definition.provenance == "official" else definition.provenance_sentence(),
            "station": place.name,
            "name": _name(place),
            "time": shown_time(opened.time, definition.timezone),
            "people": list(people),
            "contests": contests,
            "facts": [
                ["Device", place.machine.device],
                ["Election", place.election.hash.hex()],
                ["Key of the station", place.key.public_key.hex()],
                ["Software", software],
                ["Trustees’ keys (H_E)", place.keys.extended_hash.hex()],
                ["Start of the ballot record (H_0)", opening.hex()],
                ["Signed statement", statement_hash(statement).hex()],
            ],
            "codes": _codes(statement),
        }
    )


def sheets_pdf(place: Place, closing: Closing, copies: int) -> bytes:
    """All tally sheets of a closing, so many copies of each, every copy with all signatures until now."""
    return _compile({"kind": "sheets", "copies": copies, "sheets": [_sheet(place, closing, sheet) for sheet in closing.sheets]})


def closing_words(closing: bytes) -> str:
    """The first 96 bits of a closing hash in words, for reading aloud."""
    return spoken(closing[:CLOSING_WORDS])


def _sheet(place: Place, closing: Closing, data: bytes) -> dict[str, object]:
    definition, election = place.election.definition, place.election
    sheet = parse_statement(data).payload
    if not isinstance(sheet, TallySheet):
        raise StoreError("the closing of this machine holds another statement than tally sheets: tell the centre")
    contest = election.contests[election.contest_index[sheet.contest]]
    signed = [
        [signature.name, _SIGNED[signature.verdict] + (f": {signature.reason}" if signature.reason else "")]
        for signature in closing.signatures
    ]
    return {
        "election": definition.name,
        "authority": definition.authority,
        "date": definition.date,
        "provenance": "" if definition.provenance == "official" else definition.provenance_sentence(),
        "station": place.name,
        "name": _name(place),
        "way": _way(place),
        "contest": contest.title,
        "rows": _rows(contest, sheet),
        "ranked": contest.rule == "ranked",
        "figures": [
            ["Blank ballots", _number(sheet.blank)],
            ["Invalid ballots", _number(sheet.null)],
            ["Ballots cast", _number(sheet.cast)],
            ["Voters who voted", _number(sheet.voters)],
            ["Registered voters", _number(sheet.roll)],
        ],
        "apart": [
            ["Provisional, not counted here", _number(closing.provisional)],
            ["Tested (opened), not counted", _number(closing.challenged)],
            ["Spoiled, not counted", _number(closing.spoiled)],
            ["Ballots activated", _number(closing.activated)],
        ],
        "signed": signed,
        "lines": list(_LINES),
        "facts": [
            ["Closed at, by the machine’s clock", shown_time(closing.time, definition.timezone)],
            ["Device", place.machine.device],
            ["SHA-256 of the ballot record", closing.bundle.hex()],
        ],
        "closing": closing.closing.hex(),
        "words": closing_words(closing.closing),
        "hash": statement_hash(data).hex(),
        "codes": _codes(data),
    }


def _rows(contest: Contest, sheet: TallySheet) -> list[list[str]]:
    if sheet.rankings is None:
        return [[option.name, _number(votes)] for option, votes in zip(contest.options, sheet.counts, strict=True)]
    names = [option.name for option in contest.options]
    return [
        ["; ".join(f"{place}. {names[option]}" for place, option in enumerate(order, 1)), _number(ballots)]
        for order, ballots in sheet.rankings
    ]


def _contests(place: Place) -> list[Contest]:
    manifest = place.record.manifest
    numbers = sorted({number for style in place.machine.styles for number in manifest.style(style).contests})
    labels = [manifest.contest(number).label for number in numbers]
    return [place.election.contests[place.election.contest_index[label]] for label in labels]


def _name(place: Place) -> str:
    units = place.election.units
    return units.names[units.position(place.name)]


def _way(place: Place) -> str:
    units = place.election.units
    return " › ".join(units.names[unit] for unit in units.path(units.position(place.name))[:-1])


def _codes(statement: bytes) -> list[str]:
    return [svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) for svg in qr_svgs(statement)]


def _number(value: int | None) -> str:
    return DASH if value is None else f"{value:,}".replace(",", _SPACE)


def _compile(content: dict[str, object]) -> bytes:
    try:
        return typeset("scrutineer.station.voting", _TEMPLATE, content)
    except TypesettingError as error:
        raise BallotError(f"the sheet cannot be drawn ({error}): the figures are kept; tell the centre") from error
