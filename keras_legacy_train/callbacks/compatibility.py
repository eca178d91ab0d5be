"""Refuses Keras callbacks that cannot do their work, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable

import keras

from keras_legacy_train.programs.graph_optimizer import GraphOptimizer

_SET_LEARNING_RATE = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
_NAMES = ("ModelCheckpoint", "OrbaxCheckpoint")  # the second came late in Keras 3
_SAVE = tuple(getattr(keras.callbacks, name) for name in _NAMES if hasattr(keras.callbacks, name))


def check_graph_callbacks(
    callbacks: Iterable[keras.callbacks.Callback], optimizer: GraphOptimizer, resumes: bool = False
) -> None:
    """Raises ValueError for a callback that cannot do its work on a graph.

    Args:
        callbacks: Keras callbacks.
        optimizer: What they find as `model.optimizer`.
        resumes: Whether the training restores its own checkpoints.
    """
    for callback in callbacks:
        problem = _problem_on_graph(callback, optimizer, resumes)
        if problem is not None:
            raise ValueError(f"callbacks: {type(callback).__name__} {problem}")


def _problem_on_graph(
    callback: keras.callbacks.Callback, optimizer: GraphOptimizer, resumes: bool
) -> str | None:
    if isinstance(callback, _SET_LEARNING_RATE) and not hasattr(optimizer, "learning_rate"):
        return (
            "sets the learning rate, and it is not known which variable of the graph that is. Make the"
            " optimizer with a variable named 'learning_rate', as layers.optimize_loss does, or name yours by"
            " GraphModel(..., learning_rate=...)."
        )
    if isinstance(callback, _SAVE) and not callback.save_weights_only:
        return (
            "saves whole models, but Keras cannot write a graph down. Pass save_weights_only=True, and to"
            " ModelCheckpoint a path that ends in '.weights.h5'. GraphModel.export() writes a SavedModel."
        )
    if isinstance(callback, keras.callbacks.SwapEMAWeights):
        return (
            "needs a Keras optimizer with use_ema=True. The moving averages of a graph are variables of its"
            " own: restore them by a Saver of ExponentialMovingAverage(...).variables_to_restore()."
        )
    if resumes and isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights:
        return (
            "restores the best weights when the last checkpoint is written already, and they would be lost."
            " Keep them by ModelCheckpoint(..., save_best_only=True, save_weights_only=True)."
        )
    if resumes and isinstance(callback, keras.callbacks.BackupAndRestore):
        return "is of no use here: train() resumes from the newest checkpoint in output_dir by itself."
    return None


def check_model_callbacks(callbacks: Iterable[keras.callbacks.Callback]) -> None:
    """Raises ValueError for a callback that cannot do its work where training restores its checkpoints."""
    for callback in callbacks:
        problem = _problem_on_model(callback)
        if problem is not None:
            raise ValueError(f"callbacks: {type(callback).__name__}{problem} Or pass output_dir=None.")


def _problem_on_model(callback: keras.callbacks.Callback) -> str | None:
    if isinstance(callback, keras.callbacks.BackupAndRestore):
        return " is of no use here: training resumes from the newest checkpoint in output_dir by itself."
    if isinstance(callback, keras.callbacks.SwapEMAWeights) and callback.swap_on_epoch:
        return (
            "(swap_on_epoch=True) has the averages in the place of the weights when the last checkpoint is"
            " written, and no run could go on from that. Pass swap_on_epoch=False."
        )
    return None
