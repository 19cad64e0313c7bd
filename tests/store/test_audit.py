"""The audit trail, on both databases."""

import sqlite3
from typing import Any

import asyncpg
import pytest

from hookwright.core.audit import Entry
from hookwright.core.model import MINUTE
from hookwright.store.base import AuditQuery, Store
from store.given import NOW, add_account, add_endpoint


async def entry_of(store: Store, account_id: int | None, **changed: Any) -> Entry:
    values: dict[str, Any] = {
        "at": NOW,
        "way": "api",
        "actor_kind": "key",
        "actor_id": 64,
        "actor_name": "Platform",
        "action": "key.rotated",
        "object_id": "128",
    }
    return Entry(id=await store.new_id(account_id or 0), account_id=account_id, **(values | changed))


async def noted(store: Store, account_id: int | None, **changed: Any) -> Entry:
    entry = await entry_of(store, account_id, **changed)
    await store.add_audit_entry(entry)
    return entry


async def test_changes_are_listed_newest_first_of_all_accounts_or_of_one(store: Store) -> None:
    one, other = await add_account(store), await add_account(store)
    first = await noted(store, one.id)
    second = await noted(store, other.id, at=NOW + 1, actor_id=None)
    third = await noted(store, None, at=NOW + 2)
    assert await store.audit_entries(AuditQuery()) == [third, second, first]
    assert await store.audit_entries(AuditQuery(account_id=one.id)) == [first]


async def test_every_filter_leaves_the_rest_out(store: Store) -> None:
    account = await add_account(store)
    entry = await noted(store, account.id)
    odd = {"action": "keyring.made", "way": "cli", "actor_id": 65, "object_id": "129", "at": NOW + MINUTE}
    await noted(store, account.id, **odd)
    asked: list[dict[str, Any]] = [
        {"action": "key.rotated"},
        {"action": "key.*"},
        {"way": "api"},
        {"actor_id": 64},
        {"object_id": "128"},
        {"until": NOW + 1},
        {"before": (NOW + MINUTE, 0)},
    ]
    for filters in asked:
        assert await store.audit_entries(AuditQuery(account_id=account.id, **filters)) == [entry], filters
        assert await store.audit_entries(AuditQuery(**filters)) == [entry], filters
    assert entry not in await store.audit_entries(AuditQuery(since=NOW + 1))


async def test_pages_of_changes_at_one_moment_miss_none_and_repeat_none(store: Store) -> None:
    account = await add_account(store)
    entries = {(await noted(store, account.id)).id for _ in range(5)}
    seen: list[int] = []
    before = None
    while page := await store.audit_entries(AuditQuery(before=before, limit=2)):
        seen += [entry.id for entry in page]
        before = (page[-1].at, page[-1].id)
    assert sorted(seen) == sorted(entries)


async def test_old_changes_are_forgotten(store: Store) -> None:
    account = await add_account(store)
    await noted(store, account.id)
    kept = await noted(store, None, at=NOW + 1)
    await store.prune_audit_entries(NOW + 1)
    assert await store.audit_entries(AuditQuery()) == [kept]


async def test_an_entry_is_kept_with_its_change_or_neither_is(store: Store) -> None:
    account = await add_account(store)
    entry = await noted(store, account.id)
    endpoint = await add_endpoint(store, account)
    with pytest.raises((asyncpg.UniqueViolationError, sqlite3.IntegrityError)):
        await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW, entry)  # its id is taken
    assert await store.endpoint(account.id, endpoint.id) == endpoint
    paused = await entry_of(store, account.id, at=NOW + 1, action="endpoint.paused")
    await store.set_endpoint_status(account.id, endpoint.id, "paused", None, NOW, paused)
    assert await store.audit_entries(AuditQuery()) == [paused, entry]


async def test_the_entry_of_a_change_that_changes_nothing_is_left_out(store: Store) -> None:
    account = await add_account(store)
    entry = await entry_of(store, account.id)
    assert not await store.delete_site(account.id, 64 * 999, NOW, entry)
    assert await store.cancel_replay(account.id, 64 * 999, NOW, entry) is None
    assert await store.audit_entries(AuditQuery()) == []
