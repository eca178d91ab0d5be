"""Collects the state of a lifted graph for checkpoints, and sets it up where nothing is trained."""

from __future__ import annotations

import logging
import os

import tensorflow as tf

from keras_legacy_train import _tensorflow
from keras_legacy_train.checkpoints import NamedVariables, SavedVariable
from keras_legacy_train.checkpoints.reading import restore_variables
from keras_legacy_train.graph import initialize
from keras_legacy_train.graph.iterators import IteratorPositions
from keras_legacy_train.graph.saving.saveables import saved_objects
from keras_legacy_train.graph.saving.savers import saved_tables
from keras_legacy_train.graph.session import GraphSession
from keras_legacy_train.graph.tables import mutable_tables

_KEYS = tf.compat.v1.GraphKeys
_LOGGER = logging.getLogger("keras_legacy_train")


def saved_variables(
    session: GraphSession, saver: tf.compat.v1.train.Saver | None = None
) -> list[SavedVariable]:
    """Collects the global variables, saveable objects and mutable tables, under their TF 1 names.

    Args:
        session: The graph's session.
        saver: Says which variables are saved instead, and under which names.

    Raises:
        ValueError: An object cannot be saved.
    """
    saved = {}
    if saver is None:
        variables = session.graph.get_collection(_KEYS.GLOBAL_VARIABLES)
        listed = [(*_tensorflow.save_slice(variable), variable) for variable in variables]
    else:
        listed = _tensorflow.saver_variables(saver)
    for key, slice_spec, variable in listed:
        lifted = session.lifted.variable(variable.op.name)
        saved[key, slice_spec] = SavedVariable(key, lifted, slice_spec)
    tensors = [tensor for each in saved_objects(session) for tensor in each.tensors]
    objects = [SavedVariable(tensor.key, tensor, tensor.slice_spec) for tensor in tensors]
    return [*saved.values(), *objects, *_other_tables(session, {tensor.key for tensor in tensors})]


class SaverState(NamedVariables):
    """Restores a graph by a Saver with methods of its own, which somebody else has save.

    Args:
        session: The graph's session.
        saver: The Saver, or what stands for one.
    """

    def __init__(self, session: GraphSession, saver: tf.compat.v1.train.Saver):
        super().__init__(saved_variables(session))
        self._session = session
        self._saver = saver

    def restore(self, prefix: str) -> None:
        with self._session.as_default():
            self._saver.restore(self._session, prefix)
        listed = tf.train.get_checkpoint_state(os.path.dirname(prefix))
        if listed is not None:  # so that it deletes those that it does not keep
            self._saver.recover_last_checkpoints(listed.all_model_checkpoint_paths)


def _other_tables(session: GraphSession, taken: set[str]) -> list[SavedVariable]:
    """Collects the mutable tables that are not saved as objects; TF 1 did not save them."""
    saved_as_objects = saved_tables(session.graph)
    tables = []
    for table in mutable_tables(session):
        keys, values = f"{table.name}-keys", f"{table.name}-values"
        if table.name not in saved_as_objects and taken.isdisjoint((keys, values)):
            tables.append(SavedVariable(keys, table.keys, optional=True))
            tables.append(SavedVariable(values, table.values, optional=True))
    return tables


def saved_position(positions: IteratorPositions) -> list[SavedVariable]:
    """Collects the positions of iterators; a checkpoint without them may be restored."""
    return [SavedVariable(key, state, optional=True) for key, state in positions.states.items()]


def check_objects(session: GraphSession) -> None:
    """Checks that all saveable objects can be saved. Everything must be initialised.

    Raises:
        ValueError: One cannot.
    """
    for saved in saved_objects(session):
        for tensor in saved.tensors:
            tensor.read_value()


def saved_random_states(session: GraphSession) -> list[SavedVariable]:
    """Collects the state of the random ops, which checkpoints of TF 1 do not have."""
    states = session.lifted.random_states.items()
    return [SavedVariable(f"{name}/random_state", state, optional=True) for name, state in states]


def restore_or_initialize(session: GraphSession, checkpoint: str | None) -> None:
    """Restores a graph from a checkpoint, and initialises everything that is not in there.

    The states of random ops are not restored: a model that draws samples draws others each time.

    Args:
        session: The graph's session.
        checkpoint: Prefix of the checkpoint, or `None`. A `Saver` in the `SAVERS` collection decides what is
            read from it.

    Raises:
        ValueError: The checkpoint cannot be read.
        CheckpointMismatchError: The checkpoint does not fit the graph.
        NotInitializedError: Variables are left without a value.
    """
    initialize.initialize_resources(session)
    if checkpoint is not None:
        _restore(session, checkpoint)
    initialize.initialize_missing(session)
    initialize.initialize_locals(session)
    initialize.check_initialized(session)


def _restore(session: GraphSession, prefix: str) -> None:
    """Restores a graph by its Saver, or by the variables' names."""
    _LOGGER.info("Loading model from checkpoint: %s.", prefix)
    savers = session.graph.get_collection(_KEYS.SAVERS)
    if savers:
        with session.as_default():
            savers[0].restore(session, prefix)
        return
    try:
        restore_variables(prefix, saved_variables(session))
    except tf.errors.OpError as error:
        raise ValueError(f"The checkpoint {prefix!r} cannot be read: {error.message}") from error
