"""The printed sheet: a signed tally sheet as one HTML page for A4 paper, to be signed by hand, posted, and scanned.

The QR codes hold the signed statement itself, byte for byte; the figures beside them say the same for people. A figure that
the sheet does not state is a dash, never 0. The page needs nothing but itself: no scripts, no fonts, no network.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Final
from zoneinfo import ZoneInfo

from scrutineer.election import Contest, Election
from scrutineer.errors import StatementError
from scrutineer.statements import Statement, TallySheet
from scrutineer.statements.qr import qr_svgs

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
SIGNERS: Final = ("Presiding officer", "Poll worker", "Poll worker", "Agent", "Agent", "Agent", "Agent", "Observer")
"""Who signs by hand, in the order of the fields on the paper; several stay empty at most stations."""

DASH: Final = "–"
_SPACE: Final = "\u202f"  # narrow and not breaking, between groups of digits
_COLUMNS: Final = ((12, 1), (32, 2))  # up to so many options stand in so many columns; more in three
_FIGURES: Final = (
    ("blank", "Blank ballots"),
    ("null", "Invalid ballots"),
    ("cast", "Ballots in the box"),
    ("voters", "Voters who voted"),
    ("roll", "Registered voters"),
)
_LAST_SECOND: Final = 253_402_214_400  # the last whole day that a calendar date can name in every time zone

_STYLE: Final = """
@page { size: A4; margin: 12mm 14mm; }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0 auto; max-width: 182mm; color: #000; background: #fff;
  font: 10pt/1.35 "Noto Sans", "DejaVu Sans", "Liberation Sans", Arial, sans-serif; }
@media screen { body { padding: 12mm 0; } }
h1, h2, p, dl, dd, ol, figure { margin: 0; }
bdi, td, dd { overflow-wrap: anywhere; }
header { display: flex; justify-content: space-between; gap: 6mm; border-bottom: 1.2mm solid #000; padding-bottom: 2.5mm; }
.election { font-size: 10pt; }
h1 { font-size: 19pt; line-height: 1.15; margin-top: .5mm; }
.day { text-align: right; white-space: nowrap; }
.provenance { border: .4mm solid #000; padding: 1mm 2mm; margin-top: 2.5mm; font-weight: 600; }
.place { display: grid; grid-template-columns: 1fr auto; gap: 1mm 6mm; margin: 3mm 0; }
.place dt, .figures dt, .facts dt, .sign span { font-size: 7.5pt; letter-spacing: .03em; color: #333; }
.place dd { font-size: 13pt; font-weight: 600; line-height: 1.2; }
.place .way { font-size: 9pt; font-weight: 400; }
.options { columns: 1; column-gap: 7mm; list-style: none; padding: 0; border-top: .3mm solid #000; }
.options.two { columns: 2; } .options.three { columns: 3; column-gap: 5mm; }
.options li { display: flex; align-items: baseline; gap: 2.5mm; padding: 1.1mm 0; border-bottom: .2mm solid #777;
  break-inside: avoid; }
.options .n { flex: none; width: 6mm; text-align: right; color: #333; font-size: 8pt; }
.options .name { flex: 1; min-width: 0; }
.votes { font-variant-numeric: tabular-nums; font-weight: 700; font-size: 12pt; white-space: nowrap; }
.two .votes, .three .votes { font-size: 11pt; } .three { font-size: 8.5pt; }
.figures { display: grid; grid-template-columns: repeat(5, 1fr); border: .3mm solid #000; margin: 3.5mm 0 1mm;
  break-inside: avoid; }
.figures div { padding: 1.2mm 2mm; border-left: .2mm solid #777; } .figures div:first-child { border: 0; }
.figures dd { font-size: 14pt; font-weight: 700; font-variant-numeric: tabular-nums; }
.note { font-size: 8pt; color: #333; }
.sign { display: grid; grid-template-columns: repeat(4, 1fr); gap: 0 4mm; margin-top: 2.5mm; break-inside: avoid; }
.sign div { height: 14mm; border-bottom: .3mm solid #000; display: flex; align-items: flex-start; padding-top: 1mm; }
.proof { display: grid; grid-template-columns: 88mm 1fr; gap: 5mm; margin-top: 4mm; align-items: start; break-inside: avoid; }
.proof h2, .codes h2 { font-size: 11pt; }
.proof p { margin-top: 1.2mm; font-size: 9pt; }
.hash { font: 700 10.5pt/1.5 "Noto Sans Mono", "DejaVu Sans Mono", "Liberation Mono", monospace; margin-top: 1.2mm;
  display: grid; grid-template-columns: repeat(4, auto); justify-content: start; gap: 0 3mm; }
.facts { margin-top: 2mm; font-size: 8pt; } .facts dd { margin-bottom: .8mm; font-family: monospace; font-size: 7.5pt; }
.code svg { display: block; width: 100%; height: auto; shape-rendering: crispEdges; }
.codes { break-before: page; padding-top: 2mm; }
.codes .grid { display: grid; grid-template-columns: 1fr 1fr; gap: 2mm 6mm; margin-top: 2mm; }
.codes figure { break-inside: avoid; }
.codes figcaption { text-align: center; font-weight: 600; }
"""


def render(statement: Statement, election: Election) -> str:
    """The page of a signed tally sheet. Whether its signature is good is for the caller to check before.

    Raises StatementError for a statement that is not a tally sheet of this election and its contests, and for one too large
    for codes on paper.
    """
    sheet = statement.payload
    if not isinstance(sheet, TallySheet):
        raise StatementError(f"only tally sheets are printed as sheets, and this is a {statement.kind}: send it as a file")
    if sheet.election != election.hash:
        raise StatementError("the tally sheet belongs to another election: print it with the definition of its own")
    contest = _contest(sheet, election)
    codes = qr_svgs(statement.data)
    definition = election.definition
    provenance = (
        "" if definition.provenance == "official" else f'<p class="provenance">{_words(definition.provenance_sentence())}</p>\n'
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Tally sheet {escape(sheet.station)}, {escape(sheet.contest)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header><div><p class="election">{_words(definition.name)}</p><h1>Tally sheet</h1></div>'
        f'<p class="day">{escape(definition.date)}<br>{_words(definition.authority)}</p></header>\n'
        f"{provenance}{_place(sheet, contest, election)}"
        f"{_rankings(sheet, contest) if contest.rule == 'ranked' else _options(sheet, contest)}"
        f"{_figures(sheet)}{_signatures()}{_proof(statement, sheet, codes, definition.timezone)}{_codes(statement, sheet, codes)}"
        "</body>\n</html>\n"
    )


def grouped_hash(name: bytes) -> list[str]:
    """A hash of 32 bytes as 16 groups of four hexadecimal digits, for people to compare."""
    digits = name.hex()
    return [digits[at : at + 4] for at in range(0, len(digits), 4)]


def _contest(sheet: TallySheet, election: Election) -> Contest:
    number = election.contest_index.get(sheet.contest)
    if number is None or sheet.station not in election.units.station_index:
        raise StatementError("the tally sheet names a station or contest that this election does not have: check the definition")
    contest = election.contests[number]
    ranked = contest.rule == "ranked"
    fits = ranked == (sheet.rankings is not None) and len(sheet.counts) == (0 if ranked else len(contest.options))
    if not fits or any(option >= len(contest.options) for order, _ in sheet.rankings or () for option in order):
        raise StatementError(f"the tally sheet does not have the options of contest {contest.id!r}: check the definition")
    return contest


def _place(sheet: TallySheet, contest: Contest, election: Election) -> str:
    units = election.units
    *above, station = units.path(units.position(sheet.station))
    way = " › ".join(_words(units.names[unit]) for unit in above)
    return (
        f'<dl class="place"><div><dt>Station</dt><dd>{_words(units.names[station])}</dd><dd class="way">{way}</dd></div>'
        f"<div><dt>Number of the station</dt><dd>{_words(sheet.station)}</dd></div>"
        f"<div><dt>Contest</dt><dd>{_words(contest.title)}</dd></div></dl>\n"
    )


def _options(sheet: TallySheet, contest: Contest) -> str:
    rows = ((_words(option.name), votes) for option, votes in zip(contest.options, sheet.counts, strict=True))
    return _rows(rows, len(contest.options))


def _rankings(sheet: TallySheet, contest: Contest) -> str:
    names = [_words(option.name) for option in contest.options]
    orders = sheet.rankings or ()
    rows = (
        ("; ".join(f"{place}. {names[option]}" for place, option in enumerate(order, 1)), ballots) for order, ballots in orders
    )
    return '<p class="note">Ballots by the order in which they rank the options.</p>' + _rows(rows, 1)


def _rows(rows: Iterable[tuple[str, int | None]], count: int) -> str:
    columns = next((columns for most, columns in _COLUMNS if count <= most), 3)
    items = "".join(
        f'<li><span class="n">{place}</span><span class="name">{name}</span><span class="votes">{_number(votes)}</span></li>\n'
        for place, (name, votes) in enumerate(rows, 1)
    )
    return f'<ol class="options{("", "", " two", " three")[columns]}">\n{items}</ol>\n'


def _figures(sheet: TallySheet) -> str:
    cells = "".join(f"<div><dt>{label}</dt><dd>{_number(getattr(sheet, field))}</dd></div>" for field, label in _FIGURES)
    unknown = None in sheet.counts or any(getattr(sheet, field) is None for field, _ in _FIGURES)
    note = f'<p class="note">{DASH} means that the sheet does not state this figure, which is not zero.</p>\n' if unknown else ""
    return f'<dl class="figures">{cells}</dl>\n{note}'


def _signatures() -> str:
    fields = "".join(f"<div><span>{signer}</span></div>" for signer in SIGNERS)
    return f'<section class="sign" aria-label="Signatures by hand">{fields}</section>\n'


def _proof(statement: Statement, sheet: TallySheet, codes: Sequence[str], timezone: str) -> str:
    single = len(codes) == 1
    where = "This code holds" if single else f"The {len(codes)} codes on the following page together hold"
    left = f'<div class="code">{codes[0]}</div>' if single else ""
    facts = [("Station and contest", f"{sheet.station}, {sheet.contest}"), ("Signed by", statement.issuer)]
    if sheet.time is not None:
        facts.append(("Closed at, by the station’s clock", shown_time(sheet.time, timezone)))
    facts += [
        (label, value.hex())
        for label, value in (("SHA-256 of the photograph", sheet.image), ("SHA-256 of the ballot records", sheet.records))
        if value is not None
    ]
    if sheet.source is not None:
        facts.append(("Source", sheet.source))
    listed = "".join(f"<dt>{label}</dt><dd>{_words(value)}</dd>" for label, value in facts)
    style = "" if single else ' style="grid-template-columns:1fr"'
    return (
        f'<section class="proof"{style}>{left}<div><h2>The signed sheet</h2>'
        f"<p>{where} the sheet exactly as the station signed it. Photograph or scan it, and anyone can check it and hand it in. "
        "It must say the same as the figures above.</p>"
        f"<p>Hash of the signed sheet, by which the public log names it:</p>{_hash(statement)}"
        f'<dl class="facts">{listed}</dl></div></section>\n'
    )


def _codes(statement: Statement, sheet: TallySheet, codes: Sequence[str]) -> str:
    if len(codes) == 1:
        return ""
    figures = "".join(
        f'<figure class="code">{svg}<figcaption>Part {number} of {len(codes)}</figcaption></figure>\n'
        for number, svg in enumerate(codes, 1)
    )
    return (
        f'<section class="codes"><h2>Station {_words(sheet.station)}, contest {_words(sheet.contest)}: '
        f"the signed sheet in {len(codes)} codes</h2>{_hash(statement)}"
        f'<p class="note">All parts are needed, in any order, from one picture or several.</p>'
        f'<div class="grid">{figures}</div></section>\n'
    )


def _hash(statement: Statement) -> str:
    return f'<p class="hash">{"".join(f"<span>{group}</span>" for group in grouped_hash(statement.hash))}</p>'


def _number(value: int | None) -> str:
    return DASH if value is None else f"{value:,}".replace(",", _SPACE)


def shown_time(seconds: int, timezone: str) -> str:
    """A time as sheets show it, with the zone; a number where no calendar has the day."""
    if not 0 <= seconds < _LAST_SECOND:
        return f"{seconds} seconds after 1970 (UTC)"
    return datetime.fromtimestamp(seconds, ZoneInfo(timezone)).strftime("%Y-%m-%d %H:%M:%S ") + timezone


def _words(text: str) -> str:
    """Other people's words, apart from the direction of the text around them; characters that print nothing are replaced."""
    return f"<bdi>{escape(''.join(char if char.isprintable() else chr(0xFFFD) for char in text))}</bdi>"
