import pytest

from hookwright.core.errors import Invalid
from hookwright.dialects.kit.paging import PageRequest, cursor_of, parse_page_request


@pytest.mark.parametrize(("id", "cursor"), [(1, "WzFd"), (2, "WzJd"), (13, "WzEzXQ==")])
def test_cursors_are_the_vendors(id: int, cursor: str) -> None:
    # Kit openapi v4.json, examples of "List webhooks" and "List webhook endpoints"
    assert cursor_of(id) == cursor
    assert parse_page_request(cursor, None, None, None) == PageRequest(after=id)
    assert parse_page_request(None, cursor, None, None) == PageRequest(before=id)


def test_a_cursor_may_have_lost_its_padding() -> None:
    assert parse_page_request("WzEzXQ", None, None, None).after == 13


def test_no_parameters_mean_the_first_500() -> None:
    assert parse_page_request(None, None, None, None) == PageRequest(None, None, 500, False)


def test_a_cursor_beyond_every_id_is_refused() -> None:
    with pytest.raises(Invalid):
        parse_page_request(cursor_of(2**53), None, None, None)
