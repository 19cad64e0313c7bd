"""Whether one endpoint wants one notice. The stores ask it of all endpoints of an account at once, in SQL."""

from hookwright.core.model import ANY_RESOURCE, Endpoint, Notice


def is_wanted(notice: Notice, endpoint: Endpoint) -> bool:
    """Whether an endpoint would get a delivery of this notice."""
    if notice.dialect != endpoint.dialect or notice.site_id not in (None, endpoint.site_id):
        return False
    events = (notice.event, *notice.families)
    resources = (ANY_RESOURCE, *notice.resources)
    return any(each.event in events and each.resource in resources for each in endpoint.subscriptions)
