"""Cases as they are written: read from three places, refused with file, line, key and what is allowed."""

import re
from pathlib import Path

import pytest

from lambdaimg.model import case_files, project_file
from lambdaimg.model.cases import CASE_KEYS, ERROR_KEYS, EXPECT_KEYS, Case
from lambdaimg.model.errors import ProjectError
from lambdaimg.model.matching import MATCHERS
from tests.conftest import MakeProject

HEAD = '[functions.hello]\nlanguage = "python"\n'
CASE = '[[functions.hello.tests]]\nname = "a"\n'


def load(root: Path, *, unexpected: bool = False) -> tuple[Case, ...]:
    project = project_file.load(root / "lambdaimg.toml", languages=("python",))
    return case_files.load(project, project.functions, unexpected=unexpected)


def problems(root: Path) -> list[str]:
    with pytest.raises(ProjectError) as error:
        load(root)
    return [str(problem) for problem in error.value.problems]


def test_cases_come_from_the_project_file_case_files_and_pairs(make_project: MakeProject) -> None:
    root = make_project(
        '[functions.hello]\nlanguage = "python"\ntests = "tests/*.toml"\n[functions.named]\nlanguage = "python"\n'
        '[[functions.named.tests]]\nname = "inline"\nevent = { name = "Ada" }\n\n'
        '[[functions.named.tests]]\nname = "sample"\nsample-event = "sqs"\nset = { "Records.0.body" = "hi" }\n',
        {
            "tests/b.toml": '[[tests]]\nname = "b1"\n\n[[tests]]\nname = "b2"\nevent-file = "events/x.json"\n',
            "tests/a.toml": '[[tests]]\nname = "a1"\n',
            "events/x.json": "[1]",
            "events/hello/pair.json": '{"name": "Bob"}',
            "events/hello/pair.expected.json": '{"message": "Hello, Bob"}',
            "events/hello/new.json": "{}",
        },
    )
    found = load(root)
    assert [(case.id, case.file, case.line) for case in found] == [
        ("hello::a1", "tests/a.toml", 1),
        ("hello::b1", "tests/b.toml", 1),
        ("hello::b2", "tests/b.toml", 4),
        ("hello::pair", "events/hello/pair.expected.json", 1),
        ("named::inline", "lambdaimg.toml", 6),
        ("named::sample", "lambdaimg.toml", 10),
    ]
    events = [case.steps[0].event for case in found]
    assert events[2:5] == [b"[1]", b'{"name": "Bob"}', b'{"name":"Ada"}']
    assert b'"body":"hi"' in events[5]
    assert found[3].steps[0].expect.match == "exact"
    assert found[3].snapshot == root / "events/hello/pair.expected.json"
    assert [case.name for case in load(root, unexpected=True)][3:5] == ["new", "pair"]


@pytest.mark.parametrize(
    ("more", "fresh"),
    [
        ("", False),
        ("repeat = 3", False),
        ("expect = { max-duration-ms = 5 }", False),
        ("cold = true", True),
        ("concurrency = 2", True),
        ("environment = { STAGE = 'dev' }", True),
        ("steps = [{ event = 1 }]", True),
        ("expect = { max-init-ms = 500 }", True),
    ],
)
def test_a_case_is_alone_where_it_must_be(make_project: MakeProject, more: str, fresh: bool) -> None:
    (case,) = load(make_project(f"{HEAD}{CASE}{more}\n"))
    assert case.fresh is fresh


@pytest.mark.parametrize(
    ("more", "key", "said"),
    [
        ("evnt = 1", "evnt", 'did you mean "event"?'),
        ("expect = { paylod = 1 }", "expect.paylod", 'did you mean "payload"?'),
        ("expect = { match = 'some', payload = 1 }", "expect.match", "one of subset, exact, schema"),
        ("expect = { match = 'exact' }", "expect.match", "no payload to compare"),
        ("expect = { payload = { '$regx' = 'a' } }", "expect.payload.$regx", 'did you mean "$regex"?'),
        ("expect = { payload = { a = [{ '$type' = 'x' }] } }", "expect.payload.a.0.$type", "must be one of string"),
        ("expect = { payload = 2026-01-01, match = 'schema' }", "expect.payload", "between quotes"),
        ("expect = { payload = 2026-01-01 }", "expect.payload", "between quotes"),
        ("expect = { error = 'x' }", "expect.error", "must be a table"),
        ("expect = { error = { typ = 'x' } }", "expect.error.typ", 'did you mean "type"?'),
        ("expect = { max-duration-ms = 0 }", "expect.max-duration-ms", "a number of ms, above 0, not 0"),
        ("expect = { max-init-ms = 'x' }", "expect.max-init-ms", "a number of ms"),
        ("expect = { max-memory-mb = true }", "expect.max-memory-mb", "a number of MB"),
        ("expect = { log-contains = 'x' }", "expect.log-contains", "must be a list"),
        ("expect = { log-not-contains = [1] }", "expect.log-not-contains.0", "must be a string"),
        ("cold = 1", "cold", "true or false"),
        ("repeat = 0", "repeat", "1 to 10000 times"),
        ("concurrency = 101", "concurrency", "1 to 100 environments"),
        ("environment = { AWS_REGION = 'x' }", "environment.AWS_REGION", "reserved"),
        ("skip = false", "skip", "the reason as a string"),
        ("xfail = ''", "xfail", "the reason as a string"),
        ("tags = ['a b']", "tags.0", "letters, digits"),
        ("event = 1\nevent-file = 'x.json'", "event-file", "excludes event"),
        ("set = { a = 1 }", "set", "no sample event"),
        ("sample-event = 'sqss'", "sample-event", 'did you mean "sqs"?'),
        ("steps = [{ evnt = 1 }]", "steps.0.evnt", 'did you mean "event"?'),
        ("steps = [{ event = 1 }]\nrepeat = 2", "repeat", "no effect beside steps"),
        ("event = nan", "event", "a value of JSON"),
    ],
)
def test_a_wrong_case_says_where_and_what_is_allowed(make_project: MakeProject, more: str, key: str, said: str) -> None:
    (found,) = problems(make_project(f"{HEAD}{CASE}{more}\n"))
    line = 5 + more.count("\n")
    assert found.startswith(f"lambdaimg.toml:{line}: functions.hello.tests.0.{key}: ")
    assert said in found


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"c.toml": '[[tests]]\nname = "a"\nnam = "a"\n'},
            "c.toml:3: tests.0.nam: unknown key 'nam'; did you mean \"name\"?",
        ),
        ({"c.toml": '[[tests]]\ntags = ["a"]\n'}, "c.toml:1: tests.0: the case has no name"),
        ({"c.toml": "[[test]]\n"}, "c.toml:1: test: unknown key 'test'; did you mean \"tests\"?"),
        ({"c.toml": "[[tests]]\nname = \n"}, "c.toml:2: not TOML"),
        ({}, "lambdaimg.toml:3: functions.hello.tests: no file fits 'c.toml'"),
        (
            {"c.toml": '[[tests]]\nname = "a"\nevent-file = "no.json"\n'},
            "c.toml:1: hello, 'a': can't read the event",
        ),
        (
            {"c.toml": '[[tests]]\nname = "a"\nsample-event = "sqs"\nset = { "Records.0.bdy" = 1 }\n'},
            'did you mean "body"?',
        ),
        (
            {"c.toml": '[[tests]]\nname = "a"\nexpect = { payload = { type = "x" }, match = "schema" }\n'},
            "c.toml:1: hello, 'a': payload.type is not a JSON Schema",
        ),
        (
            {"c.toml": '[[tests]]\nname = "a"\n[[tests]]\nname = "a"\n'},
            "c.toml:3: hello has a case 'a' already, at c.toml:1",
        ),
        (
            {"c.toml": "", "events/hello/p.json": "{}", "events/hello/p.expected.json": '{"a": {"$nope": 1}}'},
            "events/hello/p.expected.json: a.$nope: no matcher '$nope'",
        ),
        (
            {"c.toml": "", "events/hello/p.json": "{", "events/hello/p.expected.json": "1"},
            "events/hello/p.json:1:2: not JSON",
        ),
        (
            {"c.toml": "", "events/hello/p.json": "{}", "events/hello/p.expected.json": "{"},
            "events/hello/p.expected.json:1: not JSON",
        ),
    ],
)
def test_a_wrong_file_is_named(make_project: MakeProject, files: dict[str, str], said: str) -> None:
    (found,) = problems(make_project(f'{HEAD}tests = "c.toml"\n', files))
    assert said in found


def test_the_problems_of_all_files_are_reported_at_once(make_project: MakeProject) -> None:
    files = {"a.toml": '[[tests]]\nnam = "a"\n[[tests]]\nname = "b"\ncold = 1\n', "b.toml": "x = 1\n"}
    found = problems(make_project(f'{HEAD}tests = ["a.toml", "b.toml", "none/*.toml"]\n', files))
    assert [line.split(": ")[0] for line in found] == [
        "a.toml:1",
        "a.toml:2",
        "a.toml:5",
        "b.toml:1",
        "lambdaimg.toml:3",
    ]


def test_the_example_shop_uses_every_key_and_matcher_and_the_edge_site_the_edges() -> None:
    root = Path(__file__).parents[2] / "examples" / "shop"
    text = "".join(file.read_text("utf-8") for file in sorted(root.rglob("*.toml")))
    text += (root.parent / "edge-site" / "lambdaimg.toml").read_text("utf-8")
    text += "".join(file.read_text("utf-8") for file in sorted(root.rglob("*.expected.json")))
    known = [*CASE_KEYS, *EXPECT_KEYS, *ERROR_KEYS, *MATCHERS]
    missing = [name for name in known if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]
    assert not missing
    project = project_file.load(root / "lambdaimg.toml", languages=("nodejs", "python"))
    assert len(case_files.load(project, project.functions)) >= 40
    assert len(project.functions) >= 4
    assert {function.settings.language for function in project.functions} == {"nodejs", "python"}
