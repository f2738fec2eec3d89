"""The voter's screens over a voting machine: one voter at a time, on one screen, kept in memory alone.

There is one address, `/vote`, and it shows the screen that the machine is on. A button sends a form; the answer leads to the same
address, so that the browser keeps no history and its back button finds nothing. Each form carries the step of the screen that it
stood on, a random name that is used up by the first answer: a second press, a second window and a page of before change nothing.

Who does not answer for a while is asked, and then the screen is cleared: without a printed ballot the activation is taken back,
and a printed ballot waits, hidden, for the poll workers.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from scrutineer.ballots.manifest import Manifest
from scrutineer.ballots.record import OpenedBallot
from scrutineer.errors import BallotError, ScrutineerError
from scrutineer.language import LANGUAGES
from scrutineer.station.voting.choices import ballot_choices
from scrutineer.station.voting.machine import Prepared, VotingMachine
from scrutineer.station.voting.paper import PaperRecord, Slip, papers
from scrutineer.station.voting.printer import Printer
from scrutineer.station.voting.readable import Names, ReadableContest, readable
from scrutineer.station.voting.screens import Comfort, Form, Screen, Sitting, answered, comfort_after, unready

_WITH_PAPER: Final[tuple[Screen, ...]] = ("prepared", "confirm-test", "confirm-return")


@dataclass(frozen=True)
class KioskSettings:
    """What the screens need to know of a station. Times are in seconds."""

    names: Names
    """Titles of contests and names of options (readable.names_of)."""
    station: str
    """The station as voters know it; it stands on the paper record."""
    languages: tuple[str, ...] = LANGUAGES
    paper_language: str = ""
    """The language of all paper records; empty for the voter's own, where the language of a paper would not tell whose it is."""
    site: str = ""
    """Where the record is published, for the slip."""
    patience: float = 120.0
    """Without any sign of the voter, before asking."""
    grace: float = 60.0
    """After asking, before the screen is cleared."""
    receipt: float = 60.0
    """How long the last screen stays."""

    def __post_init__(self) -> None:
        unknown = [code for code in (*self.languages, self.paper_language) if code and code not in LANGUAGES]
        if unknown or not self.languages:
            raise BallotError(f"the screens cannot be shown in {', '.join(unknown) or 'no language'}: use {', '.join(LANGUAGES)}")
        if min(self.patience, self.grace, self.receipt) < 1 or self.grace < 20:
            raise BallotError("voters need at least 20 seconds to answer before a screen is cleared, and 1 second anywhere")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shown now."""

    step: str
    revision: str
    comfort: Comfort
    state: str
    """Of the machine."""
    sitting: Sitting | None
    asking: bool
    """The voter is asked whether anyone is there."""
    hidden: bool
    """A printed ballot waits for the poll workers, and nothing of it is shown."""
    cleared: bool
    """The screen was cleared just now because nobody answered."""
    wait: float
    """Seconds until the screen changes by itself; 0 where it does not."""
    prepared: Prepared | None
    opened: OpenedBallot | None
    unprinted: bool
    """The printer did not take the papers."""
    unclean: bool
    """A printed ballot could not be removed from the disk: nobody votes here until it is."""
    failed: bool
    """The machine did not do what was asked for, and nothing has changed."""
    interrupted: bool
    """A failure of power made the ballot before this one void."""
    contests: tuple[ReadableContest, ...]
    """The ballot in words, on screens that show all of it."""


class Kiosk:
    """The screens of one voting machine. Safe to call from several threads."""

    def __init__(
        self,
        machine: VotingMachine,
        settings: KioskSettings,
        printer: Printer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing printed before is left behind: the printer is cleared first."""
        self.manifest: Final[Manifest] = machine.keys.manifest
        self.settings: Final = settings
        self._machine = machine
        self._printer = printer
        self._clock = clock
        self._lock = threading.RLock()
        self._first = Comfort(settings.languages[0])
        self._comfort = self._first
        self._sitting: Sitting | None = None
        self._prepared: Prepared | None = None
        self._opened: OpenedBallot | None = None
        self._version = machine.version
        self._seen = clock()
        self._step = secrets.token_hex(16)
        self._hidden = self._cleared = self._unprinted = self._failed = self._unclean = False
        printer.clear()

    def look(self) -> Shown:
        """What is to be shown now."""
        with self._lock:
            self._catch_up()
            sitting, machine = self._sitting, self._machine
            waited = self._clock() - self._seen
            asking = sitting is not None and sitting.screen != "receipt" and waited >= self.settings.patience and not self._hidden
            whole = sitting is not None and sitting.screen in ("review", *_WITH_PAPER)
            interrupted = machine.interrupted
            return Shown(
                self._step,
                f"{self._step}-{machine.version}-{machine.state}-{int(asking)}{int(self._hidden)}{int(self._unclean)}",
                self._comfort,
                machine.state,
                sitting,
                asking,
                self._hidden,
                self._cleared,
                self._wait(waited),
                self._prepared,
                self._opened,
                self._unprinted,
                self._unclean,
                self._failed,
                interrupted is not None and interrupted.status == "spoiled",
                self._readable() if whole and not self._hidden else (),
            )

    def here(self, step: str) -> None:
        """Somebody touched the screen or a key."""
        with self._lock:
            self._catch_up()
            if step == self._step and not self._hidden:
                self._seen = self._clock()

    def answer(self, form: Form) -> bool:
        """Take a form. False where it is not of the screen that is shown now, and nothing was done."""
        with self._lock:
            self._catch_up()
            action = form.get("action", ("",))[0]
            if form.get("step", ("",))[0] != self._step or self._hidden:
                return False
            self._seen = self._clock()
            if action == "keep":
                return self._marked(action, form)
            self._step = secrets.token_hex(16)
            self._failed = self._cleared = False
            comfort = comfort_after(self._comfort, action, self.settings.languages)
            if comfort is not None:
                self._comfort = comfort
                if self._sitting is not None and self._sitting.screen != "language":
                    # What was marked on the screen before a larger type was chosen is still marked afterwards.
                    self._marked("keep", form)
                    self._sitting = replace(self._sitting, focus=action)
                    return True
            return True if self._sitting is None else self._marked(action, form)

    def end(self) -> None:
        """Forget the voter and clear the screen."""
        with self._lock:
            self._sitting = self._prepared = self._opened = None
            self._hidden = self._unprinted = self._failed = self._cleared = False
            self._comfort = self._first
            self._step = secrets.token_hex(16)
            self._seen = self._clock()
            self._version = self._machine.version
            self._clean()

    # --- what is pressed ------------------------------------------------------------------------------------------------

    def _marked(self, action: str, form: Form) -> bool:
        """Do what a button of the screen stands for. False where the screen does not offer it."""
        sitting = self._sitting
        if sitting is None:
            return False
        acts: Mapping[tuple[Screen, str], Callable[[Sitting], None]] = {
            ("review", "print"): self._print,
            ("prepared", "print-again"): self._print_again,
            ("prepared", "cast"): self._cast,
            ("prepared", "ask-test"): lambda now: self._go(now, "confirm-test"),
            ("prepared", "ask-return"): lambda now: self._go(now, "confirm-return"),
            ("confirm-test", "back"): lambda now: self._go(now, "prepared"),
            ("confirm-test", "test"): self._test,
            ("confirm-return", "back"): lambda now: self._go(now, "prepared"),
            ("confirm-return", "return"): self._return,
            ("opened", "again"): self._again,
            ("receipt", "finish"): lambda _: self.end(),
        }
        act = acts.get((sitting.screen, action))
        try:
            if act is not None:
                act(sitting)
                if self._sitting is not None:
                    self._version = self._machine.version
            elif action != "here":
                self._sitting = answered(sitting, self.manifest, action, form)
        except BallotError:
            self._failed = act is not None
            return False
        except ScrutineerError:
            # The machine has stopped and says so by its state; poll workers see why on their page.
            self._failed = True
        return True

    def _go(self, sitting: Sitting, screen: Screen) -> None:
        self._sitting = replace(sitting, screen=screen)

    def _print(self, sitting: Sitting) -> None:
        """Encrypt the ballot, so that its tracking code is fixed, and print both papers."""
        waiting = unready(sitting, self.manifest)
        if waiting is not None:
            self._sitting = replace(sitting, screen="notice", contest=waiting, reviewing=True)
            return
        self._prepared = self._machine.prepare(ballot_choices(self.manifest, sitting.style, sitting.choices))
        self._sitting = sitting = replace(sitting, screen="prepared")
        self._version = self._machine.version
        self._print_again(sitting)

    def _print_again(self, sitting: Sitting) -> None:
        prepared = self._prepared
        if prepared is None:
            return
        own, party = self._comfort.language, sitting.choices.party
        record = PaperRecord(
            self.settings.paper_language or own,
            self.manifest.name,
            self.settings.station,
            self._readable(),
            prepared.serial,
            self.manifest.parties[party - 1].name if party else "",
            sitting.provisional,
        )
        self._give([record, Slip(own, self.manifest.name, prepared.words, self.settings.site)])

    def _give(self, content: list[PaperRecord | Slip]) -> None:
        try:
            self._printer.print(papers(content))
            self._unprinted = False
        except BallotError:
            self._unprinted = True

    def _cast(self, sitting: Sitting) -> None:
        if self._unprinted:
            raise BallotError("a ballot without its paper cannot be cast: print it first")
        self._machine.cast()
        self._forget_paper()
        # Nothing of the choices is left in memory while the voter reads the last screen.
        self._sitting = Sitting(sitting.style, sitting.provisional, screen="receipt")

    def _test(self, sitting: Sitting) -> None:
        self._opened = self._machine.challenge()
        self._forget_paper()
        self._sitting = Sitting(sitting.style, sitting.provisional, screen="opened")
        if self._prepared is not None:
            slip = Slip(self._comfort.language, self.manifest.name, self._prepared.words, self.settings.site, "tested")
            self._give([slip])

    def _return(self, sitting: Sitting) -> None:
        self._machine.spoil()
        self._forget_paper()
        self._prepared = None
        self._sitting = replace(sitting, screen="review", returned=True)

    def _again(self, sitting: Sitting) -> None:
        self._forget_paper()
        self._prepared = self._opened = None
        first = self.manifest.style(sitting.style).contests[0]
        begun = Sitting(sitting.style, sitting.provisional, "language")
        self._sitting = answered(begun, self.manifest, f"language:{self._comfort.language}", {})
        self._sitting = replace(self._sitting, contest=first)

    def _forget_paper(self) -> None:
        self._unprinted = False
        self._clean()

    def _clean(self) -> None:
        try:
            self._printer.clear()
            self._unclean = False
        except BallotError:
            self._unclean = True

    # --- what changes by itself -----------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        """Follow the machine, which poll workers also act on, and the clock."""
        machine = self._machine
        if self._unclean:
            self._clean()
        if self._sitting is not None and (machine.version != self._version or not self._fits(self._sitting)):
            self.end()
        sitting = self._sitting
        waited = self._clock() - self._seen
        if sitting is not None and sitting.screen == "receipt":
            if waited >= self.settings.receipt:
                self.end()
        elif sitting is not None and not self._hidden and waited >= self.settings.patience + self.settings.grace:
            self._clear()
        activation = machine.activation
        if self._sitting is None and activation is not None and machine.state == "active" and not self._unclean:
            self._sitting = Sitting(activation.style, activation.provisional)
            self._step = secrets.token_hex(16)
            self._seen = self._clock()
            self._version = machine.version
            self._cleared = False

    def _fits(self, sitting: Sitting) -> bool:
        """Whether the machine is where the screen takes it to be."""
        if sitting.screen == "receipt":
            return True
        return self._machine.state == ("prepared" if sitting.screen in _WITH_PAPER else "active")

    def _clear(self) -> None:
        """Nobody is there any more."""
        if self._machine.state == "prepared":
            self._hidden = True
            self._step = secrets.token_hex(16)
            self._clean()
            return
        # Where the machine has stopped, its state says so.
        with contextlib.suppress(ScrutineerError):
            self._machine.cancel()
        self.end()
        self._cleared = True

    def _wait(self, waited: float) -> float:
        if self._sitting is None or self._hidden:
            return 0.0
        if self._sitting.screen == "receipt":
            return max(0.0, self.settings.receipt - waited)
        end = self.settings.patience + (self.settings.grace if waited >= self.settings.patience else 0.0)
        return max(0.0, end - waited)

    def _readable(self) -> tuple[ReadableContest, ...]:
        sitting = self._sitting
        if sitting is None:
            return ()
        return readable(self.manifest, sitting.style, sitting.choices, self.settings.names)
