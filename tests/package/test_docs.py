"""Every Python example in README.md, CONTRIBUTING.md, docs/ and the package's docstrings runs.

An example is a block between ```python and ```. The blocks of one Markdown file, or of one docstring, are one
script, run in a directory of its own. In a docstring it may use the names of its module, and `output_dir`.
What is not meant to run is written in a ```text or ```diff block.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
MODULES = sorted((ROOT / "keras_legacy_train").rglob("*.py"))

BLOCK = re.compile(r"^(?P<indent>[ ]*)```python\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)(?P<target>[^)#]+)")
FILE = re.compile(r"`((?:keras_legacy_train|tests|docs|examples|benchmarks)/[\w/]*(?:/|\.\w+))[`:]")


@dataclasses.dataclass(frozen=True)
class Example:
    """A script made of the blocks of one text, each on the lines it has in its file."""

    path: Path
    name: str
    code: str
    module: str = "builtins"

    def run(self, output_dir: Path) -> None:
        names = vars(importlib.import_module(self.module)) | {
            "__name__": "__main__",
            "output_dir": str(output_dir),
        }
        exec(compile(self.code, str(self.path), "exec"), names)


def script(text: str, first_line: int = 1) -> str:
    """Joins the blocks of a text whose first line is `first_line` of its file."""
    lines: list[str] = []
    for block in BLOCK.finditer(text):
        start = first_line + text.count("\n", 0, block.start("code"))
        lines += [""] * (start - 1 - len(lines))
        lines += [line.removeprefix(block["indent"]) for line in block["code"].splitlines()]
    return "\n".join(lines)


def docstring_examples(path: Path) -> Iterator[Example]:
    source = path.read_text(encoding="utf-8")
    # Most modules have no example, and to parse them all takes seconds.
    for node in ast.walk(ast.parse(source if BLOCK.search(source) else "")):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            continue
        text = ast.get_docstring(node, clean=False)
        if text and (code := script(text, node.body[0].lineno)):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield Example(path, f"{module}:{getattr(node, 'name', '')}", code, module)


PAGE_EXAMPLES = [
    Example(page, page.relative_to(ROOT).as_posix(), code)
    for page in PAGES
    if (code := script(page.read_text(encoding="utf-8")))
]
DOCSTRING_EXAMPLES = [example for path in MODULES for example in docstring_examples(path)]


@pytest.mark.parametrize("example", [*PAGE_EXAMPLES, *DOCSTRING_EXAMPLES], ids=lambda example: example.name)
def test_example_runs(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example.run(tmp_path)


def test_the_readme_has_an_example() -> None:
    assert "README.md" in [example.name for example in PAGE_EXAMPLES]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [link["target"] for link in LINK.finditer(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_named_on_a_page_exist(page: Path) -> None:
    names = FILE.findall(page.read_text(encoding="utf-8"))
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_blocks_keep_their_line_numbers() -> None:
    text = "one\n\n```python\na = 1\n```\n\n    ```python\n    if a:\n        b = 2\n    ```\n"
    assert script(text, first_line=10).splitlines()[12:] == ["a = 1", "", "", "", "if a:", "    b = 2"]
