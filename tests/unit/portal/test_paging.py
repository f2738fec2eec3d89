import pytest

from scrutineer.portal.paging import Paging, paged


def test_a_list_without_rows_has_one_page_without_links() -> None:
    (only,) = paged("list.html", 0)
    assert only.own_path == "list.html"
    assert only.shown == []


@pytest.mark.parametrize(("rows", "pages"), [(1, 1), (100, 1), (101, 2), (1000, 10)])
def test_rows_fill_pages(rows: int, pages: int) -> None:
    found = list(paged("list.html", rows))
    assert [one.number for one in found] == list(range(1, pages + 1))
    assert {one.pages for one in found} == {pages}


def test_first_last_and_near_pages_are_linked() -> None:
    shown = Paging("a/list.html", 10, 20).shown
    assert [None if link is None else link.number for link in shown] == [1, None, 8, 9, 10, 11, 12, None, 20]
    assert [link.path for link in shown if link is not None and link.here] == ["a/list~p10.html"]


def test_no_gap_is_shown_where_nothing_is_left_out() -> None:
    assert [link and link.number for link in Paging("list.html", 3, 6).shown] == [1, 2, 3, 4, 5, 6]
