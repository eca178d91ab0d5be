"""Fills the weights of a Keras model from a checkpoint of TensorFlow 1.

```python
import keras
import tensorflow.compat.v1 as tf

from keras_legacy_train.migration import load_tf1_weights

with tf.Graph().as_default(), tf.Session() as session:
    with tf.variable_scope("network/logits"):
        tf.get_variable("weights", [4, 2])
        tf.get_variable("biases", [2])
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, f"{output_dir}/model.ckpt", global_step=100)

model = keras.Sequential([keras.Input([4]), keras.layers.Dense(2, name="logits")])
print(load_tf1_weights(model, output_dir))
```
"""

from keras_legacy_train.migration.load import load_tf1_weights
from keras_legacy_train.migration.report import FilledWeight, LoadReport

__all__ = ["FilledWeight", "LoadReport", "load_tf1_weights"]
