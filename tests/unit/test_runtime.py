"""What needs no engine of the runtime: the RIE's log, reports, credentials, labels, `docker run` lines."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lambdaimg.engine.container import ContainerSpec, Limits, Mount, Port, run_arguments
from lambdaimg.engine.labels import Owner, this_process
from lambdaimg.model import quotas
from lambdaimg.model.errors import EventError, RemoteError, UsageError
from lambdaimg.model.invocation import Invocation, Report, error_of, parse_event, read_event
from lambdaimg.model.sandbox import sandbox_of
from lambdaimg.model.settings import FunctionSettings
from lambdaimg.runtime import rie
from lambdaimg.runtime.credentials import credentials
from lambdaimg.runtime.rie_log import Record, RieLog

NOTE = "24 Nov 2026 11:09:19,001 [INFO] (rapid) "


def test_a_cold_start_is_told_from_the_invocation() -> None:
    log = RieLog()
    log.errors(NOTE + "INIT START(type: on-demand, phase: init)")
    assert log.output("START RequestId: r1 Version: $LATEST")
    log.errors(NOTE + "INIT REPORT(durationMs: 35.610000)")
    assert log.output("hi") == "hi"
    assert log.errors("a warning of the function's own") is not None
    assert log.output("END RequestId: r1") is None
    assert (
        log.output("REPORT RequestId: r1\tInit Duration: 0.12 ms\tDuration: 36.72 ms\tBilled Duration: 37 ms\t") is None
    )
    record = log.record
    assert (record.request_id, record.init_ms, record.ended) == ("r1", 35.61, True)
    assert record.duration_ms == pytest.approx(1.11)
    assert record.lines == ["START RequestId: r1 Version: $LATEST", "hi", "a warning of the function's own"]


def test_the_two_durations_of_the_rie_never_make_a_negative_one() -> None:
    log = RieLog()
    log.errors(NOTE + "INIT START(type: on-demand, phase: init)")
    log.errors(NOTE + "INIT REPORT(durationMs: 32.32)")
    log.output("REPORT RequestId: r1\tDuration: 32.22 ms\tBilled Duration: 33 ms\t")
    assert log.record.duration_ms == 0


def test_the_report_may_be_read_before_the_note_of_the_init_phase() -> None:
    log = RieLog()
    log.output("REPORT RequestId: r1\tDuration: 36.72 ms\tBilled Duration: 37 ms\t")
    assert not log.initialised
    log.errors(NOTE + "INIT START(type: on-demand, phase: init)")
    log.errors(NOTE + "INIT REPORT(durationMs: 35.61)")
    assert (log.initialised, log.record.init_ms) == (True, 35.61)
    assert log.record.duration_ms == pytest.approx(1.11)


def test_an_init_phase_inside_an_invocation_counts_as_duration() -> None:
    log = RieLog()
    log.errors(NOTE + "INIT START(type: on-demand, phase: invoke)")
    log.errors(NOTE + "INIT REPORT(durationMs: 28.8)")
    log.output("REPORT RequestId: r2\tDuration: 29.71 ms\tBilled Duration: 30 ms\t")
    assert (log.record.init_ms, log.record.duration_ms) == (None, 29.71)


@pytest.mark.parametrize("kind", ["External", "Internal"])
def test_the_rie_tells_of_extensions(kind: str) -> None:
    log = RieLog()
    log.errors("External agent x (1) registered, subscribed to []")  # the function's own words
    assert not log.has_extensions
    log.errors(NOTE + f"{kind} agent announce (22b0c758) registered, subscribed to [INVOKE SHUTDOWN]")
    assert log.has_extensions


def test_a_failed_invocation_ends_without_report() -> None:
    log = RieLog()
    log.record = Record()
    log.errors(NOTE.replace("INFO", "ERROR") + "Invoke DONE failed: Runtime.ExitError")
    assert log.record.ended


def test_a_process_that_cant_be_started_is_explained_once() -> None:
    log, note = RieLog(), NOTE.replace("INFO", "ERROR")
    said = log.errors(note + "Init failed InvokeID= error=fork/exec /boot: exec format error")
    assert said == "Runtime.InvalidEntrypoint: exec /boot: exec format error: the program is for another architecture"
    assert log.errors(note + "Invoke failed error=fork/exec /boot: exec format error InvokeID=r1") is None
    assert log.record.lines == [said]


def test_the_report_line_is_lambdas() -> None:
    report = Report(
        request_id="r", duration_ms=1.11, memory_size=256, max_memory_used=22, init_ms=35.61, status="timeout"
    )
    assert report.line() == (
        "REPORT RequestId: r\tDuration: 1.11 ms\tBilled Duration: 2 ms\tMemory Size: 256 MB\t"
        "Max Memory Used: 22 MB\tInit Duration: 35.61 ms\tStatus: timeout"
    )


def test_the_log_tail_is_the_last_four_kilobytes() -> None:
    invocation = Invocation(payload=b"", function_error=False, log=("x" * 5_000, "end"), report=None)
    assert len(invocation.log_tail) == quotas.LOG_TAIL_BYTES
    assert invocation.log_tail.endswith(b"x\nend\n")


@pytest.mark.parametrize("text", ["{", "{'a': 1}", "nope", "", "\ufeff{}", "[NaN]"])
def test_an_event_must_be_json(text: str) -> None:
    with pytest.raises(EventError, match="--data"):
        parse_event(text, "--data")


def test_an_event_has_a_size(tmp_path: Path) -> None:
    most = b'"' + b"x" * (quotas.SYNCHRONOUS_PAYLOAD_BYTES - 2) + b'"'
    assert parse_event(most, "stdin") == most
    with pytest.raises(EventError, match="6291457 bytes"):
        parse_event(most + b" ", "stdin")
    with pytest.raises(EventError, match="can't read"):
        read_event(tmp_path / "none.json")


def test_errors_have_type_and_message() -> None:
    assert error_of(b'{"errorType": "E", "errorMessage": "m", "trace": []}')
    assert error_of(b'{"errorType": "E"}') is None
    assert error_of(b"[1]") is None
    assert error_of(b"\xff") is None


@pytest.mark.parametrize(("memory", "quota"), [(128, 1_447), (1_769, 20_000), (3_538, 40_000)])
def test_the_processor_follows_the_memory(memory: int, quota: int) -> None:
    assert sandbox_of(FunctionSettings(memory=memory)).cpu_quota == quota


SECRET = "hunter2"


@pytest.fixture
def aws(tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "credentials"
    file.write_text(f"[dev]\naws_access_key_id = id\naws_secret_access_key = {SECRET}\n[sso]\nsso_session = x\n")
    return {"AWS_SHARED_CREDENTIALS_FILE": str(file), "HOME": str(tmp_path)}


def test_credentials(aws: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = credentials("profile:dev", aws)
    assert found == {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": SECRET}
    assert credentials("none", found) == {}
    assert credentials("env", found) == found
    for choice, said in (
        ("profile:dve", 'did you mean "dev"?'),
        ("profile:sso", "export-credentials"),
        ("env", "set them"),
        ("sso", "none, env or profile:NAME"),
    ):
        with pytest.raises(UsageError) as error:
            credentials(choice, aws)
        assert said in error.value.remedy


def test_a_broken_credentials_file_shows_nothing_of_itself(aws: dict[str, str]) -> None:
    Path(aws["AWS_SHARED_CREDENTIALS_FILE"]).write_text(f"aws_secret_access_key = {SECRET}\n")
    with pytest.raises(UsageError) as error:
        credentials("profile:dev", aws)
    assert SECRET not in str(error.value)


def test_owners_are_told_apart() -> None:
    me = this_process()
    assert Owner.parse(str(me)) == me
    assert not me.dead
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    gone = Owner(machine=me.machine, boot=me.boot, process=int(ended.stdout), started="1")
    assert gone.dead
    assert Owner(machine=me.machine, boot="other", process=me.process, started=me.started).dead
    assert Owner(machine=me.machine, boot=me.boot, process=os.getpid(), started="1").dead, "a reused process id"
    assert not Owner(machine="elsewhere", boot="other", process=1, started="1").dead
    assert Owner.parse("nonsense") is None


def test_docker_run_says_the_same_as_the_api() -> None:
    spec = ContainerSpec(
        image="shop/hello:latest",
        entrypoint=("/a/rie", "--x"),
        command=("python3", "app.handler"),
        environment={"NAME": "a b$(id)\"'"},
        secret_environment={"AWS_SECRET_ACCESS_KEY": SECRET},
        mounts=(Mount(source="/home/x", target="/a"),),
        ports=(Port(container=8080, host=9000),),
        hostname="h",
        limits=Limits(tmpfs={"/tmp": "size=512m"}, user="993:990", memory=1, file_descriptors=2, processes=3),
    )
    line = shlex.join(run_arguments(spec))
    assert SECRET not in line
    words = shlex.split(line)
    assert words[:3] == ["docker", "run", "--rm"]
    assert words[-4:] == ["shop/hello:latest", "--x", "python3", "app.handler"]
    for word in (
        "--read-only",
        "--tmpfs=/tmp:size=512m",
        "--user=993:990",
        "--memory=1",
        "--memory-swap=1",
        "--ulimit=nofile=2",
        "--pids-limit=3",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--mount=type=bind,source=/home/x,target=/a,readonly",
        "--publish=127.0.0.1:9000:8080",
        "--env=NAME=a b$(id)\"'",
        "--env=AWS_SECRET_ACCESS_KEY",
        "--entrypoint=/a/rie",
    ):
        assert word in words


def test_the_emulator_is_placed_only_with_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RemoteError, match="SHA-256"):
        rie.place(b"\x7fELF...", "x86_64", "0" * 64)
    with pytest.raises(UsageError, match="not a Linux program"):
        rie.place(b"PK..", "x86_64", "")
    assert not rie.path("x86_64").exists()
    placed = rie.install_from(str(_file(tmp_path, b"\x7fELF...")), "arm64", "")
    assert placed == tmp_path / ".aws-lambda-rie" / "aws-lambda-rie-arm64"
    assert os.access(placed, os.X_OK)
    with pytest.raises(UsageError, match="needs the hash"):
        rie.install_from("https://example.invalid/rie", "arm64", "")


def _file(folder: Path, content: bytes) -> Path:
    (folder / "binary").write_bytes(content)
    return folder / "binary"


def test_a_named_emulator_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDAIMG_RIE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="LAMBDAIMG_RIE names"):
        rie.ensure("x86_64", lambda _: None)
