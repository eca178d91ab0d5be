"""Provides the monitors, which watch a training: they print, save, capture and stop.

Stands for `tf.contrib.learn.monitors`. Subclass a monitor to do something else. Pass monitors to
`train(monitors=[...])`:

```python
from keras_legacy_train import monitors

class CollectLosses(monitors.EveryN):
    def __init__(self, loss, every_n_steps):
        super().__init__(every_n_steps)
        self.loss, self.losses = loss, {}

    def every_n_step_begin(self, step):
        return [self.loss]

    def every_n_step_end(self, step, outputs):
        self.losses[step] = outputs[self.loss]

watchers = [
    monitors.PrintTensor({"loss": "loss:0"}, every_n=10),
    monitors.StopAtStep(num_steps=25),
    CollectLosses("loss:0", every_n_steps=5),
]
```

Steps that no monitor asks to see run many times faster. `EveryN` and its subclasses ask only for the steps
at which they act. A monitor that only reads values can let the loop keep them for it: see
`BaseMonitor.sampling`.
"""

from keras_legacy_train.errors import NanLossDuringTrainingError
from keras_legacy_train.monitors.base import BaseMonitor
from keras_legacy_train.monitors.capture_variable import CaptureVariable
from keras_legacy_train.monitors.checkpoint_saver import CheckpointSaver
from keras_legacy_train.monitors.defaults import get_default_monitors
from keras_legacy_train.monitors.every_n import EveryN
from keras_legacy_train.monitors.export_monitor import ExportMonitor
from keras_legacy_train.monitors.graph_dump import GraphDump
from keras_legacy_train.monitors.hook_adapter import RunHookAdapterForMonitors, replace_monitors_with_hooks
from keras_legacy_train.monitors.logging_trainable import LoggingTrainable
from keras_legacy_train.monitors.nan_loss import NanLoss
from keras_legacy_train.monitors.print_tensor import PrintTensor
from keras_legacy_train.monitors.step_counter import StepCounter
from keras_legacy_train.monitors.stop_at_step import StopAtStep
from keras_legacy_train.monitors.summary_saver import SummarySaver
from keras_legacy_train.monitors.validation_monitor import ValidationMonitor

__all__ = [
    "BaseMonitor",
    "CaptureVariable",
    "CheckpointSaver",
    "EveryN",
    "ExportMonitor",
    "GraphDump",
    "LoggingTrainable",
    "NanLoss",
    "NanLossDuringTrainingError",
    "PrintTensor",
    "RunHookAdapterForMonitors",
    "StepCounter",
    "StopAtStep",
    "SummarySaver",
    "ValidationMonitor",
    "get_default_monitors",
    "replace_monitors_with_hooks",
]
