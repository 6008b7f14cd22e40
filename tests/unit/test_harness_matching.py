"""Matchers and modes: each agrees with what it should, and differs from what it should not take."""

import sys
from typing import Any

import pytest
from voluptuous import MultipleInvalid

from lambdaimg.model.errors import UsageError
from lambdaimg.model.matching import MATCHERS, MISSING, check_schema, compare, expected_value, refreshed

AGREES_AND_DIFFERS: list[tuple[str, Any, list[Any], list[Any]]] = [
    # matcher, its argument, values that it takes, values that it refuses
    ("$any", True, [1, None, "", [], {}], []),
    ("$type", "string", ["", "a"], [1, None, True, [], {}]),
    ("$type", "number", [1, 1.5], ["1", True, None]),
    ("$type", "integer", [1, 2.0], [1.5, True, "1"]),
    ("$type", "boolean", [True, False], [0, 1, "true"]),
    ("$type", "null", [None], [0, "", False]),
    ("$type", "array", [[], [1]], [{}, "[]"]),
    ("$type", "object", [{}, {"a": 1}], [[], "{}"]),
    ("$regex", "^ord-\\d+$", ["ord-1"], ["ord-", "an ord-1", 1, None]),
    ("$regex", "b", ["abc"], ["ac"]),
    ("$approx", 1.5, [1.5, 1.5000001], [1.6, "1.5", True, None]),
    ("$approx", {"value": 10, "within": 1}, [9, 10.5, 11], [8.9, 11.1]),
    ("$at-least", 3, [3, 4.5], [2.9, "3", True]),
    ("$at-most", 3, [3, -1], [3.1, "3", False]),
    ("$datetime", True, ["2026-01-01T10:00:00Z", "2026-01-01 10:00:00.123+02:00"],
     ["2026-01-01", "yesterday", "2026-13-01T10:00:00Z", 1, None]),
    ("$length", 2, ["ab", [1, 2], {"a": 1, "b": 2}], ["a", [], {}, 2, None]),
    ("$length", {"$at-least": 1}, ["a", [1, 2]], ["", []]),
    ("$contains", "ell", ["hello"], ["help", 1, None]),
    ("$contains", {"id": 1}, [[{"id": 2}, {"id": 1, "x": 1}]], [[], [{"id": 2}], {"id": 1}]),
    ("$json", {"ok": True}, ['{"ok": true, "x": 1}'], ['{"ok": false}', "{", {"ok": True}, None]),
    ("$not", "a", ["b", 1, None], ["a"]),
    ("$not", {"$type": "string"}, [1], ["a"]),
    ("$one-of", ["a", {"$type": "null"}], ["a", None], ["b", 1]),
    ("$literal", {"$regex": "a"}, [{"$regex": "a"}], ["a", {"$regex": "b"}]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "argument", "takes", "refuses"), AGREES_AND_DIFFERS)
def test_a_matcher(name: str, argument: Any, takes: list[Any], refuses: list[Any]) -> None:
    expected = {"value": expected_value({name: argument})}
    for got in takes:
        assert compare(expected, {"value": got}, "subset") == [], got
    for got in refuses:
        (difference,) = compare(expected, {"value": got}, "exact")
        assert difference.path.startswith(("payload.value", "length of payload.value")), got
    missing = compare(expected, {}, "subset")
    assert missing, "nothing is there to agree with"
    assert missing[0].got is MISSING


def test_absence() -> None:
    assert compare({"password": {"$absent": True}}, {}, "exact") == []
    (difference,) = compare({"password": {"$absent": True}}, {"password": None}, "subset")
    assert (difference.expected, difference.got) == (MISSING, None)


def test_every_matcher_is_in_these_tests() -> None:
    assert {name for name, *_ in AGREES_AND_DIFFERS} | {"$absent"} == set(MATCHERS)


def test_several_matchers_must_all_agree() -> None:
    both = {"$type": "string", "$length": 2}
    assert compare(both, "ab", "subset") == []
    assert len(compare(both, "abc", "subset")) == 1
    assert len(compare(both, [1], "subset")) == 2


@pytest.mark.parametrize(
    ("mode", "expected", "got", "paths"),
    [
        ("subset", {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, []),
        ("exact", {"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, ["payload.a.c", "payload.d"]),
        ("subset", {"a": {"b": 1}}, {"a": {"b": 2}}, ["payload.a.b"]),
        ("subset", {"a": 1, "b": 2}, {"a": 2}, ["payload.a", "payload.b"]),
        ("subset", [1, 2], [1, 2, 3], ["payload[2]"]),
        ("subset", [1, 2], [1], ["payload[1]"]),
        ("subset", [1, 2], [2, 1], ["payload[0]", "payload[1]"]),
        ("subset", [{"a": 1}], [{"a": 1, "b": 2}], []),
        ("exact", [{"a": 1}], [{"a": 1, "b": 2}], ["payload[0].b"]),
        ("exact", 1, 1.0, []),
        ("exact", 1, True, ["payload"]),
        ("exact", False, 0, ["payload"]),
        ("exact", None, None, []),
        ("exact", None, False, ["payload"]),
        ("exact", "é", "é", []),
        ("subset", {}, [], ["payload"]),
        ("subset", {"a b": 1}, {"a b": 2}, ['payload["a b"]']),
        ("subset", {"body": {"$json": {"id": 1}}}, {"body": '{"id": 2}'}, ["payload.body($json).id"]),
        ("subset", {"body": {"$json": {"id": 1}}}, {"body": '{"id": 1, "x": 1}'}, []),
        ("exact", {"body": {"$json": {"id": 1}}}, {"body": '{"id": 1, "x": 1}'}, ["payload.body($json).x"]),
    ],
)
def test_what_differs_is_named(mode: str, expected: Any, got: Any, paths: list[str]) -> None:
    assert [difference.path for difference in compare(expected, got, mode)] == paths


def test_a_schema() -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    check_schema(schema)
    assert compare(schema, {"id": 1}, "schema") == []
    assert [found.path for found in compare(schema, {"id": "1"}, "schema")] == ["payload.id"]
    assert [found.expected for found in compare(schema, {}, "schema")] == [{"required": ["id"]}]
    with pytest.raises(UsageError, match=r"payload\.type is not a JSON Schema: 'objekt'"):
        check_schema({"type": "objekt"})


def test_a_schema_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(UsageError) as error:
        check_schema({})
    assert error.value.remedy == "pip install 'lambdaimg[schema]'"


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        ({"$regx": "a"}, "no matcher '$regx'"),
        ({"a": [{"$regex": "("}]}, "regular expression"),
        ({"$regex": 1}, "regular expression"),
        ({"$type": "text"}, "must be one of string"),
        ({"$any": False}, "must be true"),
        ({"$approx": "1"}, "a number, or"),
        ({"$approx": {"value": 1, "within": "x"}}, "must be a number"),
        ({"$at-least": True}, "must be a number"),
        ({"$one-of": []}, "a list of alternatives"),
        ({"$not": {"$nope": 1}}, "no matcher '$nope'"),
        ({"$type": "string", "a": 1}, "stands beside a matcher"),
        ({"a": float("nan")}, "a value of JSON"),
    ],
)
def test_a_wrong_expected_value_is_refused(expected: Any, said: str) -> None:
    with pytest.raises(MultipleInvalid) as error:
        expected_value(expected)
    assert said in error.value.errors[0].msg


@pytest.mark.parametrize(
    ("old", "got", "new"),
    [
        ({"id": {"$regex": "^a"}, "n": 1}, {"id": "ab", "n": 2}, {"id": {"$regex": "^a"}, "n": 2}),
        ({"id": {"$regex": "^a"}}, {"id": "b"}, {"id": "b"}),
        ([{"$any": True}], [1, 2], [{"$any": True}, 2]),
        ({"a": 1}, {"b": {"$ref": "x"}}, {"b": {"$literal": {"$ref": "x"}}}),
        (None, {"a": [1]}, {"a": [1]}),
    ],
)
def test_a_snapshot_keeps_the_matchers_that_hold(old: Any, got: Any, new: Any) -> None:
    assert refreshed(old, got) == new
    assert compare(expected_value(new), got, "exact") == []
