"""An account with one of everything that can be somebody's, and for each a twin that nobody ever had."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from hookwright.ambient import new_event_id, public_id
from hookwright.api.cursors import encode_cursor
from hookwright.core.answer_headers import headers_to_keep
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.listening import HeldRequest
from hookwright.core.model import HOUR, Outcome, Settled, Settlement
from hookwright.dialects.kit.paging import cursor_of
from hookwright.operations.apps import NewApp
from hookwright.store.base import AuditQuery, DeliveryQuery
from tenancy.running import REDIRECT_URI, Running, content_of

LEASE = HOUR


# What has an id of its own, by which a path could name it.
WITH_IDS = (
    "account", "site", "platform's key", "kajabi key", "kit key", "endpoint", "paused endpoint", "hook", "webhook",
    "webhook endpoint", "app's webhook endpoint", "event", "delivery", "waiting delivery", "kit delivery", "replay",
    "listener", "listener request",
)  # fmt: skip


class Twin(NamedTuple):
    """A reference to something of the account's, and one to nothing, as like it as can be."""

    real: str
    never: str


class Holdings:
    """A new account; `word` stands in every text of it, so that it can be recognised wherever it is shown."""

    def __init__(self, running: Running, word: str, account_id: int, kit_app: NewApp) -> None:
        self._running = running
        self.kit_app = kit_app  # the app that the account lets in
        self.word = word
        self.account_id = account_id
        self.secrets: dict[str, str] = {}
        self._client_id = ""  # of the Kajabi key
        self.twins: dict[str, Twin] = {}

    @classmethod
    async def make(cls, running: Running, word: str, kit_app: NewApp, least_id: int) -> Holdings:
        """A new account whose things all have ids from `least_id` on.

        An id is taken out of the answers that are compared, and must not stand for something else in them, as 401
        would. A cursor is a place among ids: what is between a real one and its twin must not be another account's.
        """
        account = await running.manage("POST", "/accounts", {"name": f"{word}'s courses"})
        holdings = cls(running, word, account["id"], kit_app)
        while await running.store.new_id(holdings.account_id) < least_id:
            pass
        await holdings._hold("account", account["id"])
        holdings.twins["title"] = Twin(f"{word}'s site", f"{word[::-1]}'s site")
        holdings.twins["idempotency_key"] = Twin(f"{word}-1", f"{word[::-1]}-1")
        # The order matters: what an endpoint is sent exists only once the endpoint does.
        for kind in holdings._makers:
            await holdings.renew(kind)
        await holdings._fail_what_is_due()
        await holdings._hold_cursors()
        return holdings

    def own(self, kind: str) -> str:
        """The id, token or cursor of this kind."""
        return self.twins[kind].real

    async def renew(self, kind: str) -> None:
        """Make another one of a kind, to be used up."""
        await self._hold(kind, await self._makers[kind]())

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[], Awaitable[object]]]:
        return {
            "site": self._new_site,
            "platform's key": lambda: self._new_key("hookwright", "read"),
            "kajabi key": lambda: self._new_key("kajabi", "owner"),
            "kit key": lambda: self._new_key("kit"),
            "endpoint": lambda: self._new_endpoint("active"),
            "paused endpoint": lambda: self._new_endpoint("paused"),
            "listener": self._new_listener,
            "listener request": self._new_listener_request,
            "hook": self._new_hook,
            "webhook": self._new_webhook,
            "webhook endpoint": lambda: self._new_webhook_endpoint(self.kit_headers),
            "app's webhook endpoint": self._new_endpoint_of_an_app,
            "event": self._new_event,
            "delivery": lambda: self._delivery_to("endpoint"),
            "waiting delivery": lambda: self._delivery_to("paused endpoint"),
            "kit delivery": lambda: self._delivery_to("webhook endpoint"),
            "replay": self._new_replay,
            "client id": self._known_client_id,
            "kajabi token": lambda: self._new_kajabi_token("access_token"),
            "kajabi refresh token": lambda: self._new_kajabi_token("refresh_token"),
            "kit token": lambda: self._new_kit_token("access_token"),
            "kit refresh token": lambda: self._new_kit_token("refresh_token"),
            "kit code": self._new_kit_code,
        }

    async def _hold(self, kind: str, real: object) -> None:
        self.twins[kind] = Twin(str(real), await self._never_like(str(real)))

    async def _never_like(self, real: str) -> str:
        """An id that is given to nobody, next to a real one; a token that names such an id."""
        unused = await self._running.store.new_id(self.account_id)
        if real.isdigit():
            return str(unused)
        if "-" in real:
            return new_event_id(self._running.clock.now(), self.account_id % LANE_COUNT)
        prefix, _, *secret = real.split("_")
        return "_".join([public_id(prefix, unused), *(_other_digits(part) for part in secret)])

    async def _hold_cursors(self) -> None:
        for kind in ("endpoint", "replay", "account"):
            self.twins[f"{kind} cursor"] = Twin(*(encode_cursor([int(id)]) for id in self.twins[kind]))
        for kind in ("webhook", "webhook endpoint", "kit delivery"):
            self.twins[f"{kind} cursor"] = Twin(*(cursor_of(int(id)) for id in self.twins[kind]))
        delivery = await self._running.store.delivery(int(self.own("delivery")))
        assert delivery is not None
        ids = self.twins["delivery"]
        self.twins["delivery cursor"] = Twin(*(encode_cursor([delivery.created_at, int(id)]) for id in ids))

        (entry, *_) = await self._running.store.audit_entries(AuditQuery(account_id=self.account_id, limit=1))
        never = int(self.twins["endpoint"].never)
        self.twins["audit cursor"] = Twin(*(encode_cursor([entry.at, id]) for id in (entry.id, never)))

    async def _new_site(self) -> int:
        body = {"title": f"{self.word}'s site", "subdomain": self.word}
        return int((await self._manage("POST", f"/accounts/{self.account_id}/sites", body))["id"])

    async def _new_key(self, kind: str, *scopes: str) -> int:
        attributes = {"user_name": self.word, "user_email": f"{self.word}@example.com"}
        new = await self.new_key(kind, *scopes, attributes=attributes)
        self.secrets[kind] = new["secret"] or new["client_secret"]
        self._client_id = new.get("client_id") or self._client_id
        return int(new["id"])

    async def new_key(self, kind: str, *scopes: str, attributes: object = None) -> dict[str, Any]:
        body = {"kind": kind, "account": self.account_id, "name": self.word, "scopes": list(scopes)}
        return await self._manage("POST", "/keys", {**body, "attributes": attributes or {}})

    async def _new_endpoint(self, status: str) -> int:
        body = {
            "account": self.account_id,
            "url": self.target,
            "events": ["contact.*"],
            "name": self.word,
            "description": self.word,
            "headers": {"x-token": self.word},
        }
        id = int((await self._manage("POST", "/endpoints", body))["id"])
        await self._manage("PATCH", f"/endpoints/{id}?account={self.account_id}", {"status": status})
        return id

    async def _new_listener(self) -> int:
        body = {"account": self.account_id, "name": f"{self.word}'s laptop", "events": ["form.submitted"]}
        return int((await self._manage("POST", "/listeners", body))["id"])

    async def _new_listener_request(self) -> int:
        """A request that the account's listener has fetched and not answered yet."""
        store, now, listener = self._running.store, self._running.clock.now(), int(self.own("listener"))
        await store.heard_listener(listener, now + LEASE)
        request = HeldRequest(
            id=await store.new_id(listener),
            endpoint_id=listener,
            headers={"x-token": self.word},
            body=self.word.encode(),
            expires_at=now + LEASE,
        )
        assert await store.hold_request(request, now)
        await store.fetch_requests(listener, now, 100)
        return request.id

    @property
    def target(self) -> str:
        return f"http://127.0.0.1:9/{self.word}"

    @property
    def event(self) -> dict[str, Any]:
        """The body that publishes an event."""
        contact = {"id": 1, "email": f"{self.word}@example.com", "first_name": self.word}
        tag = {"id": 123, "name": self.word}
        whose = {"account": self.account_id, "site": int(self.own("site"))}
        return {"type": "contact.tag_added", **whose, "data": {"contact": contact, "tag": tag}}

    async def _new_event(self) -> str:
        first = "event" not in self.twins
        keys = {"ordering_key": self.word, "idempotency_key": self.own("idempotency_key") if first else None}
        return str((await self._manage("POST", "/events", {**self.event, **keys}))["event_id"])

    async def _delivery_to(self, kind: str) -> int:
        """The newest delivery to an endpoint, of a new event."""
        await self._manage("POST", "/events", self.event)
        query = DeliveryQuery(account_id=self.account_id, endpoint_id=int(self.own(kind)), limit=1)
        (delivery,) = await self._running.store.deliveries(query)
        return delivery.id

    async def _fail_what_is_due(self) -> None:
        """One attempt for each delivery that may be sent, and its end; its answer has the account's word in it."""
        store, now = self._running.store, self._running.clock.now()
        while claims := await store.claim(1_000, now, now + LEASE):
            word = self.word.encode()
            headers = headers_to_keep([(b"x-word", word)])
            outcome = Outcome(started_at=now, duration_us=1_500, status_code=500, body=word, headers=headers)
            end = Settlement(status="dead", due_at=None)
            await store.settle([Settled(claim=claim, outcome=outcome, settlement=end) for claim in claims], now)

    async def _new_replay(self) -> int:
        body = {"account": self.account_id, "statuses": ["cancelled"]}
        return int((await self._manage("POST", "/replays", body))["id"])

    @property
    def hook(self) -> dict[str, Any]:
        """The body that makes a hook of Kajabi's."""
        site = {"data": {"id": self.own("site"), "type": "sites"}}
        attributes = {"target_url": self.target, "event": "tag_added", "resource_id": 123}
        return {"data": {"type": "hooks", "attributes": attributes, "relationships": {"site": site}}}

    async def _new_hook(self) -> int:
        headers = {"Authorization": f"Bearer {await self._new_kajabi_token('access_token')}"}
        answer = await self._running.client.post("/v1/hooks", json=self.hook, headers=headers)
        return int(content_of(answer)["data"]["id"])

    async def _known_client_id(self) -> str:
        return self._client_id

    async def _new_kajabi_token(self, name: str) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self.secrets["kajabi"],
        }
        return str(content_of(await self._running.client.post("/v1/oauth/token", data=form))[name])

    @property
    def kit_headers(self) -> dict[str, str]:
        return {"X-Kit-Api-Key": self.secrets["kit"]}

    @property
    def webhook(self) -> dict[str, Any]:
        """The body that makes an older webhook of Kit's."""
        return {"target_url": self.target, "event": {"name": "subscriber.tag_add", "tag_id": 123}}

    async def _new_webhook(self) -> int:
        answer = await self._running.client.post("/v4/webhooks", json=self.webhook, headers=self.kit_headers)
        return int(content_of(answer)["webhook"]["id"])

    @property
    def webhook_endpoint(self) -> dict[str, Any]:
        """The body that makes a webhook endpoint of Kit's."""
        texts = {"name": self.word, "description": self.word}
        return {"url": self.target, "events": ["subscriber.tag_added"], **texts}

    async def _new_webhook_endpoint(self, headers: Mapping[str, str]) -> int:
        answer = await self._running.client.post(
            "/v4/webhook_endpoints", json=self.webhook_endpoint, headers=dict(headers)
        )
        return int(content_of(answer)["webhook_endpoint"]["id"])

    async def _new_endpoint_of_an_app(self) -> int:
        token = await self._new_kit_token("access_token")
        return await self._new_webhook_endpoint({"Authorization": f"Bearer {token}"})

    @property
    def kit_consent(self) -> dict[str, str]:
        """What the consent page's form sends for this account."""
        return {
            "client_id": self.kit_app.client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "decision": "allow",
            "api_key": self.secrets["kit"],
        }

    @property
    def kit_proof(self) -> dict[str, str]:
        """What the app proves itself with."""
        assert self.kit_app.client_secret is not None
        return {"client_id": self.kit_app.client_id, "client_secret": self.kit_app.client_secret}

    async def _new_kit_code(self) -> str:
        answer = await self._running.client.post("/v4/oauth/authorize", data=self.kit_consent)
        assert answer.status_code == 303, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    async def _new_kit_token(self, name: str) -> str:
        code = {"grant_type": "authorization_code", "code": await self._new_kit_code(), "redirect_uri": REDIRECT_URI}
        answer = await self._running.client.post("/v4/oauth/token", json={**self.kit_proof, **code})
        return str(content_of(answer)[name])

    async def _manage(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        return await self._running.manage(method, path, body)


def _other_digits(text: str) -> str:
    """A text of the same length in which every digit is another one."""
    return re.sub(r"[0-9]", lambda digit: str((int(digit[0]) + 1) % 10), text)
