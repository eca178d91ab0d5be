"""Finds which names of a module lead to TensorFlow, as Python's scopes bind them.

`libcst.metadata.ScopeProvider` knows more, and takes ten times as long.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from typing import TypeAlias

import libcst as cst

SmallStatement: TypeAlias = cst.Import | cst.ImportFrom | cst.Assign

# What holds no names, or only names that are no references.
_SKIPPED_FIELDS = {
    "asname",
    "attr",
    "colon",
    "comma",
    "dot",
    "equal",
    "footer",
    "header",
    "keyword",
    "lbrace",
    "lbracket",
    "leading_lines",
    "lines_after_decorators",
    "lpar",
    "operator",
    "rbrace",
    "rbracket",
    "rpar",
    "semicolon",
    "trailing_whitespace",
}
_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.DictComp, cst.GeneratorExp)


@dataclasses.dataclass(frozen=True)
class Imported:
    """Says that an import binds a name.

    Attributes:
        path: Dotted path of what the name stands for: `"tensorflow.contrib.slim"`.
        statement: The import.
        is_elsewhere: Whether it binds a name of another scope, by `global` or `nonlocal`.
    """

    path: str
    statement: cst.Import | cst.ImportFrom
    is_elsewhere: bool = False


@dataclasses.dataclass(frozen=True)
class Assigned:
    """Says that an assignment like `slim = tf.contrib.slim` binds a name.

    Attributes:
        chain: The right-hand side.
        statement: The assignment.
        is_elsewhere: Whether it binds a name of another scope, by `global` or `nonlocal`.
    """

    chain: Chain
    statement: cst.Assign
    is_elsewhere: bool = False


Binding: TypeAlias = Imported | Assigned | None  # None: any other


class Scope:
    """Holds the bindings of a module, function, class or comprehension."""

    def __init__(self, parent: Scope | None, is_class: bool = False, is_comprehension: bool = False):
        self.parent = parent
        self.is_class = is_class
        self.is_comprehension = is_comprehension
        self.bindings: dict[str, list[Binding]] = {}
        self.elsewhere: dict[str, Scope] = {}  # names that are declared global or nonlocal

    @property
    def module(self) -> Scope:
        """Returns the scope of the module."""
        return self if self.parent is None else self.parent.module

    def bind(self, name: str, binding: Binding = None) -> None:
        """Adds a binding of the name, where the scope binds names of that kind."""
        scope = self.elsewhere.get(name, self)
        scope.bindings.setdefault(name, []).append(binding)

    def look_up(self, name: str) -> tuple[Scope, list[Binding]] | None:
        """Returns the scope that binds the name and its bindings there, `None` if it is a builtin."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.elsewhere:
                scope = scope.elsewhere[name]
            elif name in scope.bindings and (scope is self or not scope.is_class):
                return scope, scope.bindings[name]
            else:
                scope = scope.parent
        return None


@dataclasses.dataclass(frozen=True)
class Chain:
    """A name and the attributes that are read from it: `tf.nn.relu`.

    Attributes:
        node: The expression.
        parts: The name and the attributes.
        scope: Where it stands.
    """

    node: cst.Attribute | cst.Name
    parts: tuple[str, ...]
    scope: Scope


class ModuleNames:
    """Walks a module and keeps what its names mean.

    Attributes:
        scope: The module's scope.
        chains: Every name that is read, with its attributes.
        calls: Calls of a chain, by the `id` of the chain's node.
        imports: Every import statement that is not relative.
        parents: The parent of every node that was seen, by `id`.
        used: Every name that stands anywhere.
        dynamic_imports: Calls of `importlib.import_module` and `__import__` with the text they import.
    """

    def __init__(self, module: cst.Module):
        self.scope = Scope(None)
        self.chains: list[Chain] = []
        self.calls: dict[int, cst.Call] = {}
        self.imports: list[cst.Import | cst.ImportFrom] = []
        self.parents: dict[int, cst.CSTNode] = {}
        self.used: set[str] = set()
        self.dynamic_imports: list[tuple[cst.Call, str]] = []
        for statement in module.body:
            self._walk(statement, self.scope, module)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yields the nodes around a node, from the inside."""
        while (parent := self.parents.get(id(node))) is not None:
            yield parent
            node = parent

    def _bind(self, scope: Scope, name: str, binding: Binding = None) -> None:
        self.used.add(name)
        if binding is not None and name in scope.elsewhere:
            binding = dataclasses.replace(binding, is_elsewhere=True)
        scope.bind(name, binding)

    def _walk(self, node: cst.CSTNode, scope: Scope, parent: cst.CSTNode) -> None:
        self.parents[id(node)] = parent
        visit = _VISITS.get(type(node))
        if visit is None:
            self._walk_children(node, scope)
        else:
            visit(self, node, scope)

    def _walk_children(self, node: cst.CSTNode, scope: Scope, *skipped: str) -> None:
        for name in _child_fields(type(node)):
            if name in skipped:
                continue
            value = getattr(node, name)
            if isinstance(value, cst.CSTNode):
                self._walk(value, scope, node)
            elif isinstance(value, (list, tuple)):
                for item in value:
                    if isinstance(item, cst.CSTNode):
                        self._walk(item, scope, node)

    def _chain(self, node: cst.Attribute | cst.Name, scope: Scope) -> Chain | None:
        parts: list[str] = []
        inner: cst.BaseExpression = node
        while isinstance(inner, cst.Attribute):
            self.parents[id(inner.value)] = inner
            parts.append(inner.attr.value)
            inner = inner.value
        if not isinstance(inner, cst.Name):
            return None
        parts.append(inner.value)
        self.used.add(inner.value)
        return Chain(node, tuple(reversed(parts)), scope)

    def _visit_name(self, node: cst.Name, scope: Scope) -> None:
        chain = self._chain(node, scope)
        assert chain is not None
        self.chains.append(chain)

    def _visit_attribute(self, node: cst.Attribute, scope: Scope) -> None:
        chain = self._chain(node, scope)
        if chain is not None:
            self.chains.append(chain)
            return
        inner: cst.BaseExpression = node
        while isinstance(inner, cst.Attribute):
            parent, inner = inner, inner.value
        self._walk(inner, scope, parent)

    def _visit_call(self, node: cst.Call, scope: Scope) -> None:
        self.calls[id(node.func)] = node
        if node.args and isinstance(node.func, (cst.Name, cst.Attribute)):
            called = node.func.value if isinstance(node.func, cst.Name) else node.func.attr.value
            text = node.args[0].value
            if called in ("import_module", "__import__") and isinstance(text, cst.SimpleString):
                self.dynamic_imports.append((node, str(text.evaluated_value)))
        self._walk_children(node, scope)

    def _visit_import(self, node: cst.Import, scope: Scope) -> None:
        self.imports.append(node)
        for alias in node.names:
            path = dotted(alias.name)
            if alias.asname is not None:
                assert isinstance(alias.asname.name, cst.Name)
                self._bind(scope, alias.asname.name.value, Imported(path, node))
            else:
                root = path.partition(".")[0]
                self._bind(scope, root, Imported(root, node))

    def _visit_import_from(self, node: cst.ImportFrom, scope: Scope) -> None:
        if node.module is None or node.relative or isinstance(node.names, cst.ImportStar):
            if not isinstance(node.names, cst.ImportStar):
                for alias in node.names:
                    self._bind(scope, bound_name(alias))
            elif node.module is not None and not node.relative:
                self.imports.append(node)
            return
        self.imports.append(node)
        module = dotted(node.module)
        for alias in node.names:
            self._bind(scope, bound_name(alias), Imported(f"{module}.{dotted(alias.name)}", node))

    def _visit_assign(self, node: cst.Assign, scope: Scope) -> None:
        self._walk(node.value, scope, node)
        value = node.value
        target = node.targets[0].target
        if len(node.targets) == 1 and isinstance(target, cst.Name):
            chain = self._chain(value, scope) if isinstance(value, (cst.Name, cst.Attribute)) else None
            self._bind(scope, target.value, None if chain is None else Assigned(chain, node))
            return
        for each in node.targets:
            self.parents[id(each)] = node
            self._visit_target(each.target, scope, each)

    def _visit_target(self, target: cst.CSTNode, scope: Scope, parent: cst.CSTNode) -> None:
        """Binds the names in the target of an assignment, a loop or a `with`."""
        self.parents[id(target)] = parent
        if isinstance(target, cst.Name):
            self._bind(scope, target.value)
        elif isinstance(target, (cst.Tuple, cst.List)):
            for element in target.elements:
                self.parents[id(element)] = target
                self._visit_target(element.value, scope, element)
        else:
            self._walk(target, scope, parent)

    def _visit_annotated_assign(self, node: cst.AnnAssign, scope: Scope) -> None:
        self._visit_target(node.target, scope, node)
        self._walk_children(node, scope, "target")

    def _visit_augmented_assign(self, node: cst.AugAssign, scope: Scope) -> None:
        self._visit_target(node.target, scope, node)
        self._walk_children(node, scope, "target")

    def _visit_named(self, node: cst.NamedExpr, scope: Scope) -> None:
        binding = scope
        while binding.is_comprehension and binding.parent is not None:  # it binds the name around itself
            binding = binding.parent
        self._visit_target(node.target, binding, node)
        self._walk(node.value, scope, node)

    def _visit_for(self, node: cst.For, scope: Scope) -> None:
        self._visit_target(node.target, scope, node)
        self._walk_children(node, scope, "target")

    def _visit_with_item(self, node: cst.WithItem, scope: Scope) -> None:
        self._walk(node.item, scope, node)
        if node.asname is not None:
            self.parents[id(node.asname)] = node
            self._visit_target(node.asname.name, scope, node.asname)

    def _visit_except(self, node: cst.ExceptHandler | cst.ExceptStarHandler, scope: Scope) -> None:
        if node.name is not None:
            self._visit_target(node.name.name, scope, node)
        self._walk_children(node, scope, "name")

    def _visit_del(self, node: cst.Del, scope: Scope) -> None:
        self._visit_target(node.target, scope, node)

    def _visit_global(self, node: cst.Global, scope: Scope) -> None:
        for item in node.names:
            scope.elsewhere[item.name.value] = scope.module

    def _visit_nonlocal(self, node: cst.Nonlocal, scope: Scope) -> None:
        outer = scope.parent
        for item in node.names:
            found = outer.look_up(item.name.value) if outer is not None else None
            if found is not None:
                scope.elsewhere[item.name.value] = found[0]

    def _visit_function(self, node: cst.FunctionDef, scope: Scope) -> None:
        self._bind(scope, node.name.value)
        for decorator in node.decorators:
            self._walk(decorator, scope, node)
        if node.returns is not None:
            self._walk(node.returns, scope, node)
        self._visit_body(node, scope)

    def _visit_body(self, node: cst.FunctionDef | cst.Lambda, scope: Scope) -> None:
        inner = Scope(scope)
        for parameter in _parameters(node.params):
            self._bind(inner, parameter.name.value)
        self._walk(node.params, scope, node)
        self._walk(node.body, inner, node)

    def _visit_parameter(self, node: cst.Param, scope: Scope) -> None:
        self._walk_children(node, scope, "name", "star")

    def _visit_class(self, node: cst.ClassDef, scope: Scope) -> None:
        self._bind(scope, node.name.value)
        self._walk_children(node, scope, "name", "body")
        self._walk(node.body, Scope(scope, is_class=True), node)

    def _visit_comprehension(self, node: cst.BaseComp, scope: Scope) -> None:
        inner = Scope(scope, is_comprehension=True)
        self._visit_comp_for(node.for_in, inner, node, scope)
        self._walk_children(node, inner, "for_in")

    def _visit_comp_for(self, node: cst.CompFor, inner: Scope, parent: cst.CSTNode, outer: Scope) -> None:
        self.parents[id(node)] = parent
        self._walk(node.iter, outer, node)
        self._visit_target(node.target, inner, node)
        for condition in node.ifs:
            self._walk(condition, inner, node)
        if node.inner_for_in is not None:
            self._visit_comp_for(node.inner_for_in, inner, node, inner)

    def _visit_pattern(self, node: cst.MatchAs | cst.MatchStar | cst.MatchMapping, scope: Scope) -> None:
        name = node.rest if isinstance(node, cst.MatchMapping) else node.name
        if name is not None:
            self._bind(scope, name.value)
        self._walk_children(node, scope, "name", "rest")


_VISITS: dict[type[cst.CSTNode], Callable[..., None]] = {
    cst.Name: ModuleNames._visit_name,
    cst.Attribute: ModuleNames._visit_attribute,
    cst.Call: ModuleNames._visit_call,
    cst.Import: ModuleNames._visit_import,
    cst.ImportFrom: ModuleNames._visit_import_from,
    cst.Assign: ModuleNames._visit_assign,
    cst.AnnAssign: ModuleNames._visit_annotated_assign,
    cst.AugAssign: ModuleNames._visit_augmented_assign,
    cst.NamedExpr: ModuleNames._visit_named,
    cst.For: ModuleNames._visit_for,
    cst.WithItem: ModuleNames._visit_with_item,
    cst.ExceptHandler: ModuleNames._visit_except,
    cst.ExceptStarHandler: ModuleNames._visit_except,
    cst.Del: ModuleNames._visit_del,
    cst.Global: ModuleNames._visit_global,
    cst.Nonlocal: ModuleNames._visit_nonlocal,
    cst.FunctionDef: ModuleNames._visit_function,
    cst.Lambda: ModuleNames._visit_body,
    cst.Param: ModuleNames._visit_parameter,
    cst.ClassDef: ModuleNames._visit_class,
    cst.MatchAs: ModuleNames._visit_pattern,
    cst.MatchStar: ModuleNames._visit_pattern,
    cst.MatchMapping: ModuleNames._visit_pattern,
    **dict.fromkeys(_COMPREHENSIONS, ModuleNames._visit_comprehension),
}


@functools.cache
def _child_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = [field.name for field in dataclasses.fields(kind)]
    return tuple(n for n in names if n not in _SKIPPED_FIELDS and not n.startswith("whitespace"))


def _parameters(parameters: cst.Parameters) -> list[cst.Param]:
    stars = [p for p in (parameters.star_arg, parameters.star_kwarg) if isinstance(p, cst.Param)]
    return [*parameters.posonly_params, *parameters.params, *parameters.kwonly_params, *stars]


def dotted(node: cst.BaseExpression) -> str:
    """Returns the text of a dotted name, as imports have it.

    Args:
        node: A `Name`, or `Attribute`s around one.

    Returns:
        The name: `"tensorflow.contrib.slim"`.
    """
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    assert isinstance(node, cst.Name)
    return node.value


def bound_name(alias: cst.ImportAlias) -> str:
    """Returns the name that a `from … import` binds.

    Args:
        alias: One of its names.

    Returns:
        The name behind `as`, or the imported one.
    """
    node = alias.name if alias.asname is None else alias.asname.name
    assert isinstance(node, cst.Name)
    return node.value
