"""Other people's words and numbers on pages that are not said in a language yet."""

from html import escape

from scrutineer.language import ENGLISH

number = ENGLISH.number


def words(text: str) -> str:
    """Other people's words as HTML, kept apart from the direction of the text around them.

    Characters that print nothing, among them those that turn the direction of text, are replaced.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    return f"<bdi>{escape(text)}</bdi>"
