"""A Kit integration: it welcomes new subscribers, once each, and believes only what Kit has signed."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from urllib.request import Request, urlopen

TOLERANCE_SECONDS = 300


class Refused(Exception):
    """The request is not Kit's."""


class Welcome:
    """Makes a webhook endpoint and takes its requests; `send_mail` is told whom to welcome."""

    def __init__(self, api: str, api_key: str, send_mail: Callable[[str], None]) -> None:
        self._api = api
        self._api_key = api_key
        self._send_mail = send_mail
        self._secret = ""
        self._welcomed: set[str] = set()

    def subscribe(self, url: str) -> None:
        """Have Kit send new subscribers there, and keep the secret that it signs with."""
        wanted = json.dumps({"url": url, "events": ["subscriber.created"]}).encode()
        headers = {"X-Kit-Api-Key": self._api_key, "Content-Type": "application/json"}
        with urlopen(Request(f"{self._api}/v4/webhook_endpoints", wanted, headers)) as answer:
            self._secret = json.load(answer)["webhook_endpoint"]["secret"]

    def receive(self, signature: str, body: bytes) -> None:
        """Take one request. Raises Refused."""
        self._check(signature, body)
        for event in json.loads(body)["events"]:
            if event["id"] not in self._welcomed:
                self._send_mail(event["data"]["subscriber"]["email_address"])
                self._welcomed.add(event["id"])

    def _check(self, signature: str, body: bytes) -> None:
        parts = [part.split("=", 1) for part in signature.split(",")]
        timestamp = dict(parts)["t"]
        expected = hmac.new(self._secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not any(name == "v1" and hmac.compare_digest(value, expected) for name, value in parts):
            raise Refused("the signature is not Kit's")
        if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
            raise Refused("the signature is too old")
