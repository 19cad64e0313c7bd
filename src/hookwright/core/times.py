"""Instants as text and back. The wire formats of the dialects are all ISO 8601 in UTC; they differ in precision."""

from datetime import UTC, datetime, timedelta

from hookwright.core.model import Instant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(instant: Instant) -> datetime:
    """The aware UTC datetime of an instant; the nearest one for an instant outside the years 1 to 9999."""
    # `0001-01-01T00:00:00+01:00` is a valid time for a caller to send, but in UTC it has no datetime.
    return EPOCH + timedelta(microseconds=min(max(instant, _FIRST_INSTANT), _LAST_INSTANT))


def from_datetime(moment: datetime) -> Instant:
    """The instant of a datetime; one without a time zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1)


def instant_or_none(moment: datetime | None) -> Instant | None:
    """As `from_datetime`; None for a time that was not given."""
    return None if moment is None else from_datetime(moment)


_FIRST_INSTANT = from_datetime(datetime.min.replace(tzinfo=UTC))
_LAST_INSTANT = from_datetime(datetime.max.replace(tzinfo=UTC))


def iso_seconds(instant: Instant) -> str:
    """`2026-01-31T23:59:59Z`."""
    return to_datetime(instant).isoformat(timespec="seconds").replace("+00:00", "Z")


def iso_millis(instant: Instant) -> str:
    """`2026-01-31T23:59:59.123Z`."""
    return to_datetime(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_micros(instant: Instant) -> str:
    """`2026-01-31T23:59:59.123456Z`: our own API's form, which loses nothing."""
    return to_datetime(instant).isoformat(timespec="microseconds").replace("+00:00", "Z")


def iso_or_none(instant: Instant | None) -> str | None:
    """As `iso_micros`; None for what has not happened."""
    return None if instant is None else iso_micros(instant)
