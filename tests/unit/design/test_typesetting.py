"""PDFs from templates: nothing of their content is read as markup, any thread may ask, and a failure is one kind of error."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scrutineer.design.typesetting import typeset
from scrutineer.errors import TypesettingError

ROOM = "scrutineer.station.voting"
ZERO = {
    "kind": "zero",
    "election": "Aviary",
    "provenance": "",
    "station": "S-1",
    "name": "Heron Quay",
    "time": "06:00",
    "people": ["Wren"],
    "contests": [{"title": "Mayor", "rows": [["Robin", "0"]]}],
    "facts": [["Device", "machine-1"]],
    "codes": [],
}


def paper(number: int) -> dict[str, object]:
    return {"title": str(number), "papers": []}


def test_threads_with_different_templates_get_their_own_papers() -> None:
    def made(number: int) -> bytes:
        if number % 2:
            return typeset(ROOM, "paper.typ", paper(number % 3))
        return typeset(ROOM, "sheet.typ", ZERO | {"station": f"S-{number % 3}"})

    alone = [made(number) for number in range(12)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(made, range(12))) == alone
    assert len(set(alone)) == 6


def test_a_template_that_refuses_its_content_says_why() -> None:
    with pytest.raises(TypesettingError, match="papers"):
        typeset(ROOM, "paper.typ", {"title": "a paper without its list"})
