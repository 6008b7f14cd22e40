"""Rendered files are never written over what somebody else wrote."""

from pathlib import Path

import pytest

from lambdaimg.images.write import write_private, write_rendered
from lambdaimg.model.errors import UsageError

FILES = {"a.Dockerfile": "FROM a\n", "bake.json": "{}\n"}


def test_only_what_changed_is_written_again(tmp_path: Path) -> None:
    assert write_rendered(tmp_path, FILES) == [tmp_path / "a.Dockerfile", tmp_path / "bake.json"]
    before = (tmp_path / "bake.json").stat().st_mtime_ns
    assert write_rendered(tmp_path, {**FILES, "a.Dockerfile": "FROM b\n"}) == [tmp_path / "a.Dockerfile"]
    assert (tmp_path / "bake.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("content", [b"mine\n", b"\xff\xfe"])
def test_a_foreign_file_stops_all(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bake.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"bake\.json is not as `render` left it"):
        write_rendered(tmp_path, FILES)
    assert not (tmp_path / "a.Dockerfile").exists()
    assert (tmp_path / "bake.json").read_bytes() == content


def test_an_edited_file_is_kept(tmp_path: Path) -> None:
    write_rendered(tmp_path, FILES)
    (tmp_path / "a.Dockerfile").write_text("FROM mine\n")
    with pytest.raises(UsageError):
        write_rendered(tmp_path, FILES)
    assert (tmp_path / "a.Dockerfile").read_text() == "FROM mine\n"


def test_the_same_text_is_nobodys(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    assert write_rendered(tmp_path, FILES) == []


def test_private_files_are_ignored_by_git(tmp_path: Path) -> None:
    write_private(tmp_path / "build", FILES)
    assert (tmp_path / "build" / ".gitignore").read_text() == "*\n"


def test_a_folder_that_cant_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="can't write"):
        write_private(tmp_path / "file" / "x", FILES)
