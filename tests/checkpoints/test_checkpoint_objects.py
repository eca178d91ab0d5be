"""Checkpoints in the form of TensorFlow 2: written from copies, as `tf.train.Checkpoint` would write them."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from checkpoint_helpers import listed
from keras_legacy_train.checkpoints import CheckpointManager, TrackedObjects
from keras_legacy_train.errors import CheckpointMismatchError

v1 = tf.compat.v1


pytestmark = pytest.mark.usefixtures("eager_mode")


class Notes(tf.train.experimental.PythonState):
    """State that is no tensor."""

    def __init__(self, text: str = ""):
        self.text = text

    def serialize(self) -> str:
        return self.text

    def deserialize(self, string_value: bytes) -> None:
        self.text = string_value.decode()


def trained_model(seed: int = 0) -> keras.Model:
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((8, 3)), np.full((8, 1), seed), verbose=0)
    return model


def iterator(steps: int = 0) -> Any:
    result = iter(tf.data.Dataset.range(10).shuffle(5, seed=1))
    for _ in range(steps):
        next(result)
    return result


def table(**contents: int) -> tf.lookup.experimental.MutableHashTable:
    result = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
    if contents:
        result.insert(list(contents), tf.constant(list(contents.values()), tf.int64))
    return result


def knot(value: float = 0.0) -> tf.Module:
    """Lists and dicts of variables, one of which is found on two ways, and a way back."""
    module = tf.Module()
    module.parts = [tf.Variable(value, name="one"), {"two": tf.Variable([value, value], name="two")}]
    module.again = module.parts[0]
    module.back = module
    return module


def mirrored(value: float = 0.0) -> tf.Variable:
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        return tf.Variable([value, value], name="mirrored")


def momentum(value: float = 0.0) -> tf.train.Checkpoint:
    """A variable and its optimizer of TensorFlow 1, which keeps the momentum beside its children."""
    variable = tf.Variable([value, value], name="trained")
    optimizer = v1.train.MomentumOptimizer(0.1, 0.9)
    optimizer.apply_gradients([(tf.ones(2) * value, variable)])
    return tf.train.Checkpoint(variable=variable, optimizer=optimizer)


def values_of(each: Any) -> Any:
    """What a reader of tests would compare."""
    if isinstance(each, keras.Model):
        return [v.numpy() for v in [*each.weights, *each.optimizer.variables]]
    if isinstance(each, tf.lookup.experimental.MutableHashTable):
        keys, values = each.export()
        return sorted(zip(keys.numpy().tolist(), values.numpy().tolist(), strict=True))
    if isinstance(each, Notes):
        return each.text
    if isinstance(each, tf.Module):
        return [each.parts[0].numpy(), each.parts[1]["two"].numpy()]
    if isinstance(each, tf.train.Checkpoint):
        slot = each.optimizer.get_slot(each.variable, "momentum")
        return [each.variable.numpy(), slot.numpy()]
    if isinstance(each, tf.Variable):
        return each.numpy()
    return [int(x) for x in each]


# For each kind of object: one with contents, and one to restore them to.
KINDS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "model": (lambda: trained_model(1), trained_model),
    "iterator": (lambda: iterator(3), iterator),
    "python state": (lambda: Notes("text"), Notes),
    "table": (lambda: table(a=1, b=2), table),
    "knot": (lambda: knot(3.0), knot),
    "mirrored": (lambda: mirrored(4.0), mirrored),
    "optimizer of TensorFlow 1": (lambda: momentum(5.0), momentum),
    "variable": (lambda: tf.Variable(6.0, name="v"), lambda: tf.Variable(0.0)),
}


def contents(prefix: str) -> dict[str, Any]:
    """Everything in a checkpoint, as text where NumPy has no type for it."""
    reader = tf.train.load_checkpoint(prefix)
    dtypes = reader.get_variable_to_dtype_map()
    return {
        name: str(reader.get_tensor(name)) if dtypes[name] != tf.variant else "variant"
        for name in sorted(dtypes)
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_file_as_of_tensorflow(kind: str, tmp_path: pathlib.Path) -> None:
    """Names, values and the graph of objects; so whatever reads those of TensorFlow reads these."""
    original = KINDS[kind][0]()
    expected = contents(tf.train.Checkpoint(each=original).save(str(tmp_path / "tf")))
    prefix = CheckpointManager(str(tmp_path), TrackedObjects({"each": original}), max_to_keep=1).save(1)
    assert prefix is not None
    assert contents(prefix) == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("by", ["tf.train.Checkpoint", "TrackedObjects"])
def test_what_was_saved_in_the_background_is_restored(kind: str, by: str, tmp_path: pathlib.Path) -> None:
    make, make_blank = KINDS[kind]
    original, blank = make(), make_blank()
    manager = CheckpointManager(str(tmp_path), TrackedObjects({"each": original}), max_to_keep=1)
    manager.save_in_background(1)
    manager.wait()
    if by == "TrackedObjects":
        other = CheckpointManager(str(tmp_path), TrackedObjects({"each": blank}), max_to_keep=1)
        assert other.restore_latest() == str(tmp_path / "model.ckpt-1")
    else:
        status = tf.train.Checkpoint(each=blank).restore(str(tmp_path / "model.ckpt-1"))
        status.assert_existing_objects_matched()
    np.testing.assert_equal(values_of(blank), values_of(original))


@pytest.mark.slow
def test_the_copy_is_of_one_moment(tmp_path: pathlib.Path) -> None:
    """All of it, though the objects change, and others come to them."""
    model, notes, numbers = trained_model(1), Notes("before"), iterator(3)
    expected = values_of(trained_model(1))
    state = TrackedObjects({"model": model, "notes": notes, "numbers": numbers})
    copy = state.copy()
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    for variable in model.optimizer.variables:
        variable.assign(tf.zeros_like(variable))
    model.added = keras.layers.Dense(2)
    model.added.build((None, 1))
    notes.text = "after"
    following = values_of(numbers)

    class Copied:
        def copy(self) -> Any:
            return copy

    prefix = CheckpointManager(str(tmp_path), Copied(), max_to_keep=1).save(1)
    restored, restored_notes, restored_numbers = trained_model(), Notes(), iterator()
    objects = {"model": restored, "notes": restored_notes, "numbers": restored_numbers}
    tf.train.Checkpoint(**objects).restore(prefix).assert_existing_objects_matched()
    np.testing.assert_equal(values_of(restored), expected)
    assert restored_notes.text == "before"
    assert values_of(restored_numbers) == following and len(following) == 7
    assert not [name for name, _ in tf.train.list_variables(prefix) if "added" in name]


def test_names_of_variables_that_are_not_finite(
    tmp_path: pathlib.Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = trained_model()
    model.layers[0].kernel.assign(tf.fill([3, 4], np.nan))
    state = TrackedObjects({"model": model, "module": knot(np.inf), "notes": Notes("nan")})
    assert CheckpointManager(str(tmp_path), state, max_to_keep=1).save(7) is None
    kernel = model.layers[0].kernel.path
    text = f"No checkpoint is saved for step 7: not all values are finite in {kernel}, one, two."
    assert text in caplog.messages


def test_the_newest_are_kept(tmp_path: pathlib.Path) -> None:
    state = TrackedObjects({"module": knot(1.0)})
    manager = CheckpointManager(str(tmp_path), state, max_to_keep=2)
    for step in range(5):
        manager.save_in_background(step)
    manager.wait()
    assert [os.path.basename(path) for path in listed(tmp_path)] == ["model.ckpt-3", "model.ckpt-4"]


def test_what_does_not_fit_is_told_and_nothing_is_assigned(tmp_path: pathlib.Path) -> None:
    saved = TrackedObjects({"one": tf.Variable(1.0), "two": tf.Variable([1.0, 2.0])})
    prefix = CheckpointManager(str(tmp_path), saved, max_to_keep=1).save(1)
    one = tf.Variable(0.0, name="one")
    wrong = TrackedObjects({"one": one, "two": tf.Variable(0.0, name="two"), "three": tf.Variable(0.0)})
    with pytest.raises(CheckpointMismatchError) as raised:
        wrong.restore(str(prefix))
    assert len(raised.value.problems) == 2 and one.numpy() == 0


def test_an_optional_object_may_be_missing(tmp_path: pathlib.Path) -> None:
    one = tf.Variable(1.0)
    prefix = CheckpointManager(str(tmp_path), TrackedObjects({"one": one}), max_to_keep=1).save(1)
    notes = Notes("as it was")
    TrackedObjects({"one": one}, {"notes": notes}).restore(str(prefix))
    assert notes.text == "as it was"


@pytest.mark.parametrize("shape", [[2], [1, 2]])
def test_another_dtype_does_not_fit_whatever_its_size(shape: list[int], tmp_path: pathlib.Path) -> None:
    state = TrackedObjects({"w": tf.Variable(tf.ones(shape))})
    CheckpointManager(str(tmp_path), state, max_to_keep=1).save(1)
    w = tf.Variable(tf.zeros(shape, tf.int32), name="w")
    manager = CheckpointManager(str(tmp_path), TrackedObjects({"w": w}), max_to_keep=1)
    with pytest.raises(CheckpointMismatchError, match="w: float32 in the checkpoint, int32 in the model"):
        manager.restore_latest()
    assert not w.numpy().any()


def test_an_optimizer_of_tensorflow_1_beside_a_keras_model(tmp_path: pathlib.Path) -> None:
    """It has no slot for the model's variables, and does not know them."""
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    each = momentum(5.0)
    together = {"layer": layer, "variable": each.variable, "optimizer": each.optimizer}
    expected = contents(tf.train.Checkpoint(**together).save(str(tmp_path / "tf")))
    prefix = CheckpointManager(str(tmp_path), TrackedObjects(together), max_to_keep=1).save(1)
    assert contents(prefix) == expected
