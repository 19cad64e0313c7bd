"""What Kit's routes work with; every app that is built has its own."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from hookwright.dialects.base import DialectSettings
from hookwright.operations.services import Services
from hookwright.web.limits import RateLimiter


class KitJson(JSONResponse):
    """JSON as Kit labels it; seen on the live API (kit-rb's recorded responses)."""

    media_type = "application/json; charset=utf-8"


# Requests a minute for each credential. Source: developers.kit.com "Rate limits".
API_KEY_LIMIT, TOKEN_LIMIT = 120, 600


@dataclass(frozen=True, slots=True)
class Surface:
    """Services, settings and the counters of the rate limits."""

    services: Services
    settings: DialectSettings
    key_limiter: RateLimiter
    token_limiter: RateLimiter


def furnish(app: FastAPI, services: Services, settings: DialectSettings) -> None:
    """Give an app's routes what they work with."""
    app.state.kit = Surface(
        services,
        settings,
        RateLimiter(services.clock, API_KEY_LIMIT),
        RateLimiter(services.clock, TOKEN_LIMIT),
    )


def surface_of(request: Request) -> Surface:
    """The surface of the app that a request came to."""
    surface: Surface = request.app.state.kit
    return surface


KitSurface = Annotated[Surface, Depends(surface_of)]
