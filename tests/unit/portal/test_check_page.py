from html import unescape

import pytest

from full_election import full_election
from scrutineer.portal.check_page import RECEIPT_CHECK, check_page
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View
from site_pages import read_page


@pytest.mark.parametrize("number", range(5))
def test_the_page_bears_definition_head_and_commands(number: int) -> None:
    record = full_election()[-1].record
    (file,) = check_page(Pages(View(record), number))
    data = b"".join(file.chunks)
    page = read_page(data)
    text = unescape(data.decode())
    assert f"scrutineer verify --definition {record.election.hash.hex()} " in text
    assert record.head.root.hex() in text
    assert record.verifier.origin in text
    assert RECEIPT_CHECK in text
    assert "grep -E '^[0-9a-f]{64}  ' manifest | sha256sum --check --quiet" in text
    assert {"one", "all", "files", "log"} <= page.ids
    up = "../" * (number > 0)
    assert {f"{up}log/checkpoint", f"{up}manifest", f"{up}definition/definition.cose"} <= set(page.links)
    assert f"{up}log/checkpoint.pending" not in page.links
