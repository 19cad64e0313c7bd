"""What may be refused, and why. Every HTTP surface turns these into its own dialect's shape.

HookwrightError
├── Invalid        the request's content is wrong: one Problem for each field      422
├── Unauthorized   nobody, or nobody we know                                       401
├── Forbidden      known, but not allowed                                          403
├── NotFound       not there, or not yours: the two look the same                  404
├── Conflict       contradicts what is already accepted                            409
└── Unavailable    the store cannot answer now; trying again may help               503
"""

from msgspec import Struct
from msgspec.structs import replace

from hookwright.core.secret_shapes import without_secrets


class Problem(Struct, frozen=True):
    """One thing wrong with a request: where (a JSON pointer, "" for the whole) and what to do about it."""

    pointer: str
    message: str
    code: str = "invalid"


class HookwrightError(Exception):
    """The root of everything that we refuse on purpose. What it says holds no secret of ours, whoever sent it."""

    def __init__(self, message: str = "") -> None:
        super().__init__(without_secrets(message))


class Invalid(HookwrightError):
    """The request's content is wrong; `problems` names each field and its cure."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.message}" for problem in problems))
        self.problems = tuple(map(_without_secrets, problems))


class Unauthorized(HookwrightError):
    """No credential, or none that is valid now."""


class Forbidden(HookwrightError):
    """The credential is valid but does not reach this far."""


class NotFound(HookwrightError):
    """It does not exist, or it belongs to another account: callers cannot tell which."""


class Conflict(HookwrightError):
    """The request contradicts something that was accepted earlier."""


class Unavailable(HookwrightError):
    """The store cannot answer at the moment, so the caller should retry.

    Nothing was promised; but where a connection broke during a commit, it may have been done all the same.
    """


def _without_secrets(problem: Problem) -> Problem:
    return replace(problem, pointer=without_secrets(problem.pointer), message=without_secrets(problem.message))
