"""Steps wait for their datasets themselves, and never for ever."""

from pathlib import Path

import tensorflow as tf

from helpers import run_python
from keras_legacy_train.graph.lifted import LiftedGraph

v1 = tf.compat.v1


def test_no_other_thread_is_woken_for_a_batch():
    with tf.Graph().as_default() as graph:
        batch = v1.data.make_one_shot_iterator(tf.data.Dataset.range(9)).get_next()
    types = LiftedGraph(graph).part((), [batch.name]).op_types()
    assert "IteratorGetNextSync" in types
    assert "IteratorGetNext" not in types


def test_functions_of_datasets_need_no_thread_of_the_step(tmp_path):
    done = run_python(Path(__file__).with_name("one_thread_run.py"), tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr
    assert v1.train.load_checkpoint(str(tmp_path)).get_tensor("global_step") == 300
