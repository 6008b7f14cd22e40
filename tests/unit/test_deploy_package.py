"""Zips: the same files make the same bytes, and what Lambda's runtime could not run is refused by name."""

import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import markupsafe._speedups  # a library of a manylinux wheel
import pytest

from lambdaimg.cli.main import run
from lambdaimg.deploy import elf
from lambdaimg.deploy.archive import Entry, from_folder, from_tar, leaves, zipped
from lambdaimg.model.errors import UsageError
from lambdaimg.model.settings import host_architecture

LIBRARY = Path(str(markupsafe._speedups.__file__)).read_bytes()
HERE = host_architecture()
ELSEWHERE = {"x86_64": "arm64", "arm64": "x86_64"}[HERE]


def test_the_order_and_the_times_of_files_do_not_matter(tmp_path: Path) -> None:
    files = {"b/app.py": b"code", "a.txt": b"", "bootstrap": b"#!/bin/sh"}
    zips = []
    for number, names in enumerate((sorted(files), sorted(files, reverse=True))):
        folder = tmp_path / str(number)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(files[name])
            os.utime(folder / name, (number, number))
        (folder / "bootstrap").chmod(0o700 + number)
        (folder / "b" / "__pycache__").mkdir()
        (folder / "b" / "__pycache__" / "app.pyc").write_bytes(os.urandom(4))
        zips.append(zipped(from_folder(folder)))
    assert zips[0] == zips[1] == zipped(dict(reversed(from_folder(tmp_path / "0").items())))
    with zipfile.ZipFile(io.BytesIO(zips[0])) as archive:
        modes = {info.filename: oct(info.external_attr >> 16) for info in archive.infolist()}
        assert modes == {"a.txt": "0o100644", "b/app.py": "0o100644", "bootstrap": "0o100755"}
        assert archive.read("b/app.py") == b"code"


def test_links_are_kept_as_links(tmp_path: Path) -> None:
    file = tmp_path / "x.tar"
    with tarfile.open(file, "w") as archive:
        for name, kind, target in (("task/a", tarfile.REGTYPE, ""), ("task/b", tarfile.SYMTYPE, "a")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
    entries = from_tar(file, lambda path: path.removeprefix("task/"))
    assert entries == {"a": Entry(content=b""), "b": Entry(content=b"a", link=True)}
    with zipfile.ZipFile(io.BytesIO(zipped(entries))) as archive:
        assert (archive.getinfo("b").external_attr >> 28, archive.read("b")) == (0o12, b"a")


@pytest.mark.parametrize(
    ("path", "target", "out"),
    [("a/b", "c", False), ("a/b", "../c", False), ("a/b", "../../c", True), ("b", "/etc/passwd", True)],
)
def test_a_link_that_leads_out_is_known(path: str, target: str, out: bool) -> None:
    assert leaves(path, Entry(content=target.encode(), link=True)) == out


def test_a_library_for_many_linuxes_is_fit() -> None:
    assert list(elf.problems("x.so", LIBRARY, HERE, ())) == []
    assert list(elf.problems("x.py", b"print()", HERE, ())) == []


@pytest.mark.parametrize(
    ("found", "instead", "architecture", "said"),
    [
        (b"", b"", ELSEWHERE, f"x.so is for another architecture than {ELSEWHERE}"),
        (b"GLIBC_2.", b"GLIBC_9.", HERE, "x.so needs glibc 9."),
        (b"libc.so.6", b"libq.so.6", HERE, "x.so needs libq.so.6, which neither the zip nor Lambda's runtime has"),
    ],
)
def test_a_library_that_lambda_can_t_load_is_named(found: bytes, instead: bytes, architecture: str, said: str) -> None:
    problems = list(elf.problems("x.so", LIBRARY.replace(found, instead), architecture, ()))
    assert any(said in problem for problem in problems)


def test_without_the_library_that_reads_elf_files_the_line_to_install_it_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "elftools.elf.elffile", None)
    with pytest.raises(UsageError, match="pyelftools") as error:
        list(elf.problems("x.so", LIBRARY, HERE, ()))
    assert error.value.remedy == "pip install 'lambdaimg[aws]'"


def test_a_library_beside_it_will_do() -> None:
    other = LIBRARY.replace(b"libc.so.6", b"libq.so.6")
    assert list(elf.problems("x.so", other, HERE, {"libq.so.6"})) == []


@pytest.mark.parametrize(
    ("text", "files", "said"),
    [
        ('dockerfile = "Dockerfile"', {"Dockerfile": "FROM scratch\n"}, "has an image or a Dockerfile of its own"),
        ('image = "debian:trixie-slim"', {}, "has an image or a Dockerfile of its own"),
        ('language = "java"', {"hello/Hello.java": ""}, "there is no zip of a Java function"),
    ],
)
def test_what_can_t_be_a_zip_is_refused(
    make_project: Callable[..., Path],
    capfd: pytest.CaptureFixture[str],
    text: str,
    files: dict[str, str],
    said: str,
) -> None:
    root = make_project(f"[functions.hello]\n{text}\n", files)
    assert run(["-C", str(root), "package"]) == 2
    assert said in capfd.readouterr().err
