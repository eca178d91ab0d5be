"""Runs the command line: `python -m keras_legacy_train`."""

from keras_legacy_train.command_line.app import main

if __name__ == "__main__":
    main()
