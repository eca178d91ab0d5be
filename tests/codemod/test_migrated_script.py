"""A migrated program runs with plain Python."""

import shutil

import pytest

from helpers import SCRIPTS, run_python
from keras_legacy_train.codemod import migrate_file, write_file


@pytest.mark.slow
def test_a_migrated_program_learns_what_it_should(tmp_path):
    script = tmp_path / "old_digits.py"
    shutil.copy(SCRIPTS / script.name, script)
    migration = migrate_file(script)
    assert migration.left == ()
    write_file(migration)
    assert migrate_file(script).content is None

    ended = run_python(script, tmp_path / "model")
    assert ended.returncode == 0, ended.stderr
    accuracies = {name: float(value) for name, value in map(str.split, ended.stdout.splitlines())}
    assert accuracies.keys() == {"convolutional", "recurrent", "estimated"}
    assert min(accuracies.values()) > 0.9
