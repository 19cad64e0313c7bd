"""docs/event-types.md says what the vocabulary and the dialects say."""

import json
import re
from pathlib import Path

import pytest

from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.vocabulary import EVENT_TYPES
from hookwright.dialects.kajabi.events import EVENTS as KAJABI_EVENTS
from hookwright.dialects.kit.endpoint_events import EVENT_TYPES as KIT_EVENT_TYPES
from hookwright.dialects.kit.events import PARAMETERS as KIT_EVENTS
from hookwright.event_types_page import event_types_page, notices_of_sample

PAGE = Path(__file__).parent.parent / "docs" / "event-types.md"


def section_of(heading: str) -> str:
    """What stands below a heading, to the next one."""
    _, _, rest = event_types_page().partition(f"\n### {heading}\n")
    return re.split(r"\n##+ ", rest)[0]


def test_the_page_is_what_make_docs_writes() -> None:
    assert PAGE.read_text() == event_types_page(), "run `make docs`"


@pytest.mark.parametrize("type", [*EVENT_TYPES, *OPERATIONAL_TYPES])
def test_every_type_has_a_section_with_a_sample(type: str) -> None:
    sample = re.search(r"```json\n(.*?)```", section_of(type), re.DOTALL)
    assert sample is not None
    assert json.loads(sample[1])


def test_every_event_of_every_dialect_has_its_body_on_the_page() -> None:
    for event in (*KAJABI_EVENTS, *KIT_EVENTS, *KIT_EVENT_TYPES):
        assert f"<code>{event}</code>" in event_types_page(), event


def test_a_type_shows_what_it_becomes_with_the_resource_to_filter_on() -> None:
    section = section_of("contact.tag_added")
    assert "Its data: `contact` ([Contact](#contact)), `tag` ([Tag](#tag))." in section
    assert "Kajabi hook: <code>tag_added</code> of 41" in section
    assert "Kit webhook: <code>subscriber.tag_add</code> of 41" in section
    assert [each.event for each in notices_of_sample("contact.created")] == ["contact.created", "subscriber.created"]


def test_an_object_shows_what_its_members_may_be() -> None:
    rows = section_of("Offer").splitlines()
    assert "| `id` | integer | **required** |" in rows
    assert '| `currency` | text | `"USD"` |' in rows
    assert "| `product_ids` | list of integer | `[]` |" in rows
    assert "| `customer` | [Customer](#customer) or null | `null` |" in section_of("Contact").splitlines()
