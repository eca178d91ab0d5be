"""The original's side of the exchange; runs under TensorFlow 1.15.5 and Python 3.7.

    python original.py train OPTIMIZER KIND_OF_VARIABLE OUTPUT_DIR STEPS
    python original.py read OUTPUT_DIR VALUES.npz
    python original.py train_objects KIND_OF_VARIABLE OUTPUT_DIR STEPS
    python original.py run_objects KIND_OF_VARIABLE OUTPUT_DIR STEPS LOSSES.npy
    python original.py serve SAVED_MODEL OUTPUTS.json

`train` and `train_objects` call `tf.contrib.learn`'s train(). `read` opens the newest checkpoint in three
ways and writes what it finds: `load/NAME` by `tf.contrib.framework.load_variable`, and `restored/NAME` after
`import_meta_graph` and `Saver.restore`. `run_objects` runs steps after the latter, and writes their losses.
`serve` writes what the signatures of a SavedModel answer.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from exchange_graphs import build, build_objects
from tensorflow.contrib.learn.python.learn import graph_actions, monitors

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden"))
import export_cases

tf.logging.set_verbosity(tf.logging.ERROR)


def train(optimizer, kind, output_dir, steps):
    with tf.Graph().as_default() as graph:
        train_op, loss = build(optimizer, use_resource=kind == "resource")
    graph_actions.train(
        graph, output_dir, train_op, loss, steps=int(steps), monitors=[monitors.BaseMonitor()]
    )


def train_objects(kind, output_dir, steps):
    with tf.Graph().as_default() as graph:
        train_op, loss = build_objects(use_resource=kind == "resource")
        (init_op,) = tf.get_collection("init_op")
    graph_actions.train(
        graph,
        output_dir,
        train_op,
        loss,
        init_op=init_op,
        steps=int(steps),
        monitors=[monitors.BaseMonitor()],
    )


def run_objects(kind, output_dir, steps, losses_file):
    checkpoint = tf.train.latest_checkpoint(output_dir)
    with tf.Graph().as_default():
        train_op, loss = build_objects(use_resource=kind == "resource")
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(checkpoint + ".meta").restore(session, checkpoint)
        losses = [session.run([loss.name, train_op.name])[0] for _ in range(int(steps))]
    np.save(losses_file, losses)


def read(output_dir, values_file):
    checkpoint = tf.train.latest_checkpoint(output_dir)
    names = [name for name, _ in tf.train.list_variables(checkpoint) if not name.startswith("_")]
    values = {"load/" + name: tf.contrib.framework.load_variable(output_dir, name) for name in names}
    with tf.Graph().as_default() as graph, tf.Session() as session:
        saver = tf.train.import_meta_graph(checkpoint + ".meta")
        saver.restore(session, checkpoint)
        step = tf.train.get_global_step(graph)
        values["restored/global_step"] = session.run(step)
        for variable in tf.global_variables():
            values["restored/" + variable.op.name] = session.run(variable.read_value())
    np.savez(values_file, **values)


def serve(path, outputs_file):
    with open(outputs_file, "w") as file:
        json.dump(export_cases.serve(path), file)


if __name__ == "__main__":
    commands = (train, read, train_objects, run_objects, serve)
    {command.__name__: command for command in commands}[sys.argv[1]](*sys.argv[2:])
