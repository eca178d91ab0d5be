"""`tf.contrib.learn.train`, its monitors and its checkpoints, on today's TensorFlow and Keras 3."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import TYPE_CHECKING, Any

from keras_legacy_train import _backend

if TYPE_CHECKING:
    from keras_legacy_train import (
        callbacks,
        checkpoints,
        cluster,
        framework,
        layers,
        learn,
        monitors,
        rnn_cell,
        tf_layers,
    )
    from keras_legacy_train.errors import (
        CheckpointMismatchError,
        CheckpointSaveError,
        DamagedCheckpointError,
        DirectoryInUseError,
        ModelNotReadyError,
        NanLossDuringTrainingError,
        NoProgressError,
        NotInitializedError,
        ReplicasDifferError,
        ServerUnreachableError,
    )
    from keras_legacy_train.evaluate import evaluate
    from keras_legacy_train.fit import fit
    from keras_legacy_train.graph_model import GraphModel
    from keras_legacy_train.infer import infer, run_feeds, run_feeds_iter, run_n
    from keras_legacy_train.migration import LoadReport, load_tf1_weights
    from keras_legacy_train.summaries import clear_summary_writers, get_summary_writer
    from keras_legacy_train.train import train

__version__ = "0.1.0.dev0"

__all__ = [
    "CheckpointMismatchError",
    "CheckpointSaveError",
    "DamagedCheckpointError",
    "DirectoryInUseError",
    "GraphModel",
    "LoadReport",
    "ModelNotReadyError",
    "NanLossDuringTrainingError",
    "NoProgressError",
    "NotInitializedError",
    "ReplicasDifferError",
    "ServerUnreachableError",
    "callbacks",
    "checkpoints",
    "clear_summary_writers",
    "cluster",
    "evaluate",
    "fit",
    "framework",
    "get_summary_writer",
    "infer",
    "layers",
    "learn",
    "load_tf1_weights",
    "monitors",
    "rnn_cell",
    "run_feeds",
    "run_feeds_iter",
    "run_n",
    "tf_layers",
    "train",
]

if "keras" in sys.modules:
    _backend.check()

# The module of each name that is no module. Names are loaded when they are asked for, so that the command
# line begins at once, and scripts can set environment variables before TensorFlow is loaded.
_MODULES = {
    "CheckpointMismatchError": "errors",
    "CheckpointSaveError": "errors",
    "DamagedCheckpointError": "errors",
    "DirectoryInUseError": "errors",
    "ModelNotReadyError": "errors",
    "NanLossDuringTrainingError": "errors",
    "NoProgressError": "errors",
    "NotInitializedError": "errors",
    "ReplicasDifferError": "errors",
    "ServerUnreachableError": "errors",
    "evaluate": "evaluate",
    "infer": "infer",
    "run_feeds": "infer",
    "run_feeds_iter": "infer",
    "run_n": "infer",
    "fit": "fit",
    "GraphModel": "graph_model",
    "LoadReport": "migration",
    "load_tf1_weights": "migration",
    "clear_summary_writers": "summaries",
    "get_summary_writer": "summaries",
    "train": "train",
}


class _Package(types.ModuleType):
    """Keeps functions whose modules have their names: Python would put the module there when it is loaded."""

    def __setattr__(self, name: str, value: Any) -> None:
        if _MODULES.get(name) == name and isinstance(value, types.ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


if not TYPE_CHECKING:  # else every name would pass

    def __getattr__(name: str) -> Any:
        """Returns a name of the package, or a module of it, which is loaded now.

        Raises:
            AttributeError: There is no such name.
        """
        if name not in __all__ and (
            name.startswith("_") or not importlib.util.find_spec(f"{__name__}.{name}")
        ):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        _backend.check()
        module = importlib.import_module(f"{__name__}.{_MODULES.get(name, name)}")
        value = globals()[name] = getattr(module, name) if name in _MODULES else module
        return value


def __dir__() -> list[str]:
    """Returns the names of the package."""
    return sorted({*globals(), *__all__})
