"""A module of TensorFlow 1 is moved to the names of today, and nothing else of it changes."""

import importlib.metadata
import sys
import textwrap

import libcst
import pytest

from keras_legacy_train.codemod import Change, calls, migrate_code, targets


def migrated(code: str, **options: str) -> str:
    """Returns the migrated code, which a second migration leaves as it is."""
    code = textwrap.dedent(code)
    result = migrate_code(code, **options)
    assert migrate_code(result.code, **options).code == result.code
    assert [c.line for c in result.changes] == sorted(c.line for c in result.changes)
    return result.code


def assert_migrated(before: str, after: str, **options: str) -> None:
    assert migrated(before, **options) == textwrap.dedent(after)


def reasons(code: str) -> list[tuple[int, str]]:
    return [(left.line, left.name) for left in migrate_code(textwrap.dedent(code)).left]


def tf_version() -> str:
    return importlib.metadata.version("tensorflow")


def test_a_module_without_tensorflow_is_not_even_parsed():
    assert migrate_code("this is ( not Python").code == "this is ( not Python"


def test_names_that_tensorflow_still_has_change_the_import_alone():
    assert_migrated(
        """\
        import os, tensorflow as tf, sys  # pylint: disable=C0410
        x = tf.placeholder(tf.float32)   # kept
        """,
        """\
        import os, tensorflow.compat.v1 as tf, sys  # pylint: disable=C0410
        x = tf.placeholder(tf.float32)   # kept
        """,
    )


def test_names_of_this_package_come_by_imports_named_after_the_old_names():
    assert_migrated(
        """\
        import tensorflow as tf

        def net(x):
            x = tf.layers.dense(x, 3,  # three
                                activation=tf.nn.relu)
            cell = (tf
                    .nn.rnn_cell
                    .LSTMCell(3))
            return f"{tf.layers.flatten(x)}", tf.estimator.ModeKeys.TRAIN
        """,
        """\
        import tensorflow.compat.v1 as tf
        from keras_legacy_train import estimator as tf_estimator
        from keras_legacy_train import tf_layers
        from keras_legacy_train import rnn_cell as tf_nn_rnn_cell

        def net(x):
            x = tf_layers.dense(x, 3,  # three
                                activation=tf.nn.relu)
            cell = (tf_nn_rnn_cell
                    .LSTMCell(3))
            return f"{tf_layers.flatten(x)}", tf_estimator.ModeKeys.TRAIN
        """,
    )


def test_imports_and_assignments_keep_the_names_they_bind():
    assert_migrated(
        """\
        import tensorflow.contrib.tpu as tpu
        from tensorflow.contrib import learn, tpu as t  # both
        from tensorflow.contrib.learn import (
            Estimator as E,  # first
            RunConfig,
        )
        from tensorflow import mul, estimator
        import tensorflow as tf
        learn_2 = tf.contrib.learn
        ModeKeys = tf.estimator.ModeKeys
        flags = tf.app.flags
        print(learn.ModeKeys, t.TPUEstimator, learn_2.ModeKeys, flags.FLAGS, mul(1, 2), tpu.RunConfig)
        """,
        """\
        import keras_legacy_train.estimator.tpu as tpu
        from keras_legacy_train import learn  # both
        from keras_legacy_train.estimator import tpu as t
        from keras_legacy_train.learn import (
            Estimator as E,  # first
            RunConfig,
        )
        from tensorflow.compat.v1 import multiply as mul
        from keras_legacy_train import estimator
        import tensorflow.compat.v1 as tf
        from keras_legacy_train import estimator as tf_estimator
        from keras_legacy_train import learn as learn_2
        ModeKeys = tf_estimator.ModeKeys
        flags = tf.app.flags
        print(learn.ModeKeys, t.TPUEstimator, learn_2.ModeKeys, flags.FLAGS, mul(1, 2), tpu.RunConfig)
        """,
    )


def test_comments_in_an_import_that_is_split_go_above_it():
    assert_migrated(
        """\
        from tensorflow import (
            estimator,  # canned
            mul,
        )
        """,
        """\
        # canned
        from keras_legacy_train import estimator
        from tensorflow.compat.v1 import multiply as mul
        """,
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tf.mul(a, tf.sub(b, c))", "tf.multiply(a, tf.subtract(b, c))"),
        ("tf.concat(1, [a, b])", "tf.concat(axis=1, values=[a, b])"),
        ("tf.concat(-1, values=[a])", "tf.concat(axis=-1, values=[a])"),
        ("tf.concat([a, b], 1)", "tf.concat([a, b], 1)"),
        ("tf.concat(concat_dim=1, values=a)", "tf.concat(axis=1, values=a)"),
        ("tf.split(1, 2, a)", "tf.split(axis=1, num_or_size_splits=2, value=a)"),
        ("tf.split(a, 2, 1)", "tf.split(a, 2, 1)"),
        ("tf.scalar_summary('loss', a)", "tf.summary.scalar('loss', a)"),
        ("tf.scalar_summary(tags='loss', values=a)", "tf.summary.scalar(name='loss', tensor=a)"),
        ("tf.reduce_sum(a, reduction_indices=[1], keep_dims=b)", "tf.reduce_sum(a, axis=[1], keepdims=b)"),
        ("tf.argmax(a, dimension = 1)", "tf.argmax(a, axis = 1)"),
        ("tf.nn.dynamic_rnn(a, dim=1)", "tf.nn.dynamic_rnn(a, dim=1)"),
        (
            "tf.nn.softmax_cross_entropy_with_logits(a, b)",
            "tf.nn.softmax_cross_entropy_with_logits(logits=a, labels=b)",
        ),
        ("tf.sparse_split(1, 2, a)", "tf.sparse_split(axis=1, num_split=2, sp_input=a)"),
        ("tf.nn.nce_loss(w, b, inputs=x, labels=y)", "tf.nn.nce_loss(w, b, inputs=x, labels=y)"),
        ("tf.image.resize_images(a, 8, 9)", "tf.image.resize_images(a, [8, 9])"),
        ("tf.image.resize_images(a, 8,  # h\n  w, 1)", "tf.image.resize_images(a, [8,  # h\n  w], 1)"),
        (
            "tf.image.resize_images(a, new_height=h, new_width=w, method=m)",
            "tf.image.resize_images(a, size=[h, w], method=m)",
        ),
        ("tf.image.resize_images(a, [8, 9], 1)", "tf.image.resize_images(a, [8, 9], 1)"),
        ("tf.reverse(a, [True, False, True])", "tf.reverse(a, [0, 2])"),
        ("tf.reverse(a, dims=(False, True), name='r')", "tf.reverse(a, axis=(1,), name='r')"),
        ("tf.reverse(a, [1])", "tf.reverse(a, [1])"),
        (
            "tf.nn.weighted_cross_entropy_with_logits(a, targets=b, pos_weight=2)",
            "tf.nn.weighted_cross_entropy_with_logits(logits=a, labels=b, pos_weight=2)",
        ),
        ("tf.SparseTensor(i, v, shape=s)", "tf.SparseTensor(i, v, dense_shape=s)"),
        ("tf.image_summary('a', a, 3, name='op')", "tf.summary.image('a', a, 3)"),
        ("tf.scalar_summary(tags='a', name='op', values=b)", "tf.summary.scalar(name='a', tensor=b)"),
        ("tf.Variable(tf.zeros_initializer([3]))", "tf.Variable(tf.zeros([3]))"),
        ("tf.ones_initializer(shape=s)", "tf.ones(shape=s)"),
        ("f(tf.zeros_initializer, tf.ones_initializer(tf.int32))",) * 2,
        ("tf.list_diff(a, b)", "tf.setdiff1d(a, b)"),
        (
            "tf.split_v(a, size_splits=[1, 2], split_dim=1)",
            "tf.split(a, num_or_size_splits=[1, 2], axis=1)",
        ),
        ("tf.compat.v1.mul(a, b)", "tf.multiply(a, b)"),
        ("tf.compat.v1.add(a, b)", "tf.compat.v1.add(a, b)"),
    ],
)
def test_renamed_functions_and_arguments(before, after):
    assert_migrated(
        f"import tensorflow as tf\ntf.Session\n{before}\n",
        f"import tensorflow.compat.v1 as tf\ntf.Session\n{after}\n",
        disable_v2="none",
    )


def test_a_call_whose_order_cannot_be_told_is_reported_in_modules_older_than_1_0():
    code = "import tensorflow as tf\ntf.{}(a, b)\ntf.concat(axis, values)\ntf.concat(values, axis=1)\n"
    assert reasons(code.format("multiply")) == []
    assert reasons(code.format("mul")) == [(3, "tf.concat")]


def test_calls_that_may_mean_something_else_today_are_reported_in_old_modules():
    code = """\
        import tensorflow as tf
        tf.{}(a, b)
        tf.image.resize_images(a, h, w)
        tf.image.resize_images(a, size, tf.image.ResizeMethod.AREA)
        tf.reverse(a, flags)
        tf.nn.weighted_cross_entropy_with_logits(a, b, c)
        tf.zeros_initializer(shape)
        """
    assert reasons(code.format("multiply")) == []
    assert [line for line, _ in reasons(code.format("mul"))] == [3, 5, 6, 7]
    left = migrate_code(textwrap.dedent(code.format("mul"))).left
    remedies = ["pass [new_height, new_width]", "pass a list of the axes", "by name", "compat.v1.zeros"]
    assert all(remedy in each.reason for remedy, each in zip(remedies, left, strict=True))


def test_calls_of_before_that_cannot_be_rewritten_are_reported():
    code = """\
        import tensorflow as tf
        from tensorflow import zeros_initializer
        tf.image.resize_images(a, 3, new_width=4)
        tf.reverse(a, [True, flag])
        tf.reverse(a, dims=flags)
        zeros_initializer([3])
        """
    assert [line for line, _ in reasons(code)] == [3, 4, 5, 6]


def test_losses_of_before_have_the_arguments_of_today():
    assert_migrated(
        """\
        import tensorflow as tf
        slim = tf.contrib.slim
        a = tf.contrib.losses.log_loss(p, targets=t, weight=2.0)
        b = tf.contrib.losses.sum_of_squares(p, t, weight=2.0)
        c = slim.losses.softmax_cross_entropy(logits, labels, weight=0.4, scope="aux")
        """,
        """\
        import tensorflow.compat.v1 as tf
        from keras_legacy_train.contrib import losses as tf_contrib_losses
        from keras_legacy_train.contrib import slim
        a = tf_contrib_losses.log_loss(p, labels=t, weights=2.0)
        b = tf_contrib_losses.mean_squared_error(p, t, weights=2.0)
        c = slim.losses.softmax_cross_entropy(logits, labels, weights=0.4, scope="aux")
        """,
    )


def test_functions_of_private_modules_become_public():
    assert_migrated(
        """\
        import tensorflow as tf
        from tensorflow.python.ops import array_ops, math_ops
        from tensorflow.python.ops.array_ops import pack
        x = array_ops.concat(1, [math_ops.mul(a, b), math_ops.tanh(pack(a))])
        """,
        """\
        import tensorflow.compat.v1 as tf
        from tensorflow.python.ops import array_ops, math_ops
        from tensorflow.compat.v1 import stack as pack
        x = tf.concat(axis=1, values=[tf.multiply(a, b), math_ops.tanh(pack(a))])
        """,
    )
    code = "import tensorflow as tf\nfrom tensorflow.python.ops import array_ops\narray_ops.{}(a, b)\n"
    assert reasons(code.format("concat")) == []
    assert reasons(f"{code.format('concat')}tf.mul(a, b)\n") == [(3, "array_ops.concat")]


def test_methods_that_are_gone_get_their_new_names():
    code = "import tensorflow.compat.v1 as tf\nrow = f(image.tostring(), xml.tostring(image), t.isAlive())\n"
    after = code.replace("image.tostring", "image.tobytes").replace("isAlive", "is_alive")
    assert_migrated(code, after)
    own = f"{code.replace('isAlive', 'join')}def tostring(): pass\n"
    assert_migrated(own, own)


def test_losses_whose_inputs_came_before_their_labels_are_reported_in_old_modules():
    code = "import tensorflow as tf\ntf.{}(a, b)\ntf.nn.nce_loss(w, b, x, y, 5, 9)\ntf.nn.ctc_loss(a, b, c)\n"
    assert reasons(code.format("multiply")) == []
    assert reasons(code.format("mul")) == [(3, "tf.nn.nce_loss"), (4, "tf.nn.ctc_loss")]
    (left, _) = migrate_code(code.format("mul")).left
    assert "the order was weights, biases, inputs, labels, num_sampled, num_classes" in left.reason


def test_flags_that_are_read_by_hand_are_reported():
    code = "import tensorflow as tf\nFLAGS = tf.flags.FLAGS\nFLAGS._parse_flags()\nprint(FLAGS.rate)\n"
    assert reasons(code) == [(3, "FLAGS._parse_flags")]


def test_names_that_are_nowhere_are_reported_once_and_left():
    code = """\
        import tensorflow as tf
        from tensorflow.contrib import no_such_module
        no_such_module.thing
        no_such_module_2 = tf.contrib.no_such_module_2
        no_such_module_2.thing
        tf.no_such_thing(1)
        importlib.import_module("tensorflow.contrib.learn")
        """
    assert reasons(code) == [
        (2, "from tensorflow.contrib import no_such_module"),
        (4, "tf.contrib.no_such_module_2"),
        (6, "tf.no_such_thing"),
        (7, 'import of "tensorflow.contrib.learn"'),
    ]
    assert migrated(code).splitlines()[1:] == textwrap.dedent(code).splitlines()[1:]


def test_other_things_of_the_same_names_are_not_touched():
    code = """\
        def f(tf):
            return tf.mul(1)

        class C:
            tf = 3
            tf.mul

            def g(self):
                return [tf.mul for tf in self.tf.mul], lambda tf: tf.mul

        def h():
            for tf in f(tf=tf.mul):
                with g() as (tf, x):
                    pass
        """
    assert migrated(f"import tensorflow as tf\n{textwrap.dedent(code)}").split("\n", 1)[1] == textwrap.dedent(
        code
    )


def test_a_name_that_is_taken_is_not_bound_again():
    assert_migrated(
        """\
        import tensorflow as tf
        tf_layers = 3
        tf.layers.dense
        """,
        """\
        import tensorflow.compat.v1 as tf
        from keras_legacy_train import tf_layers as tf_layers_
        tf_layers = 3
        tf_layers_.dense
        """,
    )


def test_an_import_that_is_there_serves_again():
    assert_migrated(
        """\
        import tensorflow.compat.v1 as tf
        from keras_legacy_train import tf_layers
        tf.layers.dense
        """,
        """\
        import tensorflow.compat.v1 as tf
        from keras_legacy_train import tf_layers
        tf_layers.dense
        """,
    )


def test_added_imports_stand_where_tensorflow_is_imported():
    assert_migrated(
        """\
        try: import tensorflow as tf; import numpy
        except ImportError: pass
        def f():
            if True:
                import tensorflow; x = 1  # here
            return tensorflow.layers.dense
        tf.layers.dense
        """,
        """\
        try: import tensorflow.compat.v1 as tf; import numpy; from keras_legacy_train import tf_layers
        except ImportError: pass
        def f():
            if True:
                import tensorflow.compat.v1 as tensorflow; x = 1  # here
                from keras_legacy_train import tf_layers
            return tf_layers.dense
        tf_layers.dense
        """,
    )


@pytest.mark.parametrize(
    ("body", "disable_v2", "is_added"),
    [
        ("if __name__ == '__main__':\n    f()\n", "scripts", True),
        ("with tf.Session() as s:\n    pass\n", "scripts", True),
        ("with tf.Session() as s:\n    pass\n", "none", False),
        ("tf.app.run()\n", "scripts", True),
        ("def f():\n    return tf.Session()\n", "scripts", False),
        ("def f():\n    return tf.Session()\nf()\n", "scripts", True),
        ("f()\ninit = tf.initialize_all_variables()\n", "scripts", True),
        ("def f():\n    return tf.Session()\n", "all", True),
        ("tf.enable_eager_execution()\ntf.Session\n", "all", False),
    ],
)
def test_scripts_switch_off_the_behavior_of_tensorflow_2(body, disable_v2, is_added):
    lines = migrated(f"import tensorflow as tf\nimport numpy\n{body}", disable_v2=disable_v2).splitlines()
    assert (lines[1] == "tf.disable_v2_behavior()") == is_added


def test_modules_of_tensorflow_2_lose_only_what_it_has_lost():
    assert_migrated(
        """\
        import tensorflow as tf
        model = tf.nn.dropout(x, rate=0.5)
        session = tf.compat.v1.Session()
        tf.compat.v1.layers.dense
        """,
        """\
        import tensorflow as tf
        from keras_legacy_train import tf_layers
        model = tf.nn.dropout(x, rate=0.5)
        session = tf.compat.v1.Session()
        tf_layers.dense
        """,
        disable_v2="all",
    )


def test_layout_newlines_and_a_missing_last_newline_are_kept():
    code = "\r\n#!x\r\n\r\nimport tensorflow as tf  \r\nif 1:\r\n\ttf.layers.dense (\t1 )\\\r\n\t\t.x"
    assert migrated(code) == code.replace(
        "tensorflow as tf  \r\n",
        "tensorflow.compat.v1 as tf  \r\nfrom keras_legacy_train import tf_layers\r\n",
    ).replace("tf.layers", "tf_layers")


def test_a_comment_within_a_name_is_not_lost():
    code = "import tensorflow.compat.v1 as tf\n(tf  # comment\n .layers.dense)\n"
    assert migrated(code) == code
    assert reasons(code) == [(2, "tf.layers.dense")]


def test_what_was_changed_is_said_with_its_line():
    changes = migrate_code("import tensorflow as tf\n\nx = tf.concat(0, tf.mul(1, 2))\n").changes
    assert changes == (
        Change(1, "import tensorflow as tf", "import tensorflow.compat.v1 as tf"),
        Change(3, "tf.concat(…, …)", "tf.concat(axis=…, values=…)"),
        Change(3, "tf.mul", "tf.multiply"),
    )


def test_arguments_that_have_another_value_are_shown_with_it():
    change = migrate_code("import tensorflow as tf\ntf.reverse(tf.concat(x, 1), [False, True])\n").changes[-1]
    assert change.old == "tf.reverse(tf.concat(x, 1), [False, True])"
    assert change.new == "tf.reverse(tf.concat(x, 1), [1])"


def test_what_is_not_python_3_is_an_error():
    with pytest.raises(libcst.ParserSyntaxError):
        migrate_code("import tensorflow\nprint 3\n")


def test_another_word_for_disable_v2_is_an_error():
    with pytest.raises(ValueError, match="disable_v2 must be one of"):
        migrate_code("", disable_v2="yes")


def test_names_that_need_an_extra_do_not_need_it_to_be_migrated():
    assert migrated("import tensorflow as tf\ntf.contrib.distributions.Normal\n").splitlines()[1:] == [
        "from keras_legacy_train.contrib import distributions as tf_contrib_distributions",
        "tf_contrib_distributions.Normal",
    ]


def test_what_is_imported_once_is_not_changed_again():
    migrated("from tensorflow.python.util import nest\nnest.is_sequence(x)\n")


def test_names_are_followed_through_every_kind_of_binding():
    code = textwrap.dedent(
        """\
        import tensorflow as tf
        from . import tf as other
        size: tf.mul(1, 2) = tf.mul(3, 1)
        size += tf.mul(1, 2)
        while (chunk := tf.mul(1, 2)):
            chunk.mul
        try:
            pass
        except tf.mul as error:
            error.mul
        def f(x) -> tf.mul:
            return [a for b in tf.mul(1, 2) for a in tf.mul(b, 1) if tf.mul(a, b)]
        async def g():
            async for tf_1 in tf.mul(1, 2):
                tf_1.mul
            async with tf.mul(1) as (tf_2, [tf_3, *tf_4]):
                tf_2.mul, tf_3.mul, tf_4.mul
        match tf.mul(1, 2):
            case {"a": tf.mul, **rest}:
                rest.mul
            case [tf.mul, *others] | others:
                others.mul
            case tf.mul(name=name) as tf_5:
                tf_5.mul
            case _:
                pass
        del other, tf
        """
    )
    after = code.replace("tensorflow as tf", "tensorflow.compat.v1 as tf").replace("tf.mul", "tf.multiply")
    assert migrated(code) == after
    # A name that a pattern, a handler or a loop binds is no longer that of TensorFlow.
    hidden = [
        "try:\n    pass\nexcept E as tf:\n    tf.mul\n",
        "match x:\n    case {'a': 1, **tf}:\n        tf.mul\n",
        "match x:\n    case [1, *tf]:\n        tf.mul\n",
        "[tf.mul for a in x for tf in a]\n",
        "def f():\n    tf: int = 3\n    tf.mul\n",
        "if (tf := x):\n    tf.mul\n",
        "[(tf := a) for a in x if a]\ntf.mul\n",
    ]
    for each in hidden:
        body = textwrap.indent(each, "    ")
        assert migrated(f"import tensorflow as tf\ndef g():\n{body}").endswith(body), each


def test_names_of_other_scopes_are_followed():
    assert_migrated(
        """\
        def f():
            global layers, mul
            import tensorflow.contrib.layers as layers
            from tensorflow import mul
        def g(x):
            return layers.conv2d(mul(x, x))
        def h():
            import tensorflow
            slim = 1
            def i():
                nonlocal slim, unknown
                slim = tensorflow.contrib.slim
                return slim.conv2d
        """,
        """\
        def f():
            global layers, mul
            import keras_legacy_train.contrib.layers as layers
            from tensorflow.compat.v1 import multiply as mul
        def g(x):
            return layers.conv2d(mul(x, x))
        def h():
            import tensorflow.compat.v1 as tensorflow
            slim = 1
            def i():
                nonlocal slim, unknown
                from keras_legacy_train.contrib import slim
                return slim.conv2d
        """,
    )


def test_what_no_import_could_bring_is_left():
    code = """\
        import tensorflow as tf
        def f():
            global t
            import tensorflow as t
        def g():
            return t.contrib.slim.conv2d, t.mul
        if a:
            import tensorflow.contrib.layers as layers
        else:
            import tensorflow.layers as layers
        layers.conv2d
        import tensorflow.contrib.nothing
        from tensorflow.contrib.nothing import *
        __import__("tensorflow.contrib.nothing")
        tf.split(0, *args)
        tf.concat(1, a, b)
        from tensorflow.compat import v2
        """
    left = [(each.line, each.name, each.reason) for each in migrate_code(textwrap.dedent(code)).left]
    version = tf_version()
    assert left == [
        (
            6,
            "t.contrib.slim.conv2d",
            "`t` is bound to it by a global statement. Import keras_legacy_train.contrib.slim yourself.",
        ),
        (
            11,
            "layers.conv2d",
            "`layers` is bound to several things. "
            "This one is keras_legacy_train.contrib.layers.conv2d today.",
        ),
        (12, "import tensorflow.contrib.nothing", f"TensorFlow {version} has no tf.contrib.nothing."),
        (13, "from tensorflow.contrib.nothing import *", f"TensorFlow {version} has no tf.contrib.nothing."),
        (14, 'import of "tensorflow.contrib.nothing"', f"TensorFlow {version} has no tf.contrib.nothing."),
        (
            15,
            "tf.split",
            "The arguments had another order: axis, num_or_size_splits, value. Pass them by name.",
        ),
        (16, "tf.concat", "The arguments had another order: axis, values. Pass them by name."),
    ]


def test_calls_that_say_too_little_are_left_as_they_are():
    assert_migrated(
        """\
        import tensorflow as tf
        tf.reverse(a), tf.reverse(a, axis=flags), tf.ones_initializer(), tf.ones_initializer([2])
        getattr(tf.contrib, "slim")
        """,
        """\
        import tensorflow.compat.v1 as tf
        from keras_legacy_train import contrib as tf_contrib
        tf.reverse(a), tf.reverse(a, axis=flags), tf.ones_initializer(), tf.ones([2])
        getattr(tf_contrib, "slim")
        """,
    )


def test_a_package_that_is_not_installed_is_taken_for_one_that_has_the_name(monkeypatch):
    for module in ("tf_keras", "tf_keras.api", "tf_keras.api._v1", "tf_keras.api._v1.keras"):
        monkeypatch.setitem(sys.modules, module, None)
    caches = (targets.find, calls._positional)
    for cache in caches:
        cache.cache_clear()
    try:
        code = "import tensorflow as tf\ntf.keras.layers.NoSuchLayer(3, name='a')\n"
        result = migrate_code(code)
        assert "layers.NoSuchLayer(3, name='a')" in result.code and result.left == ()
    finally:
        for cache in caches:
            cache.cache_clear()
