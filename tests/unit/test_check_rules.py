"""What needs no image of the rules: the tree of layers, secrets, linking, the verdict and its reports."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdaimg.check import baseline, import_times
from lambdaimg.check.inside import Inside, Process
from lambdaimg.check.report import as_json, lines, summary
from lambdaimg.check.rules import DYNAMIC_RULES
from lambdaimg.check.sarif import as_sarif
from lambdaimg.check.trial import Trial, Try
from lambdaimg.check.verdict import accept, chosen, judge
from lambdaimg.images.inspection import secret_search
from lambdaimg.images.inspection.engine import saved_layers
from lambdaimg.images.inspection.facts import Configuration, Entry, ImageFacts, Layer, Program, configuration_of
from lambdaimg.images.inspection.layer import read_layer
from lambdaimg.images.inspection.literals import literals_in
from lambdaimg.images.inspection.registry import split
from lambdaimg.images.inspection.tree import Tree
from lambdaimg.images.rules.catalog import STATIC_RULES
from lambdaimg.images.rules.linking import missing_libraries
from lambdaimg.images.rules.rule import Needs, Subject, Wanted
from lambdaimg.model.errors import UsageError
from lambdaimg.model.invocation import Invocation, Report


def layer(*paths: str, **links: str) -> Layer:
    """Files of 100 bytes; a path that ends with / is a folder; links by name in the root."""
    files = [
        Entry(path.rstrip("/"), "d" if path.endswith("/") else "f", 0o755, 0 if path.endswith("/") else 100)
        for path in paths
    ]
    return Layer(entries=(*files, *(Entry(f"/{name}", "l", 0o777, 0, target) for name, target in links.items())))


@pytest.mark.parametrize(
    ("layers", "seen", "hidden"),
    [
        ((layer("/a", "/b"), layer("/.wh.a")), ["/b"], {"/a": 100}),
        ((layer("/d/", "/d/x"), layer("/d/.wh..wh..opq", "/d/", "/d/z")), ["/d", "/d/z"], {"/d/x": 100}),
        ((layer("/d/", "/d/x"), layer("/.wh.d", "/d/", "/d/y")), ["/d", "/d/y"], {"/d/x": 100}),
        ((layer("/d/", "/d/x"), layer("/d/")), ["/d", "/d/x"], {}),
        ((layer("/d/", "/d/x"), layer("/d")), ["/d"], {"/d/x": 100}),
        ((layer("/a"), layer("/a"), layer("/a")), ["/a"], {"/a": 200}),
    ],
)  # fmt: skip
def test_layers_hide_what_is_below(layers: tuple[Layer, ...], seen: list[str], hidden: dict[str, int]) -> None:
    tree = Tree(layers)
    assert sorted(tree.entries) == seen
    assert tree.hidden == hidden


@pytest.mark.parametrize(
    ("path", "found"),
    [("/bin/sh", "/usr/bin/dash"), ("/bin/../bin/sh", "/usr/bin/dash"), ("/loop", ""), ("/bin/none", ""), ("sh", ""),
     ("/up", "/usr"), ("/bin/sh/x", "")],
)  # fmt: skip
def test_links_are_followed_as_the_kernel_does(path: str, found: str) -> None:
    links = Layer(entries=(Entry("/usr/bin/sh", "l", 0o777, 0, "dash"),))
    tree = Tree([layer("/usr/", "/usr/bin/", "/usr/bin/dash", bin="usr/bin", loop="loop", up="../../usr"), links])
    assert tree.resolve(path) == found


def test_the_largest_folders_are_those_that_tell_something() -> None:
    tree = Tree(
        [layer("/usr/", "/usr/lib/", *(f"/usr/lib/{number}" for number in range(9)), "/usr/x", "/opt/", "/opt/a")]
    )
    assert tree.largest(2) == [("/usr/lib", 900), ("/opt", 100)]


_TOKEN = "a1B2" * 9


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x\nkey = AKIAQWERTYUIOPASDFGH\n", [(2, "AWS access key")]),
        ("AKIAIOSFODNN7EXAMPLE", []),
        ("aws_secret_access_key = " + "a1/B" * 10, [(1, "AWS secret key")]),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", []),
        ('"SecretAccessKey": "' + "a1/B" * 10 + '"', [(1, "AWS secret key")]),
        (f"\n\nghp_{_TOKEN}", [(3, "GitHub token")]),
        (f"ghp_{_TOKEN}more", []),
        (f"//registry.example.com/:_authToken={_TOKEN}", [(1, "npm password")]),
        ("//registry.example.com/:_authToken=${NPM_TOKEN}", []),
        ("-----BEGIN PRIVATE KEY-----\\n" + _TOKEN + "aaaaa", [(1, "private key")]),
        ("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n" + _TOKEN + "aaaaa", [(1, "private key")]),
        ("-----BEGIN PRIVATE KEY-----\n...\n", []),
        ("\0binary AKIAQWERTYUIOPASDFGH", []),
    ],
)
def test_secrets_are_told_from_examples(text: str, found: list[tuple[int, str]]) -> None:
    content = text.encode()
    assert list(secret_search.search(content, literals_in(content))) == found


@given(st.binary(max_size=300))
def test_the_search_reads_anything(content: bytes) -> None:
    list(secret_search.search(content, secret_search.HINTS))


def tar(files: Mapping[str, bytes | str]) -> bytes:
    """An archive of files; a string is where a symbolic link leads."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
            else:
                entry.size = len(content)
            made.addfile(entry, io.BytesIO(content) if isinstance(content, bytes) else None)
    return stream.getvalue()


def test_what_old_and_new_engines_save_is_read_alike() -> None:
    one, two = tar({"a": b"1"}), tar({"b": b"2"})
    old: dict[str, bytes | str] = {
        "x/layer.tar": one,
        "y/layer.tar": two,
        "z/layer.tar": "../x/layer.tar",
        "x/json": b"{}",
    }
    blobs: dict[str, bytes | str] = {
        "blobs/sha256/1": one,
        "blobs/sha256/2": gzip.compress(two),
        "blobs/sha256/3": b'{"config": {}}',
    }
    for files, listed in (
        (old, ["x/layer.tar", "y/layer.tar", "z/layer.tar"]),
        ({**blobs, "index.json": b"{}"}, ["blobs/sha256/1", "blobs/sha256/2", "blobs/sha256/1"]),
    ):
        archive = tar({**files, "manifest.json": json.dumps([{"Layers": listed}]).encode()})
        layers = saved_layers(io.BytesIO(archive))
        assert [[entry.path for entry in each.entries] for each in layers] == [["/a"], ["/b"], ["/a"]]


def test_a_damaged_program_is_no_program() -> None:
    content = tar({"short": b"\x7fELF", "wild": b"\x7fELF\x02\x01\x01" + b"\xff" * 200})
    found = read_layer(io.BytesIO(content))
    assert [entry.path for entry in found.entries] == ["/short", "/wild"]
    assert found.programs == {}
    with pytest.raises(UsageError, match="not a whole tar"):
        read_layer(io.BytesIO(content[:700]))


def test_libraries_are_searched_as_the_linker_does() -> None:
    programs = {
        "/app/run": Program("x86_64", "/lib64/ld", ("liba.so", "libb.so", "libc.so"), ("$ORIGIN/libs",)),
        "/app/libs/liba.so": Program("x86_64", "", ("libd.so",)),
        "/opt/lib/libb.so": Program("x86_64", "", ("libe.so",)),
    }
    paths = ["/app/run", "/app/libs/liba.so", "/opt/lib/libb.so", "/usr/lib/x86_64-linux-gnu/libc.so", "/odd/libd.so"]
    folders = ["/app/", "/app/libs/", "/opt/", "/opt/lib/", "/usr/", "/usr/lib/", "/usr/lib/x86_64-linux-gnu/", "/odd/"]
    made = Layer(
        entries=layer(*folders, *paths).entries, programs=programs, texts={"/etc/ld.so.conf.d/odd.conf": "/odd\n"}
    )
    missing = dict(missing_libraries(Tree([made]), "/app/run", ["", "/opt/lib"]))
    assert missing == {"libe.so": "/opt/lib/libb.so"}


def subject(environment: dict[str, str] | None = None, source: str = "engine") -> Subject:
    configuration = Configuration(architecture="x86_64", os="linux", environment=environment or {}, user="app")
    image = ImageFacts(source=source, name="i:latest", configuration=configuration)  # type: ignore[arg-type]
    return Subject(image=image, wanted=Wanted(), today=date(2026, 11, 24))


def test_a_rule_says_where_it_cant_look() -> None:
    states = {row.rule.id: row.state for row in judge("i", subject(), STATIC_RULES).rows}
    hidden = {rule.id for rule in STATIC_RULES if rule.needs in (Needs.FILES, Needs.MANIFEST)}
    assert {rule for rule, state in states.items() if state == "not visible here"} == hidden
    assert (states["LI010"], states["LI030"], states["LI031"]) == ("fail", "warn", "pass")


def test_rules_are_chosen_by_the_beginnings_of_their_ids() -> None:
    assert [rule.id for rule in chosen(STATIC_RULES, ["LI06", "LI030"], ["LI061"])] == ["LI030", "LI060"]
    assert len(chosen(STATIC_RULES, [], ["LI0"])) == 0
    with pytest.raises(UsageError, match="LI1000"):
        chosen(STATIC_RULES, ["LI1000"], [])


def test_ids_are_unique_and_every_rule_says_what_to_do() -> None:
    assert len({rule.id for rule in STATIC_RULES}) == len(STATIC_RULES)
    for rule in STATIC_RULES:
        assert all((rule.title, rule.why, rule.remedy, rule.document)), rule.id


def test_a_baseline_accepts_what_is_known_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    baseline.write(file, [judge("hello", subject({"API_TOKEN": "correct-horse"}), STATIC_RULES)])
    now = judge("hello", subject({"API_TOKEN": "other-horses", "PASSWORD": "correct-horse"}), STATIC_RULES)
    seen = accept(now, baseline.read(file))
    states = {row.rule.id: row.state for row in seen.rows}
    assert (states["LI030"], states["LI052"], seen.fit) == ("known", "fail", False)
    row = next(row for row in seen.rows if row.rule.id == "LI052")
    assert [finding.where for finding in (*row.findings, *row.known)] == ["ENV PASSWORD", "ENV API_TOKEN"]
    other = accept(judge("other", subject(), STATIC_RULES), baseline.read(file))
    assert {row.state for row in other.rows if row.rule.id == "LI030"} == {"warn"}
    for text, message in (("{}", "not a baseline"), ("", "not a baseline")):
        file.write_text(text)
        with pytest.raises(UsageError, match=message):
            baseline.read(file)
    with pytest.raises(UsageError, match="No such file"):
        baseline.read(tmp_path / "none")


def test_no_report_shows_a_secret() -> None:
    verdict = judge("hello", subject({"API_TOKEN": "correct-horse", "A": "AKIAQWERTYUIOPASDFGH"}), STATIC_RULES)
    text = "\n".join(line for _, line in lines(verdict, every=True))
    for report in (text, json.dumps(as_json(verdict)), as_sarif([verdict])):
        assert "API_TOKEN" in report
        assert "AWS access key" in report
        assert "correct-horse" not in report
        assert "AKIA" not in report


def test_the_summary_counts() -> None:
    verdict = judge("hello", subject(), chosen(STATIC_RULES, ["LI01", "LI03"], []))
    assert summary(verdict) == "not fit for Lambda: 1 fail, 1 warn, 7 pass, 7 not visible here"


def test_sarif_has_what_code_scanning_reads() -> None:
    log = json.loads(as_sarif([judge("hello", subject(), STATIC_RULES)]))
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    driver = log["runs"][0]["tool"]["driver"]
    assert {rule["id"] for rule in driver["rules"]} == {rule.id for rule in STATIC_RULES}
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
    results = {result["ruleId"]: result for result in log["runs"][0]["results"]}
    assert {rule: result["level"] for rule, result in results.items()} == {"LI010": "error", "LI030": "warning"}
    assert results["LI030"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "hello"
    assert "USER" in results["LI030"]["message"]["text"]
    assert results["LI030"]["partialFingerprints"] == {"finding/v1": "hello LI030 USER"}


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("localhost:5000/shop/a:1", ("localhost:5000", "shop/a", "1")),
        ("python:3.13-slim", ("registry-1.docker.io", "library/python", "3.13-slim")),
        ("user/app", ("registry-1.docker.io", "user/app", "latest")),
        (f"ghcr.io/a/b@sha256:{'0' * 64}", ("ghcr.io", "a/b", f"sha256:{'0' * 64}")),
    ],
)
def test_references_name_a_registry(reference: str, parts: tuple[str, str, str]) -> None:
    assert split(reference) == parts
    with pytest.raises(UsageError):
        split(reference + " ")


def test_a_configuration_without_anything_is_read() -> None:
    assert configuration_of({}) == Configuration(architecture="", os="")
    assert configuration_of({"config": {"Healthcheck": {"Test": ["NONE"]}, "Env": None}}).health_check is False


def trial(**changed: Any) -> Trial:
    """A trial of a function that does all well, but for what is changed."""
    report = Report(request_id="r", duration_ms=1.0, memory_size=128, max_memory_used=40)
    answer = Invocation(payload=b"1", function_error=False, log=(), report=report)
    tried = Try(init_ms=50.0, init_error="", answers=(answer, answer), log=())
    quiet = Inside(processes=(Process(name="python3", descriptors=5),))
    good = Trial(memory=128, bound=tried, inside=(quiet,) * 3, code=143, unbound=tried, written=(), loaded=())
    return replace(good, **changed)


@pytest.mark.parametrize(
    ("rule", "changed", "found"),
    [
        ("LI104", {"written": ("/var", "/var/x", "/tmp/y", "/usr/sbin/docker-init")}, ["/var/x"]),
        ("LI104", {"written": None}, None),
        ("LI108", {"inside": (None, None, None)}, None),
        ("LI108", {"inside": (Inside(processes=(Process(name="x", descriptors=900),)),) * 3}, ["descriptors"]),
        ("LI109", {"inside": (None, None, None)}, None),
        ("LI111", {"code": 7}, ["SIGTERM"]),
        ("LI111", {"code": None}, ["SIGTERM"]),
        ("LI111", {"code": 0}, []),
    ],
)  # fmt: skip
def test_what_a_trial_shows(rule: str, changed: dict[str, Any], found: list[str] | None) -> None:
    asked = next(each for each in DYNAMIC_RULES if each.id == rule)
    assert list(asked.find(trial()) or ()) == []
    findings = asked.find(trial(**changed))
    assert (findings if findings is None else [finding.where for finding in findings]) == found


def test_import_times_are_read_from_both_languages() -> None:
    log = (
        "import time:       397 |      53076 |   requests.compat",
        "import time:       397 |      90000 | requests",
        "2026-11-24T00:00:00Z\tid\tERROR\tlambdaimg loaded 2100.5 ./slow.cjs",
        "import time: self [us] | cumulative | imported package",
    )
    assert import_times.read(log) == (("./slow.cjs", 2100.5), ("requests", 90.0))
