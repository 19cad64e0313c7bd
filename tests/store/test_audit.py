"""The audit trail, on both databases."""

from typing import Any

from hookwright.core.audit import Entry
from hookwright.core.model import MINUTE
from hookwright.store.base import AuditQuery, Store
from store.given import NOW, add_account


async def noted(store: Store, account_id: int | None, **changed: Any) -> Entry:
    values: dict[str, Any] = {
        "at": NOW,
        "way": "api",
        "actor_kind": "key",
        "actor_id": 64,
        "actor_name": "Platform",
        "action": "key.rotated",
        "object_id": "128",
    }
    entry = Entry(id=await store.new_id(account_id or 0), account_id=account_id, **(values | changed))
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
