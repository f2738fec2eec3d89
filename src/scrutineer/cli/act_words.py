"""An act of the authority in plain words, for the officer who is asked to sign it too."""

from collections.abc import Iterator

from scrutineer.election import Election
from scrutineer.errors import DefinitionError
from scrutineer.statements import Accreditation, Bulletin, Certificate, Decision, Payload
from scrutineer.statements.kinds import Figures


def act_words(payload: Payload, election: Election) -> list[str]:
    """What an act says, one line for each thing. What its author wrote is shown without characters that steer a terminal."""
    return [printable(line) for line in _lines(payload, election)]


def printable(text: str) -> str:
    """A text with everything replaced that a terminal does not show as a character."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def key_words(kid: bytes, algorithm: str) -> str:
    """A key as people compare it: algorithm and the start of its thumbprint."""
    return f"{algorithm} key {kid.hex()[:16]}…"


def _lines(payload: Payload, election: Election) -> Iterator[str]:
    match payload:
        case Accreditation(action="admit"):
            yield f"Admits {payload.issuer}{f' ({payload.name})' if payload.name else ''} in the role {payload.role}."
            unit = payload.issuer.partition("/")[2] if payload.role == "station" else payload.unit
            yield f"It may speak for {_unit(unit, election)}."
            yield f"With the {key_words(payload.kid(), payload.algorithm)}"
            if payload.algorithm == "ed25519":  # Short enough to compare with what `station init` showed.
                yield f"Public key: {payload.key.hex()}"
        case Accreditation():
            yield f"Revokes the {key_words(payload.kid(), payload.algorithm)} of {payload.issuer}."
            yield "What it signed before stays in the count and is flagged; what it signs afterwards is recorded and held back."
            yield f"Reason: {payload.reason}"
        case Decision():
            yield f"Decides on the sheet of {_unit(payload.station, election)} in contest {payload.contest}."
            yield from _decision(payload, election)
            yield f"Reason: {payload.reason}"
        case Bulletin() | Certificate():
            name = f"bulletin {payload.number}" if isinstance(payload, Bulletin) else "the certificate of the final result"
            yield f"Announces {name}, at log size {payload.size:,}, root {payload.root.hex()[:16]}…"
            for result in payload.contests:
                votes = _counts(result.contest, result.votes, election)
                yield f"{result.contest}: {votes}; {result.counted:,} of {result.stations:,} stations counted."
        case _:
            yield "This program does not know this act: do not sign it."


def _decision(decision: Decision, election: Election) -> Iterator[str]:
    sheet = decision.sheet.hex()[:16] if decision.sheet is not None else ""
    if decision.action == "exclude":
        yield "Keeps the station out of the count."
    elif decision.action == "accept":
        yield f"Lets the sheet {sheet}… count as it stands."
    elif decision.after is not None:
        yield f"Lets the sheet {sheet}… count with other figures: {_figures(decision.contest, decision.after, election)}"


def _figures(contest: str, after: Figures, election: Election) -> str:
    others = {name: getattr(after, name) for name in ("blank", "null", "cast", "voters", "roll")}
    stated = ", ".join(f"{name} {_count(number)}" for name, number in others.items())
    return f"{_counts(contest, after.counts, election)}; {stated}."


def _counts(contest: str, counts: tuple[int | None, ...], election: Election) -> str:
    position = election.contest_index.get(contest)
    options = election.contests[position].options if position is not None else ()
    if len(options) != len(counts):
        return ", ".join(map(_count, counts))
    return ", ".join(f"{option.name} {_count(count)}" for option, count in zip(options, counts, strict=True))


def _count(number: int | None) -> str:
    return "unknown" if number is None else f"{number:,}"


def _unit(unit: str, election: Election) -> str:
    if not unit:
        return "the whole country"
    try:
        return f"{election.units.names[election.units.position(unit)]} ({unit})"
    except DefinitionError:
        return f"{unit}, which the definition does not have"
