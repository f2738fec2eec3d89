"""Somebody else's program holds the running service against docs/intake-api.json; where it is not installed, only what can be
read from the description itself is checked.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from attack_helpers import AttackedService
from intake_helpers import republic
from scrutineer.http.problems import REASONS, read_problem

API = Path(__file__).parents[2] / "docs" / "intake-api.json"
LAND = republic()
OPERATIONS = ("register", "receipt", "keys", "key")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AttackedService]:
    with AttackedService(LAND, tmp_path_factory.mktemp("api")) as service:
        yield service
        service.stop()


def test_the_description_lists_every_reason() -> None:
    described = json.loads(API.read_text())
    assert described["x-reasons"] == {code: {"status": status, "title": title} for code, (status, title) in REASONS.items()}
    operations = [operation["operationId"] for path in described["paths"].values() for operation in path.values()]
    assert sorted(operations) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_does_what_the_description_says(service: AttackedService, name: str) -> None:
    schemathesis: Any = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    sheets = st.integers(1, 50).map(lambda time: LAND.sheet(time=time))
    schemathesis.openapi.media_type("application/cose", st.one_of(sheets, st.binary(max_size=70_000)))
    schema = schemathesis.openapi.from_path(API)
    (operation,) = (result.ok() for result in schema.get_all_operations() if result.ok().definition.raw["operationId"] == name)
    wanted = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.unsupported_method,
    ]
    seen = set()

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None)
    @given(
        st.one_of(
            operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE),
            *(
                [operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)]
                if name in ("register", "receipt", "key")
                else []
            ),
        )
    )
    def run(case: Any) -> None:
        response = case.call(base_url=service.url)
        seen.add(response.status_code)
        case.validate_response(response, checks=wanted)
        if response.status_code >= 400 and case.method != "HEAD":
            problem = read_problem(response.content)
            assert problem is not None
            assert problem.status == response.status_code

    run()
    assert seen & {200, 201} or name == "key", seen
