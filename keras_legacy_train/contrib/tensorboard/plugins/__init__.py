"""Has the plugins of `tf.contrib.tensorboard`."""
