"""Every message is translated into every language."""

import pytest

from catalogue_helpers import catalogue
from scrutineer.language import LANGUAGES


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_nothing_is_left_to_translate(code: str) -> None:
    entries = [entry for entry in catalogue(code) if entry.id]
    empty = [entry.id for entry in entries if not all(entry.string if isinstance(entry.string, list | tuple) else [entry.string])]
    assert empty == []
    assert [entry.id for entry in entries if entry.fuzzy] == []
