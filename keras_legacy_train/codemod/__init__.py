"""Moves programs from TensorFlow 1 to the names of today, by the table of `compat/`.

`scopes.py` finds what the names of a module mean, `targets.py` where that is today, `module.py` decides what
changes, `calls.py` what of the arguments, and `edits.py` changes the tree. `files.py` reads and writes,
`notebooks.py` makes a module of a notebook, `python2.py` comes before all of them where it is asked for.

May import `compat/`, and TensorFlow's modules to see what they have.
"""

from .files import BadFileError, FileMigration, check_writable, find_files, migrate_file, unsaved, write_file
from .module import DisableV2, migrate_code
from .report import Change, Left, Migration

__all__ = [
    "BadFileError",
    "Change",
    "DisableV2",
    "FileMigration",
    "Left",
    "Migration",
    "check_writable",
    "find_files",
    "migrate_code",
    "migrate_file",
    "unsaved",
    "write_file",
]
