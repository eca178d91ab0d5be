"""Has the generators of datasets give a batch's elements in one call of Python.

For each element of `Dataset.from_generator` TensorFlow calls Python on another thread, which has to get
Python's lock there. That takes several times as long as most generators take for an element. Where a batch is
made of the elements they are all needed at once: one call takes them from the generator and stacks them, and
`UnbatchDataset` gives them one by one to what lies between, such as a `map`.
"""

from __future__ import annotations

from keras_legacy_train import _tensorflow
from keras_legacy_train._tensorflow import FunctionDef, NodeDef
from keras_legacy_train.graph.nodes import make_node
from keras_legacy_train.graph.rewriting.datasets.elements import GatheredElements, NextElement, NextNumbers
from keras_legacy_train.graph.rewriting.datasets.nodes import (
    BATCHES,
    MAPS,
    REPEATS,
    SHUFFLES,
    AddFunctions,
    DatasetNodes,
    copied,
    note_batches,
    with_elements_of,
)

# What takes an element for each that it gives. The rest keep some anyway, or begin a generator again.
_ONE_FOR_ONE = MAPS | {"OptionsDataset"}

_PASSING_ON = frozenset({"Identity", "NoOp"})


class BatchGenerators:
    """Has generators give as many elements at a time as there are in a batch that is made of them.

    Args:
        nodes: The nodes of datasets.
        add_functions: Adds functions that rewritten nodes call.
    """

    def __init__(self, nodes: DatasetNodes, add_functions: AddFunctions):
        self._nodes = nodes
        self._add_functions = add_functions
        prefetches = [node for node in nodes if node.op == "PrefetchDataset"]
        self._prefetched = {source.name for node in prefetches for source in nodes.sources(node)}
        batches = [node for node in nodes if node.op in BATCHES]
        found = ((self._generator(batch), nodes.constant(batch.input[1])) for batch in batches)
        self._sizes = {generator.name: size for generator, size in found if generator is not None and size}

    def rewrite(self, node: NodeDef) -> list[NodeDef] | None:
        """Returns nodes to replace a generator; `None` for any other node and one that stays."""
        if node.name not in self._sizes:
            return None
        batches = NodeDef()
        batches.CopyFrom(node)
        batches.name = f"{node.name}/gathered"
        batches.attr["f"].func.name = self._gathering(node, self._sizes[node.name])
        note_batches(batches)
        return [
            batches,
            with_elements_of(make_node("UnbatchDataset", node.name, [self._nodes.dataset(batches)]), node),
        ]

    def _generator(self, batch: NodeDef) -> NodeDef | None:
        """Returns the generator that batches are made of, if it may be read a batch at a time.

        Then it is read no further than otherwise, except by less than a batch where a dataset keeps elements
        to shuffle or begins the generator again.
        """
        passed: set[str] = set()
        for source in self._nodes.sources(batch):
            if self._nodes.uses[source.name] > 1:
                return None
            if self._is_generator(source):
                reads_ahead = bool(passed & SHUFFLES) or batch.name in self._prefetched
                return source if reads_ahead or not passed & REPEATS else None
            if source.op not in _ONE_FOR_ONE | SHUFFLES | REPEATS:
                return None
            passed.add(source.op)
        return None

    def _is_generator(self, node: NodeDef) -> bool:
        """Returns whether a dataset is one of `from_generator` whose elements are arrays."""
        if node.op != "FlatMapDataset":
            return False
        function = self._nodes.called(node)
        if _computing(function) != {"GeneratorDataset"}:
            return False
        takes_next = self._takes_next(function)
        return _computing(takes_next) == {"PyFunc"} and _python_function(takes_next) is not None

    def _takes_next(self, function: FunctionDef) -> FunctionDef:
        """Returns the function that takes the next element of the generator whose dataset one makes."""
        return self._nodes.function(_only(function, "GeneratorDataset").attr["next_func"].func.name)

    def _gathering(self, node: NodeDef, count: int) -> str:
        """Adds the functions of a generator that gives several elements at a time.

        Returns:
            The name of the one that makes its dataset.
        """
        function = self._nodes.called(node)
        takes_next = self._takes_next(function)
        next_element = _python_function(takes_next)
        assert next_element is not None  # see `_is_generator`
        generator = _tensorflow.Generator.of(next_element)
        if generator is not None:
            next_element = NextNumbers(next_element, generator)
        gathered = GatheredElements(next_element, count)
        token = _tensorflow.add_python_function(gathered)

        takes_next = copied(takes_next, token)
        _only(takes_next, "PyFunc").attr["token"].s = token.encode()
        makes_dataset = copied(function, token)
        dataset = _only(makes_dataset, "GeneratorDataset")
        dataset.attr["next_func"].func.name = takes_next.signature.name
        note_batches(dataset)
        self._add_functions([makes_dataset, takes_next], [gathered])
        name: str = makes_dataset.signature.name
        return name


def _computing(function: FunctionDef) -> set[str]:
    """Returns the types of a function's operations, without those that only pass something on."""
    return {node.op for node in function.node_def} - _PASSING_ON


def _only(function: FunctionDef, op_type: str) -> NodeDef:
    """Returns the only node of a type."""
    (node,) = (node for node in function.node_def if node.op == op_type)
    return node


def _python_function(takes_next: FunctionDef) -> NextElement | None:
    """Returns the Python function that takes the next element; `None` if a graph was read from a file."""
    return _tensorflow.python_function(_only(takes_next, "PyFunc").attr["token"].s.decode())
