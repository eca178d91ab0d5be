"""Trains on the replicas of a `tf.distribute.Strategy`, in one process or in many that keep in step.

`replicas.py` splits batches, `workers.py` is how processes agree, `checks.py` refuses what cannot work. May
import checkpoints, errors, `_tensorflow` and `_keras`; it knows nothing of the loop.
"""
