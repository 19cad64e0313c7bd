"""An account with one of everything, made over HTTP, so that generated requests find something to work on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

# Nothing listens there: what is sent to it fails at once, and deliveries of every status come to exist.
TARGET = "http://127.0.0.1:9/receiver"
CONTACT = {"id": 1, "email": "ada@example.com", "first_name": "Ada"}
TAG = {"id": 123, "name": "VIP"}
EVENT_TYPE = "invoice.paid"
MANY_LOOKS = 5_000


class Tenant:
    """A new account of a running `hookwright dev`, whose credentials are `given`."""

    def __init__(self, http: httpx.Client, given: dict[str, Any]) -> None:
        self._http = http
        self._given = given
        self._known: dict[str, str] = {}
        self.account = self.new_account()
        self.site = self.new_site()

    def id_of(self, noun: str, fresh: bool) -> str:
        """The id of something of this account, by the word that precedes it in a path; a new one if `fresh`."""
        if fresh or noun not in self._known:
            self._known[noun] = str(self._makers[noun]())
        return self._known[noun]

    @property
    def _makers(self) -> dict[str, Callable[[], object]]:
        return {
            "accounts": self.new_account,
            "sites": self.new_site,
            "keys": lambda: self.new_key("hookwright", "read")["id"],
            "endpoints": self.new_endpoint,
            "listeners": self.new_listener,
            "requests": self.new_listener_request,
            "events": self.new_event,
            "deliveries": self.new_delivery,
            "waiting_deliveries": self.new_waiting_delivery,
            "paused_endpoints": self.new_paused_endpoint,
            "replays": self.new_replay,
            "event-types": self.new_event_type,
            "hooks": self.new_hook,
            "webhooks": self.new_webhook,
            "webhook_endpoints": self.new_webhook_endpoint,
            "kit_deliveries": self.new_kit_delivery,
        }

    def new_account(self) -> int:
        return int(self._manage("POST", "/accounts", {"name": "Ada's courses"})["id"])

    def new_site(self) -> int:
        return int(self._manage("POST", f"/accounts/{self.account}/sites", {"title": "Compilers"})["id"])

    def new_key(self, kind: str, *scopes: str, of_platform: bool = False) -> dict[str, Any]:
        account = None if of_platform else self.account
        body = {"kind": kind, "account": account, "name": "Integration", "scopes": list(scopes)}
        return self._manage("POST", "/keys", body)

    def new_endpoint(self) -> int:
        body = {"account": self.account, "url": TARGET, "events": ["contact.*"]}
        return int(self._manage("POST", "/endpoints", body)["id"])

    def new_listener(self) -> int:
        return int(self._manage("POST", "/listeners", {"account": self.account, "events": ["contact.*"]})["id"])

    def new_listener_request(self) -> int:
        """A request that the account's listener has fetched and not answered yet."""
        listener = self.id_of("listeners", fresh=False)
        fetch = f"/listeners/{listener}/requests/fetch?account={self.account}"
        self._manage("POST", fetch, {"limit": 100})
        self.new_event()
        (request,) = self._manage("POST", fetch, {"wait_seconds": 20, "limit": 1})["data"]
        return int(request["id"])

    def new_event(self) -> str:
        return str(self._manage("POST", "/events", self.event)["event_id"])

    @property
    def event(self) -> dict[str, Any]:
        """The body that publishes an event."""
        return {"type": "contact.tag_added", "account": self.account, "data": {"contact": CONTACT, "tag": TAG}}

    def new_delivery(self) -> int:
        """A dead delivery to an endpoint of our own."""
        endpoint = self.id_of("endpoints", fresh=False)
        self.new_event()
        for _ in range(MANY_LOOKS):
            delivery = self._deliveries(endpoint)[0]
            if delivery["status"] == "dead":
                return int(delivery["id"])
        raise AssertionError("a delivery that nobody receives is still not dead")

    def new_paused_endpoint(self) -> int:
        endpoint = self.new_endpoint()
        self._manage("PATCH", f"/endpoints/{endpoint}?account={self.account}", {"status": "paused"})
        return endpoint

    def new_waiting_delivery(self) -> int:
        """A delivery that waits for its endpoint."""
        endpoint = self.id_of("paused_endpoints", fresh=False)
        self.new_event()
        return int(self._deliveries(endpoint)[0]["id"])

    def new_kit_delivery(self) -> int:
        """A delivery to the account's webhook endpoint of Kit's; its retries take days."""
        endpoint = self.id_of("webhook_endpoints", fresh=False)
        self.new_event()
        return int(self._deliveries(endpoint)[0]["id"])

    def _deliveries(self, endpoint: str) -> list[dict[str, Any]]:
        listed = self._manage("GET", f"/deliveries?account={self.account}&endpoint={endpoint}")
        return list(listed["data"])

    def new_replay(self) -> int:
        return int(self._manage("POST", "/replays", {"account": self.account})["id"])

    def new_event_type(self) -> str:
        return str(self._manage("PUT", f"/event-types/{EVENT_TYPE}", {})["name"])

    @property
    def hook(self) -> dict[str, Any]:
        """The body that makes a hook of Kajabi's."""
        site = {"data": {"id": str(self.site), "type": "sites"}}
        attributes = {"target_url": TARGET, "event": "tag_added", "resource_id": 123}
        return {"data": {"type": "hooks", "attributes": attributes, "relationships": {"site": site}}}

    def new_hook(self) -> str:
        headers = {"Authorization": f"Bearer {self.new_kajabi_tokens()['access_token']}"}
        return str(_answer_of(self._http.post("/v1/hooks", json=self.hook, headers=headers))["data"]["id"])

    @cached_property
    def kajabi_client(self) -> dict[str, str]:
        """What a client of Kajabi's API proves itself with."""
        key = self.new_key("kajabi", "owner")
        return {"client_id": key["client_id"], "client_secret": key["client_secret"]}

    def new_kajabi_tokens(self) -> dict[str, str]:
        form = {"grant_type": "client_credentials", **self.kajabi_client}
        return _answer_of(self._http.post("/v1/oauth/token", data=form))

    @cached_property
    def kit_key(self) -> str:
        return str(self.new_key("kit")["secret"])

    @property
    def webhook(self) -> dict[str, Any]:
        """The body that makes an older webhook of Kit's."""
        return {"target_url": TARGET, "event": {"name": "subscriber.tag_add", "tag_id": 123}}

    def new_webhook(self) -> int:
        answer = self._http.post("/v4/webhooks", json=self.webhook, headers={"X-Kit-Api-Key": self.kit_key})
        return int(_answer_of(answer)["webhook"]["id"])

    @property
    def webhook_endpoint(self) -> dict[str, Any]:
        """The body that makes a webhook endpoint of Kit's."""
        return {"url": TARGET, "events": ["subscriber.tag_added"]}

    def new_webhook_endpoint(self) -> int:
        headers = {"X-Kit-Api-Key": self.kit_key}
        answer = self._http.post("/v4/webhook_endpoints", json=self.webhook_endpoint, headers=headers)
        return int(_answer_of(answer)["webhook_endpoint"]["id"])

    @property
    def kit_app(self) -> dict[str, str]:
        """What the OAuth app proves itself with."""
        kit = self._given["kit"]
        return {"client_id": kit["oauth_client_id"], "client_secret": kit["oauth_client_secret"]}

    @property
    def kit_authorization(self) -> dict[str, str]:
        """What the app sends a person to Kit's consent page with."""
        kit = self._given["kit"]
        return {
            "client_id": kit["oauth_client_id"],
            "redirect_uri": kit["oauth_redirect_uri"],
            "response_type": "code",
        }

    @property
    def kit_consent(self) -> dict[str, str]:
        """What the consent page's form sends."""
        return {**self.kit_authorization, "decision": "allow", "account": str(self.account)}

    def new_kit_code(self) -> dict[str, str]:
        """The body that redeems a new code."""
        answer = self._http.post("/v4/oauth/authorize", data=self.kit_consent)
        assert answer.status_code == 303, answer.text
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        redirect_uri = self.kit_authorization["redirect_uri"]
        return {**self.kit_app, "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}

    def new_kit_tokens(self) -> dict[str, str]:
        return _answer_of(self._http.post("/v4/oauth/token", json=self.new_kit_code()))

    def _manage(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._given['admin_key']}"}
        return _answer_of(self._http.request(method, f"/api/v1{path}", json=body, headers=headers))


def _answer_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}"
    content: dict[str, Any] = answer.json()
    return content
