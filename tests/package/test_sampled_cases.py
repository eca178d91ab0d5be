"""The list of tests of which the default suite runs some cases names tests that there are."""

from __future__ import annotations

import re

from helpers import TESTS
from sampled_cases import EVERY_NTH


def test_each_test_in_the_list_is_there() -> None:
    for test in EVERY_NTH:
        file, _, name = test.partition("::")
        pattern = rf"^ *def {name.rpartition('::')[2]}\("
        assert re.search(pattern, (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE), test
