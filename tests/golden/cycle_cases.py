"""What Estimators do in `train_and_evaluate` and around it, asked of any implementation.

Each case is a function of the module that stands for `tf.compat.v1.estimator` and of a directory. It returns
what it has observed, as JSON can hold it. The originals' answers are in `estimator_cycle/`, recorded by

    python cycle_cases.py estimator_cycle/tensorflow_1.15.5.json      (the other: tensorflow_2.15.1.json)

under TensorFlow 1.15.5 and 2.15.1; the tests ask this package. Runs under Python 3.7.
"""
import collections
import json
import os
import sys
import tempfile

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

CASES = collections.OrderedDict()


def case(function):
    CASES[function.__name__] = function
    return function


def rows(n=32, width=4):
    rng = np.random.RandomState(0)
    x = rng.randn(n, width).astype("float32")
    y = (x.dot(rng.randn(width, 1)) + 0.1 * rng.randn(n, 1)).astype("float32")
    return x, y


def batches(times=None, batch_size=8):
    def input_fn():
        x, y = rows()
        return tf.data.Dataset.from_tensor_slices(({"x": x}, y)).repeat(times).batch(batch_size)

    return input_fn


def linear(features, width=4):
    zeros = v1.zeros_initializer()
    w = v1.get_variable("w", [width, 1], initializer=zeros)
    b = v1.get_variable("b", [1], initializer=zeros)
    return tf.matmul(features["x"], w) + b


def linear_model_fn(estimator, rate=0.1):
    def model_fn(features, labels, mode):
        predictions = linear(features)
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.EstimatorSpec(mode, predictions={"y": predictions})
        loss = tf.reduce_mean(tf.square(predictions - labels))
        train_op = v1.train.GradientDescentOptimizer(rate).minimize(loss, v1.train.get_global_step())
        metrics = {"mae": v1.metrics.mean_absolute_error(labels, predictions)}
        return estimator.EstimatorSpec(mode, {"y": predictions}, loss, train_op, eval_metric_ops=metrics)

    return model_fn


def linear_estimator(estimator, directory, rate=0.1, **config):
    config.setdefault("save_checkpoints_steps", 10)
    return estimator.Estimator(
        linear_model_fn(estimator, rate), directory, estimator.RunConfig(tf_random_seed=1, **config)
    )


def plain(results):
    """Numbers as JSON has them."""
    return None if results is None else {key: float(value) for key, value in sorted(results.items())}


def evaluations(directory):
    """The events of evaluations: pairs of step and metrics, as they were written."""
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        for event in v1.train.summary_iterator(os.path.join(directory, name)):
            values = {v.tag: v.simple_value for v in event.summary.value if v.HasField("simple_value")}
            if values:
                found.append([event.step, plain(values)])
    return sorted(found, key=lambda pair: pair[0])


def checkpoints(directory):
    state = tf.train.get_checkpoint_state(directory)
    return [os.path.basename(path) for path in state.all_model_checkpoint_paths]


def variables(est):
    return {name: np.asarray(est.get_variable_value(name)).ravel().tolist() for name in est.get_variable_names()}


def recorder(estimator, calls, name="recorder"):
    """An exporter that writes down how it was called."""

    class Recorder(estimator.Exporter):
        @property
        def name(self):
            return name

        def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
            path = os.path.relpath(export_path, estimator.model_dir)
            calls.append([path, os.path.basename(checkpoint_path), plain(eval_result), bool(is_the_final_export)])
            return "export %d" % len(calls)

    return Recorder()


def listener(calls):
    class Listener(v1.train.CheckpointSaverListener):
        def begin(self):
            calls.append("begin")

        def before_save(self, session, global_step_value):
            calls.append("before_save %d" % global_step_value)

        def after_save(self, session, global_step_value):
            calls.append("after_save %d" % global_step_value)

        def end(self, session, global_step_value):
            calls.append("end %d" % global_step_value)

    return Listener()


def run(estimator, est, max_steps, train_times=None, hooks=(), listeners=(), eval_hooks=(), **eval_spec):
    eval_spec.setdefault("throttle_secs", 0)
    calls = []
    more = {"saving_listeners": list(listeners)} if listeners else {}  # not in 1.15.5
    answer = estimator.train_and_evaluate(
        est,
        estimator.TrainSpec(batches(train_times), max_steps=max_steps, hooks=list(hooks), **more),
        estimator.EvalSpec(batches(1), exporters=recorder(estimator, calls), hooks=list(eval_hooks), start_delay_secs=0, **eval_spec),
    )
    results, exports = answer
    return {"results": plain(results), "exports": exports, "exporter_calls": calls}


@case
def every_checkpoint(estimator, directory):
    """Evaluated are all checkpoints but that of step 0, and the last once."""
    est = linear_estimator(estimator, directory)
    answer = run(estimator, est, 45)
    return dict(
        answer,
        evaluations=evaluations(est.eval_dir()),
        checkpoints=checkpoints(directory),
        variables=variables(est),
    )


@case
def resumed(estimator, directory):
    """In a directory that is there already: from its step on; and nothing if that is the last."""
    first = run(estimator, linear_estimator(estimator, directory), 20)
    second = run(estimator, linear_estimator(estimator, directory), 35, steps=2)
    third = run(estimator, linear_estimator(estimator, directory), 35)
    return {"first": first, "second": second, "third": third, "checkpoints": checkpoints(directory)}


@case
def throttled(estimator, directory):
    """Within `throttle_secs` only the first and the last checkpoint are evaluated."""
    return run(estimator, linear_estimator(estimator, directory), 40, throttle_secs=3600, name="valid", steps=1)


@case
def input_ends(estimator, directory):
    """The input ends after 12 steps, and there is no `max_steps`: no export is the final one."""
    return run(estimator, linear_estimator(estimator, directory), None, train_times=3)


@case
def listeners(estimator, directory):
    """The listeners of the user are called before the evaluation."""
    calls = []

    class EvalHook(v1.train.SessionRunHook):
        def begin(self):
            calls.append("evaluation")

    est = linear_estimator(estimator, directory)
    run(estimator, est, 15, listeners=[listener(calls)], steps=1, eval_hooks=[EvalHook()])
    again = []
    est = linear_estimator(estimator, directory)
    est.train(batches(), steps=3, saving_listeners=[listener(again)])
    return {"calls": calls, "again": again}


@case
def listener_stops(estimator, directory):
    """A listener's `after_save` may ask to stop."""

    class Stop(v1.train.CheckpointSaverListener):
        def after_save(self, session, global_step_value):
            return global_step_value >= 20

    return run(estimator, linear_estimator(estimator, directory), 100, listeners=[Stop()])


def stopped(estimator, directory, make, rate=0.1, **arguments):
    est = linear_estimator(estimator, directory, rate)
    hook = make(est, run_every_secs=None, run_every_steps=1, **arguments)
    answer = run(estimator, est, 200, hooks=[hook])
    return dict(answer, names=sorted(est.get_variable_names()), stop=bool(variables(est)["signal_early_stopping/STOP"][0]))


@case
def stop_if_lower(estimator, directory):
    make = estimator.experimental.stop_if_lower_hook
    return stopped(estimator, directory, make, metric_name="loss", threshold=0.2)


@case
def stop_if_higher(estimator, directory):
    """An evaluation before `min_steps` does not count."""
    make = estimator.experimental.stop_if_higher_hook
    return stopped(estimator, directory, make, metric_name="mae", threshold=0.01, min_steps=25)


@case
def stop_if_no_decrease(estimator, directory):
    """The loss grows, since the rate is too large."""
    make = estimator.experimental.stop_if_no_decrease_hook
    return stopped(estimator, directory, make, 1.1, metric_name="loss", max_steps_without_decrease=30)


@case
def stop_if_no_increase(estimator, directory):
    make = estimator.experimental.stop_if_no_increase_hook
    return stopped(estimator, directory, make, metric_name="mae", max_steps_without_increase=20)


@case
def stop_every_seven_steps(estimator, directory):
    """The function is asked at the first step, and then every seven."""
    asked = []
    est = linear_estimator(estimator, directory)

    def should_stop():
        asked.append(0)
        return len(asked) == 3

    hook = estimator.experimental.make_early_stopping_hook(est, should_stop, None, 7)
    est.train(batches(), hooks=[hook], max_steps=100)
    return {"asked": len(asked), "step": int(est.get_variable_value("global_step"))}


@case
def in_memory_evaluator(estimator, directory):
    """Evaluated at the start, after every four runs, and at the end."""
    est = linear_estimator(estimator, directory)
    seen = []

    class Hook(v1.train.SessionRunHook):
        def begin(self):
            seen.append("begin")

    hook = estimator.experimental.InMemoryEvaluatorHook(
        est, batches(1), name="memory", every_n_iter=4, hooks=[Hook()]
    )
    est.train(batches(), hooks=[hook], steps=10)
    first = evaluations(est.eval_dir("memory"))
    hook = estimator.experimental.InMemoryEvaluatorHook(est, batches(), steps=2, every_n_iter=100)
    est.train(batches(), hooks=[hook], steps=3)
    return {"first": first, "second": evaluations(est.eval_dir())}


@case
def stop_at_checkpoint_step(estimator, directory):
    est = linear_estimator(estimator, directory)
    hook = estimator.experimental.make_stop_at_checkpoint_step_hook(est, 7)
    est.train(batches(), hooks=[hook])
    return {"step": int(est.get_variable_value("global_step"))}


@case
def added_metrics(estimator, directory):
    """New metrics come in addition, and in the place of those of their name."""

    def metric_fn(features, labels, predictions, config):
        return {
            "bias": v1.metrics.mean(predictions["y"] - labels),
            "mae": v1.metrics.mean(tf.reduce_sum(features["x"], axis=1)),
        }

    est = estimator.add_metrics(linear_estimator(estimator, directory), metric_fn)
    est.train(batches(), steps=5)
    return plain(est.evaluate(batches(1)))


@case
def tpu(estimator, directory):
    """A TPUEstimator without TPUs, as BERT's scripts have it."""
    seen = []

    def input_fn(params):
        seen.append(["input", {key: params[key] for key in sorted(params)}])
        return batches(None if params["batch_size"] == 8 else 1, params["batch_size"])()

    def model_fn(features, labels, mode, params):
        seen.append([mode, {key: params[key] for key in sorted(params)}])
        predictions = linear(features)
        if mode == estimator.ModeKeys.PREDICT:
            return estimator.tpu.TPUEstimatorSpec(mode, predictions={"y": predictions})
        per_example = tf.square(predictions - labels)
        loss = tf.reduce_mean(per_example)
        if mode == estimator.ModeKeys.TRAIN:
            optimizer = v1.train.GradientDescentOptimizer(params["rate"])
            train_op = optimizer.minimize(loss, v1.train.get_global_step())
            return estimator.tpu.TPUEstimatorSpec(mode, loss=loss, train_op=train_op, scaffold_fn=v1.train.Scaffold)

        def metric_fn(per_example, labels):
            return {"mse": v1.metrics.mean(per_example), "label": v1.metrics.mean(labels)}

        return estimator.tpu.TPUEstimatorSpec(mode, loss=loss, eval_metrics=(metric_fn, [per_example, labels]))

    config = estimator.tpu.RunConfig(
        cluster=None,
        master=None,
        model_dir=directory,
        save_checkpoints_steps=10,
        tpu_config=estimator.tpu.TPUConfig(
            iterations_per_loop=10,
            num_shards=8,
            per_host_input_for_training=estimator.tpu.InputPipelineConfig.PER_HOST_V2,
        ),
    )
    est = estimator.tpu.TPUEstimator(
        use_tpu=False,
        model_fn=model_fn,
        config=config,
        params={"rate": 0.1},
        train_batch_size=8,
        eval_batch_size=16,
        predict_batch_size=4,
    )
    est.train(input_fn, max_steps=20)
    results = plain(est.evaluate(input_fn, steps=None))
    predicted = [float(each["y"][0]) for each in est.predict(input_fn)]
    return {
        "results": results,
        "predictions": predicted[:3],
        "count": len(predicted),
        "seen": seen,
        "variables": variables(est),
    }


@case
def keras_model(estimator, directory):
    """A compiled Keras model, with weights that it has already, a regularizer and sample weights."""
    keras = tf.keras
    make = getattr(estimator, "model_to_estimator", None) or keras.estimator.model_to_estimator
    is_second = tf.__version__.startswith("2.15")
    optimizers = keras.optimizers.legacy if is_second else keras.optimizers
    layers = [
        keras.layers.Dense(3, activation="tanh", name="hidden", kernel_regularizer="l2", input_shape=(4,)),
        keras.layers.Dense(1, name="out"),
    ]
    model = keras.models.Sequential(layers)
    model.compile(optimizers.SGD(0.1, momentum=0.5), "mse", metrics=["mean_absolute_error"])
    rng = np.random.RandomState(1)
    model.set_weights([rng.randn(*weight.shape).astype("float32") for weight in model.get_weights()])

    def input_fn(times, weighted=False):
        x, y = rows()
        features = {"features": x, "sample_weights": np.linspace(0, 2, len(x)).astype("float32")} if weighted else x
        return tf.data.Dataset.from_tensor_slices((features, y)).repeat(times).batch(8)

    est = make(model, model_dir=directory, checkpoint_format="saver")
    first = plain(est.evaluate(lambda: input_fn(1)))
    est.train(lambda: input_fn(None), steps=6)
    second = plain(est.evaluate(lambda: input_fn(1)))
    est.train(lambda: input_fn(None, True), steps=3)
    predicted = [float(list(each.values())[0][0]) for each in est.predict(lambda: input_fn(1))][:3]
    names = sorted(name for name in est.get_variable_names() if name.startswith(("hidden", "out")))
    return {
        "first": first,
        "second": second,
        "predictions": predicted,
        "keys": list(next(est.predict(lambda: input_fn(1)))),
        "variables": {name: est.get_variable_value(name).ravel().tolist() for name in names},
    }


def observe(estimator, name):
    directory = tempfile.mkdtemp()
    return json.loads(json.dumps(CASES[name](estimator, directory)))


if __name__ == "__main__":
    v1.logging.set_verbosity(v1.logging.ERROR)
    observed = collections.OrderedDict()
    for name in CASES:
        if name.startswith("listener") and tf.__version__.startswith("1."):
            continue  # TrainSpec has no saving_listeners there
        observed[name] = observe(v1.estimator, name)
        print(name)
    with open(sys.argv[1], "w") as file:
        json.dump(observed, file, indent=1)
        file.write("\n")
