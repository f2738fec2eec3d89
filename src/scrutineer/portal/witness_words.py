"""What the pages say of the witnesses of the log: who has cosigned what is shown, and what waits for them."""

from scrutineer.log.quorum import Cosigners
from scrutineer.portal.pages import Pages


def witness_sentences(pages: Pages) -> str:
    """Sentences on the head that is shown."""
    say, view = pages.say, pages.view
    found: Cosigners | None = view.cosigners
    if found is None:
        return say("The definition names no witnesses: this head of the log bears the log’s own signature alone.")
    said = say.several(
        "{n} of {total} witnesses has cosigned this head of the log: {names}; {needed} must have.",
        "{n} of {total} witnesses have cosigned this head of the log: {names}; {needed} must have.",
        len(found.cosigned),
        total=len(found.cosigned) + len(found.missing),
        names=say.listed([say.name(name) for name in found.cosigned]) or "–",
        needed=found.needed,
    )
    missing = waiting = ""
    if found.missing:
        missing = say("Not among them: {names}.", names=say.listed([say.name(name) for name in found.missing]))
    if view.pending is not None:
        waiting = say(
            "A newer head of {entries} entries waits for its witnesses; nothing on these pages is taken from it.",
            entries=view.pending,
        )
    return say.joined((said, missing, waiting))
