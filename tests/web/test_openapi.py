"""What the OpenAPI document says, held against a real server by requests that schemathesis makes of it."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from serving import Answer, Server, serving

from inkgrad.web.problems import PROBLEM_TYPE, PROBLEMS

DOCUMENT = Path(__file__).parents[2] / "docs" / "serve.md"


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
            (kind,) = answer["content"]
            assert kind in (("application/json", "text/event-stream") if status.startswith("2") else (PROBLEM_TYPE,))
            assert answer["description"] != "Successful Response"  # what FastAPI says where nothing is said


@pytest.mark.slow
def test_each_example_is_answered_and_each_answer_is_like_its_example() -> None:
    sent, training = 0, None
    with serving("--feedback") as server:
        document = server.get("/openapi.json").json
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                bodies = operation.get("requestBody", {"content": {None: {}}})["content"]
                for kind, body in bodies.items():
                    given = body.get("example")
                    if isinstance(given, dict) and "training" in given:
                        given = given | {"training": training}  # the one that was begun before
                    if "text/event-stream" in operation["responses"]["200"]["content"]:
                        sent += _watched(server, path, given, operation["responses"]["200"]["content"])
                        continue
                    answer = _sent(server, method.upper(), path, kind, given)
                    training = answer.json.get("training", training)
                    assert answer.status in (200, 201), (path, kind, answer)
                    example = operation["responses"][str(answer.status)]["content"]["application/json"]["example"]
                    told = {name for name, value in answer.json.items() if value is not None}
                    assert told == set(example), path  # FastAPI leaves out of it what is null
                    if "value" in example:
                        assert answer.json["value"] == example["value"] == 7
                    sent += 1
    assert sent == 28


def _watched(server: Server, path: str, given: Any, content: Any) -> int:
    """See that the first events are those of the example."""
    example = re.findall("event: (.*)\n", content["text/event-stream"]["example"])
    with contextlib.closing(server.connect()) as connection:
        connection.request("POST", path, json.dumps(given), {"Content-Type": "application/json"})
        with connection.getresponse() as response:
            assert response.status == 200
            told = []
            while set(told) != set(example):
                line = response.readline().decode()
                told += re.findall("^event: (.*)\n", line)
    return 1


def _sent(server: Server, method: str, path: str, kind: str | None, example: Any) -> Answer:
    if kind is None:
        return server.request(method, path)
    if kind == "application/json":
        return server.post(path, example)
    fields = {name: str(value) for name, value in example.items() if name != "image"}
    return server.form(path, example["image"].encode(), **fields)


def test_the_type_of_a_problem_leads_to_what_it_means(server: Server) -> None:
    for name in PROBLEMS:
        page = server.get(f"/problems/{name}")
        assert (page.status, page.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert name in page.content.decode()
    server.get("/problems/none").problem(404, "not-found")
    listed = set(re.findall(r"`/problems/([a-z-]+)`", DOCUMENT.read_text("utf-8")))
    assert listed == set(PROBLEMS)


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
    with serving("--feedback", limits={"trainings": 1000}) as server:  # that many are refused is no failure
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
