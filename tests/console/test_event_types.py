"""Event types: the vocabulary side by side with what it becomes, and what the platform declares."""

import html
import json
import re

import pytest

from console.conftest import Person, PersonWith
from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.model import Account
from hookwright.core.samples import SAMPLES
from hookwright.operations.event_types import declare_event_type
from hookwright.operations.services import Services

LIST = "/console/event-types"
SCHEMA = {"type": "object", "properties": {"invoice": {"type": "object"}}, "required": ["invoice"]}


@pytest.fixture
async def declared(services: Services) -> str:
    """The path of a type that the platform declared."""
    await declare_event_type(
        services, "invoice.paid", "An invoice was <b>paid</b>.", SCHEMA, {"invoice": {"id": 9001}}
    )
    return f"{LIST}/invoice.paid"


def bodies_in(page: str) -> list[dict[str, object]]:
    """The JSON texts of what a type becomes."""
    texts = re.findall(r'<pre role="group" tabindex="0" aria-label="[^"]+ in [^"]+">([^<]+)</pre>', page)
    return [json.loads(html.unescape(text)) for text in texts]


async def test_the_list_has_every_type_with_what_it_becomes_in_each_dialect(
    person_with: PersonWith, account: Account, declared: str
) -> None:
    page = await (await person_with("read", of=account)).get(LIST)
    for name in (*SAMPLES, *OPERATIONAL_TYPES, "invoice.paid"):
        assert f'href="{LIST}/{name}"' in page
    row = page.partition(f'href="{LIST}/purchase.created"')[2].partition("</tr>")[0]
    cells = [re.findall("<code>([^<]+)</code>", cell) for cell in row.split("<td")[1:]]
    assert cells == [["purchase"], ["purchase.purchase_create", "subscriber.product_purchase"], []]


@pytest.mark.parametrize("name", [*SAMPLES, *OPERATIONAL_TYPES])
async def test_every_type_has_a_page_with_its_schema_its_sample_and_its_bodies(admin: Person, name: str) -> None:
    page = await admin.get(f"{LIST}/{name}")
    assert "Schema of its data" in page
    own, *foreign = bodies_in(page)
    assert own["type"] == name
    assert own["data"] == {**SAMPLES}.get(name, own["data"])
    assert bool(foreign) == (name in SAMPLES and page.count("Nothing: there is no such event.") < 3)


async def test_one_type_is_shown_in_kajabis_and_in_kits_words(admin: Person) -> None:
    page = await admin.get(f"{LIST}/contact.tag_added")
    bodies = bodies_in(page)
    assert len(bodies) == 4
    assert bodies[1]["event"] == "tag_added"
    assert "subscriber" in bodies[2]
    assert "<code>subscriber.tag_add</code>" in page


async def test_a_declared_type_is_text_and_has_our_own_form_alone(admin: Person, declared: str) -> None:
    page = await admin.get(declared)
    assert "<b>paid" not in page
    (own,) = bodies_in(page)
    assert own["data"] == {"invoice": {"id": 9001}}
    await admin.get(f"{LIST}/no.such", status=404)


async def test_a_type_is_declared_changed_and_deleted_by_an_administrator(admin: Person, services: Services) -> None:
    await admin.get(f"{LIST}/new")
    typed = {"name": "invoice.paid", "description": "Paid", "schema": json.dumps(SCHEMA), "sample": '{"invoice": {}}'}
    response = await admin.send(f"{LIST}/new", **typed)
    assert response.headers["location"] == f"{LIST}/invoice.paid?told=declared"
    edit = f"{LIST}/invoice.paid/edit"
    assert "&#34;required&#34;: [" in await admin.get(edit)
    assert (await admin.send(edit, description="Paid in full", name="not.this")).status_code == 303
    (found,) = await services.store.event_types()
    assert (found.name, found.description, found.schema, found.sample) == ("invoice.paid", "Paid in full", None, None)
    assert "Delete this event type?" in await admin.get(f"{LIST}/invoice.paid/delete")
    assert (await admin.send(f"{LIST}/invoice.paid/delete")).status_code == 303
    assert await services.store.event_types() == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "invoice"}, "must be a noun and a verb"),
        ({"name": "contact.created"}, "is a built-in event type"),
        ({"name": "invoice.paid"}, "is declared already"),
        ({"schema": "{"}, "is not JSON"),
        ({"schema": "[]"}, "must be a JSON object"),
        ({"schema": '{"type": "nonsense"}'}, "schema"),
        ({"sample": "{}"}, "invoice"),
        ({"description": "x" * 2001}, "at most 2,000 characters"),
    ],
)
async def test_what_does_not_fit_is_told_and_what_was_typed_stays(
    admin: Person, services: Services, declared: str, wrong: dict[str, str], told: str
) -> None:
    typed = {"name": "invoice.sent", "description": "Kept", "schema": json.dumps(SCHEMA), "sample": "", **wrong}
    answer = await admin.send(f"{LIST}/new", **typed)
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert typed["description"] in answer.text
    assert [each.name for each in await services.store.event_types()] == ["invoice.paid"]


@pytest.mark.parametrize("scope", ["read", "manage"])
async def test_only_administrators_of_the_platform_change_types(
    person_with: PersonWith, account: Account, declared: str, scope: str
) -> None:
    for person in (await person_with(scope), await person_with("admin", of=account)):
        page = await person.get(declared)
        assert "/edit" not in page
        assert "Declare a type" not in await person.get(LIST)
        for path in (f"{LIST}/new", f"{declared}/edit", f"{declared}/delete"):
            await person.get(path, status=403)
            assert (await person.send(path)).status_code == 403


async def test_a_built_in_type_is_never_changed(admin: Person) -> None:
    for path in ("edit", "delete"):
        await admin.get(f"{LIST}/contact.created/{path}", status=404)
        assert (await admin.send(f"{LIST}/contact.created/{path}")).status_code == 404
