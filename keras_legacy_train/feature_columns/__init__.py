"""Provides the feature columns of `tf.contrib.layers`, which linear models and networks of `learn` take.

```python
import tensorflow.compat.v1 as tf

from keras_legacy_train import feature_columns

age = feature_columns.real_valued_column("age")
country = feature_columns.sparse_column_with_hash_bucket("country", hash_bucket_size=100)
with tf.Graph().as_default():
    features = {"age": tf.constant([[31.0], [42.0]]), "country": tf.constant([["at"], ["fr"]])}
    columns = [age, feature_columns.embedding_column(country, dimension=4)]
    inputs = feature_columns.input_from_feature_columns(features, columns)  # Of shape [2, 5].
```

`base.py` says what a column is, `sparse.py`, `crossed.py` and `dense.py` have the kinds, and `operations.py`
makes inputs and sums of columns. May import `framework/` and what it imports.
"""

from keras_legacy_train.feature_columns.base import FeatureColumn
from keras_legacy_train.feature_columns.crossed import crossed_column
from keras_legacy_train.feature_columns.dense import (
    bucketized_column,
    embedding_column,
    one_hot_column,
    real_valued_column,
    shared_embedding_columns,
)
from keras_legacy_train.feature_columns.hashing import SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY
from keras_legacy_train.feature_columns.operations import (
    check_feature_columns,
    create_feature_spec_for_parsing,
    infer_real_valued_columns,
    input_from_feature_columns,
    joint_weighted_sum_from_feature_columns,
    make_place_holder_tensors_for_base_features,
    parse_feature_columns_from_examples,
    transform_features,
    weighted_sum_from_feature_columns,
)
from keras_legacy_train.feature_columns.sparse import (
    sparse_column_with_hash_bucket,
    sparse_column_with_integerized_feature,
    sparse_column_with_keys,
    sparse_column_with_vocabulary_file,
    weighted_sparse_column,
)

__all__ = [
    "SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY",
    "FeatureColumn",
    "bucketized_column",
    "check_feature_columns",
    "create_feature_spec_for_parsing",
    "crossed_column",
    "embedding_column",
    "infer_real_valued_columns",
    "input_from_feature_columns",
    "joint_weighted_sum_from_feature_columns",
    "make_place_holder_tensors_for_base_features",
    "one_hot_column",
    "parse_feature_columns_from_examples",
    "real_valued_column",
    "shared_embedding_columns",
    "sparse_column_with_hash_bucket",
    "sparse_column_with_integerized_feature",
    "sparse_column_with_keys",
    "sparse_column_with_vocabulary_file",
    "transform_features",
    "weighted_sparse_column",
    "weighted_sum_from_feature_columns",
]
