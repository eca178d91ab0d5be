"""Has the cells that take the scores of sequences from step to step."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.rnn_cell import RNNCell


class _TransitionCell(RNNCell):
    """Adds the scores of all transitions to the state, the scores of the tags so far."""

    def __init__(self, transition_params: Any) -> None:
        super().__init__()
        self._transitions = tf.expand_dims(transition_params, 0)

    @property
    def state_size(self) -> Any:
        """Returns the number of tags."""
        return self._transitions.shape.as_list()[1]

    @property
    def output_size(self) -> Any:
        """Returns the number of tags."""
        return self._transitions.shape.as_list()[1]

    def _transition_scores(self, state: Any) -> Any:
        return tf.expand_dims(state, 2) + self._transitions


class CrfForwardRnnCell(_TransitionCell):
    """Sums up the likelihoods of all sequences; stands for `tf.contrib.crf.CrfForwardRnnCell`.

    Args:
        transition_params: The scores of the transitions, of shape `[tags, tags]`.
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Returns the logarithms of the new sums, twice.

        Args:
            inputs: The scores of the tags at this step, of shape `[batch, tags]`.
            state: The logarithms of the sums before, of that shape.
            scope: Not used: there are no variables.
        """
        sums = inputs + tf.reduce_logsumexp(self._transition_scores(state), 1)
        return sums, sums


class CrfDecodeForwardRnnCell(_TransitionCell):
    """Finds the best sequences to each tag; stands for `tf.contrib.crf.CrfDecodeForwardRnnCell`.

    Args:
        transition_params: The scores of the transitions, of shape `[tags, tags]`.
    """

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Returns for each tag the best one before it, an `int32`, and the new best scores.

        Args:
            inputs: The scores of the tags at this step, of shape `[batch, tags]`.
            state: The best scores before, of that shape.
            scope: Not used: there are no variables.
        """
        scores = self._transition_scores(state)
        return tf.argmax(scores, 1, output_type=tf.int32), inputs + tf.reduce_max(scores, 1)


class CrfDecodeBackwardRnnCell(RNNCell):
    """Goes back along the best sequences; stands for `tf.contrib.crf.CrfDecodeBackwardRnnCell`.

    Args:
        num_tags: The number of tags.
    """

    def __init__(self, num_tags: int) -> None:
        super().__init__()
        self._num_tags = num_tags

    @property
    def state_size(self) -> Any:
        """Returns the size of the state: one tag."""
        return 1

    @property
    def output_size(self) -> Any:
        """Returns the size of the output: one tag."""
        return 1

    def __call__(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Returns the tags of this step, of shape `[batch, 1]`, twice.

        Args:
            inputs: For each tag of the next step the best one at this, of shape `[batch, tags]`.
            state: The tags of the next step, of shape `[batch, 1]`.
            scope: Not used: there are no variables.
        """
        tags = tf.gather(inputs, state, batch_dims=1)
        return tags, tags


def next_scores(scores: Any) -> Any:
    """Returns for each step the scores of the tags at the next one, to which a transition leads.

    The last step has those of the first. It keeps loops from having no step, which TensorFlow cannot stack.

    Args:
        scores: The scores of the tags, of shape `[batch, time, tags]`.
    """
    return tf.roll(scores, -1, axis=1)
