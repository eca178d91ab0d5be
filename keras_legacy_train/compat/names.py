"""Lists what stands for the names of TensorFlow 1.

A name is written without the leading module: `"contrib.layers"`, `"mul"`, `"python.ops.rnn_cell"`. A row
stands for its name and for all below it. Of several rows that match, the longest is taken. A name without a
row is that of `tf.compat.v1`, if it is there.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

_NOTHING: Mapping[str, str] = types.MappingProxyType({})
_NONE_JOINED: Mapping[str, tuple[str, ...]] = types.MappingProxyType({})

OrderWhen: TypeAlias = Literal[
    "always", "first is int", "first is float", "third is float", "second is scalar", "first is trained"
]

# The rows are tuples: hundreds of them are made before a script starts, and data classes take longer.


class Moved(NamedTuple):
    """Says where the same thing is today.

    Attributes:
        to: Dotted path, from the package: `"tensorflow.compat.v1.multiply"`.
        renamed: Old names of arguments, and today's.
        order: Today's names of the arguments in the order in which they were passed by position, where that
            order was another one.
        order_when: When a call has that order: `"always"`; if its first argument is an `int`, which is an
            axis where today's order begins with tensors; if an argument is `"float"`, which are inputs
            where today's order has labels; if its second is a scalar, where today's order has a list; or if
            its first is trained, which are predictions, and its second is not, which are labels.
        joined: Today's names of arguments that are lists of what were several arguments, and their names.
        flags: Today's name of an argument that lists axes, and was a bool for each axis.
        dropped: Old names of arguments that are not there today, and change no value.
        with_shape: Path of what is meant if the first argument is a shape: an initializer was a function.
    """

    to: str
    renamed: Mapping[str, str] = _NOTHING
    order: tuple[str, ...] = ()
    order_when: OrderWhen = "always"
    joined: Mapping[str, tuple[str, ...]] = _NONE_JOINED
    flags: str = ""
    dropped: tuple[str, ...] = ()
    with_shape: str = ""


class Gone(NamedTuple):
    """Says that a thing is not here.

    Attributes:
        use: Sentence that says what to use: `"Use keras.layers.LSTM."`
    """

    use: str


Entry: TypeAlias = Moved | Gone

_PUBLIC: Mapping[str, Entry] = {
    "RegisterShape": Gone("Use Tensor.set_shape."),
    "SparseTensor": Moved("tensorflow.compat.v1.SparseTensor", renamed={"shape": "dense_shape"}),
    "SparseTensorValue": Moved("tensorflow.compat.v1.SparseTensorValue", renamed={"shape": "dense_shape"}),
    "app.flags.FLAGS._parse_flags": Gone(
        "Leave it out: FLAGS reads the command line by itself. FLAGS.flag_values_dict() has the values."
    ),
    "audio_summary": Moved("tensorflow.compat.v1.summary.audio", renamed={"tag": "name"}, dropped=("name",)),
    "batch_cholesky": Moved("tensorflow.compat.v1.cholesky"),
    "batch_cholesky_solve": Moved("tensorflow.compat.v1.cholesky_solve"),
    "batch_fft": Moved("tensorflow.compat.v1.fft"),
    "batch_fft2d": Moved("tensorflow.compat.v1.fft2d"),
    "batch_fft3d": Moved("tensorflow.compat.v1.fft3d"),
    "batch_ifft": Moved("tensorflow.compat.v1.ifft"),
    "batch_ifft2d": Moved("tensorflow.compat.v1.ifft2d"),
    "batch_ifft3d": Moved("tensorflow.compat.v1.ifft3d"),
    "batch_matmul": Moved(
        "tensorflow.compat.v1.matmul",
        renamed={"x": "a", "y": "b", "adj_x": "adjoint_a", "adj_y": "adjoint_b"},
        order=("a", "b", "adjoint_a", "adjoint_b"),
    ),
    "batch_matrix_band_part": Moved("tensorflow.compat.v1.matrix_band_part"),
    "batch_matrix_determinant": Moved("tensorflow.compat.v1.matrix_determinant"),
    "batch_matrix_diag": Moved("tensorflow.compat.v1.matrix_diag"),
    "batch_matrix_diag_part": Moved("tensorflow.compat.v1.matrix_diag_part"),
    "batch_matrix_inverse": Moved("tensorflow.compat.v1.matrix_inverse"),
    "batch_matrix_set_diag": Moved("tensorflow.compat.v1.matrix_set_diag"),
    "batch_matrix_solve": Moved("tensorflow.compat.v1.matrix_solve"),
    "batch_matrix_solve_ls": Moved("tensorflow.compat.v1.matrix_solve_ls"),
    "batch_matrix_transpose": Moved("tensorflow.compat.v1.matrix_transpose"),
    "batch_matrix_triangular_solve": Moved("tensorflow.compat.v1.matrix_triangular_solve"),
    "batch_self_adjoint_eig": Moved("tensorflow.compat.v1.self_adjoint_eig"),
    "batch_self_adjoint_eigvals": Moved("tensorflow.compat.v1.self_adjoint_eigvals"),
    "batch_svd": Moved("tensorflow.compat.v1.svd"),
    "complex_abs": Moved("tensorflow.compat.v1.abs"),
    "concat": Moved(
        "tensorflow.compat.v1.concat",
        renamed={"concat_dim": "axis"},
        order=("axis", "values"),
        order_when="first is int",
    ),
    "concat_v2": Moved("tensorflow.compat.v1.concat"),
    "contrib.all_reduce": Gone("Use tf.distribute: tf.distribute.MirroredStrategy, for example."),
    "contrib.autograph": Gone("Use tf.autograph."),
    "contrib.batching": Gone("Use tf.nondifferentiable_batch_function."),
    "contrib.bayesflow": Gone("Use the package tensorflow_probability."),
    "contrib.bigtable": Gone("Use the package tensorflow-io."),
    "contrib.boosted_trees": Gone("Use the package tensorflow_decision_forests, or sklearn.ensemble."),
    "contrib.checkpoint": Gone("Use tf.train.Checkpoint."),
    "contrib.cloud": Gone("Use the package tensorflow-io."),
    "contrib.cluster_resolver": Moved("tensorflow.compat.v1.distribute.cluster_resolver"),
    "contrib.cluster_resolver.python.training": Moved("tensorflow.compat.v1.distribute.cluster_resolver"),
    "contrib.cmake": Gone("Nothing stands for it."),
    "contrib.compiler": Gone("Use tf.function(jit_compile=True), or tf.compat.v1.xla.experimental."),
    "contrib.compiler.jit.experimental_jit_scope": Moved("tensorflow.compat.v1.xla.experimental.jit_scope"),
    "contrib.compiler.xla.compile": Moved("tensorflow.compat.v1.xla.experimental.compile"),
    "contrib.constrained_optimization": Gone("Use the package tensorflow_constrained_optimization."),
    "contrib.copy_graph": Gone("Use tf.compat.v1.train.export_meta_graph and import_meta_graph."),
    "contrib.crf": Moved("keras_legacy_train.contrib.crf"),
    "contrib.crf.python.ops.crf": Moved("keras_legacy_train.contrib.crf"),
    "contrib.ctc": Moved("tensorflow.compat.v1.nn"),
    "contrib.ctc.ctc_loss": Moved(
        "tensorflow.compat.v1.nn.ctc_loss",
        order=("inputs", "labels", "sequence_length", "preprocess_collapse_repeated", "ctc_merge_repeated"),
        order_when="first is float",
    ),
    "contrib.cudnn_rnn": Gone(
        "Use keras.layers.LSTM and keras.layers.GRU, which run on cuDNN, or the cells of tf.contrib.rnn."
    ),
    "contrib.data": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.CheckpointInputPipelineHook": Gone(
        "Use train(save_input_state=True), or tf.contrib.data.make_saveable_from_iterator."
    ),
    "contrib.data.LMDBDataset": Gone("Use the dataset of the package tensorflow-io."),
    "contrib.data.StatsAggregator": Gone(
        "Use tf.data.Dataset without statistics: the profiler of TensorBoard shows them."
    ),
    "contrib.data.assert_element_shape": Gone("Use dataset.map with tf.ensure_shape."),
    "contrib.data.latency_stats": Gone(
        "Use tf.data.Dataset without statistics: the profiler of TensorBoard shows them."
    ),
    "contrib.data.python.ops.batching": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.counter": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.enumerate_ops": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.error_ops": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.grouping": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.interleave_ops": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.iterator_ops": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.prefetching_ops": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.readers": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.resampling": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.scan_ops": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.shuffle_ops": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.sliding": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.python.ops.unique": Moved("keras_legacy_train.contrib.data"),
    "contrib.data.set_stats_aggregator": Gone(
        "Use tf.data.Dataset without statistics: the profiler of TensorBoard shows them."
    ),
    "contrib.decision_trees": Gone("Use the package tensorflow_decision_forests, or sklearn.ensemble."),
    "contrib.deprecated": Moved("keras_legacy_train.contrib.deprecated"),
    "contrib.distribute": Moved("keras_legacy_train.contrib.distribute"),
    "contrib.distribute.CollectiveAllReduceStrategy": Gone("Use tf.distribute.MultiWorkerMirroredStrategy."),
    "contrib.distribute.DistributeConfig": Gone("Use tf.estimator.RunConfig with TF_CONFIG."),
    "contrib.distribute.Monitor": Gone("Use tf.distribute.Strategy.run."),
    "contrib.distribute.MultiWorkerAllReduce": Gone("Use tf.distribute.MultiWorkerMirroredStrategy."),
    "contrib.distribute.ParameterServerStrategy": Gone("Use tf.distribute.ParameterServerStrategy."),
    "contrib.distribute.StandardInputStep": Gone("Use tf.distribute.Strategy.run."),
    "contrib.distribute.StandardSingleLossStep": Gone("Use tf.distribute.Strategy.run."),
    "contrib.distribute.Step": Gone("Use tf.distribute.Strategy.run."),
    "contrib.distribute.TPUStrategy": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.distribute.initialize_tpu_system": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.distribute.run_standard_tensorflow_server": Gone("Use tf.estimator.RunConfig with TF_CONFIG."),
    "contrib.distributions": Moved("keras_legacy_train.contrib.distributions"),
    "contrib.distributions.python.ops.bernoulli": Moved("keras_legacy_train.contrib.distributions"),
    "contrib.distributions.python.ops.categorical": Moved("keras_legacy_train.contrib.distributions"),
    "contrib.distributions.python.ops.kullback_leibler": Moved("keras_legacy_train.contrib.distributions"),
    "contrib.distributions.python.ops.mvn_diag": Moved("keras_legacy_train.contrib.distributions"),
    "contrib.distributions.python.ops.normal": Moved("keras_legacy_train.contrib.distributions"),
    "contrib.distributions.python.ops.uniform": Moved("keras_legacy_train.contrib.distributions"),
    "contrib.eager": Gone(
        "Use tf.compat.v1.enable_eager_execution(), tf.GradientTape and tf.train.Checkpoint."
    ),
    "contrib.eager.Checkpoint": Moved("tensorflow.compat.v1.train.Checkpoint"),
    "contrib.eager.GradientTape": Moved("tensorflow.compat.v1.GradientTape"),
    "contrib.eager.Variable": Moved("tensorflow.compat.v1.Variable"),
    "contrib.eager.enable_eager_execution": Moved("tensorflow.compat.v1.enable_eager_execution"),
    "contrib.eager.executing_eagerly": Moved("tensorflow.compat.v1.executing_eagerly"),
    "contrib.eager.in_eager_mode": Moved("tensorflow.compat.v1.executing_eagerly"),
    "contrib.eager.py_func": Moved("tensorflow.compat.v1.py_function"),
    "contrib.estimator": Moved("keras_legacy_train.contrib.estimator"),
    "contrib.estimator.BaselineEstimator": Moved("keras_legacy_train.estimator.BaselineEstimator"),
    "contrib.estimator.DNNClassifierWithLayerAnnotations": Gone(
        "Use tf.estimator.DNNClassifier or DNNRegressor."
    ),
    "contrib.estimator.DNNEstimator": Moved("keras_legacy_train.estimator.DNNEstimator"),
    "contrib.estimator.DNNRegressorWithLayerAnnotations": Gone(
        "Use tf.estimator.DNNClassifier or DNNRegressor."
    ),
    "contrib.estimator.InMemoryEvaluatorHook": Moved(
        "keras_legacy_train.estimator.experimental.InMemoryEvaluatorHook"
    ),
    "contrib.estimator.LinearEstimator": Moved("keras_legacy_train.estimator.LinearEstimator"),
    "contrib.estimator.RNNClassifier": Gone(
        "Use tf.estimator.Estimator with a model_fn that calls tf.nn.rnn_cell."
    ),
    "contrib.estimator.RNNEstimator": Gone(
        "Use tf.estimator.Estimator with a model_fn that calls tf.nn.rnn_cell."
    ),
    "contrib.estimator.SavedModelEstimator": Gone("Use tf.contrib.predictor.from_saved_model."),
    "contrib.estimator.TowerOptimizer": Gone("Use tf.distribute.MirroredStrategy."),
    "contrib.estimator.add_metrics": Moved("keras_legacy_train.estimator.add_metrics"),
    "contrib.estimator.boosted_trees_classifier_train_in_memory": Gone(
        "Use sklearn.ensemble.HistGradientBoostingClassifier or HistGradientBoostingRegressor."
    ),
    "contrib.estimator.boosted_trees_regressor_train_in_memory": Gone(
        "Use sklearn.ensemble.HistGradientBoostingClassifier or HistGradientBoostingRegressor."
    ),
    "contrib.estimator.build_raw_supervised_input_receiver_fn": Moved(
        "keras_legacy_train.estimator.experimental.build_raw_supervised_input_receiver_fn"
    ),
    "contrib.estimator.build_supervised_input_receiver_fn_from_input_fn": Gone(
        "Use tf.contrib.estimator.build_raw_supervised_input_receiver_fn."
    ),
    "contrib.estimator.call_logit_fn": Moved("keras_legacy_train.estimator.experimental.call_logit_fn"),
    "contrib.estimator.clip_gradients_by_norm": Gone("Use tf.clip_by_norm in the model_fn."),
    "contrib.estimator.dnn_logit_fn_builder": Moved(
        "keras_legacy_train.estimator.experimental.dnn_logit_fn_builder"
    ),
    "contrib.estimator.export_all_saved_models": Gone("Use the method export_saved_model of the Estimator."),
    "contrib.estimator.export_saved_model_for_mode": Gone(
        "Use the method export_saved_model of the Estimator."
    ),
    "contrib.estimator.forward_features": Gone("Put the features into the predictions of the model_fn."),
    "contrib.estimator.linear_logit_fn_builder": Moved(
        "keras_legacy_train.estimator.experimental.linear_logit_fn_builder"
    ),
    "contrib.estimator.make_early_stopping_hook": Moved(
        "keras_legacy_train.estimator.experimental.make_early_stopping_hook"
    ),
    "contrib.estimator.make_stop_at_checkpoint_step_hook": Moved(
        "keras_legacy_train.estimator.experimental.make_stop_at_checkpoint_step_hook"
    ),
    "contrib.estimator.python.estimator.early_stopping": Moved("keras_legacy_train.estimator.experimental"),
    "contrib.estimator.python.estimator.extenders": Moved("keras_legacy_train.contrib.estimator"),
    "contrib.estimator.python.estimator.head": Moved("keras_legacy_train.contrib.estimator"),
    "contrib.estimator.read_eval_metrics": Moved(
        "keras_legacy_train.estimator.experimental.read_eval_metrics"
    ),
    "contrib.estimator.replicate_model_fn": Gone("Use tf.distribute.MirroredStrategy."),
    "contrib.estimator.stop_if_higher_hook": Moved(
        "keras_legacy_train.estimator.experimental.stop_if_higher_hook"
    ),
    "contrib.estimator.stop_if_lower_hook": Moved(
        "keras_legacy_train.estimator.experimental.stop_if_lower_hook"
    ),
    "contrib.estimator.stop_if_no_decrease_hook": Moved(
        "keras_legacy_train.estimator.experimental.stop_if_no_decrease_hook"
    ),
    "contrib.estimator.stop_if_no_increase_hook": Moved(
        "keras_legacy_train.estimator.experimental.stop_if_no_increase_hook"
    ),
    "contrib.factorization": Gone("Use sklearn.cluster.KMeans and sklearn.mixture.GaussianMixture."),
    "contrib.feature_column": Gone("Use tf.feature_column."),
    "contrib.ffmpeg": Gone("Use the package tensorflow-io."),
    "contrib.framework": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.BoundedTensorSpec": Gone("Use tf.TensorSpec."),
    "contrib.framework.CriticalSection": Gone("Use tf.CriticalSection."),
    "contrib.framework.RecordInput": Gone("Use tf.data.TFRecordDataset."),
    "contrib.framework.VariableDeviceChooser": Gone("Use tf.compat.v1.train.replica_device_setter."),
    "contrib.framework.convolutional_delta_orthogonal": Gone("Use keras.initializers.Orthogonal."),
    "contrib.framework.convolutional_orthogonal_1d": Gone("Use keras.initializers.Orthogonal."),
    "contrib.framework.convolutional_orthogonal_2d": Gone("Use keras.initializers.Orthogonal."),
    "contrib.framework.convolutional_orthogonal_3d": Gone("Use keras.initializers.Orthogonal."),
    "contrib.framework.deprecated_arg_values": Gone("Leave the decorator out, or use warnings.warn."),
    "contrib.framework.deprecated_args": Gone("Leave the decorator out, or use warnings.warn."),
    "contrib.framework.fuse_op": Gone("Use tf.function."),
    "contrib.framework.get_graph_from_inputs": Gone("Use the graph attribute of a tensor."),
    "contrib.framework.load_and_remap_matrix_initializer": Gone("Use contrib.framework.assign_from_values."),
    "contrib.framework.load_embedding_initializer": Gone("Use contrib.framework.assign_from_values."),
    "contrib.framework.load_linear_multiclass_bias_initializer": Gone(
        "Use contrib.framework.assign_from_values."
    ),
    "contrib.framework.load_variable_slot_initializer": Gone("Use contrib.framework.assign_from_values."),
    "contrib.framework.prepend_name_scope": Gone("Put the scope, a slash and the name together."),
    "contrib.framework.py_func": Gone("Use tf.compat.v1.py_func."),
    "contrib.framework.python.framework": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.python.framework.checkpoint_utils": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.python.ops": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.python.ops.variables": Moved("keras_legacy_train.contrib.framework"),
    "contrib.framework.reduce_sum_n": Gone("Use tf.add_n of the tf.reduce_sum of each."),
    "contrib.framework.remove_squeezable_dimensions": Gone("Use tf.squeeze."),
    "contrib.framework.smart_case": Gone("Use tf.case."),
    "contrib.framework.strip_name_scope": Gone("Use str.removeprefix."),
    "contrib.framework.with_same_shape": Gone("Use tf.ensure_shape."),
    "contrib.framework.with_shape": Gone("Use tf.ensure_shape."),
    "contrib.framework.zero_initializer": Gone("Use tf.compat.v1.zeros_initializer."),
    "contrib.fused_conv": Gone("Use tf.nn.conv2d, tf.nn.bias_add and an activation."),
    "contrib.gan": Gone("Use the package tensorflow_gan."),
    "contrib.graph_editor": Gone(
        "Build the graph with the tensors that it needs, or use tf.graph_util.import_graph_def(input_map=…)."
    ),
    "contrib.grid_rnn": Gone("Use the cells of tf.contrib.rnn."),
    "contrib.hadoop": Gone("Use the package tensorflow-io."),
    "contrib.hooks": Gone("Use tf.train.ProfilerHook."),
    "contrib.ignite": Gone("Use the package tensorflow-io."),
    "contrib.image": Moved("keras_legacy_train.contrib.image"),
    "contrib.image.adjust_hsv_in_yiq": Gone("Use tf.image.adjust_hue and tf.image.adjust_saturation."),
    "contrib.image.bipartite_match": Gone(
        "Write it with tf.gather_nd, or do it on arrays with scipy.ndimage."
    ),
    "contrib.image.connected_components": Gone(
        "Write it with tf.gather_nd, or do it on arrays with scipy.ndimage."
    ),
    "contrib.image.dense_image_warp": Gone(
        "Write it with tf.gather_nd, or do it on arrays with scipy.ndimage."
    ),
    "contrib.image.interpolate_spline": Gone(
        "Write it with tf.gather_nd, or do it on arrays with scipy.ndimage."
    ),
    "contrib.image.python.ops.image_ops": Moved("keras_legacy_train.contrib.image"),
    "contrib.image.random_hsv_in_yiq": Gone("Use tf.image.adjust_hue and tf.image.adjust_saturation."),
    "contrib.image.single_image_random_dot_stereograms": Gone(
        "Write it with tf.gather_nd, or do it on arrays with scipy.ndimage."
    ),
    "contrib.image.sparse_image_warp": Gone(
        "Write it with tf.gather_nd, or do it on arrays with scipy.ndimage."
    ),
    "contrib.input_pipeline": Gone("Use tf.data."),
    "contrib.integrate": Gone("Use tfp.math.ode of the package tensorflow_probability."),
    "contrib.kafka": Gone("Use the package tensorflow-io."),
    "contrib.keras": Moved("tf_keras.api._v1.keras"),
    "contrib.keras.api.keras": Moved("tf_keras.api._v1.keras"),
    "contrib.kernel_methods": Gone(
        "Use keras.layers.Dense on random features of sklearn.kernel_approximation."
    ),
    "contrib.kinesis": Gone("Use the package tensorflow-io."),
    "contrib.labeled_tensor": Gone("Use the package xarray."),
    "contrib.layers": Moved("keras_legacy_train.contrib.layers"),
    "contrib.layers.GDN": Gone("Use a keras.layers.Layer of your own."),
    "contrib.layers.RevBlock": Gone("Use a model that keeps its activations, or tf.recompute_grad."),
    "contrib.layers.gdn": Gone("Use a keras.layers.Layer of your own."),
    "contrib.layers.hashed_embedding_column": Gone(
        "Use contrib.layers.embedding_column of sparse_column_with_hash_bucket."
    ),
    "contrib.layers.images_to_sequence": Gone("Use tf.transpose and tf.reshape."),
    "contrib.layers.multi_class_target": Gone("Use keras_legacy_train.learn.multi_class_head."),
    "contrib.layers.parse_feature_columns_from_sequence_examples": Gone(
        "Use tf.io.parse_single_sequence_example."
    ),
    "contrib.layers.python.layers": Moved("keras_legacy_train.contrib.layers"),
    "contrib.layers.python.layers.embedding_ops": Moved("keras_legacy_train.contrib.layers.embeddings"),
    "contrib.layers.python.layers.encoders": Moved("keras_legacy_train.contrib.layers.embeddings"),
    "contrib.layers.python.layers.feature_column": Moved("keras_legacy_train.feature_columns"),
    "contrib.layers.python.layers.feature_column_ops": Moved("keras_legacy_train.feature_columns"),
    "contrib.layers.python.layers.layers": Moved("keras_legacy_train.contrib.layers"),
    "contrib.layers.python.layers.optimizers": Moved("keras_legacy_train.layers"),
    "contrib.layers.recompute_grad": Gone("Use tf.recompute_grad."),
    "contrib.layers.regression_target": Gone("Use keras_legacy_train.learn.regression_head."),
    "contrib.layers.rev_block": Gone("Use a model that keeps its activations, or tf.recompute_grad."),
    "contrib.layers.scale_gradient": Gone("Use x * factor + tf.stop_gradient(x * (1 - factor))."),
    "contrib.layers.scattered_embedding_column": Gone(
        "Use contrib.layers.embedding_column of sparse_column_with_hash_bucket."
    ),
    "contrib.layers.sequence_input_from_feature_columns": Gone(
        "Use contrib.layers.embed_sequence, or keras.layers.Embedding."
    ),
    "contrib.layers.sequence_to_images": Gone("Use tf.transpose and tf.reshape."),
    "contrib.learn": Moved("keras_legacy_train.learn"),
    "contrib.learn.datasets.base": Moved("keras_legacy_train.compat.tutorials.base"),
    "contrib.learn.datasets.mnist": Moved("keras_legacy_train.compat.tutorials.input_data"),
    "contrib.learn.estimators": Moved("keras_legacy_train.learn"),
    "contrib.learn.estimators.constants": Moved("keras_legacy_train.learn"),
    "contrib.learn.estimators.dnn": Moved("keras_legacy_train.learn"),
    "contrib.learn.estimators.dnn_linear_combined": Moved("keras_legacy_train.learn"),
    "contrib.learn.estimators.estimator": Moved("keras_legacy_train.learn"),
    "contrib.learn.estimators.head": Moved("keras_legacy_train.learn.head"),
    "contrib.learn.estimators.linear": Moved("keras_legacy_train.learn"),
    "contrib.learn.estimators.model_fn": Moved("keras_legacy_train.learn"),
    "contrib.learn.estimators.run_config": Moved("keras_legacy_train.learn"),
    "contrib.learn.evaluable": Moved("keras_legacy_train.learn"),
    "contrib.learn.experiment": Moved("keras_legacy_train.learn"),
    "contrib.learn.export_strategy": Moved("keras_legacy_train.learn"),
    "contrib.learn.io.read_batch_features": Moved(
        "keras_legacy_train.compat.tutorials.learn_io.read_batch_features"
    ),
    "contrib.learn.metric_spec": Moved("keras_legacy_train.learn"),
    "contrib.learn.prediction_key": Moved("keras_legacy_train.learn"),
    "contrib.learn.preprocessing.CategoricalProcessor": Gone("Use sklearn.preprocessing.OrdinalEncoder."),
    "contrib.learn.preprocessing.text": Moved("keras_legacy_train.learn.preprocessing"),
    "contrib.learn.python": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.datasets.base": Moved("keras_legacy_train.compat.tutorials.base"),
    "contrib.learn.python.learn.datasets.mnist": Moved("keras_legacy_train.compat.tutorials.input_data"),
    "contrib.learn.python.learn.estimators": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.estimators.constants": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.estimators.dnn": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.estimators.dnn_linear_combined": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.estimators.estimator": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.estimators.head": Moved("keras_legacy_train.learn.head"),
    "contrib.learn.python.learn.estimators.linear": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.estimators.model_fn": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.estimators.random_forest": Gone(
        "Use the package tensorflow_decision_forests, or sklearn.ensemble."
    ),
    "contrib.learn.python.learn.estimators.run_config": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.evaluable": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.experiment": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.export_strategy": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.metric_spec": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.prediction_key": Moved("keras_legacy_train.learn"),
    "contrib.learn.python.learn.preprocessing.CategoricalProcessor": Gone(
        "Use sklearn.preprocessing.OrdinalEncoder."
    ),
    "contrib.learn.python.learn.preprocessing.categorical_vocabulary": Moved(
        "keras_legacy_train.learn.preprocessing"
    ),
    "contrib.learn.python.learn.preprocessing.text": Moved("keras_legacy_train.learn.preprocessing"),
    "contrib.learn.python.learn.trainable": Moved("keras_legacy_train.learn"),
    "contrib.learn.trainable": Moved("keras_legacy_train.learn"),
    "contrib.legacy_seq2seq": Moved("keras_legacy_train.contrib.legacy_seq2seq"),
    "contrib.legacy_seq2seq.python.ops.seq2seq": Moved("keras_legacy_train.contrib.legacy_seq2seq"),
    "contrib.libsvm": Gone("Use the package tensorflow-io."),
    "contrib.linear_optimizer": Gone(
        "Use tf.raw_ops.SdcaOptimizerV2, or another optimizer: tf.train.FtrlOptimizer, for example."
    ),
    "contrib.lookup": Moved("keras_legacy_train.contrib.lookup"),
    "contrib.lookup.lookup_ops": Moved("keras_legacy_train.contrib.lookup"),
    "contrib.losses": Moved("keras_legacy_train.contrib.losses"),
    "contrib.losses.absolute_difference": Moved(
        "keras_legacy_train.contrib.losses.absolute_difference",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.losses.compute_weighted_loss": Moved(
        "keras_legacy_train.contrib.losses.compute_weighted_loss", renamed={"weight": "weights"}
    ),
    "contrib.losses.cosine_distance": Moved(
        "keras_legacy_train.contrib.losses.cosine_distance",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.losses.hinge_loss": Moved(
        "keras_legacy_train.contrib.losses.hinge_loss", renamed={"target": "labels"}
    ),
    "contrib.losses.log_loss": Moved(
        "keras_legacy_train.contrib.losses.log_loss", renamed={"targets": "labels", "weight": "weights"}
    ),
    "contrib.losses.mean_pairwise_squared_error": Moved(
        "keras_legacy_train.contrib.losses.mean_pairwise_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.losses.mean_squared_error": Moved(
        "keras_legacy_train.contrib.losses.mean_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.losses.metric_learning.cluster_loss": Gone(
        "Use tf.contrib.losses.metric_learning.triplet_semihard_loss or npairs_loss, without clusters."
    ),
    "contrib.losses.metric_learning.npairs_loss_multilabel": Gone(
        "Use tf.contrib.losses.metric_learning.npairs_loss, with one label for each pair."
    ),
    "contrib.losses.python.losses": Moved("keras_legacy_train.contrib.losses"),
    "contrib.losses.python.losses.loss_ops": Moved("keras_legacy_train.contrib.losses"),
    "contrib.losses.python.metric_learning": Moved("keras_legacy_train.contrib.losses.metric_learning"),
    "contrib.losses.python.metric_learning.metric_loss_ops": Moved(
        "keras_legacy_train.contrib.losses.metric_learning"
    ),
    "contrib.losses.sigmoid_cross_entropy": Moved(
        "keras_legacy_train.contrib.losses.sigmoid_cross_entropy", renamed={"weight": "weights"}
    ),
    "contrib.losses.softmax_cross_entropy": Moved(
        "keras_legacy_train.contrib.losses.softmax_cross_entropy", renamed={"weight": "weights"}
    ),
    "contrib.losses.sparse_softmax_cross_entropy": Moved(
        "keras_legacy_train.contrib.losses.sparse_softmax_cross_entropy", renamed={"weight": "weights"}
    ),
    "contrib.losses.sum_of_pairwise_squares": Moved(
        "keras_legacy_train.contrib.losses.mean_pairwise_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.losses.sum_of_squares": Moved(
        "keras_legacy_train.contrib.losses.mean_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.memory_stats": Gone("Use tf.config.experimental.get_memory_info."),
    "contrib.meta_graph_transform": Gone("Use tf.compat.v1.graph_util."),
    "contrib.metrics": Moved("keras_legacy_train.contrib.metrics"),
    "contrib.metrics.auc_using_histogram": Gone("Use tf.contrib.metrics.streaming_auc."),
    "contrib.metrics.auc_with_confidence_intervals": Gone(
        "Use tf.contrib.metrics.streaming_auc, and bootstrap the predictions for the interval."
    ),
    "contrib.metrics.cohen_kappa": Gone(
        "Use sklearn.metrics.cohen_kappa_score on the predictions of all batches."
    ),
    "contrib.metrics.confusion_matrix": Moved(
        "keras_legacy_train.contrib.metrics.confusion_matrix",
        order=("predictions", "labels", "num_classes"),
        order_when="first is trained",
    ),
    "contrib.metrics.precision_recall_at_equal_thresholds": Gone(
        "Use tf.contrib.metrics.streaming_curve_points with curve='PR', or "
        "streaming_precision_at_thresholds and streaming_recall_at_thresholds."
    ),
    "contrib.metrics.python.metrics.classification": Moved("keras_legacy_train.contrib.metrics"),
    "contrib.metrics.python.ops.metric_ops": Moved("keras_legacy_train.contrib.metrics"),
    "contrib.metrics.streaming_concat": Gone("Append the values of each session.run to a list of Python."),
    "contrib.metrics.streaming_dynamic_auc": Gone(
        "Use tf.contrib.metrics.streaming_auc, or sklearn.metrics.roc_auc_score on the "
        "predictions of all batches."
    ),
    "contrib.metrics.streaming_sparse_average_precision_at_top_k": Gone(
        "Use tf.contrib.metrics.streaming_sparse_average_precision_at_k on the scores."
    ),
    "contrib.mixed_precision": Gone("Use tf.compat.v1.mixed_precision.enable_mixed_precision_graph_rewrite."),
    "contrib.model_pruning": Gone("Use the package tensorflow_model_optimization."),
    "contrib.nccl": Gone("Use tf.distribute: tf.distribute.MirroredStrategy, for example."),
    "contrib.nearest_neighbor": Gone("Use sklearn.neighbors."),
    "contrib.nn": Gone("Use tf.nn. It takes labels and logits by name."),
    "contrib.opt": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.AGNCustomGetter": Gone("Use tf.distribute, which trains on several workers."),
    "contrib.opt.AGNOptimizer": Gone("Use tf.distribute, which trains on several workers."),
    "contrib.opt.AdamGSOptimizer": Gone("Use tf.train.AdamOptimizer."),
    "contrib.opt.DelayCompensatedGradientDescentOptimizer": Gone(
        "Use tf.distribute, which trains on several workers."
    ),
    "contrib.opt.DropStaleGradientOptimizer": Gone("Use tf.distribute, whose workers train in step."),
    "contrib.opt.ElasticAverageCustomGetter": Gone("Use tf.distribute, which trains on several workers."),
    "contrib.opt.ElasticAverageOptimizer": Gone("Use tf.distribute, which trains on several workers."),
    "contrib.opt.GGTOptimizer": Gone("Use tf.train.AdagradOptimizer, its diagonal form."),
    "contrib.opt.LazyAdamGSOptimizer": Gone("Use tf.contrib.opt.LazyAdamOptimizer."),
    "contrib.opt.ModelAverageCustomGetter": Gone("Use tf.contrib.opt.MovingAverageOptimizer."),
    "contrib.opt.ModelAverageOptimizer": Gone("Use tf.contrib.opt.MovingAverageOptimizer."),
    "contrib.opt.RegAdagradOptimizer": Gone("Use tf.train.AdagradOptimizer."),
    "contrib.opt.ShampooOptimizer": Gone("Use tf.train.AdagradOptimizer, its diagonal form."),
    "contrib.opt.python.training.adamax": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.addsign": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.external_optimizer": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.lars_optimizer": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.lazy_adam_optimizer": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.moving_average_optimizer": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.multitask_optimizer_wrapper": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.nadam_optimizer": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.powersign": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.variable_clipping_optimizer": Moved("keras_legacy_train.contrib.opt"),
    "contrib.opt.python.training.weight_decay_optimizers": Moved("keras_legacy_train.contrib.opt"),
    "contrib.optimizer_v2": Gone("Use tf.train, or keras.optimizers."),
    "contrib.periodic_resample": Gone("Use tf.nn.depth_to_space."),
    "contrib.predictor": Moved("keras_legacy_train.contrib.predictor"),
    "contrib.predictor.from_contrib_estimator": Gone(
        "Use export_savedmodel of the Estimator and tf.contrib.predictor.from_saved_model."
    ),
    "contrib.predictor.predictor_factories": Moved("keras_legacy_train.contrib.predictor"),
    "contrib.proto": Gone("Use tf.io.decode_proto and tf.io.encode_proto."),
    "contrib.quantization": Gone("Use the package tensorflow_model_optimization."),
    "contrib.quantize": Gone("Use the package tensorflow_model_optimization."),
    "contrib.receptive_field": Gone(
        "Nothing stands for it; the package receptivefield measures the same of Keras models."
    ),
    "contrib.recurrent": Gone("Use tf.while_loop, or tf.nn.dynamic_rnn."),
    "contrib.reduce_slice_ops": Gone("Use tf.math.segment_sum, segment_max and the like."),
    "contrib.remote_fused_graph": Gone("Nothing stands for it."),
    "contrib.resampler": Gone("Use tf.gather_nd and interpolate between its results."),
    "contrib.rnn": Moved("keras_legacy_train.contrib.rnn"),
    "contrib.rnn.BidirectionalGridLSTMCell": Gone("Use tf.contrib.rnn.ConvLSTMCell, or a cell of your own."),
    "contrib.rnn.CompiledWrapper": Gone("Use the cell, and tf.function(jit_compile=True) around the model."),
    "contrib.rnn.GridLSTMCell": Gone("Use tf.contrib.rnn.ConvLSTMCell, or a cell of your own."),
    "contrib.rnn.TimeFreqLSTMCell": Gone("Use tf.contrib.rnn.ConvLSTMCell, or a cell of your own."),
    "contrib.rnn.python.ops.core_rnn": Moved("keras_legacy_train.contrib.rnn"),
    "contrib.rnn.python.ops.core_rnn_cell": Moved("keras_legacy_train.contrib.rnn.core_rnn_cell"),
    "contrib.rnn.python.ops.core_rnn_cell_impl": Moved("keras_legacy_train.contrib.rnn.core_rnn_cell"),
    "contrib.rnn.python.ops.fused_rnn_cell": Moved("keras_legacy_train.contrib.rnn"),
    "contrib.rnn.python.ops.gru_ops": Moved("keras_legacy_train.contrib.rnn"),
    "contrib.rnn.python.ops.lstm_ops": Moved("keras_legacy_train.contrib.rnn"),
    "contrib.rnn.python.ops.rnn": Moved("keras_legacy_train.contrib.rnn"),
    "contrib.rnn.python.ops.rnn_cell": Moved("keras_legacy_train.contrib.rnn.core_rnn_cell"),
    "contrib.rpc": Gone("Nothing stands for it."),
    "contrib.saved_model": Gone("Use tf.compat.v1.saved_model."),
    "contrib.seq2seq": Moved("keras_legacy_train.contrib.seq2seq"),
    "contrib.seq2seq.DynamicAttentionWrapper": Gone(
        "Use tf.contrib.seq2seq.AttentionWrapper with attention_layer_size."
    ),
    "contrib.seq2seq.DynamicAttentionWrapperState": Gone(
        "Use tf.contrib.seq2seq.AttentionWrapper with attention_layer_size."
    ),
    "contrib.seq2seq.attention_decoder_fn_inference": Gone(
        "It was in TensorFlow 1.0 alone. Use BasicDecoder, its helpers and dynamic_decode."
    ),
    "contrib.seq2seq.attention_decoder_fn_train": Gone(
        "It was in TensorFlow 1.0 alone. Use BasicDecoder, its helpers and dynamic_decode."
    ),
    "contrib.seq2seq.dynamic_rnn_decoder": Gone(
        "It was in TensorFlow 1.0 alone. Use BasicDecoder, its helpers and dynamic_decode."
    ),
    "contrib.seq2seq.prepare_attention": Gone(
        "It was in TensorFlow 1.0 alone. Use BasicDecoder, its helpers and dynamic_decode."
    ),
    "contrib.seq2seq.python.ops": Moved("keras_legacy_train.contrib.seq2seq"),
    "contrib.seq2seq.simple_decoder_fn_inference": Gone(
        "It was in TensorFlow 1.0 alone. Use BasicDecoder, its helpers and dynamic_decode."
    ),
    "contrib.seq2seq.simple_decoder_fn_train": Gone(
        "It was in TensorFlow 1.0 alone. Use BasicDecoder, its helpers and dynamic_decode."
    ),
    "contrib.session_bundle": Gone("Use tf.compat.v1.saved_model.Builder."),
    "contrib.signal": Gone("Use tf.signal."),
    "contrib.slim": Moved("keras_legacy_train.contrib.slim"),
    "contrib.slim.losses.absolute_difference": Moved(
        "keras_legacy_train.contrib.slim.losses.absolute_difference",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.slim.losses.compute_weighted_loss": Moved(
        "keras_legacy_train.contrib.slim.losses.compute_weighted_loss", renamed={"weight": "weights"}
    ),
    "contrib.slim.losses.cosine_distance": Moved(
        "keras_legacy_train.contrib.slim.losses.cosine_distance",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.slim.losses.hinge_loss": Moved(
        "keras_legacy_train.contrib.slim.losses.hinge_loss", renamed={"target": "labels"}
    ),
    "contrib.slim.losses.log_loss": Moved(
        "keras_legacy_train.contrib.slim.losses.log_loss", renamed={"targets": "labels", "weight": "weights"}
    ),
    "contrib.slim.losses.mean_pairwise_squared_error": Moved(
        "keras_legacy_train.contrib.slim.losses.mean_pairwise_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.slim.losses.mean_squared_error": Moved(
        "keras_legacy_train.contrib.slim.losses.mean_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.slim.losses.sigmoid_cross_entropy": Moved(
        "keras_legacy_train.contrib.slim.losses.sigmoid_cross_entropy", renamed={"weight": "weights"}
    ),
    "contrib.slim.losses.softmax_cross_entropy": Moved(
        "keras_legacy_train.contrib.slim.losses.softmax_cross_entropy", renamed={"weight": "weights"}
    ),
    "contrib.slim.losses.sparse_softmax_cross_entropy": Moved(
        "keras_legacy_train.contrib.slim.losses.sparse_softmax_cross_entropy", renamed={"weight": "weights"}
    ),
    "contrib.slim.losses.sum_of_pairwise_squares": Moved(
        "keras_legacy_train.contrib.slim.losses.mean_pairwise_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.slim.losses.sum_of_squares": Moved(
        "keras_legacy_train.contrib.slim.losses.mean_squared_error",
        renamed={"targets": "labels", "weight": "weights"},
    ),
    "contrib.slim.nets": Gone(
        "Copy the file of the network from research/slim/nets of github.com/tensorflow/models: it"
        " works with this slim."
    ),
    "contrib.slim.python.slim": Moved("keras_legacy_train.contrib.slim"),
    "contrib.slim.python.slim.nets": Gone(
        "Copy the file of the network from research/slim/nets of github.com/tensorflow/models: it"
        " works with this slim."
    ),
    "contrib.solvers": Gone("Use tf.linalg.experimental.conjugate_gradient."),
    "contrib.sparsemax": Gone(
        "Write it with tf.sort and tf.cumsum; the package tensorflow_addons, which had it, is no longer kept."
    ),
    "contrib.specs": Gone("Nothing stands for it."),
    "contrib.staging": Gone("Use tf.data with prefetch."),
    "contrib.stat_summarizer": Gone("Nothing stands for it."),
    "contrib.stateless": Gone("Use tf.random.stateless_normal, stateless_uniform and the like."),
    "contrib.summary": Moved("keras_legacy_train.contrib.summary"),
    "contrib.summary.create_db_writer": Gone("Use tf.contrib.summary.create_file_writer."),
    "contrib.summary.summary": Moved("keras_legacy_train.contrib.summary"),
    "contrib.tensor_forest": Gone("Use the package tensorflow_decision_forests, or sklearn.ensemble."),
    "contrib.tensorboard": Moved("keras_legacy_train.contrib.tensorboard"),
    "contrib.tensorboard.plugins.projector.projector_config_pb2": Moved(
        "keras_legacy_train.contrib.tensorboard.plugins.projector"
    ),
    "contrib.tensorrt": Gone("Use tf.experimental.tensorrt."),
    "contrib.testing": Gone("Nothing stands for it."),
    "contrib.text": Gone("Use the package tensorflow_text."),
    "contrib.tfprof": Moved("keras_legacy_train.contrib.tfprof"),
    "contrib.tfprof.ProfileContext": Gone("Use tf.compat.v1.profiler.Profiler."),
    "contrib.tfprof.python.tools.tfprof.model_analyzer": Moved(
        "keras_legacy_train.contrib.tfprof.model_analyzer"
    ),
    "contrib.tfprof.python.tools.tfprof.tfprof_logger": Moved(
        "keras_legacy_train.contrib.tfprof.tfprof_logger"
    ),
    "contrib.timeseries": Gone("Use a keras.Model or an Estimator with tf.nn.dynamic_rnn."),
    "contrib.tpu": Moved("keras_legacy_train.estimator.tpu"),
    "contrib.tpu.TPUDistributionStrategy": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.batch_parallel": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.bfloat16_scope": Moved("tensorflow.compat.v1.tpu.bfloat16_scope"),
    "contrib.tpu.infeed_dequeue_tuple": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.infeed_enqueue_tuple": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.initialize_system": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.keras_to_tpu_model": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.outfeed_dequeue_tuple": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.outfeed_enqueue_tuple": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.outside_compilation": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.python.tpu": Moved("keras_legacy_train.estimator.tpu"),
    "contrib.tpu.python.tpu.bfloat16": Moved("tensorflow.compat.v1.tpu"),
    "contrib.tpu.python.tpu.tpu_config": Moved("keras_legacy_train.estimator.tpu"),
    "contrib.tpu.python.tpu.tpu_context": Moved("keras_legacy_train.estimator.tpu"),
    "contrib.tpu.python.tpu.tpu_estimator": Moved("keras_legacy_train.estimator.tpu"),
    "contrib.tpu.python.tpu.tpu_optimizer": Moved("keras_legacy_train.estimator.tpu"),
    "contrib.tpu.repeat": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.replicate": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.rewrite": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.shard": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.shutdown_system": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.tpu.while_loop": Gone(
        "Use tf.distribute.TPUStrategy with a keras.Model for TPUs; use_tpu=False runs on CPUs and GPUs."
    ),
    "contrib.training": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.FailureTolerator": Gone(
        "Catch tf.errors.OpError around the call, and try again as often as it may fail."
    ),
    "contrib.training.FeedingQueueRunner": Gone(
        "Use tf.compat.v1.data.Dataset.from_generator in the place of a queue that Python feeds."
    ),
    "contrib.training.HParamDef": Gone("Use to_json and parse_json of tf.contrib.training.HParams."),
    "contrib.training.Tuner": Gone("Use the package keras-tuner."),
    "contrib.training.python.training.bucket_ops": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.device_setter": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.evaluation": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.hparam": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.python.training.sequence_queueing_state_saver": Moved(
        "keras_legacy_train.contrib.training"
    ),
    "contrib.training.python.training.training": Moved("keras_legacy_train.contrib.training"),
    "contrib.training.rejection_sample": Gone("Use tf.data.Dataset.rejection_resample, or filter."),
    "contrib.training.resample_at_rate": Gone(
        "Use tf.repeat(inputs, tf.random.poisson([], rates, tf.int32), axis=0)."
    ),
    "contrib.training.stratified_sample": Gone("Use tf.data.Dataset.rejection_resample."),
    "contrib.training.weighted_resample": Gone("Use tf.data.Dataset.rejection_resample."),
    "contrib.util": Moved("keras_legacy_train.contrib.util"),
    "contrib.util.constant_value": Moved("tensorflow.compat.v1.get_static_value"),
    "contrib.util.loader.load_op_library": Moved("tensorflow.compat.v1.load_op_library"),
    "contrib.util.make_ndarray": Moved("tensorflow.compat.v1.make_ndarray"),
    "contrib.util.make_tensor_proto": Moved("tensorflow.compat.v1.make_tensor_proto"),
    "estimator": Moved("keras_legacy_train.estimator"),
    "examples": Gone("Copy the program that you need of TensorFlow 1.15 beside your script."),
    "examples.tutorials.mnist.input_data": Moved("keras_legacy_train.compat.tutorials.input_data"),
    "examples.tutorials.mnist.mnist": Moved("keras_legacy_train.compat.tutorials.mnist"),
    "flags.FLAGS._parse_flags": Gone(
        "Leave it out: FLAGS reads the command line by itself. FLAGS.flag_values_dict() has the values."
    ),
    "histogram_summary": Moved(
        "tensorflow.compat.v1.summary.histogram",
        renamed={"tag": "name"},
        order=("name", "values", "collections"),
        dropped=("name",),
    ),
    "image.per_image_whitening": Moved("tensorflow.compat.v1.image.per_image_standardization"),
    "image.resize_images": Moved(
        "tensorflow.compat.v1.image.resize_images",
        order=("images", "new_height", "new_width", "method", "align_corners"),
        order_when="second is scalar",
        joined={"size": ("new_height", "new_width")},
    ),
    "image_summary": Moved(
        "tensorflow.compat.v1.summary.image",
        renamed={"tag": "name", "max_images": "max_outputs"},
        dropped=("name",),
    ),
    "inv": Moved("tensorflow.compat.v1.reciprocal"),
    "keras": Moved("tf_keras.api._v1.keras"),
    "keras.datasets": Moved("keras.datasets"),
    "keras.utils.get_file": Moved("keras.utils.get_file"),
    "keras.utils.to_categorical": Moved("keras.utils.to_categorical"),
    "layers": Moved("keras_legacy_train.tf_layers"),
    "list_diff": Moved("tensorflow.compat.v1.setdiff1d", renamed={"out_idx": "index_dtype"}),
    "listdiff": Moved("tensorflow.compat.v1.setdiff1d", renamed={"out_idx": "index_dtype"}),
    "merge_all_summaries": Moved("tensorflow.compat.v1.summary.merge_all"),
    "merge_summary": Moved("tensorflow.compat.v1.summary.merge"),
    "models": Gone("Copy the programs that you need of github.com/tensorflow/models beside your script."),
    "models.rnn.linear": Moved("keras_legacy_train.rnn_cell.linear"),
    "models.rnn.rnn": Moved("tensorflow.python.ops.rnn"),
    "models.rnn.rnn.bidirectional_rnn": Moved("tensorflow.compat.v1.nn.static_bidirectional_rnn"),
    "models.rnn.rnn.rnn": Moved("tensorflow.compat.v1.nn.static_rnn"),
    "models.rnn.rnn.state_saving_rnn": Moved("tensorflow.compat.v1.nn.static_state_saving_rnn"),
    "models.rnn.rnn_cell": Moved("keras_legacy_train.rnn_cell"),
    "models.rnn.seq2seq": Moved("keras_legacy_train.contrib.legacy_seq2seq"),
    "mul": Moved("tensorflow.compat.v1.multiply"),
    "neg": Moved("tensorflow.compat.v1.negative"),
    "nn.bidirectional_rnn": Moved("tensorflow.compat.v1.nn.static_bidirectional_rnn"),
    "nn.ctc_loss": Moved(
        "tensorflow.compat.v1.nn.ctc_loss",
        order=("inputs", "labels", "sequence_length", "preprocess_collapse_repeated", "ctc_merge_repeated"),
        order_when="first is float",
    ),
    "nn.deconv2d": Moved("tensorflow.compat.v1.nn.conv2d_transpose"),
    "nn.log_poisson_loss": Moved(
        "tensorflow.compat.v1.nn.log_poisson_loss",
        order=("log_input", "targets", "compute_full_loss"),
        order_when="first is trained",
    ),
    "nn.nce_loss": Moved(
        "tensorflow.compat.v1.nn.nce_loss",
        order=("weights", "biases", "inputs", "labels", "num_sampled", "num_classes", "num_true"),
        order_when="third is float",
    ),
    "nn.rnn": Moved("tensorflow.compat.v1.nn.static_rnn"),
    "nn.rnn_cell": Moved("keras_legacy_train.rnn_cell"),
    "nn.sampled_softmax_loss": Moved(
        "tensorflow.compat.v1.nn.sampled_softmax_loss",
        order=("weights", "biases", "inputs", "labels", "num_sampled", "num_classes", "num_true"),
        order_when="third is float",
    ),
    "nn.rnn_cell.EmbeddingWrapper": Moved("keras_legacy_train.contrib.rnn.EmbeddingWrapper"),
    "nn.rnn_cell.InputProjectionWrapper": Moved("keras_legacy_train.contrib.rnn.InputProjectionWrapper"),
    "nn.rnn_cell.OutputProjectionWrapper": Moved("keras_legacy_train.contrib.rnn.OutputProjectionWrapper"),
    "nn.seq2seq": Moved("keras_legacy_train.contrib.legacy_seq2seq"),
    "nn.sigmoid_cross_entropy_with_logits": Moved(
        "tensorflow.compat.v1.nn.sigmoid_cross_entropy_with_logits",
        renamed={"targets": "labels"},
        order=("logits", "labels", "name"),
    ),
    "nn.softmax_cross_entropy_with_logits": Moved(
        "tensorflow.compat.v1.nn.softmax_cross_entropy_with_logits", order=("logits", "labels", "dim", "name")
    ),
    "nn.sparse_softmax_cross_entropy_with_logits": Moved(
        "tensorflow.compat.v1.nn.sparse_softmax_cross_entropy_with_logits", order=("logits", "labels", "name")
    ),
    "nn.state_saving_rnn": Moved("tensorflow.compat.v1.nn.static_state_saving_rnn"),
    "nn.weighted_cross_entropy_with_logits": Moved(
        "tensorflow.compat.v1.nn.weighted_cross_entropy_with_logits",
        renamed={"targets": "labels"},
        order=("logits", "labels", "pos_weight"),
        order_when="first is trained",
    ),
    "ones_initializer": Moved(
        "tensorflow.compat.v1.ones_initializer",
        dropped=("partition_info",),
        with_shape="tensorflow.compat.v1.ones",
    ),
    "pack": Moved("tensorflow.compat.v1.stack"),
    "python.estimator": Moved("keras_legacy_train.estimator"),
    "python.estimator.canned.dnn": Moved("keras_legacy_train.estimator"),
    "python.estimator.canned.dnn_linear_combined": Moved("keras_legacy_train.estimator"),
    "python.estimator.canned.linear": Moved("keras_legacy_train.estimator"),
    "python.estimator.estimator": Moved("keras_legacy_train.estimator"),
    "python.estimator.export.export": Moved("keras_legacy_train.estimator.export"),
    "python.estimator.exporter": Moved("keras_legacy_train.estimator"),
    "python.estimator.inputs.inputs": Moved("keras_legacy_train.estimator"),
    "python.estimator.inputs.numpy_io": Moved("keras_legacy_train.estimator.inputs"),
    "python.estimator.inputs.pandas_io": Moved("keras_legacy_train.estimator.inputs"),
    "python.estimator.model_fn": Moved("keras_legacy_train.estimator"),
    "python.estimator.run_config": Moved("keras_legacy_train.estimator"),
    "python.estimator.training": Moved("keras_legacy_train.estimator"),
    "python.framework.graph_util": Moved("tensorflow.compat.v1.graph_util"),
    "python.framework.ops.RegisterShape": Gone(
        "Use tf.compat.v1.load_op_library and set the shape in C++, or Tensor.set_shape."
    ),
    "python.framework.ops.Tensor": Moved("tensorflow.compat.v1.Tensor"),
    "python.framework.tensor_shape.matrix": Gone("Use tf.TensorShape([rows, columns])."),
    "python.framework.tensor_shape.scalar": Gone("Use tf.TensorShape([])."),
    "python.framework.tensor_shape.vector": Gone("Use tf.TensorShape([length])."),
    "python.keras": Moved("tf_keras.api._v1.keras"),
    "python.layers.base": Moved("keras_legacy_train.tf_layers"),
    "python.layers.convolutional": Moved("keras_legacy_train.tf_layers"),
    "python.layers.core": Moved("keras_legacy_train.tf_layers"),
    "python.layers.layers": Moved("keras_legacy_train.tf_layers"),
    "python.layers.normalization": Moved("keras_legacy_train.tf_layers"),
    "python.layers.pooling": Moved("keras_legacy_train.tf_layers"),
    "python.ops.control_flow_ops.case": Moved("tensorflow.compat.v1.case"),
    "python.ops.control_flow_ops.cond": Moved("tensorflow.compat.v1.cond"),
    "python.ops.control_flow_ops.while_loop": Moved("tensorflow.compat.v1.while_loop"),
    "python.ops.rnn.bidirectional_rnn": Moved("tensorflow.compat.v1.nn.static_bidirectional_rnn"),
    "python.ops.rnn.rnn": Moved("tensorflow.compat.v1.nn.static_rnn"),
    "python.ops.rnn.state_saving_rnn": Moved("tensorflow.compat.v1.nn.static_state_saving_rnn"),
    "python.ops.rnn_cell": Moved("keras_legacy_train.rnn_cell"),
    "python.ops.rnn_cell_impl": Moved("keras_legacy_train.rnn_cell"),
    "python.ops.seq2seq": Moved("keras_legacy_train.contrib.legacy_seq2seq"),
    "python.platform.flags.FLAGS._parse_flags": Gone(
        "Leave it out: FLAGS reads the command line by itself. FLAGS.flag_values_dict() has the values."
    ),
    "python.pywrap_tensorflow.NewCheckpointReader": Moved("tensorflow.compat.v1.train.NewCheckpointReader"),
    "python.training.training.NewCheckpointReader": Moved("tensorflow.compat.v1.train.NewCheckpointReader"),
    "python.util.nest.is_sequence": Moved("tensorflow.nest.is_nested"),
    "pywrap_tensorflow": Gone("It is private. Use the names of tf."),
    "pywrap_tensorflow.NewCheckpointReader": Moved("tensorflow.compat.v1.train.NewCheckpointReader"),
    "reverse": Moved(
        "tensorflow.compat.v1.reverse",
        renamed={"dims": "axis"},
        order=("tensor", "axis", "name"),
        flags="axis",
    ),
    "scalar_summary": Moved(
        "tensorflow.compat.v1.summary.scalar",
        renamed={"tags": "name", "values": "tensor"},
        order=("name", "tensor", "collections"),
        dropped=("name",),
    ),
    "select": Moved("tensorflow.compat.v1.where", renamed={"t": "x", "e": "y"}),
    "sparse_split": Moved(
        "tensorflow.compat.v1.sparse_split",
        renamed={"split_dim": "axis"},
        order=("axis", "num_split", "sp_input", "name"),
    ),
    "split": Moved(
        "tensorflow.compat.v1.split",
        renamed={"split_dim": "axis", "num_split": "num_or_size_splits"},
        order=("axis", "num_or_size_splits", "value"),
        order_when="first is int",
    ),
    "split_v": Moved(
        "tensorflow.compat.v1.split", renamed={"size_splits": "num_or_size_splits", "split_dim": "axis"}
    ),
    "sub": Moved("tensorflow.compat.v1.subtract"),
    "train.SummaryWriter": Moved("tensorflow.compat.v1.summary.FileWriter"),
    "train.SummaryWriterCache": Moved("tensorflow.compat.v1.summary.FileWriterCache"),
    "unpack": Moved("tensorflow.compat.v1.unstack"),
    "zeros_initializer": Moved(
        "tensorflow.compat.v1.zeros_initializer",
        dropped=("partition_info",),
        with_shape="tensorflow.compat.v1.zeros",
    ),
}

# Modules of TensorFlow itself, with those of the rows that scripts took from there.
_WRAPPERS = tuple(
    f"nn.rnn_cell.{kind}Wrapper" for kind in ("Embedding", "InputProjection", "OutputProjection")
)
_MODULES = {
    "models.rnn.rnn_cell": _WRAPPERS,
    "python.framework.ops": ("SparseTensor", "SparseTensorValue"),
    "python.framework.sparse_tensor": ("SparseTensor", "SparseTensorValue"),
    "python.ops.array_ops": (
        *("concat", "concat_v2", "listdiff", "pack", "reverse", "split", "split_v", "unpack"),
    ),
    "python.ops.ctc_ops": ("nn.ctc_loss",),
    "python.ops.image_ops": ("image.per_image_whitening", "image.resize_images"),
    "python.ops.init_ops": ("ones_initializer", "zeros_initializer"),
    "python.ops.logging_ops": (
        *("audio_summary", "histogram_summary", "image_summary", "merge_all_summaries", "merge_summary"),
        "scalar_summary",
    ),
    "python.ops.math_ops": ("batch_matmul", "complex_abs", "inv", "mul", "neg", "select", "sub"),
    "python.ops.nn": (
        *("nn.log_poisson_loss", "nn.nce_loss", "nn.sampled_softmax_loss"),
        *("nn.sigmoid_cross_entropy_with_logits", "nn.softmax_cross_entropy_with_logits"),
        *("nn.sparse_softmax_cross_entropy_with_logits", "nn.weighted_cross_entropy_with_logits"),
    ),
    "python.ops.nn_ops": (
        *("nn.softmax_cross_entropy_with_logits", "nn.sparse_softmax_cross_entropy_with_logits"),
    ),
    "python.ops.rnn_cell": _WRAPPERS,
    "python.ops.sparse_ops": ("sparse_split",),
    "python.training.summary_io": ("train.SummaryWriter", "train.SummaryWriterCache"),
}

NAMES: Mapping[str, Entry] = dict(
    sorted(
        {
            **_PUBLIC,
            **{
                f"{module}.{name.rpartition('.')[2]}": _PUBLIC[name]
                for module, names in _MODULES.items()
                for name in names
            },
        }.items()
    )
)


# Names of other packages that scripts use, and that are gone since, with the package before them. Not one of
# them is there today as it was.
LIBRARY_NAMES: Mapping[str, Moved] = {
    "collections.Callable": Moved("collections.abc.Callable"),
    "collections.Container": Moved("collections.abc.Container"),
    "collections.Hashable": Moved("collections.abc.Hashable"),
    "collections.ItemsView": Moved("collections.abc.ItemsView"),
    "collections.Iterable": Moved("collections.abc.Iterable"),
    "collections.Iterator": Moved("collections.abc.Iterator"),
    "collections.KeysView": Moved("collections.abc.KeysView"),
    "collections.Mapping": Moved("collections.abc.Mapping"),
    "collections.MappingView": Moved("collections.abc.MappingView"),
    "collections.MutableMapping": Moved("collections.abc.MutableMapping"),
    "collections.MutableSequence": Moved("collections.abc.MutableSequence"),
    "collections.MutableSet": Moved("collections.abc.MutableSet"),
    "collections.Sequence": Moved("collections.abc.Sequence"),
    "collections.Set": Moved("collections.abc.Set"),
    "collections.Sized": Moved("collections.abc.Sized"),
    "collections.ValuesView": Moved("collections.abc.ValuesView"),
    "fractions.gcd": Moved("math.gcd"),
    "inspect.getargspec": Moved("keras_legacy_train.compat.python.getargspec"),
    "numpy.Inf": Moved("numpy.inf"),
    "numpy.Infinity": Moved("numpy.inf"),
    "numpy.NAN": Moved("numpy.nan"),
    "numpy.NaN": Moved("numpy.nan"),
    "numpy.alltrue": Moved("numpy.all"),
    "numpy.array": Moved("keras_legacy_train.compat.ragged_arrays.array"),
    "numpy.asarray": Moved("keras_legacy_train.compat.ragged_arrays.asarray"),
    "numpy.bool": Moved("builtins.bool"),
    "numpy.complex": Moved("builtins.complex"),
    "numpy.complex_": Moved("numpy.complex128"),
    "numpy.cumproduct": Moved("numpy.cumprod"),
    "numpy.float": Moved("builtins.float"),
    "numpy.float_": Moved("numpy.float64"),
    "numpy.in1d": Moved("numpy.isin"),
    "numpy.infty": Moved("numpy.inf"),
    "numpy.int": Moved("builtins.int"),
    "numpy.long": Moved("builtins.int"),
    "numpy.mat": Moved("numpy.asmatrix"),
    "numpy.object": Moved("builtins.object"),
    "numpy.product": Moved("numpy.prod"),
    "numpy.round_": Moved("numpy.round"),
    "numpy.row_stack": Moved("numpy.vstack"),
    "numpy.sometrue": Moved("numpy.any"),
    "numpy.str": Moved("builtins.str"),
    "numpy.string_": Moved("numpy.bytes_"),
    "numpy.trapz": Moved("numpy.trapezoid"),
    "numpy.unicode": Moved("builtins.str"),
    "numpy.unicode_": Moved("numpy.str_"),
    "scipy.misc": Moved("keras_legacy_train.compat.scipy_misc"),
    "scipy.sparse.linalg.eigen.arpack": Moved("scipy.sparse.linalg"),
    "sklearn.cross_validation": Moved("sklearn.model_selection"),
    "sklearn.grid_search": Moved("sklearn.model_selection"),
    "time.clock": Moved("time.process_time"),
}


# Methods without arguments of arrays and threads that are gone, and those that do the same.
METHODS: Mapping[str, str] = {"isAlive": "is_alive", "tostring": "tobytes"}


def lookup(name: str, names: Mapping[str, Entry] = NAMES) -> Entry | None:
    """Returns what stands for a name of TensorFlow 1.

    Args:
        name: The dotted name without the leading module: `"contrib.layers.conv2d"`.
        names: The table.

    Returns:
        The row of the longest prefix of the name. Of a `Moved`, `to` is the path of the name itself.
        `None` if no row matches: then the name is that of `tf.compat.v1`, if it is there.
    """
    prefix, rest = name, ""
    while prefix:
        entry = names.get(prefix)
        if isinstance(entry, Moved) and rest:
            return Moved(entry.to + rest)
        if entry is not None:
            return entry
        prefix, _, last = prefix.rpartition(".")
        rest = f".{last}{rest}"
    return None
