#!/usr/bin/env bash
# Runs on a machine with a GPU what there is to see of it, in less than 8 minutes: the tests of tests/gpu, those that
# compare with a Session and with Model.fit, and the table of the workloads that want a GPU.
#
#     benchmarks/gpu.sh                 # with .venv, which `make install` has made
#     PYTHON=python3 benchmarks/gpu.sh
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
export TF_CPP_MIN_LOG_LEVEL=2

"$python" -c "
import tensorflow as tf
gpus = tf.config.list_physical_devices('GPU')
raise SystemExit(None if gpus else 'TensorFlow sees no GPU.')"
timeout 240 "$python" -m pytest -q tests/gpu tests/graph/test_modes.py tests/callbacks/test_nan.py \
    -k 'gpu or kind_of_the_mode or nan'
timeout 230 "$python" benchmarks/run.py --rounds 1 --seconds 1.5 --warm-up-seconds 1.2 \
    --only mlp,conv,conv-large,train,train-bare,fit,session,keras,keras-100
