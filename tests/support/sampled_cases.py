"""Lists parametrised tests of which the default suite runs some cases, and `make test-slow` the others."""

from __future__ import annotations

import collections
from collections.abc import Iterable

import pytest

# Of each the default suite runs the first case and every n-th after it.
EVERY_NTH = {
    "callbacks/test_hooks.py::test_fetches": 3,
    "checkpoints/test_checkpoint_objects.py::test_what_was_saved_in_the_background_is_restored": 4,
    "contrib/test_contrib_layer_golden.py::test_layers_do_what_they_did_in_tensorflow_1": 3,
    "contrib/test_loss_golden.py::test_metrics_do_what_they_did_in_tensorflow_1": 3,
    "contrib/test_rnn_golden.py::test_they_do_it_with_the_behavior_of_version_1": 4,
    "contrib/test_rnn_golden.py::test_they_do_what_they_did_in_tensorflow_1": 2,
    "estimator/test_canned.py::test_goes_on_as_the_original_did": 3,
    "estimator/test_cycle_golden.py::test_the_answer_is_that_of_the_originals": 3,
    "fit/test_fit_compiles_anew.py::test_the_step_is_that_of_the_model_as_it_is_now": 2,
    "fit/test_fit_equals_keras.py::test_data": 3,
    "fit/test_fit_equals_keras.py::test_models": 3,
    "fit/test_fit_equals_keras.py::test_validation": 3,
    "fit/test_fit_resume.py::test_a_run_that_ended_before_the_end_of_the_epoch_was_told": 3,
    "framework/test_layers.py::test_trains_as_the_original_did": 4,
    "graph/test_differential.py::test_one_thing_at_a_time": 3,
    "graph/test_modes.py::test_steps_match_a_session": 3,
    "graph/test_modes.py::test_windows_match_a_session": 3,
    "graph/test_random_twins.py::test_samplers": 3,
    "learn/test_learn_golden.py::test_it_goes_on_from_a_checkpoint_of_the_original": 3,
    "loop/test_blocked_calls.py::test_a_second_signal_ends_the_process_where_a_step_does_not_end": 2,
    "reliability/test_reliability_runs.py::test_calls_leave_no_thread_no_descriptor_and_no_function": 3,
    "tf_layers/test_layer_golden.py::test_layers_and_cells_do_what_they_did_in_tensorflow_1": 3,
}


def mark_left_out(items: Iterable[pytest.Item]) -> None:
    """Marks as slow the cases that the default suite leaves out."""
    seen: collections.Counter[str] = collections.Counter()
    for item in items:
        test = item.nodeid.removeprefix("tests/").partition("[")[0]
        if test in EVERY_NTH:
            if seen[test] % EVERY_NTH[test]:
                item.add_marker(pytest.mark.slow)
            seen[test] += 1
