"""Kajabi's words, in and out: hooks as `https://api.kajabi.com/v1/hooks` serves them."""

from hookwright.dialects.base import STANDARD_FORM, Dialect
from hookwright.dialects.kajabi.app import build_app
from hookwright.dialects.kajabi.translation import NAME, translate

KAJABI = Dialect(
    name=NAME,
    prefixes=("/v1", "/api/v1/hooks"),
    translate=translate,
    forms={NAME: STANDARD_FORM},
    build_app=build_app,
)
