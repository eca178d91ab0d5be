"""The text of a graph is the one that protobuf makes."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
import tensorflow as tf
from google.protobuf import text_format
from hypothesis import given

from keras_legacy_train.graph.saving.graph_text import graph_text

tf1 = tf.compat.v1

TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda number: tf1.AttrValue(i=number)),
    st.floats(width=32).map(lambda number: tf1.AttrValue(f=number)),
    st.booleans().map(lambda flag: tf1.AttrValue(b=flag)),
    st.binary(max_size=6).map(lambda data: tf1.AttrValue(s=data)),
    st.sampled_from([tf.float32, tf.string]).map(lambda dtype: tf1.AttrValue(type=dtype.as_datatype_enum)),
    st.lists(st.integers(-9, 9)).map(lambda n: tf1.AttrValue(list=tf1.AttrValue.ListValue(i=n))),
    st.lists(st.floats(width=32), min_size=1).map(
        lambda numbers: tf1.AttrValue(tensor=tf.make_tensor_proto(numbers, tf.float32))
    ),
    TEXTS.map(lambda name: tf1.AttrValue(func=tf1.NameAttrList(name=name, attr={"T": tf1.AttrValue(i=1)}))),
    st.just(tf1.AttrValue()),
)
NODES = st.builds(
    tf1.NodeDef,
    name=TEXTS,
    op=TEXTS,
    input=st.lists(TEXTS, max_size=3),
    device=TEXTS,
    attr=st.dictionaries(TEXTS.filter(bool), VALUES, max_size=4),
)


@given(st.lists(NODES, max_size=4))
def test_of_any_nodes(nodes: list[tf1.NodeDef]) -> None:
    graph_def = tf1.GraphDef(node=nodes)
    assert graph_text(graph_def) == text_format.MessageToString(graph_def)


@pytest.mark.parametrize("add_shapes", [False, True])
def test_of_a_graph_with_functions(add_shapes: bool) -> None:
    with tf.Graph().as_default() as graph:
        dataset = tf.data.Dataset.range(9).map(lambda number: number * 2).batch(3)
        numbers = tf.cast(tf1.data.make_one_shot_iterator(dataset).get_next(), tf.float32)
        weight = tf1.get_variable("weight", [], initializer=tf1.random_normal_initializer())
        tf1.train.AdamOptimizer().minimize(tf.reduce_mean(tf.square(numbers - weight)))
    graph_def = graph.as_graph_def(add_shapes=add_shapes)
    graph_def.node[1].experimental_debug_info.original_node_names.append("another")
    graph_def.node[2].experimental_type.type_id = 1
    assert graph_def.library.function
    assert graph_text(graph_def) == text_format.MessageToString(graph_def)
