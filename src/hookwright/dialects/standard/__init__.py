"""Hookwright's own form of an event, by the Standard Webhooks specification. Its routes are those of `api`."""

from hookwright.core.model import OWN_DIALECT, WireForm
from hookwright.dialects.base import Wording
from hookwright.dialects.standard.headers import headers_of
from hookwright.dialects.standard.translation import translate

STANDARD = Wording(
    name=OWN_DIALECT,
    translate=translate,
    forms={OWN_DIALECT: WireForm(headers=headers_of, own_secret=True)},
)
