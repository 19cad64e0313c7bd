"""What is added to an API later has to be told to these tests before they pass again."""

from typing import Annotated

import pytest
from fastapi import Body, FastAPI, Query
from starlette.responses import Response

from hookwright.surfaces import Surfaces
from tenancy.operations import operations_of


async def by_path(id: int) -> Response:
    return Response()


async def by_query(parcel: Annotated[int | None, Query()] = None) -> Response:
    return Response()


async def by_cursor(cursor: str | None = None) -> Response:
    return Response()


async def by_body(parcel: Annotated[int, Body(embed=True)]) -> Response:
    return Response()


def app_with(method: str, path: str, answer: object, **more: bool) -> Surfaces:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.add_api_route(path, answer, methods=[method], **more)  # type: ignore[arg-type]
    return Surfaces([("/api/v1", app)], app)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "/api/v1/parcels/{id}", by_path),
        ("GET", "/api/v1/parcels", by_query),
        ("GET", "/api/v1/parcels", by_cursor),
        ("POST", "/api/v1/parcels", by_body),
        ("POST", "/api/v1/replays", by_body),
    ],
)
def test_a_new_way_to_name_something_is_noticed(method: str, path: str, answer: object) -> None:
    with pytest.raises(AssertionError, match=r"what does|does `parcel`|takes a body"):
        operations_of(app_with(method, path, answer))


def test_a_route_that_no_document_has_is_noticed() -> None:
    with pytest.raises(AssertionError, match="is in no document"):
        operations_of(app_with("GET", "/api/v1/endpoints/{id}/secretly", by_path, include_in_schema=False))


def test_a_mounted_app_is_noticed() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.mount("/api/v1/parcels", FastAPI())
    with pytest.raises(AssertionError, match="answers to methods that these tests do not see"):
        operations_of(Surfaces([("/api/v1", app)], app))
