"""Lists parametrised tests of which the default suite runs some cases, and `make test-slow` the others."""

from __future__ import annotations

import collections
from collections.abc import Iterable

import pytest

# Of each the default suite runs the first case and every n-th after it.
EVERY_NTH = {
    "callbacks/test_contract.py::test_callbacks_in_the_loop": 2,
    "callbacks/test_hooks.py::test_fetches": 6,
    "callbacks/test_log_lines.py::test_training_step_lines": 2,
    "callbacks/test_nan_in_keras_fit.py::test_no_nan_is_saved": 2,
    "callbacks/test_tensorflow_hooks.py::test_logging_tensor_hook": 2,
    "callbacks/test_tensorflow_hooks.py::test_stop_at_step_hook": 2,
    "checkpoints/test_checkpoint_objects.py::test_the_same_file_as_of_tensorflow": 2,
    "checkpoints/test_checkpoint_objects.py::test_what_was_saved_in_the_background_is_restored": 16,
    "contrib/test_rnn_golden.py::test_they_do_it_with_the_behavior_of_version_1": 4,
    "estimator/test_canned.py::TestGeneration::test_is_told_by_the_arguments": 3,
    "estimator/test_canned.py::test_goes_on_as_the_original_did": 3,
    "estimator/test_cycle_golden.py::test_the_answer_is_that_of_the_originals": 12,
    "estimator/test_estimator_golden.py::test_numbers_are_the_originals": 2,
    "estimator/test_export.py::test_a_wrong_argument_is_named_and_nothing_written": 2,
    "evaluate/test_evaluate.py::test_log_lines": 2,
    "fit/test_fit_callbacks.py::test_model_checkpoint": 2,
    "fit/test_fit_equals_keras.py::test_data": 6,
    "fit/test_fit_equals_keras.py::test_models": 12,
    "fit/test_fit_equals_keras.py::test_validation": 6,
    "fit/test_fit_logs.py::test_the_history_is_that_of_keras_with_and_without_a_directory": 2,
    "fit/test_fit_resume.py::test_callbacks_remember": 3,
    "fit/test_fit_resume.py::test_nothing_is_run_where_the_target_is_reached": 2,
    "fit/test_fit_resume.py::test_pieces_of_shuffled_data_equal_the_whole": 3,
    "fit/test_fit_validation.py::test_a_resumed_run_knows_the_results_of_its_epoch": 2,
    "framework/test_framework.py::test_assign_from_checkpoint_fn": 2,
    "framework/test_layers.py::test_trains_as_the_original_did": 8,
    "framework/test_layers.py::test_update_ops_run_before_the_loss_is_computed": 2,
    "graph/test_datasets.py::test_nothing_waits_for_ever_where_there_is_one_thread": 4,
    "graph/test_differential.py::test_one_thing_at_a_time": 15,
    "graph/test_golden.py::test_phase_a_in_windows": 5,
    "graph/test_golden.py::test_phase_a_watched_at_every_step": 5,
    "graph/test_golden.py::test_phase_b_in_windows": 4,
    "graph/test_golden.py::test_phase_b_resumes_what_tf_1_left": 4,
    "graph/test_initialise.py::test_checkpoint_of_a_saver": 2,
    "graph/test_initialise.py::test_our_checkpoint_restored_by_a_saver": 2,
    "graph/test_input_state.py::test_an_iterator_in_the_collection": 2,
    "graph/test_modes.py::test_other_modes": 2,
    "graph/test_modes.py::test_steps_match_a_session": 6,
    "graph/test_modes.py::test_windows_match_a_session": 6,
    "graph/test_op_errors.py::test_however_it_is_run": 2,
    "graph/test_random_twins.py::test_draws_what_the_op_draws": 2,
    "graph/test_random_twins.py::test_samplers": 6,
    "graph/test_saveables.py::test_training_goes_on_from_a_meta_graph": 2,
    "graph/test_server_calls.py::test_a_step_that_calls_computes_the_same_bit_by_bit": 3,
    "graph/test_session.py::test_feed": 2,
    "graph/test_session.py::test_fetch": 2,
    "graph_model/test_graph_model.py::TestFit::test_takes_batches_in_any_form": 4,
    "graph_model/test_graph_model.py::TestStepsMatchASession::test_losses_and_variables": 4,
    "graph_model/test_graph_model_export.py::test_runs_in_a_fresh_process": 2,
    "learn/test_learn_golden.py::test_it_goes_on_from_a_checkpoint_of_the_original": 3,
    "loop/test_blocked_calls.py::test_a_long_wait_is_told_of_once": 2,
    "loop/test_blocked_calls.py::test_a_second_signal_ends_the_process_in_any_other_call": 3,
    "loop/test_blocked_calls.py::test_a_second_signal_ends_the_process_where_a_step_does_not_end": 8,
    "loop/test_blocked_calls.py::test_the_first_signal_ends_the_training_where_the_step_ends": 3,
    "loop/test_sampled_windows.py::test_endings": 3,
    "loop/test_sampled_windows.py::test_random_numbers_are_the_same": 2,
    "loop/test_windows.py::test_numbers_of_the_steps_in_a_window": 3,
    "loop/test_windows.py::test_random_numbers_go_on_where_the_checkpoint_left_them": 3,
    "loop/test_windows.py::test_windows_draw_the_same_random_numbers": 3,
    "migration/test_load_tf1_weights.py::test_cells_of_one_size_must_be_told_apart": 2,
    "migration/test_load_tf1_weights.py::test_cells_that_keras_has_not": 2,
    "migration/test_load_tf1_weights.py::test_formats_and_paths": 2,
    "migration/test_load_tf1_weights.py::test_recurrent_layers": 3,
    "monitors/test_hook_adapter.py::test_requests": 2,
    "monitors/test_monitors_in_keras.py::test_after_an_error_a_monitor_can_be_used_again": 2,
    "monitors/test_monitors_in_keras.py::test_every_monitor": 2,
    "monitors/test_monitors_in_keras.py::test_every_n_acts_at_the_same_steps": 2,
    "monitors/test_monitors_in_keras.py::test_order_of_calls": 2,
    "monitors/test_monitors_in_keras.py::test_requests": 2,
    "monitors/test_monitors_in_keras.py::test_unknown_names": 2,
    "package/test_testing.py::test_faults_happen_once_where_they_should": 2,
    "programs/test_stacked_input.py::test_steps_get_the_input_that_they_get_otherwise": 3,
    "reliability/test_crashes.py::test_killed_runs_resume": 2,
    "reliability/test_reliability_lock.py::test_law_of_several_at_once_one_gets_the_lock": 2,
    "reliability/test_reliability_runs.py::test_calls_leave_no_thread_no_descriptor_and_no_function": 3,
    "reliability/test_reliability_runs.py::test_checkpoints_beside_the_training_are_those_of_their_steps": 2,
    "strategy/test_mirrored.py::test_two_replicas": 3,
    "tf_layers/test_layer_golden.py::test_they_do_it_with_reference_variables": 2,
    "training/test_bad_arguments.py::test_what_feed_fn_may_return": 2,
    "training/test_fuzzed_arguments.py::test_wrong_value": 3,
    "training/test_train_model.py::test_layers": 3,
    "training/test_train_model.py::test_loss": 3,
    "training/test_train_model.py::test_optimizers": 8,
    "training/test_train_model.py::test_sample_weights": 2,
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
