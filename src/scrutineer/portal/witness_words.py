"""What the pages say of the witnesses of the log: who has cosigned what is shown, and what waits for them."""

from scrutineer.log.quorum import Cosigners
from scrutineer.portal.text import number, words


def witness_sentences(cosigners: Cosigners | None, pending: int | None) -> str:
    """Sentences on the head that is shown (HTML); `cosigners` is None where the definition names no witnesses.

    `pending` are the entries at a newer head that waits for its witnesses, None where there is none.
    """
    if cosigners is None:
        return "The definition names no witnesses: this head of the log bears the log’s own signature alone."
    total = len(cosigners.cosigned) + len(cosigners.missing)
    have = "has" if len(cosigners.cosigned) == 1 else "have"
    said = (
        f"{number(len(cosigners.cosigned))} of {number(total)} witnesses {have} cosigned this head of the log: "
        f"{', '.join(map(words, cosigners.cosigned))}; {number(cosigners.needed)} must have."
    )
    if cosigners.missing:
        said += f" Not among them: {', '.join(map(words, cosigners.missing))}."
    if pending is not None:
        said += f" A newer head of {number(pending)} entries waits for its witnesses; nothing on these pages is taken from it."
    return said
