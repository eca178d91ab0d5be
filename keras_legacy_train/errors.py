"""Defines the errors of this package, each a subclass of the error that fits it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf

_PROBLEMS_SHOWN = 50


class NanLossDuringTrainingError(tf.compat.v1.train.NanLossDuringTrainingError):
    """Raised when the loss becomes NaN and `fail_on_nan_loss` is set.

    `TerminateOnNaN(check_inf=True)` raises it for an infinite loss, too.

    Stands for `tf.contrib.learn.NanLossDuringTrainingError`. Handlers of
    `tf.compat.v1.train.NanLossDuringTrainingError` catch it, too.

    Attributes:
        step: The step (an `int`, counted as monitors see it) that had this loss, or `None`.
        last_good_checkpoint: Path of the newest checkpoint whose variables are all finite, or `None`.
        report: Path of a JSON file that names the variables that were not finite at that step and the file
            that holds their values, or `None`.
        loss: The loss, a `float`: NaN, `inf` or `-inf`.
    """

    def __init__(
        self,
        step: int | None = None,
        last_good_checkpoint: str | None = None,
        report: str | None = None,
        loss: float = math.nan,
    ):
        super().__init__(step, last_good_checkpoint, report, loss)
        self.step = step
        self.last_good_checkpoint = last_good_checkpoint
        self.report = report
        self.loss = loss

    def __str__(self) -> str:
        is_infinite = math.isinf(self.loss)
        text = f"Infinite loss ({self.loss}) during training." if is_infinite else "NaN loss during training."
        if self.step is not None:
            text += f" It appeared at step {self.step}."
        if self.last_good_checkpoint:
            text += (
                f" The newest checkpoint is still {self.last_good_checkpoint}; training again in the"
                " same directory goes on from there, so lower the learning rate or mend the input first."
            )
        if self.report:
            text += f" Which variables were not finite, and where they are kept, is in {self.report}."
        return text


class CheckpointMismatchError(ValueError):
    """Raised when a checkpoint does not fit the variables to fill. Nothing was assigned.

    Attributes:
        path: The checkpoint's prefix.
        problems: One line for every variable that is missing or has another shape or dtype.
    """

    def __init__(self, path: str, problems: list[str]):
        super().__init__(path, problems)
        self.path = path
        self.problems = problems

    def __str__(self) -> str:
        return f"{self.path} does not fit:\n  " + "\n  ".join(self.problems)


class CheckpointSaveError(OSError):
    """Raised when a checkpoint cannot be written. Earlier checkpoints are unchanged.

    Attributes:
        errno: The number of the operating system's error, `None` if it is not known.
        strerror: The description of that error.
        filename: The checkpoint's prefix.
    """

    def __str__(self) -> str:
        return (
            f"The checkpoint {self.filename} could not be saved: {self.strerror}. Those saved before are as"
            " they were; training goes on from the newest of them when it is started again."
        )


class DamagedCheckpointError(OSError):
    """Raised when a directory holds checkpoints and none of them can be read.

    Attributes:
        directory: The directory.
        problems: One line for every checkpoint, with its fault.
    """

    def __init__(self, directory: str, problems: list[str]):
        super().__init__(directory, problems)
        self.directory = directory
        self.problems = problems

    def __str__(self) -> str:
        more = len(self.problems) - _PROBLEMS_SHOWN
        return (
            f"No checkpoint in {self.directory} can be read. Training will not restart from step 0 over"
            " them: restore the files from a copy, or move them away to begin anew.\n  "
            + "\n  ".join(self.problems[-_PROBLEMS_SHOWN:])
            + (f"\n  and {more} more" if more > 0 else "")
        )


class DirectoryInUseError(RuntimeError):
    """Raised when another process trains in the directory.

    Attributes:
        directory: The directory.
        pid: Number of the other process.
        host: Name of the machine on which it runs.
    """

    def __init__(self, directory: str, pid: int, host: str):
        super().__init__(directory, pid, host)
        self.directory = directory
        self.pid = pid
        self.host = host

    def __str__(self) -> str:
        return (
            f"Process {self.pid} on {self.host} trains in {self.directory} already. Wait for it, or choose"
            " another output_dir. On another machine it counts as gone when it has given no sign for five"
            " minutes; if you know that it is, delete the file .trainer.lock."
        )


class NotInitializedError(RuntimeError):
    """Raised when variables have no value after initialisation.

    Attributes:
        names: The names of those variables.
    """

    def __init__(self, names: list[str]):
        super().__init__(names)
        self.names = names

    def __str__(self) -> str:
        return (
            "Init operations did not make model ready. Variables without a value: "
            f"{', '.join(self.names)}. Let init_op, init_fn or a local initializer assign them. When training"
            " resumes, only local initializers are run, the collections LOCAL_INIT_OP and TABLE_INITIALIZERS."
        )


class ReplicasDifferError(RuntimeError):
    """Raised when variables that training must keep equal differ between replicas. Nothing was saved.

    Attributes:
        names: The names of those variables.
    """

    def __init__(self, names: list[str]):
        super().__init__(names)
        self.names = names

    def __str__(self) -> str:
        more = len(self.names) - 10
        names = ", ".join(self.names[:10]) + (f" and {more} more" if more > 0 else "")
        return (
            f"The replicas no longer have the same values in {names}: each has trained its own copy."
            " Sum up the gradients over all replicas before they are applied, by"
            " tf.distribute.get_replica_context().all_reduce(), or let a Keras optimizer apply them."
        )


class NoProgressError(RuntimeError):
    """Raised when `train_op` has run many times in a row without raising the global step.

    Attributes:
        variable: Name of the global step's variable.
        runs: Number of runs of `train_op` since the global step last rose.
    """

    def __init__(self, variable: str, runs: int):
        super().__init__(variable, runs)
        self.variable = variable
        self.runs = runs

    def __str__(self) -> str:
        return (
            f"train_op ran {self.runs} times without raising the global step {self.variable!r}."
            " Pass global_step= to the optimizer's minimize() or apply_gradients(), or raise it in train_op."
        )


class ServerUnreachableError(ConnectionError):
    """Raised when servers of a cluster do not answer.

    Attributes:
        servers: What they are called: task and address.
        seconds: For how long they have not answered.
    """

    def __init__(self, servers: Sequence[str], seconds: float):
        super().__init__(servers, seconds)
        self.servers = list(servers)
        self.seconds = seconds

    def __str__(self) -> str:
        return (
            f"No answer for {self.seconds:g} s from {', '.join(self.servers)}."
            " Is the process running there, and is the address right?"
        )


class ModelNotReadyError(TimeoutError):
    """Raised when the chief of a cluster does not give the shared variables their values.

    Attributes:
        variables: The names of those without a value.
        seconds: For how long this process has waited.
    """

    def __init__(self, variables: Sequence[str], seconds: float):
        super().__init__(variables, seconds)
        self.variables = list(variables)
        self.seconds = seconds

    def __str__(self) -> str:
        names = ", ".join(self.variables[:_PROBLEMS_SHOWN])
        return (
            f"The chief has not given the model its values within {self.seconds:g} s."
            f" Without a value: {names or 'none; the chief has not said that it is ready'}."
            " Is the chief running, with the same cluster and the same graph?"
        )
