import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_helpers import republic
from scrutineer.errors import PublicationError
from scrutineer.portal import SiteOptions, default_options, read_head, read_site_info
from scrutineer.portal.formats import site_info, write_head, write_site_info

RECORD = republic(20).record


def test_site_info_is_read_back() -> None:
    data = write_site_info(site_info(RECORD))
    info = read_site_info(data)
    assert info == site_info(RECORD)
    assert info.options == SiteOptions("stations", "stations")
    assert info.definition == RECORD.election.hash.hex()
    assert info.size == RECORD.head.size


def test_head_is_read_back() -> None:
    assert read_head(write_head(RECORD.head)) == RECORD.head


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"size": ', b'"size": 0'),
        (b'"size": ', b'"size": -'),
        (b'"root": "', b'"root": "00'),
        (b'"signature": "', b'"signature": "zz'),
        (b"{", b'{"more": 1,'),
        (b"{\n", b"{"),
        (b'"time_ms": ', b'"time_ms": 1.'),
    ],
)
def test_another_form_of_a_head_is_refused(old: bytes, new: bytes) -> None:
    data = write_head(RECORD.head).replace(old, new, 1)
    with pytest.raises(PublicationError, match="head"):
        read_head(data)


def test_another_format_version_is_refused() -> None:
    with pytest.raises(PublicationError, match="scrutineer-site/v1"):
        read_site_info(write_site_info(site_info(RECORD)).replace(b"site/v1", b"site/v2"))


@given(st.binary(max_size=200) | st.just(b"[" * 4000) | st.just(b" " * 5000))
def test_any_bytes_give_a_clear_error(data: bytes) -> None:
    for read in (read_head, read_site_info):
        with pytest.raises(PublicationError):
            read(data)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(PublicationError, match="is not known: write one of"):
        SiteOptions("everything", "units")  # type: ignore[arg-type]


def test_very_large_elections_have_no_page_for_each_station() -> None:
    assert default_options(2_000) == SiteOptions("stations", "stations", translated="stations")
    assert default_options(100_000) == SiteOptions("stations", "stations", translated="upper")
    assert default_options(100_001) == SiteOptions("stations", "units", translated="upper")
    assert default_options(1_000_001) == SiteOptions("units", "units", translated="upper")
