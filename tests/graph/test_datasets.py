"""Steps wait for their datasets themselves, and never for ever."""

import pytest
import tensorflow as tf

from helpers import SCRIPTS, run_python
from keras_legacy_train.graph.lifted import LiftedGraph

v1 = tf.compat.v1


def _reads(dataset: tf.data.Dataset, graph: tf.Graph) -> set[str]:
    """The types of the operations by which a step reads its input."""
    batch = v1.data.make_one_shot_iterator(dataset).get_next()
    types = LiftedGraph(graph).part((), [batch.name]).op_types()
    return {op_type for op_type in types if op_type.startswith("IteratorGetNext")}


def test_no_other_thread_is_woken_for_a_batch():
    with tf.Graph().as_default() as graph:
        assert _reads(tf.data.Dataset.range(9).map(lambda x: x + 1), graph) == {"IteratorGetNextSync"}


def test_python_may_need_the_thread_that_would_wait():
    with tf.Graph().as_default() as graph:
        dataset = tf.data.Dataset.from_generator(lambda: iter(range(9)), tf.int64, [])
        assert _reads(dataset, graph) == {"IteratorGetNext"}


@pytest.mark.parametrize("kind", ["plain", "queue", "python", "later"])
def test_nothing_waits_for_ever_where_there_is_one_thread(tmp_path, kind):
    done = run_python(SCRIPTS / "one_thread_run.py", tmp_path, kind, timeout=200)
    assert done.returncode == 0, done.stderr
    assert v1.train.load_checkpoint(str(tmp_path)).get_tensor("global_step") == 300
