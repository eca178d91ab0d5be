"""Stands for the functions of `scipy.misc` that read, write and change images, which SciPy no longer has.

They work by Pillow, as they did before.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["bytescale", "fromimage", "imread", "imresize", "imrotate", "imsave", "imshow", "toimage"]

_MOVED = {
    "ascent": "scipy.datasets",
    "comb": "scipy.special",
    "face": "scipy.datasets",
    "factorial": "scipy.special",
    "logsumexp": "scipy.special",
}
_FILTERS = {
    "nearest": "NEAREST",
    "lanczos": "LANCZOS",
    "bilinear": "BILINEAR",
    "bicubic": "BICUBIC",
    "cubic": "BICUBIC",
}


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray[Any, Any]:
    """Reads an image.

    Stands for `scipy.misc.imread`.

    Args:
        name: Path, or an open file.
        flatten: Whether to make one channel of grey, as `float32`.
        mode: Mode of Pillow to convert to: `"RGB"`, `"L"`.

    Returns:
        Array of shape (height, width) or (height, width, channels).

    Raises:
        ImportError: Pillow is not installed.
    """
    with _pillow().open(name) as image:
        return fromimage(image, flatten=flatten, mode=mode)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Writes an image.

    Stands for `scipy.misc.imsave`. Numbers that are not `uint8` are scaled, so that the least is 0 and the
    greatest 255.

    Args:
        name: Path, or an open file.
        arr: Array of shape (height, width), (height, width, 3) or (height, width, 4).
        format: Format of the file, that of the name's ending by default.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The shape is not that of an image.
    """
    toimage(arr, channel_axis=2).save(name, format)


def imresize(
    arr: Any, size: int | float | tuple[int, int], interp: str = "bilinear", mode: str | None = None
) -> np.ndarray[Any, Any]:
    """Returns an image in another size.

    Stands for `scipy.misc.imresize`. Numbers that are not `uint8` are scaled as by `imsave`.

    Args:
        arr: Array of shape (height, width) or (height, width, channels).
        size: Per cent as an `int`, a fraction as a `float`, or (height, width).
        interp: `"nearest"`, `"lanczos"`, `"bilinear"`, `"bicubic"` or `"cubic"`.
        mode: Mode of Pillow to work in.

    Returns:
        Array of `uint8`.

    Raises:
        ImportError: Pillow is not installed.
        KeyError: There is no such way to interpolate.
        ValueError: The shape is not that of an image.
    """
    image = toimage(arr, mode=mode)
    if isinstance(size, (int, np.integer)):
        size = float(size) / 100
    if isinstance(size, (float, np.floating)):
        target = tuple((np.array(image.size) * size).astype(int))
    else:
        target = (int(size[1]), int(size[0]))
    return fromimage(image.resize(target, resample=_filter(interp)))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> np.ndarray[Any, Any]:
    """Returns an image turned counter-clockwise.

    Stands for `scipy.misc.imrotate`. Numbers that are not `uint8` are scaled as by `imsave`.

    Args:
        arr: Array of shape (height, width) or (height, width, channels).
        angle: Degrees.
        interp: As for `imresize`; not `"lanczos"`.

    Returns:
        Array of `uint8`, of the same shape.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The shape is not that of an image.
    """
    return fromimage(toimage(arr).rotate(angle, resample=_filter(interp)))


def imshow(arr: Any) -> None:
    """Shows an image in the viewer of the system.

    Stands for `scipy.misc.imshow`.

    Args:
        arr: As for `imsave`.

    Raises:
        ImportError: Pillow is not installed.
    """
    toimage(arr).show()


def fromimage(im: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray[Any, Any]:
    """Returns the numbers of an image of Pillow.

    Stands for `scipy.misc.fromimage`.

    Args:
        im: The image.
        flatten: Whether to make one channel of grey, as `float32`.
        mode: Mode to convert to.

    Returns:
        Array of shape (height, width) or (height, width, channels).
    """
    if mode is not None and mode != im.mode:
        im = im.convert(mode)
    elif im.mode == "P":
        # A palette stands for colours, with transparency or without.
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if flatten:
        im = im.convert("F")
    elif im.mode == "1":
        im = im.convert("L")
    pixels: np.ndarray[Any, Any] = np.array(im)
    return pixels


def toimage(
    arr: Any,
    high: int = 255,
    low: int = 0,
    cmin: float | None = None,
    cmax: float | None = None,
    pal: Any = None,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> Any:
    """Returns an image of Pillow made of numbers.

    Stands for `scipy.misc.toimage`.

    Args:
        arr: Array of shape (height, width), or of three axes with 3 or 4 channels on one of them.
        high: What the greatest number becomes.
        low: What the least number becomes.
        cmin: The least number, that of `arr` by default.
        cmax: The greatest number, that of `arr` by default.
        pal: Palette of an image of two axes, of shape (256, 3).
        mode: Mode of Pillow: `"L"`, `"P"`, `"1"`, `"F"` or `"I"` for two axes; `"RGB"`, `"RGBA"`, `"YCbCr"`
            or `"CMYK"` for three.
        channel_axis: The axis of the channels: by default the last, middle or first one, whichever fits.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: The shape is not that of an image.
    """
    pillow = _pillow()
    data = np.asarray(arr)
    if np.iscomplexobj(data):
        raise ValueError("Cannot make an image of complex numbers.")
    if data.ndim == 2:
        if mode in {"F", "I"}:
            return pillow.fromarray(data.astype(np.float32 if mode == "F" else np.int32))
        image = pillow.fromarray(bytescale(data, cmin, cmax, high, low))
        if pal is not None:
            image.putpalette(np.asarray(pal, dtype=np.uint8).tobytes())
        return image.convert("1") if mode == "1" else image
    if data.ndim != 3 or not {3, 4} & set(data.shape):
        raise ValueError(
            f"An image has the shape (height, width) or 3 or 4 channels, but this has {data.shape}."
        )
    if channel_axis is None:
        fitting = [axis for size in (3, 4) for axis in (2, 1, 0) if data.shape[axis] == size]
        channel_axis = 2 if 2 in fitting else fitting[0]
    if data.shape[channel_axis] not in (3, 4):
        raise ValueError(f"Axis {channel_axis} of the shape {data.shape} has not 3 or 4 channels.")
    data = np.moveaxis(bytescale(data, cmin, cmax, high, low), channel_axis, 2)
    mode = mode or ("RGB" if data.shape[2] == 3 else "RGBA")
    return pillow.frombytes(mode, (data.shape[1], data.shape[0]), np.ascontiguousarray(data).tobytes())


def bytescale(
    data: Any, cmin: float | None = None, cmax: float | None = None, high: int = 255, low: int = 0
) -> np.ndarray[Any, Any]:
    """Returns numbers scaled to bytes.

    Stands for `scipy.misc.bytescale`. An array of `uint8` stays as it is.

    Args:
        data: Array.
        cmin: The number that becomes `low`, the least one by default.
        cmax: The number that becomes `high`, the greatest one by default.
        high: At most 255.
        low: At least 0.

    Returns:
        Array of `uint8`, of the same shape.

    Raises:
        ValueError: The limits are not in order.
    """
    values: np.ndarray[Any, Any] = np.asarray(data)
    if values.dtype == np.uint8:
        return values
    if not 0 <= low <= high <= 255:
        raise ValueError(f"low={low} and high={high} are not 0 <= low <= high <= 255.")
    cmin = values.min() if cmin is None else cmin
    cmax = values.max() if cmax is None else cmax
    if cmax < cmin:
        raise ValueError(f"cmax={cmax} is less than cmin={cmin}.")
    scale = (high - low) / float(cmax - cmin or 1)
    scaled = (values - cmin) * scale + low
    return np.asarray(scaled.clip(low, high) + 0.5).astype(np.uint8)


def _pillow() -> ModuleType:
    try:
        return importlib.import_module("PIL.Image")
    except ImportError as error:
        raise ImportError("The images of scipy.misc need Pillow: pip install pillow") from error


def _filter(name: str) -> Any:
    return getattr(_pillow().Resampling, _FILTERS[name])


def __getattr__(name: str) -> Any:
    """Returns a function that SciPy has elsewhere today.

    Raises:
        AttributeError: There is none.
    """
    if name in _MOVED:
        return getattr(importlib.import_module(_MOVED[name]), name)
    raise AttributeError(f"module 'scipy.misc' had no {name!r} that is here.")
