"""The small parts of an environment: the lines of its log, its memory, and Lambda's errors for its ends."""

import json
from pathlib import Path

import pytest

from lambdaimg.engine.cgroup import ControlGroup, Memory, memory_of
from lambdaimg.runtime import failures
from lambdaimg.runtime.container_events import Exit
from lambdaimg.runtime.log import KEPT_BYTES, LINE_BYTES, LineReader, Log

MARK = b"\0mark"
PIECES: list[tuple[list[bytes], list[str], int]] = [
    ([b"one\ntwo\n"], ["one", "two"], 0),
    ([b"o", b"ne\r\nt", b"wo"], ["one", "two"], 0),
    ([b"one\n", MARK + b"\n", b"two\n"], ["one", "two"], 1),
    ([b"open" + MARK + b"\nshut\n"], ["open", "shut"], 1),
    ([MARK[:2], MARK[2:] + b"\n", MARK + b"\n"], [], 2),
    ([b"mark\n\n"], ["mark", ""], 0),
    ([b"\xff\n"], ["\ufffd"], 0),
]


@pytest.mark.parametrize(("pieces", "lines", "marks"), PIECES)
def test_lines_are_put_together_and_marks_taken_out(pieces: list[bytes], lines: list[str], marks: int) -> None:
    reader = LineReader(MARK)
    found = [line for piece in pieces for line in reader.add(piece)]
    assert (found + reader.rest(), reader.marks) == (lines, marks)
    assert reader.rest() == []


def test_a_line_without_end_is_cut() -> None:
    reader = LineReader(MARK)
    lines = reader.add(b"x" * (2 * LINE_BYTES + 1))
    assert [len(line) for line in lines] == [LINE_BYTES, LINE_BYTES]
    assert reader.rest() == ["x"]


def test_the_last_megabyte_is_kept_and_every_line_handed_on() -> None:
    handed: list[str] = []
    log = Log(handed.append)
    log.write(*(f"{number:>1023}" for number in range(2_000)))
    assert len(handed) == 2_000
    assert sum(len(line) + 1 for line in log.lines()) <= KEPT_BYTES
    assert log.lines()[-1] == handed[-1]
    log.begin()
    assert log.lines() == ()


FIGURES = {
    "v1": {
        "memory.usage_in_bytes": "100",
        "memory.max_usage_in_bytes": "190",
        "memory.stat": "cache 1\nrss 2\ntotal_cache 40\ntotal_rss 60\ntotal_shmem 30\n",
    },
    "v2": {"memory.current": "100", "memory.peak": "190", "memory.stat": "anon 60\nfile 40\nshmem 30\n"},
}


@pytest.mark.parametrize("version", FIGURES)
def test_memory_is_what_is_held_without_files(tmp_path: Path, version: str) -> None:
    for name, text in FIGURES[version].items():
        (tmp_path / name).write_text(text)
    group = ControlGroup(tmp_path, unified=version == "v2")
    assert group.memory() == Memory(now=60, peak=150, temporary=30)
    (tmp_path / "memory.stat").unlink()
    assert group.memory() is None


def test_a_peak_is_never_below_what_is_held_now() -> None:
    assert memory_of(100, 0, {"cache": 40}) == Memory(now=60, peak=60, temporary=0)


LOST = Memory(now=0, peak=0, temporary=60 * 1024 * 1024)
EXITS: list[tuple[int | None, Memory | None, str, str]] = [
    (0, None, "Runtime.ExitError", "Runtime exited without providing a reason"),
    (0, LOST, "Runtime.ExitError", "Runtime exited without providing a reason"),
    (1, None, "Runtime.ExitError", "Runtime exited with error: exit status 1"),
    (127, None, "Runtime.ExitError", "Runtime exited with error: exit status 127"),
    (137, None, "Runtime.ExitError", "Runtime exited with error: signal: killed"),
    (137, LOST, "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    (139, None, "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
    (255, None, "Runtime.ExitError", "Runtime exited with error: exit status 255"),
    (None, None, "Sandbox.Failure", "The environment is gone"),
]


@pytest.mark.parametrize(("code", "lost", "kind", "message"), EXITS)
def test_each_end_has_lambdas_error(code: int | None, lost: Memory | None, kind: str, message: str) -> None:
    failure = failures.ended(Exit(code=code, out_of_memory=lost), 128)
    assert json.loads(failure.payload("r")) == {"errorType": kind, "errorMessage": f"RequestId: r Error: {message}"}
    assert ("60 MB of them by files in /tmp: `tmp-on-disk" in failure.hint) == (kind == "Runtime.OutOfMemory")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('OCI runtime create failed: chdir to cwd ("/x") failed: permission denied', "Runtime.InvalidWorkingDir"),
        ('exec: "/boot": stat /boot: no such file or directory: unknown', "Runtime.InvalidEntrypoint"),
        ('exec: "boot": executable file not found in $PATH', "Runtime.InvalidEntrypoint"),
        ("permission denied: unknown", "Runtime.InvalidEntrypoint"),
        ("No command specified", None),
        ("driver failed programming external connectivity", None),
    ],
)
def test_what_the_engine_says_of_an_image_that_cant_start(said: str, kind: str | None) -> None:
    failure = failures.cant_start(said, "/boot")
    assert (failure and failure.error_type) == kind


def test_what_the_init_says_of_a_program_that_cant_be_executed() -> None:
    failure = failures.not_executed(["a line", "[FATAL tini (7)] exec /boot failed: Exec format error"])
    assert failure
    assert (failure.error_type, failure.message) == ("Runtime.InvalidEntrypoint", "fork/exec /boot: exec format error")
    assert "another architecture" in failure.hint
    assert failures.not_executed(["a line"]) is None
