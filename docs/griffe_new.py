"""Shows the parameters of a class whose `__new__` takes them, as tuples with checks have it."""

from __future__ import annotations

from typing import Any

import griffe


class NewAsInit(griffe.Extension):
    """Takes `__new__` for `__init__`, which is where the reference looks for parameters."""

    def on_class_members(self, *, cls: griffe.Class, **kwargs: Any) -> None:
        if "__new__" in cls.members and "__init__" not in cls.members:
            cls.members["__init__"] = cls.members["__new__"]
