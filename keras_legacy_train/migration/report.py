"""Reports what `load_tf1_weights` did, for people to read and for programs to check."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class FilledWeight:
    """Tells where the value of a weight came from.

    Attributes:
        path: The weight's path, relative to the model.
        sources: The names in the checkpoint: one or, for a weight of a recurrent layer, several.
        note: How the value was converted, in words; empty if it was copied.
    """

    path: str
    sources: tuple[str, ...]
    note: str = ""

    def __str__(self) -> str:
        text = f"{self.path} <- {', '.join(self.sources)}"
        return f"{text} ({self.note})" if self.note else text


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """Lists the source of each weight, and what is left on both sides; `str()` gives it as text.

    Attributes:
        checkpoint: Prefix of the checkpoint.
        filled: The weights that got a value.
        unfilled: For each weight without a counterpart, by its path, the names in the checkpoint that it
            could be, the likeliest first.
        skipped: The paths of the weights that were left as they are because of `skip`.
        unused: The names in the checkpoint that no weight took.
        bookkeeping: The names in the checkpoint that were not considered: those of optimizers, moving
            averages and counters.
    """

    checkpoint: str
    filled: Sequence[FilledWeight]
    unfilled: Mapping[str, Sequence[str]]
    skipped: Sequence[str]
    unused: Sequence[str]
    bookkeeping: Sequence[str]

    def __str__(self) -> str:
        count = len(self.filled) + len(self.unfilled) + len(self.skipped)
        lines = [f"{len(self.filled)} of {count} weights filled from {self.checkpoint}:"]
        lines += [f"  {weight}" for weight in self.filled]
        if self.unfilled:
            lines.append("Without a counterpart, left as they were:")
            lines += [f"  {line}" for line in describe_unfilled(self.unfilled)]
        for title, names in (
            ("Skipped:", self.skipped),
            ("In the checkpoint, not used:", self.unused),
            ("In the checkpoint, of optimizers and counters:", self.bookkeeping),
        ):
            if names:
                lines += [title, *(f"  {name}" for name in names)]
        return "\n".join(lines)


def describe_unfilled(unfilled: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns a line for each weight without a counterpart."""
    return [
        f"{path}: no counterpart in the checkpoint" + (f"; is it {' or '.join(names)}?" if names else "")
        for path, names in unfilled.items()
    ]
