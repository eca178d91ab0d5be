"""Makes the site from the files of the repository, and a reference page for each public package.

Files have the same places in the site as in the repository, so a link that works in one works in the other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PATTERNS = ("*.md", "benchmarks/*.md", "docs/*.md", "docs/*.svg", "examples/*.py", "examples/cluster/*.py")
PACKAGE = "keras_legacy_train"
PAGES = {
    PACKAGE: f"{PACKAGE}/__init__.py",
    f"{PACKAGE}.monitors": f"{PACKAGE}/monitors/__init__.py",
    f"{PACKAGE}.callbacks": f"{PACKAGE}/callbacks/__init__.py",
    f"{PACKAGE}.cluster": f"{PACKAGE}/cluster/__init__.py",
    f"{PACKAGE}.estimator": f"{PACKAGE}/estimator/__init__.py",
    f"{PACKAGE}.estimator.experimental": f"{PACKAGE}/estimator/experimental.py",
    f"{PACKAGE}.estimator.export": f"{PACKAGE}/estimator/export/__init__.py",
    f"{PACKAGE}.estimator.tpu": f"{PACKAGE}/estimator/tpu.py",
    f"{PACKAGE}.framework": f"{PACKAGE}/framework/__init__.py",
    f"{PACKAGE}.layers": f"{PACKAGE}/layers.py",
    f"{PACKAGE}.learn": f"{PACKAGE}/learn/__init__.py",
    f"{PACKAGE}.migration": f"{PACKAGE}/migration/__init__.py",
    f"{PACKAGE}.rnn_cell": f"{PACKAGE}/rnn_cell/__init__.py",
    f"{PACKAGE}.testing": f"{PACKAGE}/testing/__init__.py",
    f"{PACKAGE}.tf_layers": f"{PACKAGE}/tf_layers/__init__.py",
    f"{PACKAGE}.types": f"{PACKAGE}/types.py",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Returns the files of the theme, those of the repository, and the reference pages."""
    theme = [file for file in files if file.src_dir != config.docs_dir]
    paths = sorted(path for pattern in PATTERNS for path in ROOT.glob(pattern))
    texts = [
        File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)) for path in paths
    ]
    reference = [
        File.generated(config, f"reference/{module}.md", content=reference_page(module)) for module in PAGES
    ]
    return Files([*theme, *texts, *reference])


def reference_page(module: str) -> str:
    """Returns the page of a module: its docstring, then every public name; errors come last.

    What the package itself exports has its entry on the page of the package, and no other.
    """
    elsewhere = [] if module == PACKAGE else [path for _, path in public_names(PACKAGE)]
    names = [(name, path) for name, path in public_names(module) if path not in elsewhere]
    names.sort(key=lambda entry: (entry[0].endswith("Error"), entry[0].lower()))
    introduction = [
        f"# `{module}`",
        f"::: {module}\n    options:\n      members: false\n      show_root_heading: false",
    ]
    return "\n\n".join([*introduction, *(f"::: {path}" for _, path in names)])


def public_names(module: str) -> Iterator[tuple[str, str]]:
    """Yields each public name of a module that is no module, with the dotted path of its definition.

    The names are those in `__all__`, or else those that the module defines.
    """
    tree = ast.parse((ROOT / PAGES[module]).read_text(encoding="utf-8"))
    exported: list[str] | None = None
    origins: dict[str, str | None] = {}
    defined: list[str] = []
    # Names that are loaded when they are asked for are imported for type checkers only.
    statements = [each for node in tree.body for each in (node.body if isinstance(node, ast.If) else [node])]
    for node in statements:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            exported = ast.literal_eval(node.value)
        elif isinstance(node, ast.ImportFrom):
            origins |= {alias.name: node.module for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            defined.append(node.name)
        elif isinstance(node, ast.AnnAssign):
            defined.append(ast.unparse(node.target))
    for name in defined if exported is None else exported:
        path = f"{origins.get(name, module)}.{name}"
        if not is_module(path) and not name.startswith("_"):
            yield name, path


def is_module(path: str) -> bool:
    """Tells whether a dotted path is that of a package or module."""
    place = ROOT / path.replace(".", "/")
    return place.is_dir() or place.with_suffix(".py").exists()
