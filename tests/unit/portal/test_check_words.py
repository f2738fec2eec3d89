"""What the scripts of a station's page say."""

import json
import re

from portal_helpers import republic
from scrutineer.design import asset
from scrutineer.portal.check_words import WORDS, check_words
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View


def test_words_of_the_scripts_are_all_there_and_all_used() -> None:
    source = "".join(asset("scrutineer.design", name).data.decode() for name in ("check.js", "qr.js"))
    said = set(re.findall(r'(?:say|bad|open|reading|add)\(\s*"([a-z0-9.-]+)"|word: "([a-z.-]+)"', source))
    words = {word for pair in said for word in pair if word}
    steps = set(re.findall(r"^    \[([a-z]+)[,\]]", source, re.MULTILINE))
    assert len(steps) == 11
    words |= steps | {f"{step}.good" for step in steps}
    words |= {"good", "bad", "open", "all.good", "all.bad", "all.open"}
    assert words == set(WORDS)


def test_values_of_a_message_are_given_where_it_is_said() -> None:
    source = "".join(asset("scrutineer.design", name).data.decode() for name in ("check.js", "qr.js"))
    for name in set(re.findall(r"\{(\w+)\}", "".join(WORDS.values()))):
        assert re.search(rf"\b{name}\b", source), name


def test_the_words_of_a_language_are_a_script() -> None:
    pages = Pages(View(republic(10).record), 1)
    (file,) = check_words(pages)
    assert file.path == "es/check-words.js"
    text = b"".join(file.chunks).decode()
    begin, end = '"use strict";\nconst CHECK_WORDS = ', ";\n"
    assert text.startswith(begin)
    assert text.endswith(end)
    assert set(json.loads(text[len(begin) : -len(end)])) == set(WORDS)
