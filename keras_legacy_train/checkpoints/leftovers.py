"""Removes the files of saves that were killed, or failed, before the checkpoint was complete."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
from collections.abc import Sequence

from keras_legacy_train.checkpoints.directory import (
    GRAPH_FILE,
    STATE_FILE,
    checkpoint_files,
    exists,
    file_names,
    files_by_checkpoint,
    find_checkpoints,
    is_named,
    locate,
    read_state,
)
from keras_legacy_train.checkpoints.durable import TEMPORARY_SUFFIX, write_durably
from keras_legacy_train.checkpoints.index import CheckpointIndex
from keras_legacy_train.checkpoints.reading import find_damage

_LOGGER = logging.getLogger("keras_legacy_train")

# A checkpoint beside which this file lies is not complete, whatever it looks like.
_MARK = ".unfinished"
_TEMPORARY_FOLDER = "_temp"
# What TensorFlow writes into that folder.
_PART = re.compile(r"part-[0-9]{5}-of-[0-9]{5}\.(index|data-[0-9]{5}-of-[0-9]{5})(\.tempstate[0-9]+)?")


def mark_unfinished(prefix: str) -> None:
    """Marks a checkpoint as not complete, before its files are written."""
    write_durably(prefix + _MARK, b"")


def mark_finished(prefix: str) -> None:
    """Removes that mark, when all files are on disk."""
    os.remove(prefix + _MARK)


def remove_unfinished(prefix: str) -> None:
    """Deletes the files of a checkpoint that was not completed."""
    for path in checkpoint_files(prefix):
        os.remove(path)
    _remove_temporary_folder(prefix + _TEMPORARY_FOLDER)
    with contextlib.suppress(FileNotFoundError):
        os.remove(prefix + _MARK)  # last: killed before, this can be done again


def clean_up(index: CheckpointIndex) -> None:
    """Deletes the files that killed saves have left: temporary ones, and those of incomplete checkpoints.

    The holder of the directory calls it before anything else. Nothing else is deleted, least of all damaged
    checkpoints.
    """
    directory, name = index.directory, index.name
    paths = read_state(directory)
    if paths is not None:
        located = (locate(directory, path) for path in paths)
        paths = [prefix for prefix in located if prefix and is_named(prefix, name)]
    removed = remove_leftovers(directory, name, paths)
    if removed:
        _LOGGER.info("Deleted what killed saves have left in %s: %s.", directory, ", ".join(removed))


def remove_leftovers(directory: str, name: str, listed: Sequence[str] | None) -> list[str]:
    """Deletes the files that killed saves have left in a directory, and nothing else.

    Only the holder of the directory may call this, and only while no save is under way.

    Args:
        directory: The directory; it need not exist.
        name: The first part of the checkpoints' names.
        listed: The prefixes in the `checkpoint` file, the newest last, or `None` if it cannot be read.

    Returns:
        The names of the checkpoints and of the temporary files that were deleted.
    """
    removed = _remove_temporary_files(directory, name)
    listed_ones = dict.fromkeys(listed or ())
    newest = next(reversed(listed_ones), None)
    files = files_by_checkpoint(directory)
    is_intact = functools.cache(lambda prefix: exists(prefix) and find_damage(prefix) is None)
    is_any_intact = functools.cache(lambda: any(map(is_intact, reversed(listed_ones))))
    for prefix in dict.fromkeys([*_prefixes(directory, name), *listed_ones]):
        is_marked = os.path.lexists(prefix + _MARK)
        if is_marked and prefix not in listed_ones:
            # It may have been completed, and be all there is.
            is_leftover = is_any_intact() or not is_intact(prefix)
        elif exists(prefix) or os.path.basename(prefix) not in files or listed is None:
            is_leftover = False
        else:  # without an index: not yet written or, if it is listed, deleted because there is a newer one
            is_leftover = prefix not in listed_ones or (
                newest is not None and prefix != newest and is_intact(newest)
            )
        if is_leftover:
            remove_unfinished(prefix)
            removed.append(os.path.basename(prefix))
        elif is_marked:
            mark_finished(prefix)
        _remove_temporary_folder(prefix + _TEMPORARY_FOLDER)
    return removed


def remove_listed(directory: str, prefixes: Sequence[str]) -> None:
    """Deletes the checkpoints that the `checkpoint` file of a directory lists, and the file itself.

    If they are none, nothing is deleted: somebody else may have written the file.
    """
    if not prefixes:
        return
    os.remove(os.path.join(directory, STATE_FILE))
    for prefix in prefixes:
        remove_unfinished(prefix)


def remove_all(directory: str, name: str) -> None:
    """Deletes all checkpoints of this name in a directory, and the list of them."""
    _remove_temporary_files(directory, name)
    for prefix in dict.fromkeys([*_prefixes(directory, name), *find_checkpoints(directory, name)]):
        remove_unfinished(prefix)
    with contextlib.suppress(FileNotFoundError):
        os.remove(os.path.join(directory, STATE_FILE))


def _remove_temporary_files(directory: str, name: str) -> list[str]:
    of_checkpoint = rf"{re.escape(name)}-[0-9]+(?:\.meta|{re.escape(_MARK)})"
    temporary = re.compile(
        rf"(?:{STATE_FILE}|{re.escape(GRAPH_FILE)}|{of_checkpoint}){re.escape(TEMPORARY_SUFFIX)}"
        rf"|{STATE_FILE}\.tmp[0-9a-f]{{32}}"
    )
    found = [each for each in file_names(directory) if temporary.fullmatch(each)]
    for each in found:
        os.remove(os.path.join(directory, each))
    return found


def _prefixes(directory: str, name: str) -> list[str]:
    """Returns `<name>-<step>` for every step that has anything in the directory."""
    if not os.path.isdir(directory):
        return []
    pattern = re.compile(rf"({re.escape(name)}-[0-9]+)(?:{re.escape(_MARK)}|{_TEMPORARY_FOLDER}|\.data-.*)")
    matches = map(pattern.fullmatch, sorted(os.listdir(directory)))
    return list(dict.fromkeys(os.path.join(directory, match.group(1)) for match in matches if match))


def _remove_temporary_folder(folder: str) -> None:
    if os.path.islink(folder):
        os.remove(folder)
        return
    if not os.path.isdir(folder):
        return
    for each in file_names(folder):
        if _PART.fullmatch(each):
            os.remove(os.path.join(folder, each))
    with contextlib.suppress(OSError):  # not empty: somebody else has put something there
        os.rmdir(folder)
