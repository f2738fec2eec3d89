import re
from base64 import b64decode
from functools import cache

import pytest

from full_election import full_election
from portal_helpers import OFFICER, Published, key_of, made_up, published, republic
from scrutineer.count import make_bulletin, make_certificate
from scrutineer.election import Contest, Option, UnitRow
from scrutineer.log import verify_entry_receipt
from scrutineer.portal.bulletin_pages import bulletin_pages
from scrutineer.portal.pages import Pages
from scrutineer.portal.view import View
from scrutineer.statements import Bulletin, ContestResult, sign_statement
from site_pages import read_page


@cache
def general() -> Published:
    """A contest of every rule, everything arrived, then a bulletin and a certificate."""
    first = republic(60, contests="all", alliances=True, seed=3)
    record = first.record
    acts = (
        make_bulletin(record.count, record.head.root, number=1, time=1_750_000_000),
        make_certificate(record.count, record.head.root, time=1_750_000_001),
    )
    log = [*first.log, *(sign_statement(act, OFFICER, key_of(OFFICER)) for act in acts)]
    return published(record.election, (record.units_table, record.register_table), log)


def pages_of(given: Published, number: int = 0) -> dict[str, str]:
    found = {file.path: b"".join(file.chunks) for file in bulletin_pages(Pages(View(given.record), number))}
    for data in found.values():
        read_page(data)
    return {path: data.decode() for path, data in found.items()}


def test_a_bulletin_is_shown_as_it_was_signed() -> None:
    text = pages_of(general())["bulletins/1.html"]
    bulletin = next(act.payload for act in (b.statement for b in general().record.count.bulletins))
    assert isinstance(bulletin, Bulletin)
    for stated, contest in zip(bulletin.contests, general().record.election.contests, strict=True):
        for option, votes in zip(contest.options, stated.votes, strict=True):
            assert f"<bdi>{option.name}</bdi></th><td>{f'{votes:,}'}</td>" in text
    assert bulletin.root.hex() in text


def test_the_proof_on_the_page_is_one() -> None:
    record = general().record
    for path, text in pages_of(general()).items():
        if path != "bulletins/index.html":
            statement, receipt = (b64decode(block) for block in re.findall(r'<p class="b64">([^<]+)</p>', text))
            assert verify_entry_receipt(receipt, statement, record.verifier).size == record.head.size


def test_a_certificate_bears_its_layer_and_lists_bear_their_seats() -> None:
    found = pages_of(general())
    (text,) = (text for path, text in found.items() if "certificate" in path)
    assert "Certified result" in text
    assert re.search(r"<dt>Seats</dt><dd><bdi>[^<]+</bdi>: \d+", text)
    assert "Certificate" in found["bulletins/index.html"]


def test_the_list_leads_to_every_bulletin() -> None:
    found = pages_of(full_election()[-1])
    assert list(found) == ["bulletins/index.html", "bulletins/1.html", "bulletins/2.html"]
    assert {"../bulletins/1.html", "../bulletins/2.html"} <= set(read_page(found["bulletins/index.html"].encode()).links)
    assert "<code>scrutineer verify</code>" in found["bulletins/index.html"]


def test_no_bulletin_is_said_in_words() -> None:
    assert "The authority has published no bulletin yet." in pages_of(republic(10))["bulletins/index.html"]


def test_a_contest_that_the_election_does_not_have_is_named_and_nothing_more() -> None:
    rows = [UnitRow("land", "", "Land", "country", None), UnitRow("n0", "land", "N", "station", 500)]
    contest = Contest("president", "P", "plurality", (Option("heron", "Heron"),))
    foreign = ContestResult(
        contest="<script>",
        votes=(1, 2),
        blank=None,
        null=None,
        ballots=3,
        stations=1,
        counted=1,
        quarantined=0,
        excluded=0,
        outstanding=0,
        open_ballots=0,
        elected=(),
        runoff=(),
        tied=(),
        margin=None,
        changeable=False,
    )
    given = made_up(
        rows,
        (contest,),
        lambda e: [
            (
                OFFICER,
                Bulletin(
                    election=e.hash,
                    number=1,
                    layer="preliminary",
                    size=1,
                    root=bytes(32),
                    time=1_750_000_000,
                    contests=(foreign,),
                    results=bytes(32),
                ),
            )
        ],
    )
    text = pages_of(given)["bulletins/1.html"]
    assert "It states totals for <bdi>&lt;script&gt;</bdi>, which this election does not have." in text
    assert '<section class="contest">' not in text


@pytest.mark.parametrize("number", range(5))
def test_pages_are_sound_in_every_language(number: int) -> None:
    assert len(pages_of(full_election()[-1], number)) == 3
