"""Kit (formerly ConvertKit): the webhooks of API v4, older and newer, those of v3, the account, and all of OAuth."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from hookwright.core.model import Event, Notice
from hookwright.core.vocabulary import Data
from hookwright.dialects.base import STANDARD_FORM, Dialect, DialectSettings
from hookwright.dialects.kit.endpoint_events import ENDPOINT_DIALECT
from hookwright.dialects.kit.endpoint_payloads import translate_for_endpoints
from hookwright.dialects.kit.envelopes import ENDPOINT_FORM
from hookwright.dialects.kit.payloads import DIALECT, translate_for_webhooks
from hookwright.operations.services import Services

if TYPE_CHECKING:
    from fastapi import FastAPI


def build_app(services: Services, settings: DialectSettings) -> FastAPI:
    """Kit's API as one ASGI app, with its OpenAPI document at `/v4/openapi.json`."""
    from hookwright.dialects.kit import app

    return app.build_app(services, settings)


def translate(event: Event, data: Data | None) -> Iterable[Notice]:
    """The notices of an event for both kinds of webhooks."""
    return chain(translate_for_webhooks(event, data), translate_for_endpoints(event, data))


KIT = Dialect(
    name=DIALECT,
    prefixes=("/v4", "/v3", "/oauth"),
    translate=translate,
    forms={DIALECT: STANDARD_FORM, ENDPOINT_DIALECT: ENDPOINT_FORM},
    build_app=build_app,
)
