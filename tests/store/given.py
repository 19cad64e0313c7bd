"""What the store's tests start from: rows with sensible values, and single steps along a delivery's way."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from hookwright.ambient import new_event_id
from hookwright.core.errors import Conflict
from hookwright.core.lanes import LANE_COUNT
from hookwright.core.model import (
    DAY,
    HOUR,
    SECOND,
    Accepted,
    Account,
    Claim,
    Delivery,
    DeliveryStatus,
    Draft,
    Endpoint,
    Event,
    Grant,
    Instant,
    Key,
    Notice,
    OAuthApp,
    OAuthCode,
    Outcome,
    Settled,
    Settlement,
    SigningSecret,
    Site,
    Subscription,
)
from hookwright.store.base import DeliveryQuery, Lease, Store
from hookwright.store.postgres import PostgresStore
from hookwright.store.sqlite import SqliteStore

NOW: Instant = 1_790_000_000_000_000
LEASE: Instant = 10 * SECOND
LANE_INDEX = 37  # any but the first, so that a statement that names the wrong lane finds nothing
ANY_TAG = Subscription("tag_add")


# -- rows ------------------------------------------------------------------------------------------------------


async def add_account(store: Store, name: str = "Ada's courses", lane_index: int = LANE_INDEX) -> Account:
    account = Account(id=await store.new_id(lane_index % store.lane_count), name=name, created_at=NOW)
    await store.add_account(account, await new_secret(store, account))
    return account


async def new_secret(
    store: Store, account: Account, endpoint_id: int | None = None, created_at: Instant = NOW
) -> SigningSecret:
    secret_id = await store.new_id(account.id)
    return SigningSecret(
        id=secret_id, account_id=account.id, endpoint_id=endpoint_id, sealed=b"sealed", created_at=created_at
    )


async def add_site(store: Store, account: Account, title: str = "Ada") -> Site:
    site_id = await store.new_id(account.id)
    site = Site(id=site_id, account_id=account.id, title=title, subdomain="ada", created_at=NOW, updated_at=NOW)
    await store.add_site(site)
    return site


async def add_key(store: Store, account: Account | None, name: str = "Zapier") -> Key:
    key = Key(
        id=await store.new_id(account.id if account else 0),
        kind="kajabi" if account else "hookwright",
        account_id=account.id if account else None,
        name=name,
        scopes=("read", "write"),
        digest=b"digest",
        attributes={"email": "ada@example.com"},
        created_at=NOW,
        expires_at=NOW + DAY,
    )
    await store.add_key(key)
    return key


async def add_app(store: Store, name: str = "Automations") -> OAuthApp:
    app = OAuthApp(
        id=await store.new_id(0),
        name=name,
        secret_digest=b"digest",
        redirect_uris=("https://app.example.com/back", "http://127.0.0.1:8000/"),
        created_at=NOW,
    )
    await store.add_app(app)
    return app


async def add_code(store: Store, account: Account, app: OAuthApp) -> OAuthCode:
    code = OAuthCode(
        id=await store.new_id(account.id),
        account_id=account.id,
        app_id=app.id,
        digest=b"digest",
        redirect_uri=app.redirect_uris[0],
        challenge="challenge",
        scope="public",
        created_at=NOW,
        expires_at=NOW + 60 * SECOND,
    )
    await store.add_code(code)
    return code


async def new_grant(
    store: Store,
    account: Account,
    *,
    key: Key | None = None,
    app: OAuthApp | None = None,
    family_id: int | None = None,
) -> Grant:
    grant_id = await store.new_id(account.id)
    return Grant(
        id=grant_id,
        kind="kajabi" if key else "kit",
        account_id=account.id,
        key_id=key.id if key else None,
        key_digest=key.digest if key else None,
        app_id=app.id if app else None,
        family_id=family_id or grant_id,
        scopes=("public",),
        access_digest=b"access",
        access_expires_at=NOW + HOUR,
        refresh_digest=b"refresh",
        refresh_expires_at=NOW + DAY,
        created_at=NOW,
    )


async def add_grant(
    store: Store,
    account: Account,
    *,
    key: Key | None = None,
    app: OAuthApp | None = None,
    family_id: int | None = None,
) -> Grant:
    grant = await new_grant(store, account, key=key, app=app, family_id=family_id)
    await store.add_grant(grant)
    return grant


async def revoked_at(store: Store, grant: Grant) -> Instant | None:
    kept = await store.grant(grant.id)
    assert kept is not None
    return kept.revoked_at


async def add_endpoint(
    store: Store,
    account: Account,
    *subscriptions: Subscription,
    site: Site | None = None,
    dialect: str = "kit",
    schedule: tuple[int, ...] | None = None,
    app: OAuthApp | None = None,
) -> Endpoint:
    """An endpoint that wants every tag, unless it is told what else."""
    endpoint = Endpoint(
        id=await store.new_id(account.id),
        account_id=account.id,
        site_id=site.id if site else None,
        dialect=dialect,
        url="https://receiver.example.com/in",
        subscriptions=subscriptions or (ANY_TAG,),
        app_id=app.id if app else None,
        status_changed_at=NOW,
        retry_schedule=schedule,
        created_at=NOW,
        updated_at=NOW,
    )
    await store.add_endpoint(endpoint)
    return endpoint


# -- events ----------------------------------------------------------------------------------------------------


def notice(
    *resources: str,
    event: str = "tag_add",
    ordinal: int = 1,
    site_id: int | None = None,
    dialect: str = "kit",
    render: Callable[[], bytes] = lambda: b'{"tag":1}',
) -> Notice:
    return Notice(dialect=dialect, event=event, resources=resources, site_id=site_id, ordinal=ordinal, render=render)


def draft(
    account: Account,
    *notices: Notice,
    key: str | None = None,
    fingerprint: bytes = b"one",
    now: Instant = NOW,
    data: bytes = b'{"contact":{"id":1}}',
) -> Draft:
    """An event of a tag, unless it is told what notices it has."""
    event = Event(
        id=new_event_id(now, account.id % LANE_COUNT),
        account_id=account.id,
        site_id=None,
        type="contact.tag_added",
        occurred_at=now - SECOND,
        accepted_at=now,
        data=data,
        idempotency_key=key,
    )
    return Draft(event=event, fingerprint=fingerprint, notices=notices or (notice(),))


async def accept(store: Store, *drafts: Draft) -> list[Accepted | Conflict]:
    return (await store.accept(drafts)).answers


async def accept_one(store: Store, one: Draft) -> Accepted:
    (answer,) = await accept(store, one)
    assert isinstance(answer, Accepted)
    return answer


async def deliveries_of(store: Store, account: Account, status: DeliveryStatus | None = None) -> list[Delivery]:
    statuses = None if status is None else (status,)
    return await store.deliveries(DeliveryQuery(account_id=account.id, statuses=statuses, limit=10_000))


async def add_delivery(store: Store, endpoint: Endpoint, now: Instant = NOW) -> Delivery:
    """A delivery to this endpoint, which must be the only one of its account that wants a tag."""
    account = await store.account(endpoint.account_id)
    assert account is not None
    accepted = await accept_one(store, draft(account, notice(dialect=endpoint.dialect), now=now))
    (delivery,) = await store.deliveries(DeliveryQuery(event_id=accepted.event_id))
    return delivery


async def first_delivery(store: Store) -> Delivery:
    """A delivery to a new endpoint of a new account."""
    return await add_delivery(store, await add_endpoint(store, await add_account(store)))


async def again(store: Store, delivery: Delivery) -> Delivery:
    """The delivery as it is now."""
    found = await store.delivery(delivery.id)
    assert found is not None
    return found


# -- claims ----------------------------------------------------------------------------------------------------


async def claim(store: Store, limit: int = 100, now: Instant = NOW) -> list[Claim]:
    return await store.claim(limit, now, now + LEASE)


async def claim_one(store: Store, now: Instant = NOW) -> Claim:
    (claimed,) = await claim(store, now=now)
    return claimed


def lease_of(claimed: Claim) -> Lease:
    return Lease(claimed.delivery_id, claimed.fence)


def settled(
    claimed: Claim,
    status: DeliveryStatus = "delivered",
    *,
    due_at: Instant | None = None,
    status_code: int | None = None,
    disable_reason: str | None = None,
    may_disable: bool = True,
) -> Settled:
    code = status_code or (200 if status == "delivered" else 500)
    return Settled(
        claim=claimed,
        outcome=Outcome(started_at=NOW, duration_us=1500, status_code=code, body=b"answer"),
        settlement=Settlement(status=status, due_at=due_at, disable_reason=disable_reason, may_disable=may_disable),
    )


async def deliver(store: Store, delivery: Delivery, now: Instant = NOW) -> Claim:
    """Claim a delivery, which must be the only one due, and settle it as delivered."""
    claimed = await claim_one(store, now)
    assert claimed.delivery_id == delivery.id
    assert await store.settle([settled(claimed)], now) == {delivery.id}
    return claimed


# -- the databases themselves ------------------------------------------------------------------------------------


def reopened(store: Store) -> SqliteStore | PostgresStore:
    """Another store object on the same database, as another process would have it."""
    if isinstance(store, SqliteStore):
        return SqliteStore(store._path)
    assert isinstance(store, PostgresStore)
    return PostgresStore(store._url, max_connections=4)


async def query(store: Store, sqlite: str, postgres: str) -> Sequence[tuple[Any, ...]]:
    """Rows straight from the database, beside the store."""
    if isinstance(store, SqliteStore):
        file = sqlite3.connect(store._path)
        try:
            return file.execute(sqlite).fetchall()
        finally:
            file.close()
    assert isinstance(store, PostgresStore)
    db = await asyncpg.connect(store._url)
    try:
        return [tuple(row) for row in await db.fetch(postgres)]
    finally:
        await db.close()


async def forgotten(store: Store, now: Instant) -> list[int]:
    """Deliveries that no look would ever find: see `store/queue_steps.py`.

    A row may be due later than a delivery that is overdue: a look has put it behind the others, no later than now, or
    off until the endpoint's breaker lets something through.
    """
    statement = f"""
        SELECT d.id FROM deliveries d JOIN endpoints e ON e.lane = d.lane AND e.id = d.endpoint_id
        WHERE d.status = 'pending' AND (e.status = 'deleted' OR (e.status = 'active' AND d.due_at IS NOT NULL))
          AND NOT EXISTS (SELECT 1 FROM queues q WHERE q.lane = d.lane AND q.endpoint_id = d.endpoint_id
                          AND (q.due_at <= d.due_at OR q.due_at <= {now} OR q.due_at <= e.breaker_open_until))"""
    return [row[0] for row in await query(store, statement, statement)]


async def change_database(store: Store, *statements: str) -> None:
    """Change the database beside the store."""
    if isinstance(store, SqliteStore):
        file = sqlite3.connect(store._path)
        try:
            file.executescript(";".join(statements))
        finally:
            file.close()
        return
    assert isinstance(store, PostgresStore)
    db = await asyncpg.connect(store._url)
    try:
        await db.execute(";".join(statements))
    finally:
        await db.close()


async def count(store: Store, table: str) -> int:
    statement = f"SELECT COUNT(*) FROM {table}"
    return int((await query(store, statement, statement))[0][0])
