import importlib
import json
import logging

import numpy as np
import pytest
import tensorflow as tf

from helpers import TESTS
from keras_legacy_train.compat.names import Gone, lookup
from keras_legacy_train.contrib import framework

v1 = tf.compat.v1


def test_structures_are_flattened_and_packed():
    nest = framework.nest
    structure = {"b": (1, [2]), "a": 3}
    assert nest.flatten(structure) == [3, 1, 2]
    assert nest.pack_sequence_as(structure, [30, 10, 20]) == {"b": (10, [20]), "a": 30}
    assert nest.map_structure(lambda each: each + 1, structure) == {"b": (2, [3]), "a": 4}
    assert nest.flatten_up_to((0, 0), ([1, 2], 3)) == [[1, 2], 3]
    assert nest.is_sequence([1])
    assert nest.flatten_dict_items({(1, (2, 3)): ("a", ("b", "c")), 4: "d"}) == {
        1: "a",
        2: "b",
        3: "c",
        4: "d",
    }
    with pytest.raises(ValueError, match="key 1 is not unique"):
        nest.flatten_dict_items({(1, 2): ("a", "b"), 1: "c"})
    with pytest.raises(AttributeError, match="no attribute 'flaten'"):
        _ = nest.flaten


def test_conditions_are_static_where_they_can_be():
    with tf.Graph().as_default() as graph:
        assert framework.smart_cond(1, lambda: "yes", lambda: "no") == "yes"
        assert framework.smart_cond(tf.constant(False), lambda: "yes", lambda: "no") == "no"
        given = v1.placeholder(tf.bool, [], name="given")
        chosen = framework.smart_cond(given, lambda: tf.constant(1), lambda: tf.constant(2))
        with v1.Session() as session:
            assert session.run(chosen, {given: False}) == 2
        assert framework.smart_constant_value(given) is None
        assert framework.get_placeholders(graph)[0] is given
    with pytest.raises(TypeError, match="true_fn"):
        framework.smart_cond(True, None, lambda: 1)
    with pytest.raises(TypeError, match="pred"):
        framework.smart_constant_value("yes")


def test_tensors_are_checked():
    with tf.Graph().as_default():
        assert framework.is_tensor(framework.assert_scalar_int(3))
        with pytest.raises(ValueError, match="Expected int32 or int64"):
            framework.assert_scalar_int(1.0)
        with pytest.raises(ValueError, match="Expected scalar shape"):
            framework.assert_scalar_int([1])
        with v1.name_scope("outer"):
            assert framework.get_name_scope() == "outer"
    np.testing.assert_array_equal(framework.sort([3, 1, 2], direction="DESCENDING"), [3, 2, 1])


def test_a_deprecated_function_says_so_once(caplog):
    @framework.deprecated("2017-01-01", "Use sorted.")
    def order(values):
        """Sorts."""
        return sorted(values)

    with caplog.at_level(logging.WARNING, "keras_legacy_train"):
        assert order([2, 1]) == order([1, 2]) == [1, 2]
    assert [record.getMessage() for record in caplog.records] == [
        f"{order.__qualname__} is deprecated and will be removed after 2017-01-01. Use sorted."
    ]


NAMES = json.loads((TESTS / "golden" / "contrib_names.json").read_text())


@pytest.mark.parametrize("module", NAMES)
def test_every_name_of_before_is_here_or_says_what_to_use(module):
    ours = importlib.import_module(f"keras_legacy_train.{module}")
    for name in NAMES[module].split():
        assert hasattr(ours, name) != isinstance(lookup(f"{module}.{name}"), Gone), name


def test_a_name_that_is_left_out_says_what_to_use():
    with pytest.raises(
        AttributeError, match=r"tf.contrib.framework.with_shape is not .* Use tf.ensure_shape"
    ):
        _ = framework.with_shape
