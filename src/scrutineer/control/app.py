"""The control room as an ASGI application: which path leads where."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from scrutineer.control.acts import Acts
from scrutineer.control.doors import Doors
from scrutineer.control.events import Events
from scrutineer.control.pages import LOOK, Pages
from scrutineer.control.room import Room
from scrutineer.control.views import Views
from scrutineer.control.web import Gate, Visit


def control_app(room: Room) -> Starlette:
    """The application of a room. It starts and stops the room with itself."""
    pages = Pages(room.election)
    views = Views(pages)
    acts, doors = Acts(pages, views), Doors(pages)
    doors.gate = gate = Gate(room, pages.refusal)
    events = Events(room, lambda request: gate.session(request, touch=False)[1])

    def not_found(visit: Visit) -> Response:
        return pages.refusal(visit, 404, "there is no such page")

    async def missing(request: Request, _: Exception) -> Response:
        answer: Response = await gate(not_found, closed=False)(request)
        return answer

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        room.start()
        try:
            yield
        finally:
            room.stop()

    post = ["POST"]
    return Starlette(
        routes=[
            Route("/", gate(views.overview)),
            Route("/arrivals", gate(views.arrivals)),
            Route("/late", gate(views.late)),
            Route("/quarantine", gate(views.quarantine)),
            Route("/quarantine/{contest}/{station}", gate(views.station)),
            Route("/quarantine/{contest}/{station}", gate(acts.freeze_decision), methods=post),
            Route("/incidents", gate(views.incidents)),
            Route("/transmission", gate(views.transmission)),
            Route("/bulletin", gate(acts.bulletin)),
            Route("/bulletin", gate(acts.freeze_bulletin), methods=post),
            Route("/acts", gate(acts.list)),
            Route("/acts/{proposal}", gate(acts.show)),
            Route("/acts/{proposal}/options", gate(acts.options), methods=post),
            Route("/acts/{proposal}/consent", gate(acts.consent), methods=post),
            Route("/acts/{proposal}/withdraw", gate(acts.withdraw), methods=post),
            Route("/keys", gate(views.keys)),
            Route("/enter", gate(doors.enter, closed=False)),
            Route("/enter/options", gate(doors.enter_options, closed=False), methods=post),
            Route("/enter/answer", gate(doors.entered, closed=False), methods=post),
            Route("/enrol", gate(doors.enrol, closed=False)),
            Route("/enrol/options", gate(doors.enrol_options, closed=False), methods=post),
            Route("/enrol/answer", gate(doors.enrolled, closed=False), methods=post),
            Route("/leave", gate(doors.leave), methods=post),
            Route("/language", gate(doors.language), methods=post),
            Route("/events", events.open),
            LOOK.route(),
        ],
        exception_handlers={404: missing},
        lifespan=lifespan,
    )
