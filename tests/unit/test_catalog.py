"""Every data file can be read and fits the others."""

import re

import pytest

from lambdaimg import resources
from lambdaimg.catalog import bases, languages
from lambdaimg.images.bootstrap import debian_mirror
from lambdaimg.model.checks import image_reference
from lambdaimg.model.settings import ARCHITECTURES


@pytest.mark.parametrize("name", bases.names())
def test_bases(name: str) -> None:
    base = bases.read(name)
    assert image_reference(base.reference) == base.reference
    assert set(base.architectures) <= set(ARCHITECTURES)
    assert base.package_manager in ("apt", "apk", "dnf", "microdnf", "yum", "none")
    assert base.runtimes.keys() <= set(languages.names())
    assert bases.find(base.reference) == bases.find(name) == base
    assert not base.builder or bases.read(base.builder).package_manager != "none"
    assert bool(base.builder) == (base.package_manager == "none"), "what has no shell is built elsewhere"
    for language in base.runtimes:
        assert not base.builder or languages.read(language).builder or language in bases.read(base.builder).runtimes
    if base.bootstrap and base.bootstrap.dockerfile:
        assert base.bootstrap.dockerfile.is_file()
        assert base.bootstrap.base in bases.names()


@pytest.mark.parametrize("name", languages.names())
def test_languages(name: str) -> None:
    language = languages.read(name)
    assert bases.find(language.default_base)
    assert (resources.templates() / name / "Dockerfile.j2").is_file()
    assert language.builder is None or language.builder.base in bases.names()
    assert all(language.runtime(bases.read(base)) for base in (*language.tier_1, language.default_base))
    for starter in language.starters:
        assert any(file.suffix in language.source_extensions for file in starter.folder.rglob("*"))
        assert language.runtime(bases.read(starter.base))


def test_an_old_runtime_gets_its_ric_and_a_warning() -> None:
    nodejs = languages.read("nodejs")
    assert nodejs.ric("24", "apt").version == "4.0.2"
    assert not nodejs.ric("22", "apt").warning
    old = nodejs.ric("20", "apt")
    assert (old.version, bool(old.warning)) == ("3.3.0", True)
    assert "libtool" in old.build_packages
    assert nodejs.ric("20", "apt", "3.2.0").version == "3.2.0"


@pytest.mark.parametrize(
    ("language", "base", "tier"),
    [
        ("python", "debian-trixie", 1),
        ("python", "aws-python-3.14", 2),
        ("python", "scratch", None),
        ("go", "scratch", 1),
        ("go", "alpine-3.22", 2),
        ("dotnet", "distroless-base", 2),
        ("dotnet", "scratch", None),
    ],
)
def test_a_tier_is_what_the_checks_do(language: str, base: str, tier: int | None) -> None:
    assert languages.read(language).tier(bases.read(base)) == tier


def test_a_digest_is_whole() -> None:
    assert all(re.fullmatch("(sha256:[0-9a-f]{64})?", bases.read(name).digest) for name in bases.names())


def test_a_distribution_is_known_by_its_release() -> None:
    found = bases.of_distribution("debian", "13")
    assert found
    assert found.name == "debian-trixie"
    assert bases.of_distribution("debian", "99") is None


@pytest.mark.parametrize(
    ("file", "text", "mirror"),
    [
        ("sources.list", "deb http://mirror.example/debian bookworm main\n", "http://mirror.example/debian"),
        ("sources.list", "# deb http://no/debian x\ndeb [signed-by=/k] http://m/debian/ x main\n", "http://m/debian/"),
        ("sources.list.d/debian.sources", "Types: deb\nURIs: http://m/debian\nSuites: x\n", "http://m/debian"),
        ("sources.list.d/other.sources", "Types: deb\nURIs: http://m/other\nSuites: x\n", ""),
        ("sources.list.d/debian.sources.off", "URIs: http://m/debian\n", ""),
    ],
)
def test_the_mirror_is_apts_own(tmp_path, file: str, text: str, mirror: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    assert debian_mirror(tmp_path) == mirror
