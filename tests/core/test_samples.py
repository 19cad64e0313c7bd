"""The samples are what the vocabulary says."""

import msgspec
import pytest

from hookwright.core.announcements import OPERATIONAL_TYPES
from hookwright.core.samples import OPERATIONAL_SAMPLES, SAMPLES
from hookwright.core.vocabulary import EVENT_TYPES, decode_data


def test_there_is_a_sample_for_every_event_type() -> None:
    assert list(SAMPLES) == list(EVENT_TYPES)


@pytest.mark.parametrize("event_type", SAMPLES)
def test_a_sample_decodes_and_holds_no_member_that_the_vocabulary_does_not_know(event_type: str) -> None:
    decoded = decode_data(event_type, msgspec.json.encode(SAMPLES[event_type]))
    known = msgspec.json.decode(msgspec.json.encode(decoded))
    for section, value in SAMPLES[event_type].items():
        (shown,) = value if isinstance(value, list) else (value,)
        (expected,) = known[section] if isinstance(value, list) else (known[section],)
        assert shown.items() <= expected.items()


@pytest.mark.parametrize("event_type", OPERATIONAL_TYPES)
def test_what_only_hookwright_publishes_has_a_sample_of_just_its_members(event_type: str) -> None:
    sample = OPERATIONAL_SAMPLES[event_type]
    decoded = msgspec.convert(sample, OPERATIONAL_TYPES[event_type])
    assert msgspec.to_builtins(decoded) == sample
