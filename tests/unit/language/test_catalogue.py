"""Catalogues are read as gettext and Babel read them."""

import gettext
from io import BytesIO

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from catalogue_helpers import catalogue, script
from scrutineer.errors import UsageError
from scrutineer.language import LANGUAGES
from scrutineer.language.catalogue import Catalogue, read_catalogue

HEAD = 'msgid ""\nmsgstr ""\n"Language: es\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n'
NUMBERS = [*range(130), 1_000, 1_000_000]


def read(entries: str) -> Catalogue:
    return read_catalogue(f"{HEAD}\n{entries}".encode(), "es.po")


def read_by_babel(data: bytes, code: str) -> gettext.GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(data), locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_our_catalogues_say_what_others_read_in_them(code: str) -> None:
    data = (script().CATALOGUES / f"{code}.po").read_bytes()
    ours, others = read_catalogue(data, code), read_by_babel(data, code)
    # What is not translated yet is said in English, and there as English does, whatever the form of the other language.
    said = [entry for entry in catalogue(code) if entry.id and all(forms(entry))]
    assert len(said) > 300
    for entry in said:
        message = entry.id
        if isinstance(message, tuple | list):
            for n in NUMBERS:
                assert ours.ngettext(message[0], message[1], n) == others.ngettext(message[0], message[1], n)
            message = message[0]
        assert ours.gettext(message) == others.gettext(message)


def forms(entry: Message) -> list[str]:
    return list(entry.string) if isinstance(entry.string, list | tuple) else [entry.string]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")) | st.sampled_from('\n\t"\\')), max_size=4))
def test_whatever_a_translation_holds_is_read_as_others_read_it(texts: list[str]) -> None:
    entries = "\n".join(f'msgid "message {n}"\nmsgstr {quoted(text)}\n' for n, text in enumerate(texts))
    ours, others = read(entries), read_by_babel(f"{HEAD}\n{entries}".encode(), "es")
    for n, text in enumerate(texts):
        assert ours.gettext(f"message {n}") == others.gettext(f"message {n}") == (text or f"message {n}")


def quoted(text: str) -> str:
    """A text as a catalogue has it, in two lines."""
    half = len(text) // 2
    return "\n".join(
        '"' + "".join({"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}.get(c, c) for c in part) + '"'
        for part in (text[:half], text[half:])
    )


def test_what_is_not_translated_or_doubtful_is_said_in_english() -> None:
    found = read(
        'msgid "a"\nmsgstr ""\n\n#: x.py\n#, fuzzy, python-brace-format\nmsgid "b"\nmsgstr "B"\n\n'
        '#~ msgid "c"\n#~ msgstr "C"\n\nmsgid "{n} d"\nmsgid_plural "{n} ds"\nmsgstr[0] "{n} D"\nmsgstr[1] ""\n'
    )
    assert [found.gettext(message) for message in ("a", "b", "c", "never heard of")] == ["a", "b", "c", "never heard of"]
    assert [found.ngettext("{n} d", "{n} ds", n) for n in (1, 2)] == ["{n} D", "{n} ds"]
    assert [found.ngettext("one", "many", n) for n in (1, 2)] == ["one", "many"]


def test_a_message_that_elsewhere_depends_on_a_number_is_said_as_of_one() -> None:
    assert read('msgid "a"\nmsgid_plural "as"\nmsgstr[0] "A"\nmsgstr[1] "AS"\n').gettext("a") == "A"


def test_the_head_of_a_catalogue_is_no_message() -> None:
    assert read("").gettext("") == ""


@pytest.mark.parametrize(
    "entry",
    [
        'msgid "a"',
        'msgstr "A"',
        'msgid "a"\nmsgid_plural "as"',
        'msgid "a"\nmsgstr "A"\nmsgid "b"\nmsgstr "B"',
        'msgctxt "c"\nmsgid "a"\nmsgstr "A"',
        'msgid "a"\nmsgstr "A',
        'msgid "a"\nmsgstr "A"B"',
        "msgid 'a'\nmsgstr 'A'",
        'msgid "a"\nmsgstr "A" ',
        "just words",
    ],
)
def test_what_is_written_otherwise_is_refused_with_its_name(entry: str) -> None:
    with pytest.raises(UsageError, match=r"es\.po"):
        read(f"{entry}\n")


@pytest.mark.parametrize("head", ["", 'msgid ""\nmsgstr "Plural-Forms: plural=n n;\\n"\n', "\xff"])
def test_a_catalogue_without_a_rule_for_numbers_is_refused(head: str) -> None:
    with pytest.raises(UsageError, match=r"es\.po"):
        read_catalogue(head.encode("latin-1"), "es.po")
