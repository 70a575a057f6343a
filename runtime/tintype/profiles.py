"""Color profiles: photographs come into sRGB at their own depth, and out of it again where that is wanted.

8 bits are converted by Pillow's LittleCMS, 16 bits by imagecodecs', which is optional: without it they are
refused, never reduced to 8. A grey profile is a curve: it is converted once for all levels.
"""

from __future__ import annotations

import io
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tintype import memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import ImageCms

Array: TypeAlias = NDArray[Any]
Space: TypeAlias = Literal["gray", "rgb", "cmyk"]

DEEP_EXTRA: Final = "pip install 'tintype[deep]'"
_SPACES: Final[dict[str, Space]] = {"GRAY": "gray", "RGB": "rgb", "CMYK": "cmyk"}
_PERCEPTUAL: Final = 0
_STRIP: Final = 1 << 18  # px converted at once


class ProfileError(ValueError):
    """A profile cannot be used; the message says why."""


class MissingLibraryError(ValueError):
    """An optional library is wanted; the message says what to do."""


@cache
def srgb() -> bytes:
    """Return an sRGB profile that is the same at any time: LittleCMS writes the date into it."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[24:36] = bytes(12)
    return bytes(profile)


def space_of(profile: bytes) -> Space | None:
    """Return the color space that a profile describes, None where it is sRGB. Raises ProfileError."""
    opened = _opened(profile)
    name = (opened.profile.profile_description or "").strip()
    if "sRGB" in name and "linear" not in name.lower():
        return None
    space = str(opened.profile.xcolor_space).strip()
    if space not in _SPACES:
        raise ProfileError(f"it describes {space} colors")
    return _SPACES[space]


def _opened(profile: bytes) -> ImageCms.ImageCmsProfile:
    from PIL import ImageCms

    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (ImageCms.PyCMSError, OSError) as error:
        raise ProfileError(str(error)) from error


# 8 bits


def image_to_srgb(image: Image.Image, profile: bytes, space: Space) -> Image.Image:
    """Convert an image of mode L, LA, RGB, RGBA or CMYK, RGB in place. Raises ProfileError."""
    if image.mode in ("L", "LA"):
        return _with_curve(image, _curve_of_8_bits(profile, space))
    if (image.mode == "CMYK") != (space == "cmyk") or space == "gray":
        raise ProfileError(f"it describes {space} colors, the photograph has {image.mode}")
    return _transformed(image, _opened(profile), _opened(srgb()), in_place=image.mode != "CMYK")


def image_from_srgb(image: Image.Image, profile: bytes) -> None:
    """Convert an RGB or RGBA image into an RGB profile, in place. Raises ProfileError."""
    _transformed(image, _opened(srgb()), _opened(profile), in_place=True)


def lab_to_srgb(image: Image.Image) -> Image.Image:
    """Convert an image of mode LAB."""
    from PIL import ImageCms

    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return _transformed(image, lab, _opened(srgb()), in_place=False)


def _transformed(
    image: Image.Image,
    source: ImageCms.ImageCmsProfile,
    target: ImageCms.ImageCmsProfile,
    *,
    in_place: bool,
) -> Image.Image:
    from PIL import ImageCms

    try:
        if in_place:
            ImageCms.profileToProfile(image, source, target, inPlace=True)
            return image
        transform = ImageCms.buildTransform(source, target, image.mode, "RGB")
        return rgb_by_strips(image, lambda strip: _applied(strip, transform))
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise ProfileError(str(error)) from error


def _applied(strip: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    from PIL import ImageCms

    converted = ImageCms.applyTransform(strip, transform)
    assert converted is not None
    return converted


def rgb_by_strips(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Return an image of which `convert` makes RGB, and use up its pixels: a large one is not held twice."""
    rows = np.empty((image.height, image.width, 3), np.uint8)
    step = max(1, _STRIP // image.width)
    for top in range(0, image.height, step):
        strip = image.crop((0, top, image.width, min(top + step, image.height)))
        rows[top : top + step] = np.asarray(convert(strip))
    image.im = Image.new(image.mode, (1, 1)).im
    memory.give_back()
    converted = Image.new("RGB", rows.shape[1::-1])
    for top in range(0, len(rows), step):
        converted.paste(Image.fromarray(rows[top : top + step]), (0, top))
    converted.info = image.info
    return converted


def _curve_of_8_bits(profile: bytes, space: Space) -> list[int]:
    """Return the sRGB level of each grey level of a profile."""
    if space == "cmyk":
        raise ProfileError("it describes cmyk colors, the photograph is grey")
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    ramp = ramp.convert("RGB") if space == "rgb" else ramp
    return list(
        _transformed(ramp, _opened(profile), _opened(srgb()), in_place=False).getchannel("G").tobytes()
    )


def _with_curve(image: Image.Image, curve: list[int]) -> Image.Image:
    converted = image.point(curve + list(range(256)) if image.mode == "LA" else curve)
    converted.info = image.info
    return converted


# 16 bits


def deep_to_srgb(pixels: Array, profile: bytes, space: Space) -> Array:
    """Convert uint16 pixels (H, W), (H, W, 2) with alpha, (H, W, 3) or (H, W, 4): in place where that can be.

    The last of four channels is alpha, or black where `space` is cmyk, which gives (H, W, 3). Raises
    ProfileError, MissingLibraryError.
    """
    if space == "cmyk":
        return _cmyk_to_srgb(pixels, profile)
    pixels = pixels if pixels.flags.writeable else pixels.copy()
    if pixels.ndim == 2 or pixels.shape[2] == 2:
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        grey[:] = _curve_of_16_bits(profile, space)[grey]
        return pixels
    if space != "rgb":
        raise ProfileError(f"it describes {space} colors, the photograph has RGB")
    for rows in _strips(pixels):
        rows[..., :3] = transform(np.ascontiguousarray(rows[..., :3]), profile, srgb())
    return pixels


def _strips(pixels: Array) -> list[Array]:
    step = max(1, _STRIP // pixels.shape[1])
    return [pixels[top : top + step] for top in range(0, len(pixels), step)]


def _cmyk_to_srgb(pixels: Array, profile: bytes) -> Array:
    if pixels.ndim != 3 or pixels.shape[2] != 4:
        raise ProfileError("it describes cmyk colors, the photograph has none")
    rgb = np.empty((*pixels.shape[:2], 3), np.uint16)
    for rows, result in zip(_strips(pixels), _strips(rgb), strict=True):
        result[:] = transform(rows, profile, srgb(), "cmyk")
    return rgb


def _curve_of_16_bits(profile: bytes, space: Space) -> Array:
    ramp: Array = np.linspace(0, 1, 65536, dtype=np.float32)[None]
    if space == "rgb":
        ramp = np.repeat(ramp[..., None], 3, axis=2)
    curve = np.clip(transform(ramp, profile, srgb(), space)[0, :, 1], 0, 1)
    levels: Array = np.rint(curve * 65535).astype(np.uint16)
    return levels


def transform(pixels: Array, source: bytes, target: bytes, space: Space = "rgb") -> Array:
    """Convert uint16 or float32 pixels into an RGB profile. Raises ProfileError, MissingLibraryError."""
    if find_spec("imagecodecs") is None:
        raise MissingLibraryError(
            f"its color profile cannot be converted at 16 bits without imagecodecs: {DEEP_EXTRA}, "
            "or convert the photograph to sRGB first"
        )
    import imagecodecs

    try:
        converted: Array = imagecodecs.cms_transform(
            pixels, source, target, colorspace=space, outcolorspace="rgb", intent=_PERCEPTUAL
        )
    except (imagecodecs.CmsError, ValueError) as error:
        raise ProfileError(str(error)) from error
    return converted
