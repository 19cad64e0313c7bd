"""Request bodies: read with a limit after the caller is known, and checked against a pydantic model."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from hookwright.api.document import refusals
from hookwright.api.errors import problems_of
from hookwright.core.errors import Invalid
from hookwright.web.limits import parse_json, read_body

Model = TypeVar("Model", bound=BaseModel)


def json_body(model: type[Model], *, required: bool = True) -> Callable[[Request], Awaitable[Model]]:
    """A dependency that reads the body as this model. It raises Invalid for what does not fit, BodyTooLarge.

    Where it is not `required`, no body is an empty object.

    FastAPI's own body parameters are read before the caller is authenticated, and without a limit.
    """

    async def read(request: Request) -> Model:
        body = await read_body(request)
        value = parse_json(body) if body or required else {}
        try:
            return model.model_validate(value)
        except ValidationError as error:
            raise Invalid(*problems_of(error.errors())) from None

    return read


def documented_body(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads this model itself."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {
        "requestBody": {"required": required, "content": content},
        "responses": {str(status): response for status, response in refusals(400, 413).items()},
    }
