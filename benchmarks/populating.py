"""A service that has customers: accounts with many endpoints each, and deliveries that wait."""

from __future__ import annotations

from benchmarks.delivering import Line
from benchmarks.preloading import copy_endpoints, copy_pending, pause_some, tidy
from benchmarks.publishing import Aim

ACCOUNTS = 100
MODEL_TAG = 999_999  # no copied endpoint has this number


async def populate(line: Line, endpoints: int, pending: int) -> list[Aim]:
    """Fill the line's database; the aims are the endpoints that receive, those of all accounts in turn.

    Each account's first endpoint gets one real delivery, and everything else is copied from what that left behind.
    """
    url = line.receiver.url
    accounts = max(1, min(ACCOUNTS, endpoints // 10))
    models = [await _model(line) for _ in range(accounts)]
    await line.rate(line.batches(models, accounts))
    active: list[list[Aim]] = []
    for model in models:
        copies = await copy_endpoints(line.database_url, model, url, endpoints // accounts, routed=True)
        active.append(await pause_some(line.database_url, copies))
        await copy_pending(line.database_url, model, pending // accounts)
    await tidy(line.database_url)
    return [aim for aims in zip(*active, strict=True) for aim in aims]


async def _model(line: Line) -> Aim:
    aim = await line.server.subscribe(f"{line.receiver.url}/model", resource=str(MODEL_TAG))
    return aim._replace(tag=MODEL_TAG)
