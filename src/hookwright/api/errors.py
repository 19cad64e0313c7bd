"""Every refusal and every fault as one shape: problem details (RFC 9457) with a list of what is wrong.

`{"type": "about:blank", "title", "status", "detail", "errors": [{"pointer", "message", "code"}]}`; `errors` is
empty where no field is to blame. With `about:blank` the title is the phrase of the status (RFC 9457 §4.2.1).
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, get_type_hints

import msgspec
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hookwright.core.errors import (
    Conflict,
    Forbidden,
    HookwrightError,
    Invalid,
    NotFound,
    Problem,
    Unauthorized,
    Unavailable,
)
from hookwright.web.limits import BodyTooLarge, TooManyRequests
from hookwright.web.methods import allowed_methods

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

# Today's phrases (RFC 9110) on every Python: the standard library renamed them in 3.13.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class Refusal(NamedTuple):
    """What an error comes to in HTTP."""

    status: int
    detail: str
    problems: Sequence[Problem] = ()
    headers: Mapping[str, str] = {}


def install_error_handlers(app: Starlette) -> None:
    """Make an app answer every refusal, and every fault of ours, as problem details."""
    for kind in (HookwrightError, TooManyRequests, BodyTooLarge, ClientDisconnect, HTTPException, Exception):
        app.add_exception_handler(kind, _answer)
    app.add_exception_handler(RequestValidationError, _answer_validation)


def response_to(error: Exception) -> Response:
    """The answer to an error of any kind; a 500 to one that nobody raises on purpose."""
    return _respond(_refusal_of(error))


def problems_of(errors: Iterable[Mapping[str, Any]], skip: int = 0) -> list[Problem]:
    """pydantic's errors as Problems; the first `skip` steps of each place are not part of the pointer."""
    return [_problem_of(error, skip) for error in errors]


async def _answer(request: Request, error: Exception) -> Response:
    refusal = _refusal_of(error)
    if refusal.status == 405:
        refusal = refusal._replace(headers={"Allow": allowed_methods(request)})
    return _respond(refusal)


async def _answer_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if any(each["loc"][0] == "path" for each in error.errors()):
        # An id that could be nobody's: to the caller the same as one that is nobody's.
        return _respond(Refusal(404, "There is nothing at this path."))
    known = _known_parameters(request)
    problems = [_naming_the_known(problem, known) for problem in problems_of(error.errors(), skip=1)]
    return _respond(_refusal_of(Invalid(*problems)))


def _refusal_of(error: Exception) -> Refusal:
    match error:
        case Invalid():
            malformed = any(problem.code == "malformed" for problem in error.problems)
            return Refusal(400 if malformed else 422, _summary(error.problems), error.problems)
        case Unauthorized():
            return Refusal(401, _sentence(str(error)), headers={"WWW-Authenticate": "Bearer"})
        case Forbidden():
            return Refusal(403, _sentence(str(error)))
        case NotFound():
            return Refusal(404, _sentence(str(error)))
        case Conflict():
            return Refusal(409, _sentence(str(error)))
        case Unavailable():
            # Not "nothing was accepted": a commit may have lost only its confirmation, a batch only a part.
            detail = "The store cannot answer at the moment. Try again, with the same idempotency keys."
            return Refusal(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
        case TooManyRequests():
            return Refusal(429, _sentence(str(error)), headers={"Retry-After": str(error.seconds_left)})
        case BodyTooLarge():
            return Refusal(413, "The body is larger than this path takes.")
        case ClientDisconnect():
            return Refusal(400, "The body ended early.")
        case HTTPException():
            return _refusal_of_the_router(error)
        case _:
            return Refusal(500, "Something went wrong on our side.")


def _refusal_of_the_router(error: HTTPException) -> Refusal:
    details = {404: "There is nothing at this path.", 405: "This path does not answer to this method."}
    detail = details.get(error.status_code, _sentence(error.detail))
    return Refusal(error.status_code, detail, headers=error.headers or {})


def _respond(refusal: Refusal) -> Response:
    document = {
        "type": "about:blank",
        "title": _TITLES.get(refusal.status) or HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.detail,
        "errors": refusal.problems,
    }
    return Response(msgspec.json.encode(document), refusal.status, dict(refusal.headers), MEDIA_TYPE)


def _problem_of(error: Mapping[str, Any], skip: int) -> Problem:
    pointer = "".join(f"/{step}" for step in error["loc"][skip:])
    if error["type"] == "missing":
        return Problem(pointer, "is required", "blank")
    if error["type"] == "extra_forbidden":
        return Problem(pointer, "is not known here", "unknown")
    message = error["msg"].removeprefix("Value error, ")
    return Problem(pointer, message[:1].lower() + message[1:])


def _naming_the_known(problem: Problem, known: Sequence[str]) -> Problem:
    if problem.code != "unknown":
        return problem
    return msgspec.structs.replace(problem, message=f"is not a parameter of this path; use {', '.join(known)}")


def _known_parameters(request: Request) -> list[str]:
    """The fields of the model that the route reads its query as; a lone parameter cannot be mistyped into this."""
    hints = get_type_hints(request.scope["endpoint"])
    hints.pop("return", None)
    models = [hint for hint in hints.values() if isinstance(hint, type) and issubclass(hint, BaseModel)]
    return [name for model in models for name in model.model_fields]


def _summary(problems: Sequence[Problem]) -> str:
    first = problems[0]
    summary = _sentence(f"{first.pointer}: {first.message}" if first.pointer else first.message)
    more = len(problems) - 1
    return f"{summary} And {more} more." if more else summary


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
