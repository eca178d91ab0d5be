"""Serves as the task of TF_CONFIG."""

import logging
import sys

from keras_legacy_train import cluster

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
cluster.serve()
