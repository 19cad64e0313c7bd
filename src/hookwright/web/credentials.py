"""Where requests carry their credentials."""

from starlette.requests import Request


def bearer_token(request: Request) -> str | None:
    """The token of an `Authorization: Bearer` header (RFC 6750 §2.1), or None."""
    return bearer_token_in(request.headers.get("authorization"))


def bearer_token_in(authorization: str | None) -> str | None:
    """The token in the value of that header, or None."""
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token else None
