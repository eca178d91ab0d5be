"""Says how an `Experiment` exports its Estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from keras_legacy_train.estimator.model_fn import parameters


class ExportStrategy(NamedTuple):
    """Says how an `Experiment` exports its Estimator; stands for `tf.contrib.learn.ExportStrategy`.

    Attributes:
        name: Name of the directory of the exports, within `export`.
        export_fn: Exports an Estimator into a directory. It takes both, and as far as it has the arguments
            `checkpoint_path`, `eval_result` and `strip_default_attrs`. It may decide not to export.
        strip_default_attrs: Passed to `export_fn`.
    """

    name: str
    export_fn: Callable[..., Any]
    strip_default_attrs: bool | None = None

    def export(
        self,
        estimator: Any,
        export_path: Any,
        checkpoint_path: Any = None,
        eval_result: Mapping[str, Any] | None = None,
    ) -> Any:
        """Exports an Estimator.

        Args:
            estimator: The Estimator.
            export_path: The directory of the exports.
            checkpoint_path: The checkpoint to export; `None` leaves it to `export_fn`.
            eval_result: The results of that checkpoint.

        Returns:
            What `export_fn` returns: the path of the export.

        Raises:
            ValueError: `export_fn` takes results, but no checkpoint.
        """
        taken = parameters(self.export_fn)
        if "eval_result" in taken and "checkpoint_path" not in taken:
            raise ValueError("An export_fn accepting eval_result must also accept checkpoint_path.")
        given = {
            "checkpoint_path": checkpoint_path,
            "eval_result": eval_result,
            "strip_default_attrs": self.strip_default_attrs,
        }
        return self.export_fn(
            estimator, export_path, **{name: value for name, value in given.items() if name in taken}
        )
