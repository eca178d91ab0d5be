"""The modules of a user's project see TensorFlow 1, installed packages TensorFlow 2."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from helpers import run_python

PROJECT = {
    "train.py": """
        import tensorflow as tf
        import tensorflow.contrib.learn as contrib_learn
        import tensorflow.contrib.learn
        from tensorflow.contrib import learn, tpu
        from tensorflow.contrib.learn import *
        from tensorflow.python.framework import ops
        import importlib, os, sys

        sys.path.append(os.path.join(os.path.dirname(__file__), "lib", "site-packages"))
        import installed
        from project import model
        import project.layers as project_layers

        assert type(tf).__name__ == "LegacyModule" and tf is tensorflow
        assert contrib_learn is learn is tensorflow.contrib.learn
        assert tpu.TPUEstimator and Estimator is learn.Estimator
        assert ops.Graph is tf.Graph
        assert model.tf is project_layers.tf is tf is importlib.import_module("tensorflow")
        assert importlib.import_module("tensorflow.contrib.learn") is learn
        assert importlib.import_module(".layers", "project") is project_layers

        # Nothing is replaced for others.
        assert type(installed.tf).__name__ != "LegacyModule"
        assert sys.modules["tensorflow"] is installed.tf
        assert not hasattr(installed.tf, "contrib") and not hasattr(installed.np, "int")
        assert installed.built_in_import is not __import__

        # It is TensorFlow 1 also in what it does.
        assert not tf.executing_eagerly() and not tf.resource_variables_enabled()
        assert tf.zeros([2]).shape[0].value == 2

        try:
            import tensorflow.contrib.gan
        except ImportError as error:
            assert "tensorflow_gan" in str(error), error
        try:
            from tensorflow.contrib import gan
        except ImportError as error:
            assert "tensorflow_gan" in str(error), error

        import numpy as np
        assert np.zeros(2, np.uint8).tostring() == model.two_bytes() == bytes(2) and int(np.ones([1])) == 1

        def inside():
            import tensorflow.contrib.learn.python.learn.learn_runner as runner
            return runner
        assert inside().run is learn.learn_runner.run

        with tf.Session() as session:
            assert session.run(model.doubled()) == 4.0
        model.check_tools()
        print("all is well")
        """,
    "project/__init__.py": "",
    "project/layers.py": """
        import tensorflow as tf

        def constant(value):
            return tf.constant(value)
        """,
    "project/model.py": """
        import inspect, pickle, traceback
        import tensorflow as tf
        from .layers import constant

        import numpy as np
        def two_bytes(): return np.zeros(2, np.uint8).tostring()

        class Config:
            value = 3

        @tf.autograph.experimental.do_not_convert
        def doubled():
            return constant(2.0) * 2.0

        def wide(x):
            if tf.reduce_sum(x) > 0:
                x = tf.pack([x, x])
            else:
                x = tf.stack([x, -x])
            return x

        def check_tools():
            assert "def doubled" in inspect.getsource(doubled)
            assert pickle.loads(pickle.dumps(Config)) is Config
            converted = tf.autograph.to_graph(wide)
            with tf.Session() as session:
                assert session.run(converted(tf.constant(1.0))).tolist() == [1.0, 1.0]
            dataset = tf.data.Dataset.from_tensors(2.0).map(lambda x: tf.mul(x, 3.0))
            with tf.Session() as session:
                assert session.run(dataset.make_one_shot_iterator().get_next()) == 6.0
            try:
                tf.contrib.gan
            except AttributeError:
                text = traceback.format_exc()
            assert 'model.py", line 32' in text and "tf.contrib.gan" in text, text
        """,
    "lib/site-packages/installed.py": """
        import builtins
        import numpy as np
        import tensorflow as tf

        built_in_import = builtins.__import__
        """,
}

LIBRARIES = {
    "train.py": """
        import builtins, collections, inspect, os, sys, time
        import numpy as np
        import numpy
        import numpy.linalg as linalg
        from numpy import float as old_float
        from numpy import *
        from collections import Iterable, OrderedDict
        from scipy.misc import imread, imsave, imresize
        import scipy.misc
        import scipy.special
        from scipy import misc
        from scipy.sparse.linalg.eigen.arpack import eigsh
        import plain

        assert np is numpy and np.int is int and np.bool is bool and old_float is float
        assert np.linalg is linalg and int32 is np.int32
        assert Iterable is collections.abc.Iterable and OrderedDict is collections.OrderedDict
        assert inspect.getargspec(lambda a, b=1, *c: 0) == (["a", "b"], "c", None, (1,))
        assert time.clock() > 0
        assert eigsh is scipy.sparse.linalg.eigsh
        assert scipy.misc is misc and misc.imread is imread and misc.logsumexp is scipy.special.logsumexp
        assert "int" in dir(np) and "sum" in dir(np)

        # A script can change a library for all, as it could.
        load = np.load
        np.load = "changed"
        assert sys.modules["numpy"].load == np.load == plain.np.load == "changed"
        np.load = load
        builtins.from_train = 1
        assert from_train == plain.seen() == 1

        os.chdir(os.path.dirname(__file__))
        image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
        imsave("image.png", image)
        assert (imread("image.png") == image).all()
        assert imread("image.png", flatten=True).shape == (4, 4)
        assert imresize(image, (2, 3)).shape == (2, 3, 3) and imresize(image, 50).shape == (2, 2, 3)
        imsave("floats.png", np.linspace(-1.0, 1.0, 16).reshape(4, 4))
        assert imread("floats.png").min() == 0 and imread("floats.png").max() == 255
        print("all is well")
        """,
    "plain.py": """
        import numpy as np

        def seen():
            return from_train
        """,
}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")


def run(folder: Path) -> str:
    """Runs `train.py`, and returns what it printed."""
    ended = run_python("-m", "keras_legacy_train", "run", folder / "train.py")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_project_sees_tensorflow_1(tmp_path: Path) -> None:
    write(tmp_path, PROJECT)
    assert run(tmp_path) == "all is well\n"


def test_a_project_sees_the_old_names_of_libraries(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("PIL")
    write(tmp_path, LIBRARIES)
    assert run(tmp_path) == "all is well\n"
