"""Laws of `migrate_code` for any module that is made of old names in odd layouts."""

import ast
import difflib

from hypothesis import given, settings
from hypothesis import strategies as st

from keras_legacy_train.codemod import migrate_code

IMPORTS = [
    "import tensorflow as tf",
    "import tensorflow as tf, os  # both",
    "import os; import tensorflow as tf;",
    "import tensorflow",
    "import tensorflow.contrib.learn as learn",
    "import tensorflow.contrib.tpu",
    "from tensorflow.contrib import learn, tpu as t, no_such_module",
    "from tensorflow import (estimator,  # comment\n    mul, no_such_name)",
    "from tensorflow.contrib.learn import *",
    "from tensorflow.python.framework import ops",
    "import tensorflow.compat.v1 as tf",
    "try: import tensorflow as tf\nexcept ImportError: tf = None",
    "learn = tf.contrib.learn",
    "tf_layers = 3",
    "flags = tf.app.flags; FLAGS = flags.FLAGS",
    "rnn_cell = tf.nn.rnn_cell  # cells",
]
EXPRESSIONS = [
    "tf.mul({0}, {1})",
    "tf.concat(1, [{0}, {1}])",
    "tf.concat([{0}], {1})",
    "tf.concat({0}, concat_dim={1})",
    "tf.split(-1,2 , {0})",
    "tf.layers.dense({0} , # comment\n  units = {1})",
    "(tf\n  . layers  # comment\n\t.conv2d)({0})",
    "tf.nn.rnn_cell.LSTMCell(**{0})",
    "tf.no_such_name[{0}:{1}]",
    "tf.scalar_summary('a', *{0})",
    "lambda tf: tf.mul({0})",
    "[tf.sub(tf, {0}) for tf in {1}]",
    "[tf.sub(x, {0}) for x in {1} if tf.select(x, 1, 2)]",
    "f'{{tf.pack(1)!r:>{{tf.neg(1)}}}} {{tf}}'",
    "'tf.mul' '''\n  tf.contrib\t'''",
    "learn.ModeKeys.TRAIN",
    "tensorflow.layers.flatten({0})",
    "mul({0}, {1})",
    "tf.compat.v1.layers.dense",
    "ops.control_dependencies({0})",
    "not tf.mul",
    "{0} if tf.sub else {1}",
    "x",
    "3",
]
STATEMENTS = [
    "{0}",
    "x = {0} ; {1}  ;",
    "x: {0} = {1}",
    "assert {0}, \\\n  {1}",
    "tf.train.SummaryWriter = {0}",
    "del tf.mul",
    "# comment tf.mul\n\n\n{0}  # and another\n   # one",
    "def f(tf, a={0}):\n\t'''tf.mul'''\n\treturn {1}",
    "def g():\n  global tf\n  import tensorflow as tf\n  return {0}",
    "class C(tf.mul):\n    tf = {0}\n    y = tf.sub\n    def m(self): return {1}",
    "if {0}:\n  import tensorflow as tf; y = {1}\nelse: x",
    "with {0} as tf, tf.sub as x: pass",
    "for tf in {0}:\n     {1}",
    "@tf.mul\nasync def h(*tf): await {0}",
    "if __name__ == '__main__': tf.app.run({0})",
    "while tf.Session(): x = ({1},\n\n  {0} ,)",
]


@st.composite
def expressions(draw: st.DrawFn, depth: int = 2) -> str:
    template = draw(st.sampled_from(EXPRESSIONS))
    inner = ["1", "y"] if depth == 0 else [f"({draw(expressions(depth - 1))})" for _ in range(2)]
    return template.format(*inner)


@st.composite
def modules(draw: st.DrawFn) -> str:
    imports = st.sampled_from(IMPORTS)
    inner = expressions().map("({})".format)
    statements = st.builds(str.format, st.sampled_from(STATEMENTS), inner, inner)
    lines = draw(st.lists(imports, min_size=1, max_size=3))
    lines += draw(st.lists(st.one_of(imports, statements, statements, st.just("")), max_size=6))
    code = "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n# end"]))
    return code.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))


def spans(code: str) -> list[range]:
    """Returns the lines of each statement, of a compound one those before its body."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
            found.append(range(first, (body[0].lineno if body else node.end_lineno) + 1))
    return found


def comments(code: str) -> list[str]:
    return sorted(line.split("#", 1)[1].strip() for line in code.splitlines() if "#" in line)


@settings(max_examples=60)
@given(modules(), st.sampled_from(["scripts", "all", "none"]))
def test_laws_of_a_migration(code, disable_v2):
    ast.parse(code)
    migration = migrate_code(code, disable_v2)

    # It parses, and a second migration finds nothing to change.
    ast.parse(migration.code)
    again = migrate_code(migration.code, disable_v2)
    assert again.code == migration.code
    assert again.changes == ()

    # Comments stay.
    assert comments(migration.code) == comments(code)

    # Statements without a reported change stay byte for byte; what is added is an import or a call.
    old, new = code.split("\n"), migration.code.split("\n")
    reported = {change.line for change in migration.changes}
    free = {line for span in spans(code) if not reported.isdisjoint(span) for line in span}
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        if kind in ("delete", "replace"):
            assert free.issuperset(range(i + 1, j + 1))
        elif kind == "insert":
            assert all(line.lstrip().startswith(("from ", "import ", "tf", "#")) for line in new[k:m])


@settings(max_examples=20)
@given(modules())
def test_a_module_without_tensorflow_stays(code):
    code = code.replace("tensorflow", "torch")
    assert migrate_code(code).code == code
    assert migrate_code(f"{code}\n# not tensorflow").code == f"{code}\n# not tensorflow"
