"""What the pages say of the witnesses of the log: who has cosigned what is shown, and what waits for them."""

from markupsafe import Markup

from scrutineer.portal.pages import Pages


def witness_sentences(pages: Pages) -> Markup:
    """Sentences on the head that is shown, as HTML."""
    say, cosigners, pending = pages.say, pages.view.cosigners, pages.view.pending
    if cosigners is None:
        return say("The definition names no witnesses: this head of the log bears the log’s own signature alone.")
    cosigned, missing = ([say.name(witness) for witness in witnesses] for witnesses in (cosigners.cosigned, cosigners.missing))
    if cosigned:
        said = say.several(
            "{n} of {total} witnesses has cosigned this head of the log: {witnesses}; {needed} must have.",
            "{n} of {total} witnesses have cosigned this head of the log: {witnesses}; {needed} must have.",
            len(cosigned),
            total=len(cosigned) + len(missing),
            witnesses=say.listed(cosigned),
            needed=cosigners.needed,
        )
    else:
        said = say(
            "None of the witnesses has cosigned this head of the log ({witnesses}); {needed} must have.",
            witnesses=say.listed(missing),
            needed=cosigners.needed,
        )
    beside = say("Not among them: {witnesses}.", witnesses=say.listed(missing)) if cosigned and missing else ""
    newer = ""
    if pending is not None:
        newer = say.several(
            "A newer head of {n} entry waits for its witnesses; nothing on these pages is taken from it.",
            "A newer head of {n} entries waits for its witnesses; nothing on these pages is taken from it.",
            pending,
        )
    return say.joined([said, beside, newer])
