"""Every expectation holds where it should, and fails where it should not."""

import json
from typing import Any

import pytest

from lambdaimg.harness.verdict import judge
from lambdaimg.model.case_files import expectation
from lambdaimg.model.cases import EXPECT_KEYS
from lambdaimg.model.invocation import Invocation, Report

ERROR = {"errorType": "ValueError", "errorMessage": "no such item"}


def answer(
    payload: Any = None,
    *,
    failed: bool = False,
    log: tuple[str, ...] = (),
    duration: float = 10,
    init: float | None = 50,
    memory: int | None = 30,
) -> Invocation:
    report = Report(request_id="r", duration_ms=duration, memory_size=128, max_memory_used=memory, init_ms=init)
    content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Invocation(payload=content, function_error=failed, log=log, report=report)


HOLDS_AND_FAILS: list[tuple[str, dict[str, Any], Invocation, Invocation, str]] = [
    # key, expect, an answer that is as expected, one that is not, what is said of it
    ("", {}, answer(1), answer(ERROR, failed=True), "the function failed: ValueError: no such item"),
    ("payload", {"payload": {"a": 1}}, answer({"a": 1, "b": 2}), answer({"a": 2}), "the payload differs"),
    ("payload", {"payload": None}, answer(None), answer(0), "the payload differs"),
    ("payload", {"payload": 1}, answer(1), answer(b"<html>"), "the payload is not JSON: <html>"),
    ("payload", {"error": {}, "payload": {"errorType": "ValueError"}}, answer(ERROR, failed=True),
     answer({"errorType": "KeyError", "errorMessage": ""}, failed=True), "the payload differs"),
    ("match", {"payload": {"a": 1}, "match": "exact"}, answer({"a": 1}), answer({"a": 1, "b": 2}), "payload differs"),
    ("match", {"payload": {"type": "null"}, "match": "schema"}, answer(None), answer(1), "the payload differs"),
    ("error", {"error": {}}, answer(ERROR, failed=True), answer({"a": 1}), "did not fail, but returned {\"a\": 1}"),
    ("error", {"error": {}}, answer(b"Task timed out", failed=True), answer(ERROR), "did not fail"),
    ("error", {"error": {"type": "ValueError"}}, answer(ERROR, failed=True),
     answer({**ERROR, "errorType": "KeyError"}, failed=True), "failed with another error"),
    ("error", {"error": {"message": {"$contains": "item"}}}, answer(ERROR, failed=True),
     answer({**ERROR, "errorMessage": "x"}, failed=True), "failed with another error"),
    ("max-duration-ms", {"max-duration-ms": 10}, answer(), answer(duration=10.1), "took 10.1 ms, more than 10"),
    ("max-init-ms", {"max-init-ms": 50}, answer(), answer(init=51), "the init phase took 51 ms, more than 50"),
    ("max-init-ms", {"max-init-ms": 50}, answer(), answer(init=None), "unknown number of ms"),
    ("max-memory-mb", {"max-memory-mb": 30}, answer(), answer(memory=31), "held 31 MB, more than 30"),
    ("max-memory-mb", {"max-memory-mb": 30}, answer(), answer(memory=None), "unknown number of MB"),
    ("log-contains", {"log-contains": ["a", "b"]}, answer(log=("xa", "b")), answer(log=("a",)), 'contain "b"'),
    ("log-contains", {"log-contains": ["a\nb"]}, answer(log=("a", "b")), answer(log=("b", "a")), "does not contain"),
    ("log-not-contains", {"log-not-contains": ["a"]}, answer(log=("b",)), answer(log=("xa",)), 'the log contains "a"'),
]  # fmt: skip


@pytest.mark.parametrize(("key", "expect", "good", "bad", "said"), HOLDS_AND_FAILS)
def test_an_expectation(key: str, expect: dict[str, Any], good: Invocation, bad: Invocation, said: str) -> None:
    assert judge(expectation(expect), good, cold=True) == []
    (failure,) = judge(expectation(expect), bad, cold=True)
    assert said in failure.what


def test_every_expectation_is_in_these_tests() -> None:
    assert {key for key, *_ in HOLDS_AND_FAILS} - {""} == set(EXPECT_KEYS)


def test_all_failures_of_an_answer_are_told() -> None:
    expect = expectation({"payload": {"a": 1}, "max-duration-ms": 1, "log-contains": ["x"]})
    assert len(judge(expect, answer({"a": 2}), cold=False)) == 3


def test_the_init_phase_is_judged_where_there_was_one() -> None:
    assert judge(expectation({"max-init-ms": 1}), answer(init=None), cold=False) == []


def test_another_error_is_told_by_its_differences() -> None:
    expect = expectation({"error": {"type": "ValueError", "message": "x"}})
    (failure,) = judge(expect, answer({"errorType": "E", "errorMessage": "m"}, failed=True), cold=False)
    assert [(each.path, each.expected, each.got) for each in failure.differences] == [
        ("error.type", "ValueError", "E"),
        ("error.message", "x", "m"),
    ]
