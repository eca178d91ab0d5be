"""Runs a script of TensorFlow 1: `keras-legacy-train run old_train.py`.

This module loads neither TensorFlow nor the library of the command line. So a script starts at once, and can
set environment variables before it imports TensorFlow.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import io
import itertools
import os
import re
import sys
import tokenize
import types
from collections.abc import Iterator, Sequence
from typing import NamedTuple, NoReturn

from keras_legacy_train.compat import import_hook
from keras_legacy_train.compat.source import compile_source

USAGE_ERROR = 2

# These are compiled when a script has failed: that takes as long as the rest of the start.

# What Python 2 took and Python 3 does not, as the line at which Python 3 gives up.
_PYTHON_2 = r"""
    ^\s*(?:.*:\s*)?print\b(?!\s*\()          # print x
    | ^\s*exec\s+["'\w(]                     # exec "x"
    | \bexcept\s+[\w.()\s,]+,\s*\w+\s*:      # except X, e:
    | \braise\s+[\w.]+\s*,                   # raise X, "text"
    | `[^`]+`                                # `x`
    | <>                                     # x <> y
    | (?<![\w.])0\d+(?![\w.])                # 0777
    | (?<![\w.])(?:0[xX][\da-fA-F]+|\d+)[lL]\b  # 10L
    | \b[uU][rR]["']                         # ur"x"
"""
# Functions that Python 2 had.
_PYTHON_2_NAMES = frozenset(
    {"apply", "basestring", "buffer", "cmp", "execfile", "file", "intern", "long", "raw_input", "reduce"}
    | {"reload", "unichr", "unicode", "xrange"}
)
_PYTHON_2_MESSAGE = "Missing parentheses in call to|must be parenthesized|leading zeros in decimal"


class Command(NamedTuple):
    """Holds what `run` was asked for.

    Attributes:
        target: Path of the script, or name of the module.
        arguments: Those of the script.
        is_module: Whether `target` is the name of a module.
        our_loop: Whether the training loops of `tf.contrib` are those of `keras_legacy_train.train`.
    """

    target: str
    arguments: Sequence[str] = ()
    is_module: bool = False
    our_loop: bool = False


def parse(arguments: Sequence[str]) -> Command | None:
    """Reads the arguments of `run`, of which those behind the script are the script's own.

    Args:
        arguments: What follows `run`.

    Returns:
        The command. `None` if the arguments ask for help or are wrong, which is told elsewhere.
    """
    options = {"-m": False, "--our-loop": False}
    for place, argument in enumerate(arguments):
        if argument in options:
            options[argument] = True
        elif argument.startswith("-"):
            return None
        else:
            return Command(argument, arguments[place + 1 :], options["-m"], options["--our-loop"])
    return None


def run(command: Command) -> None:
    """Runs a script as `python SCRIPT` does, but that it sees TensorFlow 1.

    Exceptions leave this function as they leave the script. If nobody catches them, Python tells of them with
    the lines of the script alone.

    Args:
        command: What to run.

    Raises:
        SystemExit: The script ends by it, or it cannot be run; then with the code 2, after a message.
    """
    try:
        module, code = _load_module(command) if command.is_module else _load_script(command)
        vars(module)["__builtins__"] = import_hook.user_builtins()
        sys.modules["__main__"] = module
        with _our_loop() if command.our_loop else contextlib.nullcontext():
            exec(code, vars(module))
    except SystemExit:
        raise
    except SyntaxError as error:
        _refuse_python_2(error)
        _hide_our_frames()
        raise
    except NameError as error:
        _explain_python_2_name(error)
        _hide_our_frames()
        raise
    except BaseException:
        _hide_our_frames()
        raise


@contextlib.contextmanager
def _our_loop() -> Iterator[None]:
    from keras_legacy_train.contrib import training

    with training.our_loop():
        yield


def _load_script(command: Command) -> tuple[types.ModuleType, types.CodeType]:
    path = command.target
    import_hook.install()
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        _refuse(f"{path}: {error.strerror}")
    sys.argv[:] = [path, *command.arguments]
    _replace_first_path(os.path.dirname(os.path.realpath(path)))
    module = types.ModuleType("__main__")
    full_path = os.path.abspath(path)
    vars(module).update(
        __annotations__={},
        __cached__=None,
        __file__=full_path,
        __loader__=importlib.machinery.SourceFileLoader("__main__", full_path),
    )
    return module, _compile(source, path, full_path)


def _load_module(command: Command) -> tuple[types.ModuleType, types.CodeType]:
    name = command.target
    _replace_first_path(os.getcwd())
    # A script that lies in an installed package is the user's, with the rest of its package.
    package = _spec(name.partition(".")[0], name)
    import_hook.install(list(package.submodule_search_locations or ()))
    spec = _spec(name, name)
    if spec.submodule_search_locations is not None:
        name = f"{name}.__main__"
        spec = _spec(name, name)
    loader = spec.loader
    if not isinstance(loader, importlib.machinery.SourceFileLoader) or spec.origin is None:
        _refuse(f"{command.target} is no module with a source file")
    sys.argv[:] = [spec.origin, *command.arguments]
    module = types.ModuleType("__main__")
    vars(module).update(
        __annotations__={},
        __cached__=spec.cached,
        __file__=spec.origin,
        __loader__=loader,
        __package__=spec.parent,
        __spec__=spec,
    )
    return module, _compile(loader.get_data(spec.origin), spec.origin, spec.origin)


def _spec(name: str, wanted: str) -> importlib.machinery.ModuleSpec:
    try:
        spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):
        spec = None
    if spec is None:
        _refuse(f"there is no module {wanted}")
    return spec


def _compile(source: bytes, path: str, full_path: str) -> types.CodeType:
    if b"\0" in source or path.endswith(".ipynb"):
        _refuse(f"{path} is not a Python script")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError):
        _refuse(f"{path} is not a Python script: its text is in another encoding than it says")
    try:
        return compile_source(source, full_path)
    except SyntaxError as error:
        _refuse_python_2(error)
        if not path.endswith((".py", ".pyw")):
            _refuse(f"{path} is not a Python script: line {error.lineno}: {error.msg}")
        raise


def _replace_first_path(folder: str) -> None:
    """Puts a folder where Python has put that of the command line."""
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = folder


def _refuse(message: str) -> NoReturn:
    print(f"keras-legacy-train run: {message}", file=sys.stderr)
    raise SystemExit(USAGE_ERROR)


def _refuse_python_2(error: SyntaxError) -> None:
    """Says what to run first, if a file of the user is in Python 2."""
    code = (error.text or "").partition("#")[0]
    is_python_2 = (
        isinstance(error, TabError)
        or re.search(_PYTHON_2_MESSAGE, error.msg)
        or re.search(_PYTHON_2, code, re.VERBOSE)
    )
    if error.filename and is_python_2:
        path = _shown(error.filename)
        _refuse(
            f"{path}:{error.lineno}: this is Python 2."
            f" Run `keras-legacy-train migrate --py2 {path}` first, which makes it Python 3."
        )


def _explain_python_2_name(error: NameError) -> None:
    """Says what to run first, if a name is missing that Python 2 had."""
    if error.name not in _PYTHON_2_NAMES:
        return
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    path = _shown(trace.tb_frame.f_code.co_filename) if trace is not None else ""
    error.args = (f"{error}: it is of Python 2. Run `keras-legacy-train migrate --py2 {path}` first.",)


def _shown(path: str) -> str:
    """Returns a path as short as it can be written."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def _hide_our_frames() -> None:
    """Has the report of the error that is raised now show the lines of the script, and none of ours."""
    report = sys.excepthook

    def excepthook(
        kind: type[BaseException], error: BaseException, trace: types.TracebackType | None
    ) -> None:
        _hide_in(error, set())
        report(kind, error, error.__traceback__)

    sys.excepthook = excepthook


def _hide_in(error: BaseException | None, done: set[int]) -> None:
    if error is not None and id(error) not in done:
        done.add(id(error))
        error.__traceback__ = _without_ours(error.__traceback__)
        _hide_in(error.__cause__, done)
        _hide_in(error.__context__, done)


def _without_ours(trace: types.TracebackType | None) -> types.TracebackType | None:
    frames: list[types.TracebackType] = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_OURS):
            frames.append(trace)
        trace = trace.tb_next
    for frame, following in itertools.zip_longest(frames, frames[1:]):
        frame.tb_next = following
    return frames[0] if frames else None


_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Starts of the names of files whose lines say nothing about a script.
_OURS = (
    os.path.join(_PACKAGE, "__main__.py"),
    os.path.join(_PACKAGE, "command_line", ""),
    os.path.join(_PACKAGE, "compat", ""),
    os.path.join(os.path.dirname(os.__file__), "runpy.py"),
    "<frozen importlib",
    "<frozen runpy",
)
