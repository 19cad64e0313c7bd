"""Refusals in Kajabi's shapes: JSON:API errors, and OAuth's flat `{"error": …}`.

Sources: the schema `errors_attributes` of Kajabi openapi.yaml 1.1.0 for the fields and their order; the real 401
body, published with the w6w-apps Kajabi client; `code`, which only a model's errors carry (`blank`, `invalid`,
`taken`, `inclusion`), and the pointers from the gem jsonapi.rb, whose objects Kajabi's have been seen to match.
"""

from collections.abc import Iterable, Mapping
from typing import NoReturn

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from hookwright.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    Unauthorized,
    Unavailable,
)
from hookwright.dialects.kajabi.documents import Document, JsonApi
from hookwright.web.limits import MAX_BODY_BYTES, BodyTooLarge
from hookwright.web.rails import as_routed_by_rails, phrase_of

OAUTH_PREFIX = "/v1/oauth/"

# The code of a problem that is shown without one: a parameter that is missing is no error of a model.
MISSING = "missing"
RETRY_AFTER_SECONDS = 5

UNAUTHORIZED_DETAIL = (
    "The request is missing an Authorization token, or token is invalid/has expired. "
    "Request a new token before requesting this resource again."
)


class Refused(Exception):
    """A refusal by HTTP itself: the status, a detail for people, and the headers that go with it."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def too_many_requests(seconds_left: int) -> NoReturn:
    """Raise the 429 of a caller who made more requests than a minute has room for."""
    detail = f"Too many requests. Try again in {seconds_left} seconds."
    raise Refused(429, detail, {"Retry-After": str(seconds_left)})


def install_error_handlers(app: FastAPI) -> None:
    """Make an app answer every refusal, and every fault of ours, in Kajabi's shapes."""
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(Invalid, _on_invalid)
    app.add_exception_handler(Unauthorized, _on_unauthorized)
    app.add_exception_handler(Forbidden, _on_forbidden)
    app.add_exception_handler(NotFound, _on_not_found)
    app.add_exception_handler(Conflict, _on_conflict)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(BodyTooLarge, _on_body_too_large)
    app.add_exception_handler(ClientDisconnect, _on_client_disconnect)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_fault)


def error_object(status: int, detail: str, pointer: str | None = None, code: str | None = None) -> Document:
    """One JSON:API error, its fields in Kajabi's order; `source` is null where no field is to blame."""
    described: Document = {
        "status": str(status),
        "source": None if pointer is None else {"pointer": pointer},
        "title": phrase_of(status),
        "detail": detail,
    }
    return described if code is None else {**described, "code": code}


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _refuse(request, error.status, error.detail, error.headers)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    if _is_oauth(request) or all(problem.code == "malformed" for problem in error.problems):
        return _refuse(request, 400, _sentence("; ".join(problem.message for problem in error.problems)))
    return _answer(request, 422, [_validation_error(problem) for problem in error.problems])


async def _on_unauthorized(request: Request, error: Exception) -> Response:
    return _refuse(request, 401, UNAUTHORIZED_DETAIL, {"WWW-Authenticate": "Bearer"})


async def _on_forbidden(request: Request, error: Exception) -> Response:
    return _refuse(request, 403, _sentence(str(error)))


async def _on_not_found(request: Request, error: Exception) -> Response:
    return _refuse(request, 404, "The resource does not exist.")


async def _on_conflict(request: Request, error: Exception) -> Response:
    return _refuse(request, 409, _sentence(str(error)))


async def _on_unavailable(request: Request, error: Exception) -> Response:
    detail = "The service cannot answer at the moment. Try again in a few seconds."
    return _refuse(request, 503, detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _on_body_too_large(request: Request, error: Exception) -> Response:
    return _refuse(request, 413, f"The body is larger than {MAX_BODY_BYTES} bytes.")


async def _on_client_disconnect(request: Request, error: Exception) -> Response:
    return _refuse(request, 400, "The body ended early.")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the router itself refuses: no such path, or not with this method."""
    assert isinstance(error, HTTPException)
    details = {404: "There is nothing at this path.", 405: "This path does not answer to this method."}
    detail = details.get(error.status_code, str(error.detail))
    return _refuse(request, as_routed_by_rails(error.status_code), detail)


async def _on_fault(request: Request, error: Exception) -> Response:
    """A fault of ours: the server logs it, the caller learns nothing of our insides."""
    return _refuse(request, 500, "Something went wrong on our side.")


def _refuse(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return _answer(request, status, [error_object(status, detail)], headers)


def _answer(
    request: Request, status: int, errors: Iterable[Document], headers: Mapping[str, str] | None = None
) -> Response:
    if _is_oauth(request):
        flat = {"error": "; ".join(error["detail"] for error in errors)}
        return JSONResponse(flat, status_code=status, headers=headers)
    return JsonApi({"errors": list(errors)}, status_code=status, headers=headers)


def _validation_error(problem: Problem) -> Document:
    return error_object(422, problem.message, problem.pointer, None if problem.code == MISSING else problem.code)


def _is_oauth(request: Request) -> bool:
    return request.url.path.startswith(OAUTH_PREFIX)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
