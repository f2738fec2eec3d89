"""What the page of a station says of its encrypted ballots: how many there are, how they are bound, and what was opened."""

from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from scrutineer.ballots.confirmation import tracking_words
from scrutineer.ballots.manifest import FIELD_MARK, ORDER_MARK
from scrutineer.ballots.record import OpenedBallot, OpenedContest
from scrutineer.language import HtmlSay, msg
from scrutineer.portal.ballot_record import StationBallots, bundle_path, tally_path
from scrutineer.portal.pages import Pages

MOST_OPENED: Final = 100
"""Opened ballots shown on a page; all of them are in the file."""
_LONGEST: Final = 128  # characters of a label that no definition has

STATUS_LABELS: Final = {
    "cast": msg("Cast and counted"),
    "challenged": msg("Challenged by the voter: opened, never counted"),
    "spoiled": msg("Spoiled: neither counted nor opened"),
    "provisional": msg("Provisional: set aside until the board decides"),
}
"""What became of a ballot; by the words of the record."""
STATUS_SENTENCES: Final = {
    "cast": msg("It was cast, and it is counted in the totals of its station."),
    "challenged": msg("You challenged it: the machine opened it instead of casting it. It is not counted."),
    "spoiled": msg("It was spoiled: it is neither counted nor opened, and you could vote again."),
    "provisional": msg("It is provisional: it was set aside until the board decides, and is not counted so far."),
}
"""The same, said to the voter."""
FIELD_WORDS: Final = {
    "blank": msg("Blank"),
    "null": msg("Null"),
    "undervotes": msg("Choices left unused"),
    "write-ins": msg("Names written in"),
}
"""What a ballot holds beside options; by the names of the record."""


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """A challenged ballot that everyone can read."""

    words: str
    """The first words of its confirmation code."""
    contests: tuple[tuple[Markup, Markup], ...]
    """Titles, and what was marked."""


@dataclass(frozen=True, slots=True)
class BallotsPart:
    """The section of one station."""

    counts: tuple[tuple[str, str], ...]
    """What became of the ballots, and how many."""
    closing: str
    digest: str
    """SHA-256 of the bundle in hexadecimal."""
    entries: str
    """Log entries of the sheets that name it."""
    bundle: str
    """Path of the bundle; empty where it is not published yet."""
    size: str
    tally: str
    """Path of the decrypted totals; empty where they are not published yet."""
    opened: tuple[OpenedPart, ...]
    more: int
    """Opened ballots that are in the file alone."""


class BallotParts:
    """Puts these sections together in one language."""

    def __init__(self, pages: Pages) -> None:
        self._say: HtmlSay = pages.say
        definition = pages.view.election.definition
        say = self._say
        self._titles = {contest.id: say.name(contest.title) for contest in definition.contests}
        self._options = {contest.id: {o.id: say.name(o.name) for o in contest.options} for contest in definition.contests}
        self._ballots = pages.view.record.ballots

    def part(self, station: int, named: dict[bytes, list[int]]) -> BallotsPart | None:
        """The section of a station; None where its sheets name no ballots.

        `named` are the bundles that its sheets in effect name, with the log entries of these sheets.
        """
        own = self._ballots.get(station)
        if own is not None:
            return self._published(own)
        if not named:
            return None
        digest, entries = next(iter(named.items()))
        return BallotsPart((), "", digest.hex(), self._listed(entries), "", "", "", (), 0)

    def _published(self, own: StationBallots) -> BallotsPart:
        say = self._say
        counts = ((say.later(STATUS_LABELS[name]), say.number(count)) for name, count in own.counts.items())
        shown = own.opened[:MOST_OPENED]
        return BallotsPart(
            tuple(counts),
            own.closing,
            own.bundle.digest.hex(),
            self._listed([sheet.entry for sheet in own.named_by]),
            bundle_path(own.station),
            say("{n} kB", n=say.number(max(1, own.bundle.size // 1000))),
            "" if own.tally is None else tally_path(own.station),
            tuple(map(self._opened, shown)),
            len(own.opened) - len(shown),
        )

    def _listed(self, entries: list[int]) -> str:
        return self._say.listed([self._say.number(entry) for entry in sorted(set(entries))])

    def _opened(self, ballot: OpenedBallot) -> OpenedPart:
        contests = tuple((self._titles.get(one.label) or self._plain(one.label), self._marked(one)) for one in ballot.contests)
        return OpenedPart(tracking_words(ballot.code), contests)

    def _marked(self, contest: OpenedContest) -> Markup:
        """The options that were marked, with the number where it is more than one."""
        say = self._say
        found: list[Markup] = []
        for field in contest.fields:
            if field.value:
                name = self._field(contest.label, field.label)
                found.append(name if field.value == 1 else Markup("{} ({})").format(name, say.number(field.value)))
        return say.listed(found) if found else say("Nothing")

    def _field(self, contest: str, label: str) -> Markup:
        if label.startswith(FIELD_MARK) and (field := FIELD_WORDS.get(label.removeprefix(FIELD_MARK))):
            return self._say.later(field)
        options = self._options.get(contest, {})
        names = [options.get(part) or self._plain(part) for part in label[: 64 * _LONGEST].split(ORDER_MARK)]
        if len(names) == 1:
            return names[0]
        return Markup(", ").join(Markup("{}. {}").format(place, name) for place, name in enumerate(names, 1))

    def _plain(self, label: str) -> Markup:
        """A label that the definition does not know."""
        short = label[:_LONGEST]
        return self._say.name(short if short.isprintable() else repr(short))
