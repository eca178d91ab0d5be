"""Provides the tools that test this package, to test monitors, hooks and scripts of your own.

It needs [hypothesis](https://hypothesis.readthedocs.io): `pip install 'keras_legacy_train[testing]'`.

```python
from hypothesis import given, settings

from keras_legacy_train import monitors, testing


class NoteLosses(monitors.EveryN):
    def __init__(self, loss):
        super().__init__(every_n_steps=3)
        self.loss, self.losses = loss, []

    def every_n_step_begin(self, step):
        return [self.loss]

    def every_n_step_end(self, step, outputs):
        self.losses.append(outputs[self.loss])


@settings(max_examples=3, deadline=None)
@given(testing.graph_specs(), testing.step_plans(), testing.faults())
def test_note_losses(spec, plan, fault):
    testing.check_monitor(lambda job: NoteLosses(job.loss), spec, plan, fault)


test_note_losses()
```
"""

try:
    import hypothesis as _hypothesis  # noqa: F401
except ImportError as _error:
    raise ImportError(
        "keras_legacy_train.testing needs hypothesis: pip install 'keras_legacy_train[testing]'"
    ) from _error

from keras_legacy_train.testing.faults import Fault, FaultInjector, InjectedError, faults, full_disk
from keras_legacy_train.testing.graph_specs import GraphSpec, Job, graph_specs
from keras_legacy_train.testing.laws import RecordedCalls, check_monitor
from keras_legacy_train.testing.monitor_specs import MonitorSpec, monitor_specs
from keras_legacy_train.testing.step_plans import StepPlan, step_plans

__all__ = [
    "Fault",
    "FaultInjector",
    "GraphSpec",
    "InjectedError",
    "Job",
    "MonitorSpec",
    "RecordedCalls",
    "StepPlan",
    "check_monitor",
    "faults",
    "full_disk",
    "graph_specs",
    "monitor_specs",
    "step_plans",
]
