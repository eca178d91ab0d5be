"""Has the part of `tf.contrib.tensorboard` that scripts use: the projector of embeddings."""
