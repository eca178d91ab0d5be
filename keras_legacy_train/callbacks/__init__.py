"""The services of the training loop, each a `keras.callbacks.Callback`.

train(..., callbacks=[TerminateOnNaN(check_inf=True), keras.callbacks.CSVLogger("log.csv")])
"""

from keras_legacy_train.callbacks.checkpoint_saver import CheckpointSaver
from keras_legacy_train.callbacks.monitor_callback import MonitorCallback
from keras_legacy_train.callbacks.progress_bar import ProgressBar
from keras_legacy_train.callbacks.step_logger import StepLogger
from keras_legacy_train.callbacks.terminate_on_nan import TerminateOnNaN
from keras_legacy_train.callbacks.training_summaries import TrainingSummaries
from keras_legacy_train.loop.callback import LoopCallback

__all__ = [
    "CheckpointSaver",
    "LoopCallback",
    "MonitorCallback",
    "ProgressBar",
    "StepLogger",
    "TerminateOnNaN",
    "TrainingSummaries",
]
