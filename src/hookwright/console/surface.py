"""What the console's pages work with; every console that is built has its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request

from hookwright.core.model import WireForm
from hookwright.operations.services import Services
from hookwright.web.limits import RateLimiter

# Where its pages are. Those of the portal say so too: see the door in front of them.
PREFIX = "/console"

WRONG_KEYS_A_MINUTE = 30  # from one address
CONFIRMATIONS_A_MINUTE = 30  # in one session


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSettings:
    """What an operator may set, and what the console is told of the rest of Hookwright.

    Without `sign_in` whoever comes from this machine is an administrator: for `hookwright dev` alone. `forms` say how
    requests to endpoints look, by the dialect name; `timeout_seconds` is how long one may take.
    """

    sign_in: bool = True
    forms: Mapping[str, WireForm]
    retry_schedule: tuple[int, ...]
    timeout_seconds: float = 15.0
    public_url: str | None = None  # where people reach this server, if it was told
    frame_ancestors: tuple[str, ...] = ()  # sites that may show the portal inside their pages
    is_ready: Callable[[], bool] = lambda: True


class Surface:
    """Services, settings, and what this process counts."""

    def __init__(
        self, services: Services, settings: ConsoleSettings, open_token: str, *, is_portal: bool = False
    ) -> None:
        """`open_token` stands for the token of a session where nobody signs in."""
        self.is_portal = is_portal
        self.services = services
        self.settings = settings
        self.open_token = open_token
        self.sign_ins = RateLimiter(services.clock, WRONG_KEYS_A_MINUTE)
        self.confirmations = RateLimiter(services.clock, CONFIRMATIONS_A_MINUTE)
        self.streams: Counter[object] = Counter()  # that are open, by whose they are

    @property
    def may_be_framed(self) -> bool:
        """Whether its pages may stand inside those of other sites."""
        return self.is_portal and bool(self.settings.frame_ancestors)


def furnish(app: Starlette, surface: Surface) -> None:
    """Give an app's pages what they work with."""
    app.state.console = surface


def surface_of(request: Request) -> Surface:
    """The surface of the app that a request came to."""
    surface: Surface = request.app.state.console
    return surface
