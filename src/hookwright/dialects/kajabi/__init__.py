"""Kajabi's words, in and out: hooks as `https://api.kajabi.com/v1/hooks` serves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hookwright.dialects.base import STANDARD_FORM, Dialect, DialectSettings
from hookwright.dialects.kajabi.translation import NAME, translate
from hookwright.operations.services import Services

if TYPE_CHECKING:
    from fastapi import FastAPI


def build_app(services: Services, settings: DialectSettings) -> FastAPI:
    """Kajabi's API as one ASGI app, with its OpenAPI document at `/v1/openapi.json`."""
    from hookwright.dialects.kajabi import app

    return app.build_app(services, settings)


KAJABI = Dialect(
    name=NAME,
    prefixes=("/v1", "/api/v1/hooks"),
    translate=translate,
    forms={NAME: STANDARD_FORM},
    build_app=build_app,
)
