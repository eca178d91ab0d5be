"""Serves the training loop: each service is a `keras.callbacks.Callback`.

    train(..., callbacks=[TerminateOnNaN(check_inf=True), keras.callbacks.CSVLogger("log.csv")])

Beside them are the types that the hooks of a `LoopCallback` take and return: `Steps`, `StopReason`, `Feeds`,
`Sampling` and `RunContext`.

May import loop, monitors, programs, graph, checkpoints and what they import; `training` puts them together.
"""

from keras_legacy_train.callbacks.checkpoint_saver import CheckpointSaver
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.progress_bar import ProgressBar
from keras_legacy_train.callbacks.step_logger import StepLogger
from keras_legacy_train.callbacks.terminate_on_nan import TerminateOnNaN
from keras_legacy_train.callbacks.training_summaries import TrainingSummaries
from keras_legacy_train.loop.callback import LoopCallback
from keras_legacy_train.loop.run_context import RunContext
from keras_legacy_train.loop.schedule import Sampling
from keras_legacy_train.loop.stop import StopReason
from keras_legacy_train.programs.base import Feeds, Steps

__all__ = [
    "CheckpointSaver",
    "Feeds",
    "LoopCallback",
    "MonitorCallback",
    "ProgressBar",
    "RunContext",
    "Sampling",
    "StepLogger",
    "Steps",
    "StopReason",
    "TerminateOnNaN",
    "TrainingSummaries",
]
