"""The wheel holds the package, all of it and nothing else, and says what it needs."""

from __future__ import annotations

import email.message
import email.parser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "keras_legacy_train"
SOURCES = (PACKAGE, "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from a copy of the sources, since building leaves files beside them."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name)
        else:
            shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", target, source], check=True, capture_output=True)
    (path,) = target.iterdir()
    return zipfile.ZipFile(path)


@pytest.fixture
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.parser.Parser().parsestr(wheel.read(name).decode())


def test_wheel_holds_every_module_and_the_typing_marker(wheel: zipfile.ZipFile) -> None:
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / PACKAGE).rglob("*.py")}
    expected.add(f"{PACKAGE}/py.typed")
    packed = {name for name in wheel.namelist() if not name.split("/")[0].endswith(".dist-info")}
    assert packed == expected


def test_wheel_holds_the_licence(wheel: zipfile.ZipFile) -> None:
    licence = (ROOT / "LICENSE").read_bytes()
    assert any(wheel.read(name) == licence for name in wheel.namelist() if name.endswith("/LICENSE"))


def test_metadata_names_the_versions_it_needs(metadata: email.message.Message) -> None:
    assert metadata["Name"].replace("-", "_") == PACKAGE
    assert metadata["Requires-Python"] == ">=3.10"
    needed = {
        requirement for requirement in metadata.get_all("Requires-Dist", []) if "extra" not in requirement
    }
    assert {"tensorflow<2.22,>=2.18", "keras<4,>=3.5"} <= needed


def test_metadata_carries_the_readme(metadata: email.message.Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert str(metadata.get_payload()).strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()
