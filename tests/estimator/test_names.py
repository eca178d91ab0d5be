"""The names of `tf.estimator`: each is here, or says what to use; the documentation tells which."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from keras_legacy_train import estimator

ROOT = Path(__file__).parents[2]
ORIGINAL = json.loads((ROOT / "tests/golden/estimator_names.json").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/estimators.md").read_text(encoding="utf-8")
TABLE = dict(re.findall(r"^\| `([\w.]+)` \| ((?:not )?here.*) \|$", PAGE, re.M))


def find(name: str) -> Any:
    found: Any = estimator
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", ORIGINAL)
def test_a_name_is_here_or_says_what_to_use(name: str) -> None:
    state = TABLE[name]
    if state == "here":
        find(name)
        return
    assert state.startswith("not here; use ")
    with pytest.raises(AttributeError, match=r"is not in keras_legacy_train\. Use "):
        find(name)


def test_the_table_has_the_names_of_the_original_and_no_others() -> None:
    assert sorted(set(TABLE) - set(ORIGINAL)) == []
