"""The functions of `scipy.misc` read, write and change images as they did."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_legacy_train.compat import scipy_misc as misc

Image = pytest.importorskip("PIL.Image")

GREY = np.array([[0, 50, 100], [150, 200, 250]], np.uint8)
COLOURS = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


def test_images_are_written_read_and_converted(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    misc.imsave(path, COLOURS)
    np.testing.assert_array_equal(misc.imread(path), COLOURS)
    assert misc.imread(path, mode="L").shape == (2, 3)
    flat = misc.imread(path, flatten=True)
    assert flat.shape == (2, 3) and flat.dtype == np.float32

    palette = Image.fromarray(COLOURS).quantize(6)
    palette.save(path)
    np.testing.assert_array_equal(misc.imread(path), COLOURS)
    palette.save(path, transparency=0)
    assert misc.imread(path).shape == (2, 3, 4)
    bits = misc.toimage(GREY, mode="1")
    assert bits.mode == "1" and set(misc.fromimage(bits).flat) <= {0, 255}


def test_images_are_turned_and_resized() -> None:
    np.testing.assert_array_equal(misc.imrotate(GREY, 180, interp="nearest"), GREY[::-1, ::-1])
    np.testing.assert_array_equal(misc.imresize(GREY, 200, "nearest"), GREY.repeat(2, 0).repeat(2, 1))
    np.testing.assert_array_equal(misc.imresize(GREY, 2.0, "nearest"), GREY.repeat(2, 0).repeat(2, 1))
    assert misc.imresize(COLOURS, (4, 5), "cubic").shape == (4, 5, 3)
    with pytest.raises(KeyError, match="sinc"):
        misc.imresize(GREY, 50, interp="sinc")


def test_numbers_become_images() -> None:
    numbers = np.array([[-1.5, 70000.0]])
    for mode, dtype in (("F", np.float32), ("I", np.int32)):
        image = misc.toimage(numbers, mode=mode)
        assert image.mode == mode
        np.testing.assert_array_equal(np.array(image), numbers.astype(dtype))
    scaled = misc.toimage(np.array([[-1.0, 0.0, 1.0, 3.0]]), high=200, low=100, cmin=-1.0, cmax=1.0)
    np.testing.assert_array_equal(np.array(scaled), [[100, 150, 200, 200]])
    palette = np.arange(256)[:, None] * [1, 0, 0]
    coloured = misc.toimage(GREY, pal=palette)
    np.testing.assert_array_equal(misc.fromimage(coloured)[..., 0], GREY)
    assert not misc.fromimage(coloured)[..., 1:].any()
    for axis in range(3):
        image = misc.toimage(np.moveaxis(COLOURS[:, :2], 2, axis))
        np.testing.assert_array_equal(np.array(image), COLOURS[:, :2])


def test_images_are_shown_by_the_viewer_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr(Image.Image, "show", lambda image: shown.append(image))
    misc.imshow(GREY)
    np.testing.assert_array_equal(np.array(shown[0]), GREY)


def test_what_is_no_image_is_refused() -> None:
    cases: list[tuple[Any, dict[str, Any], str]] = [
        (GREY * 1j, {}, "Cannot make an image of complex numbers"),
        (np.zeros([2, 2, 2]), {}, r"or 3 or 4 channels, but this has \(2, 2, 2\)"),
        (np.zeros([3, 2, 2]), {"channel_axis": 2}, "has not 3 or 4 channels"),
        (GREY * 1.0, {"high": 256}, "low=0 and high=256 are not 0 <= low <= high <= 255"),
        (GREY * 1.0, {"cmin": 2, "cmax": 1}, "cmax=1 is less than cmin=2"),
    ]
    for numbers, options, message in cases:
        with pytest.raises(ValueError, match=message):
            misc.toimage(numbers, **options)


def test_functions_that_scipy_has_elsewhere_are_found() -> None:
    pytest.importorskip("scipy")
    assert misc.logsumexp is importlib.import_module("scipy.special").logsumexp
    with pytest.raises(AttributeError, match=r"module 'scipy\.misc' had no 'derivative' that is here"):
        _ = misc.derivative


def test_without_pillow_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match="pip install pillow"):
        misc.imread("a.png")
