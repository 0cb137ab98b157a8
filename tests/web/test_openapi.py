"""What the OpenAPI document says, held against a real server by requests that schemathesis makes of it."""

import json

import pytest
from serving import Server, serving


def test_every_operation_names_its_problems_and_every_reference_leads_somewhere(server: Server) -> None:
    document = server.get("/openapi.json").json
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"], name
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) >= 5
    for operation in operations:
        assert operation["summary"] and operation["description"]
        for status, answer in operation["responses"].items():
            kind = "application/json" if status.startswith("2") else "application/problem+json"
            assert list(answer["content"]) == [kind]
            assert answer["description"] != "Successful Response"  # what FastAPI says where nothing is said


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_no_request_that_the_document_leads_to_makes_the_server_fail() -> None:
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
    with serving("--feedback") as server:
        schema = schemathesis.openapi.from_url(f"{server.url}openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            modes = [schemathesis.GenerationMode.POSITIVE]
            if {"parameters", "requestBody"} & operation.definition.raw.keys():  # else nothing can be wrong
                modes.append(schemathesis.GenerationMode.NEGATIVE)
            for mode in modes:

                @given(case=operation.as_strategy(generation_mode=mode))
                @settings(
                    max_examples=40,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    phases=[Phase.explicit, Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                def holds(case: object) -> None:
                    case.call_and_validate(checks=checks)  # type: ignore[attr-defined]

                holds()
        assert server.process.poll() is None
        assert server.log.read_text() == ""
