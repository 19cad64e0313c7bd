"""The list of deliveries, the pane beside it, and who may see which."""

import re

import pytest
from msgspec.structs import replace

from console.conftest import TARGET, Person, PersonWith
from console.deliveries import attempt, delivery_of
from hookwright.ambient import MovableClock
from hookwright.console.delivery_pane import MOST_ATTEMPTS
from hookwright.core.answer_headers import headers_to_keep
from hookwright.core.model import SECOND, Account, Endpoint, Subscription
from hookwright.core.samples import SAMPLES
from hookwright.core.signing import decode_secret, sign
from hookwright.operations.accounts import create_account, reveal_signing_secrets
from hookwright.operations.endpoints import Details, create_endpoint, create_signed_endpoint, delete_endpoint
from hookwright.operations.services import Services

LIST = "/console/deliveries"
MOST_BYTES = 150_000


def ids_in(page: str) -> list[int]:
    """The deliveries that a list shows, in order."""
    return [int(id) for id in re.findall(r'<tr id="row-(\d+)"', page)]


async def test_deliveries_are_listed_newest_first_with_what_became_of_them(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    failed = await delivery_of(services, account)
    await attempt(services, clock)
    clock.move(seconds=90)
    waiting = await delivery_of(services, account)
    page = await admin.get(LIST)
    assert ids_in(page) == [waiting.id, failed.id]
    for words in ("gave up", "waiting", "receiver.example.com", "/tags", "1 min 30 s ago", ">500<"):
        assert words in page, words


async def test_the_search_language_narrows_the_list(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    failed = await delivery_of(services, account, idempotency_key="order_123")
    await attempt(services, clock, status="pending")
    clock.move(seconds=1200)
    waiting = await delivery_of(services, account, ordering_key="contact-7")
    for query, found in (
        ("status:failed", [failed.id]),
        ("type:contact.* since:10m", [waiting.id]),
        ("type:order.*", []),
        (f"endpoint:{endpoint.id}", [waiting.id, failed.id]),
        (f"account:{account.id}", [waiting.id, failed.id]),
        ("account:1", []),
        ("order_123", [failed.id]),
        ("contact-7", [waiting.id]),
        (str(failed.id), [failed.id]),
        (failed.event_id, [failed.id]),
        (failed.message_id, [failed.id]),
        (f"{failed.event_id}-999", []),
        ("Grace@example.com", [waiting.id, failed.id]),
        ("nobody@example.com", []),
    ):
        assert ids_in(await admin.get(LIST, q=query)) == found, query


async def test_what_makes_no_sense_in_a_search_is_told(admin: Person) -> None:
    page = await admin.get(LIST, q="status:broken <script>")
    assert "status:broken is none" in page
    assert "<script>" not in page


async def test_older_deliveries_are_on_further_pages(
    admin: Person, services: Services, account: Account, endpoint: Endpoint
) -> None:
    made = [(await delivery_of(services, account)).id for _ in range(53)]
    first = await admin.get(LIST)
    older = re.search(r'href="([^"]+)" rel="next"', first)
    assert older is not None
    second = await admin.get(older[1].replace("&amp;", "&"))
    assert ids_in(first) + ids_in(second) == sorted(made, reverse=True)
    for before in ("x", "1-2-3", "-", "٣-1", "9" * 40 + "-1"):
        assert len(ids_in(await admin.get(LIST, before=before))) == 50


async def test_a_delivery_shows_why_it_failed_and_what_follows(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock, status="pending", status_code=301, detail="redirects to https://new.example.com/")
    page = await admin.get(f"{LIST}/{delivery.id}")
    for words in (
        "The receiver redirects to https://new.example.com/.",
        "Change the endpoint&#39;s URL to https://new.example.com/",
        "in 5 min",
        "120 ms",
        "Try now",
        delivery.event_id,
        delivery.message_id,
        TARGET,
        "&lt;b&gt;database",
    ):
        assert words in page, words
    assert "<b>database" not in page


async def test_a_delivery_can_be_taken_along_as_curl_as_pytest_and_as_bytes(
    admin: Person, services: Services, account: Account, endpoint: Endpoint
) -> None:
    delivery = await delivery_of(services, account)
    page = await admin.get(f"{LIST}/{delivery.id}")
    assert f"curl -i {TARGET}" in page
    assert "def test_the_receiver_takes_contact_tag_added()" in page
    response = await admin.client.get(f"{LIST}/{delivery.id}/payload")
    assert response.content == await services.store.payload(delivery.id)
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["content-type"] == "application/octet-stream"


async def test_the_signature_is_shown_and_what_somebody_computed_is_judged(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    body = await services.store.payload(delivery.id)
    assert body is not None
    (secret,) = await reveal_signing_secrets(services, account.id)
    right = sign([decode_secret(secret)], delivery.message_id, clock.now() // SECOND, body)
    wrong = sign([secret.encode()], delivery.message_id, clock.now() // SECOND, body)
    page = await admin.get(f"{LIST}/{delivery.id}")
    assert right.replace("+", "&#43;") in page or right in page
    assert secret not in page
    assert "That is right" in await admin.get(f"{LIST}/{delivery.id}", computed=right)
    assert "The key was the text of the secret" in await admin.get(f"{LIST}/{delivery.id}", computed=wrong)


async def test_an_answer_in_json_is_a_tree_with_its_bytes_below(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock, body=b'{"error":{"code":17}}')
    page = await admin.get(f"{LIST}/{delivery.id}")
    assert '<span class="name">code</span><span class="number">17</span>' in page
    assert "{&#34;error&#34;:{&#34;code&#34;:17}}" in page


async def test_a_failed_attempt_shows_the_headers_of_its_answer(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    headers = headers_to_keep(
        [(b"Server", b"<b>nginx</b>"), (b"x-long", b"v" * 2_000), (b"set-cookie", b"sid=s3cret")]
    )
    await attempt(services, clock, headers=replace(headers, left_out=2))
    page = await admin.get(f"{LIST}/{delivery.id}")
    for words in (
        "Headers of the answer (5)",
        '<th scope="row">Server</th><td>&lt;b&gt;nginx&lt;/b&gt;</td>',
        "v… (976 more bytes)",
        '<th scope="row">set-cookie</th><td>(not kept: it may be a credential)</td>',
        "2 more not shown here.",
    ):
        assert words in page, words
    assert "s3cret" not in page


async def test_an_attempt_without_kept_headers_shows_none(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock, status="delivered", status_code=200)
    assert "Headers of the answer" not in await admin.get(f"{LIST}/{delivery.id}")


async def test_a_page_weighs_no_more_than_it_may_whatever_was_sent_and_answered(
    admin: Person, services: Services, account: Account, clock: MovableClock
) -> None:
    url = f"https://receiver.example.com/{'hooks/' * 250}"
    await create_signed_endpoint(services, account.id, "hookwright", url, [Subscription("contact.*")], Details())
    for number in range(49):
        await delivery_of(services, account, idempotency_key=f"key-{number}")
        await attempt(services, clock, status="delivered", status_code=200)
    fields = {f"field_{number}": 'said: "yes"' for number in range(150)}
    data = {**SAMPLES["contact.tag_added"], "contact": {"id": 1, "email": "ada@example.com", "fields": fields}}
    delivery = await delivery_of(services, account, data=data)
    for _ in range(MOST_ATTEMPTS + 5):
        odd = headers_to_keep([(b"x-%d" % number, b'"' * 100) for number in range(100)])
        body = b'<div class="error">' * 800
        await attempt(services, clock, status="pending", retry_in_seconds=1, body=body, headers=odd)
        clock.move(hours=1)  # what a breaker may hold it back
    await admin.client.post("/console/sign-in", data={"key": admin.secret})
    page = await admin.get(f"{LIST}/{delivery.id}")
    assert len(ids_in(page)) == 50
    assert "And 5 earlier." in page
    assets = [await admin.client.get(path) for path in set(re.findall(r'"(/console/static/[^"]+)"', page))]
    assert len(assets) == 3
    assert len(page.encode()) + sum(int(each.headers["content-length"]) for each in assets) <= MOST_BYTES


async def test_the_values_of_custom_headers_are_not_shown(
    admin: Person, services: Services, account: Account
) -> None:
    details = Details(headers={"x-api-key": "very-secret"})
    wanted = [Subscription("contact.*")]
    await create_signed_endpoint(services, account.id, "hookwright", TARGET, wanted, details)
    page = await admin.get(f"{LIST}/{(await delivery_of(services, account)).id}")
    assert "x-api-key" in page
    assert "very-secret" not in page


async def test_a_batch_is_shown_as_it_goes_out(admin: Person, services: Services, account: Account) -> None:
    wanted = [Subscription("subscriber.tag_added")]
    await create_signed_endpoint(services, account.id, "kit_endpoints", TARGET, wanted, Details(batch_limit=100))
    first, _ = await delivery_of(services, account), await delivery_of(services, account)
    now = services.clock.now()
    assert len(await services.store.claim(10, now, now + SECOND)) == 2
    page = await admin.get(f"{LIST}/{first.id}")
    assert "being sent" in page
    assert page.count("tag_added") > 2  # both events are in the one body


async def test_a_delivery_whose_endpoint_is_deleted_is_still_shown(
    admin: Person, services: Services, account: Account, endpoint: Endpoint
) -> None:
    delivery = await delivery_of(services, account)
    await delete_endpoint(services, account.id, endpoint.id, None)
    page = await admin.get(f"{LIST}/{delivery.id}")
    assert "cancelled" in page
    assert "deleted" in page


async def test_a_delivery_without_its_payload_says_so(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock)
    await services.store.prune_payloads(account.id % 64, clock.now() + 1, 10)
    assert "not kept any more" in await admin.get(f"{LIST}/{delivery.id}")
    assert (await admin.client.get(f"{LIST}/{delivery.id}/payload")).status_code == 410


async def test_an_account_sees_its_own_deliveries_and_nobody_elses(
    person_with: PersonWith, services: Services, account: Account, endpoint: Endpoint
) -> None:
    other = (await create_account(services, "Blaise's courses")).account
    await create_endpoint(services, other.id, "kit", TARGET, [Subscription("subscriber.tag_add")])
    own, others = await delivery_of(services, account), await delivery_of(services, other)
    person = await person_with("manage", of=account)
    for query in ("", f"account:{other.id}", others.event_id, str(others.id), f"endpoint:{others.endpoint_id}"):
        assert others.id not in ids_in(await person.get(LIST, q=query)), query
    assert ids_in(await person.get(LIST)) == [own.id]
    for path in (f"{LIST}/{others.id}", f"{LIST}/{others.id}/payload", f"{LIST}/x", f"{LIST}/{2**60}"):
        await person.get(path, status=404)
    for path in (f"{LIST}/{others.id}/replay", f"{LIST}/{others.id}/cancel"):
        assert (await person.send(path)).status_code == 404


@pytest.mark.parametrize(
    "body", [rb'{"name":"\ud800"}', rb'{"\udfff":1}', b"[" * 199 + b"]" * 199, b"[" * 3_000 + b"]" * 3_000]
)
async def test_an_answer_that_no_tree_can_show_is_shown_as_text(
    admin: Person, services: Services, account: Account, endpoint: Endpoint, clock: MovableClock, body: bytes
) -> None:
    delivery = await delivery_of(services, account)
    await attempt(services, clock, body=body)
    page = await admin.get(f"{LIST}/{delivery.id}")
    assert body.decode()[:20].replace('"', "&#34;") in page
