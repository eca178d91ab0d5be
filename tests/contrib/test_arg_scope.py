import pytest
import tensorflow as tf

from keras_legacy_train import contrib
from keras_legacy_train.contrib import framework
from keras_legacy_train.contrib.framework import (
    add_arg_scope,
    arg_scope,
    arg_scope_func_key,
    arg_scoped_arguments,
    current_arg_scope,
    has_arg_scope,
)


@add_arg_scope
def layer(inputs, size=1, activation=None, *, name="layer"):
    """Says what it was given."""
    return inputs, size, activation, name


@add_arg_scope
def other(inputs, size=1):
    return inputs, size


def plain(inputs, size=1):
    return inputs, size


def test_a_scope_gives_arguments_that_a_call_replaces():
    with arg_scope([layer, other], size=3):
        assert layer("x") == ("x", 3, None, "layer")
        assert layer("x", size=4, name="mine") == ("x", 4, None, "mine")
        assert other("x") == ("x", 3)
        assert plain("x") == ("x", 1)
    assert layer("x") == ("x", 1, None, "layer")


def test_scopes_add_up_and_end_with_their_blocks():
    with arg_scope([layer], size=3, name="outer"):
        with arg_scope((layer,), size=5, activation="relu"):
            assert layer("x") == ("x", 5, "relu", "outer")
        assert layer("x") == ("x", 3, None, "outer")
    assert current_arg_scope() == {}


def test_a_scope_can_be_entered_again():
    with arg_scope([layer], size=3) as scope:
        pass
    with arg_scope([other], size=7), arg_scope(scope) as again:
        assert layer("x") == ("x", 3, None, "layer")
        assert other("x") == ("x", 1)
        assert again == current_arg_scope() == {arg_scope_func_key(layer): {"size": 3}}
    with pytest.raises(ValueError, match=r"kwargs must be empty. They are size"), arg_scope(scope, size=1):
        pass


def test_a_wrong_scope_leaves_the_enclosing_one():
    with arg_scope([layer], size=3):
        with pytest.raises(ValueError, match="plain is not decorated"), arg_scope([layer, plain], size=4):
            pass
        with pytest.raises(TypeError, match="list_ops_or_scope"), arg_scope(layer, size=4):
            pass
        assert layer("x") == ("x", 3, None, "layer")


def test_a_decorated_function_says_so_and_keeps_its_name():
    assert has_arg_scope(layer)
    assert not has_arg_scope(plain)
    assert arg_scoped_arguments(layer) == ("size", "activation", "name")
    assert (layer.__name__, layer.__doc__) == ("layer", "Says what it was given.")
    with pytest.raises(ValueError, match="plain is not decorated"):
        arg_scoped_arguments(plain)


def test_variables_take_arguments_from_a_scope():
    with tf.Graph().as_default():
        with arg_scope([framework.model_variable], collections=["mine"], trainable=False):
            made = framework.model_variable("w", [2])
        assert tf.compat.v1.get_collection("mine") == framework.get_model_variables() == [made]
        assert tf.compat.v1.trainable_variables() == []


def test_modules_load_when_asked_for_and_others_are_named():
    assert contrib.framework is framework
    assert "framework" in dir(contrib)
    assert "_missing" not in dir(contrib)
    with pytest.raises(AttributeError, match=r"no attribute 'framwork'. Did you mean 'framework'"):
        _ = contrib.framwork
    with pytest.raises(AttributeError, match=r"no attribute 'arg_scop'. Did you mean 'arg_scope'"):
        _ = framework.arg_scop
    with pytest.raises(
        AttributeError, match=r"tf.contrib.layers.GDN is not in keras_legacy_train. Use a keras"
    ):
        _ = contrib.layers.GDN
