"""Makes calls that wait for ever, in processes that get signals meanwhile. Run by test_blocked_calls.py.

    python blocked_run.py DIRECTORY

Each line of the input is a case: a folder, the place that waits, signals, and the seconds after which a wait
is told of. The first signal is sent when the place waits, and another one at each warning in the log. After
the last one a warning gives the place what it waits for. Each line of the output is how a case has ended.
Loading TensorFlow takes seconds, so each process is a fork of one that has loaded it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

from keras_legacy_train import GraphModel, evaluate, fit, infer, interrupts, monitors, run_feeds, train

v1 = tf.compat.v1

BLOCKED_AT = 3
SAMPLED_BLOCK_AT = 1_200
TIMEOUT_SECONDS = 120

Call = Callable[[], Any]


class Case:
    """Builds the graph of a case, and makes the call that waits in it.

    Args:
        directory: The `output_dir`.
        place: The call that waits, a key of `calls`.
        signals: The numbers of the signals to send; 0 for none.
    """

    def __init__(self, directory: Path, place: str, signals: list[int]):
        self.directory = str(directory)
        self.signals = list(signals)
        self.is_waiting = False
        self.released = threading.Event()
        self.session: Any = None
        self.queue_step = {"sampled window": SAMPLED_BLOCK_AT, "first step": 0}.get(place, BLOCKED_AT)
        with tf.Graph().as_default() as self.graph:
            self.step = v1.train.get_or_create_global_step()
            self.queue = v1.FIFOQueue(4, tf.float32, shapes=[[]], name="nobody_fills")
            self.enqueue = self.queue.enqueue(0.0)
            self.x = v1.placeholder_with_default(0.0, [], name="x")
            w = v1.get_variable("w", [], initializer=v1.zeros_initializer())
            self.loss = tf.square(w - 1.0) + self.x + self.input(place)
            with tf.control_dependencies([self.loss]):
                optimizer = v1.train.GradientDescentOptimizer(0.1)
                self.train_op = optimizer.minimize(tf.square(w - 1.0), self.step)
            self.blocked = self.dequeued()
            self.init_op = tf.group(v1.global_variables_initializer(), self.blocked)

    def input(self, place: str) -> Any:
        """Returns an input of the loss, which does not come in a certain step."""
        if place == "dataset":
            types = (tf.float32, tf.float32)
            dataset = tf.data.Dataset.from_generator(self.batches, types)
            return tf.reduce_sum(v1.data.make_one_shot_iterator(dataset).get_next()[0])
        if place == "py_func":
            return tf.cond(tf.equal(self.step, BLOCKED_AT), self.waited, lambda: 0.0)
        if place.endswith(("window", "step")):
            return tf.cond(tf.equal(self.step, self.queue_step), self.dequeued, lambda: 0.0)
        return 0.0

    def dequeued(self) -> tf.Tensor:
        """Dequeues from an empty queue; right before that the signal is sent."""
        with tf.control_dependencies([tf.numpy_function(self.tell, [], tf.float32)]):
            return self.queue.dequeue()

    def waited(self) -> tf.Tensor:
        return tf.ensure_shape(tf.numpy_function(self.wait, [], tf.float32), [])

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number in range(2 * BLOCKED_AT):
            if number == BLOCKED_AT:
                self.wait()
            yield np.zeros([2, 1], np.float32), np.zeros([2, 1], np.float32)

    def tell(self) -> np.float32:
        self.is_waiting = True
        if self.signals:
            os.kill(os.getpid(), self.signals.pop(0))
        return np.float32(0)

    def wait(self) -> np.float32:
        self.tell()
        self.released.wait()
        return np.float32(0)

    def release(self) -> None:
        self.released.set()
        if self.session is not None:
            self.session.run(self.enqueue)

    def keep(self, session: Any) -> None:
        self.session = session

    def train(self, monitor: monitors.BaseMonitor | None = None, **options: Any) -> Any:
        options = {"init_fn": self.keep, "max_steps": 2 * BLOCKED_AT, **options}
        watching = [monitor or monitors.BaseMonitor()]
        return train(self.graph, self.directory, self.train_op, self.loss, monitors=watching, **options)

    def fit(self) -> Any:
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        spec = tf.TensorSpec([2, 1])
        data = tf.data.Dataset.from_generator(self.batches, output_signature=(spec, spec))
        return fit(model, data, output_dir=self.directory, verbose=0)

    def train_with_local_init_op(self) -> Any:
        self.graph.add_to_collection(v1.GraphKeys.LOCAL_INIT_OP, self.blocked.op)
        return self.train()

    def fork(self) -> Any:
        """Trains while a worker process is ended by SIGTERM, which the training must not notice."""
        outcomes: list[int] = []

        def feed_fn() -> dict[tf.Tensor, float]:
            if not outcomes:
                worker = os.fork()
                if worker == 0:
                    os.kill(os.getpid(), signal.SIGTERM)
                    os._exit(0)
                outcomes.append(os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]))
                print("worker:", outcomes[0], flush=True)
            return {self.x: 0.0}

        return self.train(feed_fn=feed_fn)

    def evaluate_with_a_handler(self) -> Any:
        def handler(number: int, frame: Any) -> None:
            print("handled", flush=True)

        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)  # as an event loop does
        signal.signal(signal.SIGTERM, handler)
        with self.graph.as_default():
            waited = self.waited()
        results, _ = evaluate(self.graph, self.directory, None, {"waited": waited}, max_steps=1)
        assert signal.getsignal(signal.SIGTERM) is handler
        print("passed on:", os.read(reader, 1)[0] == signal.SIGTERM, flush=True)
        return results

    def save(self) -> None:
        """Sends two signals while a stand-in for the last save runs, and then one that is not watched for."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, lambda number, frame: None)
        watch = interrupts.CallWatch(lambda: None, insists=lambda: True, passes_on=False)

        def send() -> None:
            for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGUSR1):
                signal.pthread_kill(threading.main_thread().ident or 0, number)
            print("passed on:", os.read(reader, 1)[0] == signal.SIGUSR1, flush=True)
            self.released.set()

        watch.start()
        watch.is_saving = True
        threading.Thread(target=send).start()
        tf.numpy_function(self.wait, [], tf.float32)
        watch.stop()
        assert signal.set_wakeup_fd(-1) == writer


class Watches(monitors.BaseMonitor):
    def step_end(self, step: int, output: dict[Any, Any]) -> bool:
        return False


def calls(case: Case) -> dict[str, Call]:
    """Returns the call of each place."""
    graph, directory, blocked = case.graph, case.directory, case.blocked
    long = {"max_steps": 2 * SAMPLED_BLOCK_AT}
    return {
        "window": case.train,
        "first step": case.train,
        "watched step": lambda: case.train(Watches()),
        "fed step": lambda: case.train(feed_fn=lambda: {case.x: 1.0}),
        "sampled window": lambda: case.train(monitors.PrintTensor([case.loss.name], 100), **long),
        "dataset": case.train,
        "py_func": case.train,
        "init_op": lambda: case.train(init_op=case.init_op),
        "init_fn": lambda: case.train(init_fn=lambda session: session.run(blocked)),
        "local_init_op": case.train_with_local_init_op,
        "fit": case.fit,
        "evaluate": lambda: evaluate(graph, directory, None, {"blocked": blocked}),
        "evaluate, in windows": lambda: evaluate(graph, directory, None, {}, blocked, max_steps=9),
        "infer": lambda: infer(None, {"blocked": blocked}),
        "run_feeds": lambda: run_feeds({"blocked": blocked}, [{case.x: 1.0}]),
        "predict": lambda: GraphModel(graph, [], blocked).predict(steps=1, verbose=0),
        "GraphModel.fit": lambda: GraphModel(graph, train_op=blocked, loss=case.loss).fit(
            steps_per_epoch=1, verbose=0
        ),
        "evaluate with a handler": case.evaluate_with_a_handler,
        "worker": case.fork,
        "save": case.save,
        "resumed": lambda: case.train(max_steps=2),
    }


class Log(logging.Handler):
    """Prints warnings, and answers them with the next signal or, after the last, with the input.

    Before the place waits they are passed over: after so short a time a step that is being made is told of.
    """

    def __init__(self, case: Case):
        super().__init__(logging.WARNING)
        self._case = case

    def emit(self, record: logging.LogRecord) -> None:
        if not self._case.is_waiting:
            return
        print(record.getMessage(), flush=True)
        if self._case.signals:
            self._case.tell()
        else:
            self._case.release()


def run(directory: Path, place: str, signals: list[int], wait_seconds: float) -> None:
    """Runs a case in a child process, and prints how it has ended."""
    signal.alarm(TIMEOUT_SECONDS)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    interrupts.WAIT_SECONDS = wait_seconds
    interrupts.PATIENCE_SECONDS = 0.2
    case = Case(directory, place, signals)
    logger = logging.getLogger("keras_legacy_train")
    logger.addHandler(Log(case))
    logger.propagate = False
    try:
        calls(case)[place]()
        print("ended by itself", flush=True)
    except KeyboardInterrupt:
        print("ended by KeyboardInterrupt", flush=True)
    except SystemExit as error:
        print("ended by SystemExit", error.code, flush=True)
    except BaseException:
        traceback.print_exc(file=sys.stdout)


def main(directory: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        name, place, signals, wait_seconds = json.loads(line)
        output_dir = Path(directory, name)
        output_dir.mkdir(exist_ok=True)
        with tempfile.TemporaryFile() as output:
            child = os.fork()
            if child == 0:
                os.dup2(output.fileno(), 1)
                run(output_dir, place, signals, wait_seconds)
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            output.seek(0)
            print(json.dumps([status, output.read().decode()]), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
