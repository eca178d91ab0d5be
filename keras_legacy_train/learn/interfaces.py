"""Says what a model has to have to be trained and evaluated by an `Experiment`."""

from __future__ import annotations

from typing import Any


class Trainable:
    """Can be trained; stands for `tf.contrib.learn.Trainable`. See `Estimator` for the methods."""

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Trains the model.

        Args:
            args: See `Estimator.fit`.
            kwargs: See `Estimator.fit`.

        Raises:
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define fit.")


class Evaluable:
    """Can be evaluated; stands for `tf.contrib.learn.Evaluable`. See `Estimator` for the methods."""

    @property
    def model_dir(self) -> str:
        """Returns the directory of checkpoints and event files.

        Raises:
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define model_dir.")

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluates the model.

        Args:
            args: See `Estimator.evaluate`.
            kwargs: See `Estimator.evaluate`.

        Raises:
            NotImplementedError: The subclass does not define it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define evaluate.")
