"""The pages through which officers come in and go: enrolment, entering, leaving, and the language of the pages."""

from typing import Final

from starlette.responses import JSONResponse, RedirectResponse, Response

from scrutineer.control.pages import Pages
from scrutineer.control.web import Gate, Visit
from scrutineer.errors import ControlError
from scrutineer.language import LANGUAGES, msg

_ENROLLED: Final = "enrolled"  # the query of the page where officers enter, right after they have made a passkey


class Doors:
    """The handlers of these pages."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.gate: Gate

    def enter(self, visit: Visit) -> Response:
        """Where officers enter."""
        if visit.session is not None:
            return RedirectResponse("/", 303)
        enrolled = visit.request.url.query == _ENROLLED
        title = self._pages.face(visit).say("Enter the control room")
        return self._pages.page(visit, "enter.html", title, live=False, enrolled=enrolled)

    def enter_options(self, visit: Visit) -> Response:
        """What the browser needs to ask for a passkey."""
        self._check_failures(visit)
        return JSONResponse(visit.room.login_options())

    def entered(self, visit: Visit) -> Response:
        """The answer of a passkey: a session, or a refusal that counts."""
        self._check_failures(visit)
        try:
            cookie = visit.room.login(_answer(visit))
        except ControlError:
            visit.room.failures.note(visit.address)
            raise
        return self.gate.enter(JSONResponse({"to": "/"}), cookie)

    def enrol(self, visit: Visit) -> Response:
        """Where an enrolment link leads. Its code stands behind the '#', which browsers send to nobody."""
        return self._pages.page(visit, "enrol.html", self._pages.face(visit).say("Enrol a passkey"), live=False)

    def enrol_options(self, visit: Visit) -> Response:
        """What the browser needs to make a passkey."""
        self._check_failures(visit)
        try:
            return JSONResponse(visit.room.enrolment_options(visit.text("code")))
        except ControlError:
            visit.room.failures.note(visit.address)
            raise

    def enrolled(self, visit: Visit) -> Response:
        """The passkey that was made."""
        self._check_failures(visit)
        try:
            visit.room.enrol(visit.text("code"), _answer(visit), visit.text("name"))
        except ControlError:
            visit.room.failures.note(visit.address)
            raise
        return JSONResponse({"to": f"/enter?{_ENROLLED}"})

    def leave(self, visit: Visit) -> Response:
        """End the session."""
        visit.room.logout(visit.cookie, visit.officer)
        return self.gate.leave(RedirectResponse("/enter", 303))

    def language(self, visit: Visit) -> Response:
        """Read in another language from now on."""
        code = visit.form.get("language", "")
        if code in LANGUAGES:
            visit.room.officers.set_language(visit.officer, code)
        back = visit.form.get("back", "/")
        # Only a path of this room: anything else would lead officers away.
        return RedirectResponse(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/", 303)

    @staticmethod
    def _check_failures(visit: Visit) -> None:
        if visit.room.failures.wait(visit.address):
            raise ControlError(msg("too many attempts failed from here: wait five minutes"))


def _answer(visit: Visit) -> dict[str, object]:
    answer = visit.json.get("answer")
    if not isinstance(answer, dict):
        raise ControlError(msg("the browser's answer cannot be read: try again"))
    return answer
