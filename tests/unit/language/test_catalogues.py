"""The catalogues have every message of the code, and translations that can be said."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from catalogue_helpers import catalogue, placeholders, script, speaking
from scrutineer.language import LANGUAGES, language

TRANSLATED = LANGUAGES[1:]
TAG = re.compile(r"<\s*/?\s*\w|&#?\w+;")

Key = str | tuple[str, ...]


@cache
def said() -> dict[Key, str]:
    """Every message of the code, with where it stands."""
    found: dict[Key, str] = {}
    for message in script().messages():
        found.setdefault(message.text if message.many is None else (message.text, message.many), f"{message.file}:{message.line}")
    return found


def forms(entry: Message) -> list[str]:
    """The translations of a message that are there."""
    given = entry.string if isinstance(entry.string, list | tuple) else [entry.string]
    return [form for form in given if form]


def entries(code: str) -> list[Message]:
    return [entry for entry in catalogue(code) if entry.id]


def test_the_code_says_something() -> None:
    assert len(said()) > 300


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_message_is_in_every_catalogue_and_no_other(code: str) -> None:
    known = {entry.id[0] if isinstance(entry.id, list | tuple) else entry.id for entry in entries(code)}
    needed = {key if isinstance(key, str) else key[0] for key in said()}
    assert sorted(needed - known) == [], "run `make catalogues`"
    assert sorted(known - needed) == [], "run `make catalogues`"


@pytest.mark.parametrize("code", TRANSLATED)
def test_catalogues_are_as_their_script_writes_them(code: str) -> None:
    old = (script().CATALOGUES / f"{code}.po").read_bytes()
    assert script().updated(code, list(script().messages()), old) == old, "run `make catalogues`"


def test_messages_have_names_in_braces_and_no_html() -> None:
    for key, where in said().items():
        for text in (key,) if isinstance(key, str) else key:
            placeholders(text)
            assert not TAG.search(text), f"{where}: a message holds HTML: {text!r}"
            assert text.strip() == text, f"{where}: a message begins or ends with a space: {text!r}"


def test_what_depends_on_a_number_names_the_same_values_in_both_forms() -> None:
    for key, where in said().items():
        if not isinstance(key, str):
            one, many = map(placeholders, key)
            assert one ^ many <= {"n"}, f"{where}: the forms name different values: {key}"


@pytest.mark.parametrize("code", TRANSLATED)
def test_translations_have_the_values_of_their_messages_and_no_html(code: str) -> None:
    for entry in entries(code):
        several = isinstance(entry.id, list | tuple)
        texts = entry.id if several else (entry.id,)
        asked = set().union(*map(placeholders, texts))
        for form in forms(entry):
            given = placeholders(form)
            assert given - {"n"} == asked - {"n"} if several else given == asked, f"{code}: {form!r} for {texts[0]!r}"
            assert given <= asked | {"n"}, f"{code}: {form!r} for {texts[0]!r}"
            assert not TAG.search(form), f"{code}: a translation holds HTML: {form!r}"
            assert form.strip() == form, f"{code}: a translation begins or ends with a space: {form!r}"


@pytest.mark.parametrize("code", TRANSLATED)
def test_plural_forms_are_those_of_unicode(code: str) -> None:
    """Each form of a catalogue stands for numbers of one category; several categories may share the last one."""
    spoken = speaking(
        code, 'msgid "a"\nmsgid_plural "b"\n' + "".join(f'msgstr[{n}] "{n}"\n' for n in range(catalogue(code).num_plurals))
    )
    rule = language(code).locale.plural_form
    categories: dict[str, set[str]] = {}
    # Nought votes are several in Portuguese catalogues, as in those of Spanish; Unicode counts nought as one there.
    for n in [*range(code == "pt", 1_200), 1_000_000, 2_000_000]:
        categories.setdefault(rule(n), set()).add(spoken.catalogue.ngettext("a", "b", n))
    categories.pop("many" if code != "ar" else "", None)
    assert Counter(form for found in categories.values() for form in found) == Counter(str(n) for n in range(len(categories)))


# --- the script that collects messages -----------------------------------------------------------------------------------


def collected(text: str) -> list[tuple[str, str | None]]:
    found = script().python_messages(text, Path("src/scrutineer/x.py"), Path("src"))
    return [(message.text, message.many) for message in found]


def test_messages_are_found_in_code() -> None:
    code = 'say("a" "b", n=1)\nself.say("c")\npages.say.several("d", "e", n)\nX = {"k": msg("f")}\n'
    assert collected(f"{code}say.later(x)\nsuper().several(a, b)\n") == [("ab", None), ("c", None), ("d", "e"), ("f", None)]


@pytest.mark.parametrize("code", ["say(x)", 'say(f"{x}")', 'say("a" + x)', "msg(X)", 'say.several("a", b, n)', "say()"])
def test_a_message_that_is_no_literal_is_refused(code: str) -> None:
    with pytest.raises(script().NotLiteralError, match=r"scrutineer/x\.py:1"):
        collected(code)


def test_messages_are_found_in_templates() -> None:
    text = '{% block main %}{{ say("a {b}", b=name(c)) }}{{ several("d", "e", n) }}{% if say(\'f\') %}{% endif %}{% endblock %}'
    found = script().template_messages(text, Path("src/x/templates/x.html"), Path("src"))
    assert [(message.text, message.many) for message in found] == [("a {b}", None), ("d", "e"), ("f", None)]
    with pytest.raises(script().NotLiteralError):
        list(script().template_messages("{{ say(label) }}", Path("src/x/templates/x.html"), Path("src")))


HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'


def updated(old: str, *messages: tuple[str, str | None]) -> str:
    found = [script().Message(text, many, "scrutineer/x.py", 1) for text, many in messages]
    return script().updated("es", found, (HEAD + old).encode()).decode().partition("\n\n")[2]


def test_translations_stay_new_messages_are_added_and_old_ones_go() -> None:
    new = updated('msgid "a"\nmsgstr "A"\n\nmsgid "gone"\nmsgstr "G"\n', ("b", None), ("a", None), ("{n} c", "{n} cs"))
    assert new.count("msgid ") == 3
    assert "gone" not in new
    assert 'msgid "a"\nmsgstr "A"\n' in new
    assert new.index('msgid "b"\nmsgstr ""') < new.index('msgid "a"')
    assert 'msgid_plural "{n} cs"\nmsgstr[0] ""\nmsgstr[1] ""\n' in new


def test_a_message_that_is_said_of_a_number_somewhere_has_all_forms() -> None:
    for messages in ((("a", None), ("a", "as")), (("a", "as"), ("a", None))):
        assert 'msgid_plural "as"' in updated("", *messages)
    assert 'msgstr[0] "A"\nmsgstr[1] "AS"' in updated(
        'msgid "a"\nmsgid_plural "as"\nmsgstr[0] "A"\nmsgstr[1] "AS"\n', ("a", None), ("a", "as")
    )


def test_doubtful_translations_are_not_kept() -> None:
    assert 'msgstr ""' in updated('#, fuzzy\nmsgid "a"\nmsgstr "A"\n', ("a", None))


def test_a_per_cent_sign_is_no_place_for_a_value() -> None:
    assert "python-format" not in updated("", ("2 % or more", None))
    assert "#, python-brace-format" in updated("", ("{share} or more", None))
