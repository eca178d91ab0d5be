"""Moves a module from TensorFlow 1 to the names of today."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import operator
import sys
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias, get_args

import libcst as cst
from libcst import matchers

from keras_legacy_train.compat.names import METHODS, Moved

from . import calls
from .edits import Edits, expression, import_as, import_from
from .lines import lines_of
from .report import Change, Left, Migration
from .scopes import Assigned, Chain, Imported, ModuleNames, Scope, dotted
from .targets import V1, Missing, Target, find, is_in_tensorflow_2, legacy_name

DisableV2: TypeAlias = Literal["scripts", "all", "none"]

_RECURSION_LIMIT = 10_000
# What only the main script of a program has at its top level.
_SESSIONS = {
    "InteractiveSession",
    "Session",
    "app.run",
    "get_default_session",
    "global_variables_initializer",
    "initialize_all_variables",
    "train.MonitoredSession",
    "train.MonitoredTrainingSession",
    "train.Supervisor",
    "train.start_queue_runners",
}
# Modules that call these have decided how TensorFlow behaves.
_BEHAVIORS = {
    "contrib.eager.enable_eager_execution",
    "disable_eager_execution",
    "disable_v2_behavior",
    "enable_eager_execution",
    "enable_v2_behavior",
}


def migrate_code(code: str, disable_v2: DisableV2 = "scripts") -> Migration:
    """Moves the text of a module from TensorFlow 1 to the names of today.

    Comments and layout stay. A second call changes nothing more.

    Args:
        code: The module.
        disable_v2: Where `disable_v2_behavior()` is called below the import of TensorFlow: in `"scripts"`,
            which are modules that ask for `__name__` or open a session, in `"all"` modules, or in `"none"`.

    Returns:
        The new text, what was changed and what was not.

    Raises:
        libcst.ParserSyntaxError: If the text is not Python 3.
        ValueError: If `disable_v2` is another text.
    """
    if disable_v2 not in get_args(DisableV2):
        raise ValueError(f"disable_v2 must be one of {get_args(DisableV2)}, not {disable_v2!r}.")
    if "tensorflow" not in code:
        return Migration(code)
    with _deep_recursion():
        return _ModuleMigration(cst.parse_module(code), disable_v2).run()


@contextlib.contextmanager
def _deep_recursion() -> Iterator[None]:
    """Lets expressions be nested as deeply as Python's own parser takes them."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


class _ModuleMigration:
    """Decides what changes in a module, and changes it."""

    def __init__(self, module: cst.Module, disable_v2: DisableV2):
        self._module = module
        self._disable_v2 = disable_v2
        self._names = ModuleNames(module)
        self._resolved: dict[tuple[int, str], list[tuple[str, Imported | Assigned]]] = {}
        self._edits = Edits(self._names.ancestors)
        self._changes: list[tuple[cst.CSTNode, str, str]] = []
        self._left: list[tuple[cst.CSTNode, str, str]] = []
        # Calls that may have the arguments of before 1.0, and whether the module is that old.
        self._in_doubt: list[tuple[cst.Call, str, str]] = []
        self._is_before_1_0 = False
        self._is_tensorflow_2 = False
        self._is_tensorflow_2 = self._tells_tensorflow_2()

    def run(self) -> Migration:
        """Returns the migrated module."""
        for statement in self._names.imports:
            if isinstance(statement, cst.Import):
                self._migrate_import(statement)
            elif isinstance(statement.names, cst.ImportStar):
                self._migrate_star_import(statement)
            else:
                self._migrate_import_from(statement, statement.names)
        self._add_disable_v2()
        for chain in self._names.chains:
            self._migrate_chain(chain)
        self._migrate_methods()
        for call, path in self._names.dynamic_imports:
            self._report_dynamic_import(call, path)
        if self._is_before_1_0:
            for call, name, doubt in self._in_doubt:
                self._left.append((call, name, doubt))
        if not self._changes and not self._left:
            return Migration(self._module.code)
        lines = lines_of(self._module, [node for node, _, _ in (*self._changes, *self._left)])
        changes = [Change(lines[id(node)], old, new) for node, old, new in self._changes]
        left = [Left(lines[id(node)], name, reason) for node, name, reason in self._left]
        by_line = operator.attrgetter("line")
        return Migration(
            self._edits.apply(self._module).code,
            tuple(sorted(changes, key=by_line)),
            tuple(sorted(left, key=by_line)),
        )

    # What names mean.

    def _bindings(self, scope: Scope, name: str) -> list[tuple[str, Imported | Assigned]]:
        """Returns the paths in TensorFlow that a name may stand for, with what binds it to them."""
        found = scope.look_up(name)
        if found is None:
            return []
        owner, bindings = found
        key = (id(owner), name)
        if key not in self._resolved:
            self._resolved[key] = []  # for names that are assigned to themselves
            self._resolved[key] = [(p, b) for b in bindings if b is not None for p in self._paths(b)]
        return self._resolved[key]

    def _paths(self, binding: Imported | Assigned) -> list[str]:
        if isinstance(binding, Imported):
            return [binding.path] if legacy_name(binding.path) is not None else []
        root, *attributes = binding.chain.parts
        return [".".join([path, *attributes]) for path, _ in self._bindings(binding.chain.scope, root)]

    def _today(self, path: str) -> Target | Missing | None:
        """Returns where a path in TensorFlow leads today, `None` if it stays as it is."""
        name = legacy_name(path)
        if name is None:
            return None
        target = find(name)
        if self._is_tensorflow_2 and not (isinstance(target, Target) and target.is_in_this_package):
            return None
        return target

    def _stands_for(self, path: str) -> str:
        """Returns the path that a name has after the migration, if it had this one before."""
        target = self._today(path)
        return target.path if isinstance(target, Target) else path

    def _tells_tensorflow_2(self) -> bool:
        """Returns whether the module is one of TensorFlow 2, which asks for `tf.compat.v1` by name."""
        is_newer = False
        for chain in self._names.chains:
            for path, _ in self._bindings(chain.scope, chain.parts[0]):
                if path == "tensorflow" and len(chain.parts) > 1:
                    if chain.parts[1:3] == ("compat", "v1"):
                        is_newer = True
                    elif not is_in_tensorflow_2(".".join(chain.parts[1:])):
                        return False
                    else:
                        is_newer |= isinstance(find(".".join(chain.parts[1:])), Missing)
        return is_newer

    # Imports.

    def _migrate_import(self, statement: cst.Import) -> None:
        names = []
        for alias in statement.names:
            path = dotted(alias.name)
            target = self._today(path)
            if isinstance(target, Missing):
                self._left.append((statement, f"import {path}", target.reason))
            elif target is not None and alias.asname is None:
                # Either binds the name of all of TensorFlow.
                root = cst.AsName(cst.Name("tensorflow"))
                today = self._stands_for("tensorflow")
                if today != "tensorflow":
                    alias = alias.with_changes(name=expression(today), asname=root)
            elif target is not None and target.path != path:
                alias = alias.with_changes(name=expression(target.path))
            names.append(alias)
        if any(new is not old for new, old in zip(names, statement.names, strict=True)):
            self._replace(statement, [statement.with_changes(names=names)])

    def _migrate_star_import(self, statement: cst.ImportFrom) -> None:
        assert statement.module is not None
        path = dotted(statement.module)
        target = self._today(path)
        if target is None:
            return
        if isinstance(target, Missing):
            self._left.append((statement, f"from {path} import *", target.reason))
            return
        reason = "Names that come by * are not followed. Import the module, or each of them by its name."
        self._left.append((statement, f"from {path} import *", reason))
        if target.path != path:
            self._replace(statement, [statement.with_changes(module=expression(target.path))])

    def _migrate_import_from(self, statement: cst.ImportFrom, names: Sequence[cst.ImportAlias]) -> None:
        assert statement.module is not None
        module = dotted(statement.module)
        by_module: dict[str, list[cst.ImportAlias]] = {}
        for alias in names:
            path = f"{module}.{dotted(alias.name)}"
            target = self._today(path)
            home = module
            if isinstance(target, Missing):
                self._left.append((statement, f"from {module} import {dotted(alias.name)}", target.reason))
            elif target is not None and target.path != path:
                home, _, name = target.path.rpartition(".")
                alias = import_as(alias, name)
            by_module.setdefault(home, []).append(alias)
        if list(by_module) == [module] and list(by_module[module]) == list(names):
            return
        if len(by_module) == 1:
            ((home, aliases),) = by_module.items()
            node = statement.module if home == module else expression(home)
            self._replace(statement, [statement.with_changes(module=node, names=aliases)])
            return
        self._edits.keep_comments(statement)
        self._replace(statement, [import_from(home, aliases) for home, aliases in by_module.items()])

    def _replace(
        self, statement: cst.Import | cst.ImportFrom | cst.Assign, new: Sequence[cst.BaseSmallStatement]
    ) -> None:
        self._edits.replace_statement(statement, new)
        text = "; ".join(self._text(each) for each in new)
        self._changes.append((statement, self._text(statement), text))

    def _text(self, node: cst.CSTNode) -> str:
        return " ".join(self._module.code_for_node(node).rstrip(" ;").split())

    def _import(self, target: Target, near: Imported | Assigned) -> str:
        """Returns a name for what the target imports, with its import below the binding that led to it."""
        name = f"tf_{target.old.replace('.', '_')}"
        while name in self._names.used:
            there = self._names.scope.bindings.get(name, [])
            if [b.path for b in there if isinstance(b, Imported)] == [target.imported]:
                return name
            name += "_"
        home, _, last = target.imported.rpartition(".")
        new = import_from(home, [import_as(cst.ImportAlias(cst.Name(name)), last)])
        self._edits.add_below(near.statement, name, new)
        return name

    def _add_disable_v2(self) -> None:
        """Adds `disable_v2_behavior()` below the first import of TensorFlow, as its own guide writes it."""
        if self._is_tensorflow_2 or self._disable_v2 == "none":
            return
        if self._disable_v2 == "scripts" and not self._is_script():
            return
        if any(legacy_name(path) in _BEHAVIORS for chain in self._names.chains for path in self._full(chain)):
            return
        for name, bindings in self._names.scope.bindings.items():
            for binding in bindings:
                if isinstance(binding, Imported) and binding.path == "tensorflow":
                    call = cst.Expr(cst.Call(expression(f"{name}.disable_v2_behavior")))
                    self._edits.add_below(binding.statement, "~", call)  # below the other lines
                    self._changes.append((binding.statement, "", f"{name}.disable_v2_behavior()"))
                    return

    def _is_script(self) -> bool:
        functions = {each.name.value for each in self._module.body if isinstance(each, cst.FunctionDef)}
        asks_name = matchers.If(test=matchers.Comparison(left=matchers.Name("__name__")))
        function = matchers.Name(matchers.MatchIfTrue(functions.__contains__))
        runs = matchers.SimpleStatementLine([matchers.Expr(matchers.Call(function))])
        if any(matchers.matches(statement, asks_name | runs) for statement in self._module.body):
            return True
        chains = [chain for chain in self._names.chains if chain.scope is self._names.scope]
        return any(legacy_name(path) in _SESSIONS for chain in chains for path in self._full(chain))

    def _full(self, chain: Chain) -> list[str]:
        root, *attributes = chain.parts
        return [".".join([path, *attributes]) for path, _ in self._bindings(chain.scope, root)]

    # Names in expressions.

    def _migrate_chain(self, chain: Chain) -> None:
        root, *attributes = chain.parts
        bindings = self._bindings(chain.scope, root)
        if not bindings:
            return
        name = ".".join(chain.parts)
        path = bindings[0][0]
        target = self._today(".".join([path, *attributes]))
        if isinstance(target, Missing):
            if not isinstance(self._today(path), Missing):  # else the import is reported
                self._left.append((chain.node, name, target.reason))
            return
        if target is None:
            return
        call = self._names.calls.get(id(chain.node))
        if target.row is not None and target.is_renamed_in_v1:
            self._is_before_1_0 = True
        if target.row is not None and target.row.with_shape and call is not None:
            target = self._with_shape(call, target, name if attributes else "", target.row.with_shape)
        if call is not None and len({self._stands_for(path) for path, _ in bindings}) == 1:
            self._migrate_call(call, target.row or Moved(target.path), name)
        if not attributes or all(self._leads_to(path, attributes, target.path) for path, _ in bindings):
            return
        if matchers.findall(chain.node, matchers.Comment()):
            self._left.append((chain.node, name, f"A comment stands within it. It is {target.path} today."))
        elif len({self._stands_for(path) for path, _ in bindings}) > 1:
            reason = f"`{root}` is bound to several things. This one is {target.path} today."
            self._left.append((chain.node, name, reason))
        elif target.path.startswith(f"{self._stands_for(path)}."):
            self._change_chain(chain, root + target.path[len(self._stands_for(path)) :])
        elif target.path.startswith(f"{V1}.") and (tf := self._root_name(chain.scope)):
            self._change_chain(chain, tf + target.path.removeprefix(V1))
        elif isinstance(assignment := self._whole_assignment(chain, target), cst.Assign):
            home, _, last = target.path.rpartition(".")
            bound = cst.ImportAlias(cst.ensure_type(assignment.targets[0].target, cst.Name))
            self._replace(assignment, [import_from(home, [import_as(bound, last)])])
        elif any(binding.is_elsewhere for _, binding in bindings):
            reason = f"`{root}` is bound to it by a global statement. Import {target.imported} yourself."
            self._left.append((chain.node, name, reason))
        else:
            for _, binding in bindings:
                imported = self._import(target, binding)
            self._change_chain(chain, imported + target.path[len(target.imported) :])

    def _root_name(self, scope: Scope) -> str | None:
        """Returns the name that all of TensorFlow has in the module, if it has it in the scope, too."""
        for name in self._names.scope.bindings:
            found = scope.look_up(name)
            if found is not None and found[0] is self._names.scope:
                paths = {path for path, _ in self._bindings(scope, name)}
                if paths and all(self._stands_for(path) == V1 for path in paths):
                    return name
        return None

    def _leads_to(self, path: str, attributes: list[str], today: str) -> bool:
        """Returns whether attributes of a name lead to that place without a change."""
        full = ".".join([self._stands_for(path), *attributes])
        # TensorFlow has this within itself, so that what named it goes on to work.
        return full.replace(f"{V1}.compat.v1", V1, 1) == today

    def _whole_assignment(self, chain: Chain, target: Target) -> cst.Assign | None:
        """Returns the assignment that does the work of an import: `slim = tf.contrib.slim`."""
        parent = next(self._names.ancestors(chain.node))
        if target.path != target.imported or chain.node.lpar or not isinstance(parent, cst.Assign):
            return None
        is_name = len(parent.targets) == 1 and isinstance(parent.targets[0].target, cst.Name)
        return parent if is_name and target.is_in_this_package else None

    def _change_chain(self, chain: Chain, new: str) -> None:
        name = ".".join(chain.parts)
        parts = new.split(".")
        # The attributes at the end that stay keep their layout.
        node: cst.BaseExpression = chain.node
        for old_part, part in zip(reversed(chain.parts[1:]), reversed(parts[1:]), strict=False):
            if old_part != part:
                break
            assert isinstance(node, cst.Attribute)
            node = node.value
            parts.pop()
        self._edits.change(
            node, lambda _: expression(".".join(parts)).with_changes(lpar=node.lpar, rpar=node.rpar)
        )
        self._changes.append((chain.node, name, new))

    def _migrate_call(self, call: cst.Call, row: Moved, name: str) -> None:
        arguments = calls.today(call, row)
        if arguments.problem:
            self._left.append((call, name, arguments.problem))
        elif arguments.doubt:
            self._in_doubt.append((call, name, arguments.doubt))
        elif arguments.has_changes:
            self._edits.change(call, lambda updated: arguments.apply(cst.ensure_type(updated, cst.Call)))
            with_values = bool(arguments.values or arguments.joined)
            old, new = (
                f"{name}({calls.outline(each, with_values)})" for each in (call, arguments.apply(call))
            )
            self._changes.append((call, old, new))

    def _with_shape(self, call: cst.Call, target: Target, name: str, meant: str) -> Target:
        """Returns what is called, which is another thing if the call has a shape.

        Args:
            call: The call.
            target: What is called without a shape.
            name: The name in the call, empty if an import brings it in.
            meant: What is called with a shape.
        """
        has_shape = calls.has_shape(call)
        if has_shape and name:
            return dataclasses.replace(target, path=meant, imported=meant, row=None)
        if has_shape:
            self._left.append((call, target.old, f"With a shape it is {meant} today."))
        elif has_shape is None:
            doubt = f"Before TensorFlow 1.0 it took a shape. If it is one, call {meant}."
            self._in_doubt.append((call, name or target.old, doubt))
        return target

    def _migrate_methods(self) -> None:
        code = self._module.code
        for old, new in METHODS.items():
            if f".{old}(" not in code or f"def {old}(" in code:
                continue
            pattern = matchers.Call(func=matchers.Attribute(attr=matchers.Name(old)), args=[])
            for call in matchers.findall(self._module, pattern):
                self._edits.change(call, functools.partial(calls.with_method, name=new))
                self._changes.append((call, f".{old}()", f".{new}()"))

    def _report_dynamic_import(self, call: cst.Call, path: str) -> None:
        target = self._today(path)
        if isinstance(target, Missing):
            self._left.append((call, f'import of "{path}"', target.reason))
        elif target is not None and target.path != path:
            self._left.append((call, f'import of "{path}"', f"It is {target.path} today."))
