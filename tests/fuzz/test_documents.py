"""Every operation of our three OpenAPI documents, called with whatever the documents allow and forbid.

The requests are made by schemathesis, from the document that the running server serves. As they are generated most
would be a 401 or a 404, so many get what makes a request a good one: a credential, ids that exist, required members.
"""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from schemathesis.core.result import Ok

from fuzz.conftest import Length, Running
from fuzz.runs import Run
from fuzz.surfaces import SURFACES, Surface
from fuzz.tenants import Tenant

FEWEST_GOOD = 10  # of so many generated calls one at least does what it asks; more only meet refusals

CONFIG = schemathesis.Config.from_dict(
    {
        # The credentials are ours: most of them are good.
        "generation": {"with-security-parameters": False},
        # What a schema allows may still be refused: an unknown account, a URL that nothing may be sent to.
        "checks": {"positive_data_acceptance": {"enabled": False}},
        "output": {"sanitization": {"enabled": False}},
    }
)


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
def test_every_operation_answers_as_its_document_says(
    surface: Surface, dev: Running, http: httpx.Client, length: Length, subtests: pytest.Subtests
) -> None:
    schema = schemathesis.openapi.from_dict(http.get(surface.document).json(), config=CONFIG)
    for described in schema.get_all_operations():
        assert isinstance(described, Ok), described
        operation = described.ok()
        with subtests.test(operation.label):
            run = Run(surface, operation, Tenant(http, dev.given), dev.url)
            run.call_well()
            run.call_at_the_limits(length.limits)
            run.call_with_generated_data(length.examples, length.random)
            assert not run.faults, "\n\n".join(run.faults.values())
            good = sum(count for status, count in run.statuses.items() if status < 400)
            assert good * FEWEST_GOOD >= run.statuses.total(), f"hardly any call was a good one: {run.statuses}"
