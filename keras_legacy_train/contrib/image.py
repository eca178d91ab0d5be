"""Has the projective transforms of `tf.contrib.image`: rotations and translations."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from keras_legacy_train.contrib._missing import module_getattr

v1 = tf.compat.v1

__all__ = [
    "angles_to_projective_transforms",
    "compose_transforms",
    "flat_transforms_to_matrices",
    "matrices_to_flat_transforms",
    "rotate",
    "transform",
    "translate",
    "translations_to_projective_transforms",
]

__getattr__ = module_getattr(__name__, __all__)

_DTYPES = (tf.uint8, tf.int32, tf.int64, tf.float16, tf.float32, tf.float64)


def rotate(images: Any, angles: Any, interpolation: str = "NEAREST", name: str | None = None) -> tf.Tensor:
    """Returns images that are rotated about their centres; stands for `tf.contrib.image.rotate`.

    Args:
        images: A tensor of shape `[batch, height, width, channels]`, `[height, width, channels]` or
            `[height, width]`.
        angles: The angles in radians, counterclockwise: one, or one for each image.
        interpolation: "NEAREST" or "BILINEAR".
        name: The name scope of the ops.

    Raises:
        TypeError: The dtype or the rank is another.
    """
    with v1.name_scope(name, "rotate"):
        images = tf.convert_to_tensor(images)
        batch = _as_batch(images)
        height, width = (tf.cast(tf.shape(batch)[axis : axis + 1], tf.float32) for axis in (1, 2))
        return transform(images, angles_to_projective_transforms(angles, height, width), interpolation)


def translate(
    images: Any, translations: Any, interpolation: str = "NEAREST", name: str | None = None
) -> tf.Tensor:
    """Returns images that are moved; stands for `tf.contrib.image.translate`.

    Args:
        images: A tensor of shape `[batch, height, width, channels]`, `[height, width, channels]` or
            `[height, width]`.
        translations: The moves in x and y, of shape `[2]` or `[batch, 2]`.
        interpolation: "NEAREST" or "BILINEAR".
        name: The name scope of the ops.

    Raises:
        TypeError: A dtype or a rank is another.
    """
    with v1.name_scope(name, "translate"):
        return transform(images, translations_to_projective_transforms(translations), interpolation)


def transform(
    images: Any,
    transforms: Any,
    interpolation: str = "NEAREST",
    output_shape: Any = None,
    name: str | None = None,
) -> tf.Tensor:
    """Returns images after projective transforms; stands for `tf.contrib.image.transform`.

    Args:
        images: A tensor of shape `[batch, height, width, channels]`, `[height, width, channels]` or
            `[height, width]`.
        transforms: The first eight numbers of the matrices from output to input, of shape `[8]` or
            `[batch, 8]`. The ninth is 1.
        interpolation: "NEAREST" or "BILINEAR".
        output_shape: The height and width of the output; by default those of the input.
        name: The name scope of the ops.

    Raises:
        TypeError: A dtype or a rank is another.
        ValueError: `output_shape` is not two numbers.
    """
    with v1.name_scope(name, "transform"):
        images = tf.convert_to_tensor(images, name="images")
        batch = _as_batch(images)
        transforms = _as_rows(transforms, "transforms")
        if output_shape is None:
            sizes = tf.shape(batch)[1:3]
            known = tf.get_static_value(sizes)
            output_shape = sizes if known is None else known
        output_shape = tf.convert_to_tensor(output_shape, tf.int32, name="output_shape")
        if not output_shape.shape.is_compatible_with([2]):
            raise ValueError("output_shape must be a 1-D Tensor of 2 elements: new_height, new_width")
        output = tf.raw_ops.ImageProjectiveTransformV2(
            images=batch,
            transforms=transforms,
            output_shape=output_shape,
            interpolation=interpolation.upper(),
        )
        if images.shape.rank == 4:
            return output
        return output[0] if images.shape.rank == 3 else output[0, :, :, 0]


def angles_to_projective_transforms(
    angles: Any, image_height: Any, image_width: Any, name: str | None = None
) -> tf.Tensor:
    """Returns the transforms of rotations; stands for `tf.contrib.image.angles_to_projective_transforms`.

    Args:
        angles: The angles in radians, a scalar or a vector.
        image_height: The height of the images.
        image_width: The width of the images.
        name: The name scope of the ops.

    Raises:
        TypeError: The angles have another rank.
    """
    with v1.name_scope(name, "angles_to_projective_transforms"):
        angles = tf.convert_to_tensor(angles, tf.float32, name="angles")
        if angles.shape.rank not in (0, 1):
            raise TypeError("Angles should have rank 0 or 1.")
        angles = tf.reshape(angles, [-1])
        cos, sin = tf.cos(angles), tf.sin(angles)
        right, bottom = image_width - 1, image_height - 1
        x_offset = (right - (cos * right - sin * bottom)) / 2.0
        y_offset = (bottom - (sin * right + cos * bottom)) / 2.0
        zeros = tf.zeros_like(angles)
        return tf.stack([cos, -sin, x_offset, sin, cos, y_offset, zeros, zeros], axis=1)


def translations_to_projective_transforms(translations: Any, name: str | None = None) -> tf.Tensor:
    """Returns the transforms of moves; stands for `tf.contrib.image.translations_to_projective_transforms`.

    Args:
        translations: The moves in x and y, of shape `[2]` or `[count, 2]`.
        name: The name scope of the ops.

    Raises:
        TypeError: They have another rank.
    """
    with v1.name_scope(name, "translations_to_projective_transforms"):
        x, y = tf.unstack(_as_rows(translations, "translations"), num=2, axis=1)
        zeros, ones = tf.zeros_like(x), tf.ones_like(x)
        return tf.stack([ones, zeros, -x, zeros, ones, -y, zeros, zeros], axis=1)


def compose_transforms(*transforms: Any) -> tf.Tensor:
    """Returns the product of transforms; stands for `tf.contrib.image.compose_transforms`.

    Args:
        *transforms: Transforms of shape `[8]` or `[count, 8]`, one at least.

    Raises:
        ValueError: There is none, or one has another rank.
    """
    if not transforms:
        raise ValueError("transforms cannot be empty")
    with v1.name_scope("compose_transforms"):
        composed = flat_transforms_to_matrices(transforms[0])
        for each in transforms[1:]:
            composed = tf.matmul(composed, flat_transforms_to_matrices(each))
        return matrices_to_flat_transforms(composed)


def flat_transforms_to_matrices(transforms: Any) -> tf.Tensor:
    """Returns transforms as matrices; stands for `tf.contrib.image.flat_transforms_to_matrices`.

    Args:
        transforms: A tensor of shape `[8]` or `[count, 8]`.

    Raises:
        ValueError: It has another rank.
    """
    with v1.name_scope("flat_transforms_to_matrices"):
        transforms = tf.convert_to_tensor(transforms, name="transforms")
        if transforms.shape.rank not in (1, 2):
            raise ValueError(f"Transforms should be 1D or 2D, got: {transforms}")
        rows = tf.reshape(transforms, [-1, 8])
        return tf.reshape(tf.pad(rows, [[0, 0], [0, 1]], constant_values=1), [-1, 3, 3])


def matrices_to_flat_transforms(transform_matrices: Any) -> tf.Tensor:
    """Returns matrices as transforms; stands for `tf.contrib.image.matrices_to_flat_transforms`.

    Args:
        transform_matrices: A tensor of shape `[3, 3]` or `[count, 3, 3]`.

    Raises:
        ValueError: It has another rank.
    """
    with v1.name_scope("matrices_to_flat_transforms"):
        matrices = tf.convert_to_tensor(transform_matrices, name="transform_matrices")
        if matrices.shape.rank not in (2, 3):
            raise ValueError(f"Matrices should be 2D or 3D, got: {matrices}")
        rows = tf.reshape(matrices, [-1, 9])
        return (rows / rows[:, 8:9])[:, :8]


def _as_batch(images: tf.Tensor) -> tf.Tensor:
    if images.dtype.base_dtype not in _DTYPES:
        raise TypeError(f"Invalid dtype {images.dtype}.")
    if images.shape.rank is None:
        raise TypeError("images rank must be statically known")
    if images.shape.rank not in (2, 3, 4):
        raise TypeError("Images should have rank between 2 and 4.")
    if images.shape.rank == 2:
        images = images[:, :, tf.newaxis]
    return images if images.shape.rank == 4 else images[tf.newaxis]


def _as_rows(value: Any, name: str) -> tf.Tensor:
    value = tf.convert_to_tensor(value, tf.float32, name=name)
    if value.shape.rank not in (1, 2):
        raise TypeError(f"{name.capitalize()} should have rank 1 or 2.")
    return value if value.shape.rank == 2 else value[tf.newaxis]
