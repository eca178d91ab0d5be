"""The page of old names is made from the table."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_old_names_has_the_table() -> None:
    page = runpy.run_path(str(DOCS / "old_names.py"))["page"]()
    assert (DOCS / "old_names.md").read_text(encoding="utf-8") == page, "run python docs/old_names.py"
