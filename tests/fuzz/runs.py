"""One operation of an OpenAPI document, called many times, each answer judged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode, Response
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import allow_header_conformance, negative_data_rejection, unsupported_method

from fuzz.surfaces import Credential, Surface, known_places
from fuzz.tenants import Tenant

Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Any]

# How much of a generated request is made good: nothing, where it goes, or all that it cannot be good without.
MadeGood = Literal["nothing", "places", "everything"]

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
PATIENCE_SECONDS = 60

ODD_CREDENTIALS = (
    Credential("none"),
    Credential("an empty token", {"Authorization": "Bearer "}),
    Credential("a token of nobody's", {"Authorization": "Bearer hw_1_00"}),
    Credential("no scheme", {"Authorization": "\xe9 \xff"}),
    Credential("Basic that is no base64", {"Authorization": "Basic \xff", "X-Kit-Api-Key": "kit_1_\xff"}),
    Credential("a long one", {"Authorization": f"Bearer {'9' * 5_000}", "X-Kit-Api-Key": f"kit_{'9' * 5_000}"}),
)


class Run:
    """Calls one operation for a tenant of its own, and keeps what was wrong with the answers, one of each kind."""

    def __init__(self, surface: Surface, operation: Operation, tenant: Tenant, url: str) -> None:
        self._surface = surface
        self._operation = operation
        self._tenant = tenant
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._credentials = surface.credentials(tenant)
        self._strong = next(credential for credential in self._credentials if credential.strong)
        self.statuses: Counter[int] = Counter()
        self.faults: dict[object, str] = {}

    def call_well(self) -> None:
        """Call it as its document means it; it has to answer well."""
        media_types = self._operation.get_request_payload_content_types()
        body: dict[str, Any] = {"body": {}, "media_type": media_types[0]} if media_types else {}
        request = self._operation.Case(**body)
        status = self._call(request, "everything", self._strong)
        assert status < 400, f"{request.as_curl_command()} is answered with {status}"

    def call_with_generated_data(self, examples: int, random: bool) -> None:
        """So many calls with data that the document allows, and as many with data that it does not."""
        for mode in MODES:
            self._call_with(self._operation.as_strategy(generation_mode=mode), examples, random)

    def call_at_the_limits(self, at_most: int) -> None:
        """Call it at the limits that its document states, just within and just beyond them, and by other methods."""
        schema = self._operation.schema
        generation = schema.config.generation_for(operation=self._operation, phase="coverage")
        found = schema.iter_coverage_cases(
            self._operation, generation_modes=list(MODES), generation_config=generation
        )
        limits = list(found)
        for request in limits[:: 1 + len(limits) // at_most]:
            self._call(request, "places", self._strong)

    def _call_with(self, generated: st.SearchStrategy[Request], examples: int, random: bool) -> None:
        credentials = [*self._credentials, *ODD_CREDENTIALS]

        # Nothing is shrunk: what the server holds is another with every call, and the first request tells enough.
        @settings(
            max_examples=examples,
            derandomize=not random,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(
            request=generated,
            made_good=st.sampled_from(["everything", "everything", "places", "nothing"]),
            credential=st.sampled_from([self._strong] * 2 * len(credentials) + credentials),
        )
        def call(request: Request, made_good: MadeGood, credential: Credential) -> None:
            self.statuses[self._call(request, made_good, credential)] += 1

        try:
            call()
        except Unsatisfiable:
            # An operation that takes nothing, or a document that forbids nothing.
            assert not self._operation.body, "there is always a body that is not allowed"

    def _call(self, request: Request, made_good: MadeGood, credential: Credential) -> int:
        self._make_good(request, made_good)
        response = request.call(
            base_url=self._url,
            session=self._session,
            headers=dict(credential.headers),
            params=dict(credential.query),
            allow_redirects=False,
            timeout=PATIENCE_SECONDS,
        )
        self._judge(request, made_good, response)
        return response.status_code

    def _make_good(self, request: Request, made_good: MadeGood) -> None:
        """Put what leads somewhere in the place of generated values; of `places`, what is forbidden stays."""
        if made_good == "nothing":
            return
        label, everything = self._operation.label, made_good == "everything"
        if everything or not _is_forbidden(request, ParameterLocation.PATH):
            method = self._operation.method.upper()
            request.path_parameters = known_places(self._surface, method, self._operation.path, self._tenant)
        if label in self._surface.queries:
            good = self._surface.queries[label](self._tenant)
            keeps = not everything and _is_forbidden(request, ParameterLocation.QUERY)
            request.query = {**good, **request.query} if keeps else {**request.query, **good}
        if everything and label in self._surface.bodies:
            good = self._surface.bodies[label](self._tenant)
            request.body = {**(request.body if isinstance(request.body, dict) else {}), **good}

    def _judge(self, request: Request, made_good: MadeGood, response: Response) -> None:
        try:
            request.validate_response(response, excluded_checks=list(self._checks_that_do_not_apply(made_good)))
        except FailureGroup as group:
            for failure in group.exceptions:
                self.faults.setdefault((failure.title, response.status_code), str(group))
        if response.status_code >= 400 and (problem := self._shape_problem(response)):
            told = f"{problem}: {response.status_code} {response.text}\n{request.as_curl_command()}"
            self.faults.setdefault(problem, told)

    def _checks_that_do_not_apply(self, made_good: MadeGood) -> Iterator[CheckFunction]:
        if made_good == "everything" or not self._surface.is_strict(self._operation.label):
            yield negative_data_rejection
        if not self._surface.knows_405 or _fits_another_path(self._operation):
            # `DELETE /v1/hooks/purchase_sample` is a 404: the router, as Rails', takes the last part for an id.
            yield unsupported_method
            yield allow_header_conformance

    def _shape_problem(self, response: Response) -> str | None:
        media_type = response.headers.get("content-type", [""])[0].partition(";")[0]
        try:
            body = response.json()
        except ValueError:
            body = None
        return self._surface.shape_problem(self._operation.path, response.status_code, media_type, body)


def _is_forbidden(request: Request, location: ParameterLocation) -> bool:
    """Whether this part of a request was made to be what the document does not allow."""
    part = request.meta.components.get(location) if request.meta else None
    return part is not None and part.mode is GenerationMode.NEGATIVE


def _fits_another_path(operation: Operation) -> bool:
    """Whether a path with a parameter fits this one too, so that the router answers for both."""
    patterns = [re.sub(r"\{\w+\}", "[^/]+", path) for path in operation.schema]
    return sum(re.fullmatch(pattern, operation.path) is not None for pattern in patterns) > 1
