"""What answers say to caches."""

from fastapi import Response


def keep_out_of_caches(response: Response) -> None:
    """A dependency of the routes that answer with secrets."""
    response.headers["Cache-Control"] = "no-store"
