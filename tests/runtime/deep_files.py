"""Files with 16 bits a channel, profiles and metadata, made by the tests."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tintype import png, profiles

Array = NDArray[Any]

IPTC = b"\x1c\x02\x00\x00\x02\x00\x04\x1c\x02\x78\x00\x09A caption\x1c\x02\x50\x00\x06Author"
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
    b'photoshop:City="Riga"/></rdf:RDF></x:xmpmeta>'
)


def deep(height: int, width: int, channels: int, seed: int = 0) -> Array:
    """Return a smooth picture with grain, uint16 (H, W) or (H, W, channels), whose lower bytes matter."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    planes = [9000 + 40000 * (x if number % 2 else y) + 3000 * number for number in range(channels)]
    picture = np.stack(planes, axis=-1) + generator.normal(0, 900, (height, width, channels))
    values = np.clip(picture, 0, 65535).astype(np.uint16)
    return values[..., 0] if channels == 1 else values


def png_of(pixels: Array, *chunks: tuple[bytes, bytes]) -> bytes:
    """Return a PNG of 16 bits with chunks before its pixels."""
    stream = io.BytesIO()
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    writer = png.Writer(stream, (pixels.shape[1], pixels.shape[0]), channels, 16, chunks)
    for top in range(0, len(pixels), 7):
        writer.put(writer.pack(pixels[top : top + 7]))
    writer.close()
    return stream.getvalue()


def tiff_of(pixels: Array, **options: Any) -> bytes:
    """Return a TIFF as tifffile writes it."""
    tifffile = pytest.importorskip("tifffile")

    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, metadata=None, **options)
    return stream.getvalue()


def rgb_profile(curve: float, name: str = "oRGB") -> bytes:
    """Return a profile of the primaries of sRGB with another transfer curve, made of Pillow's own."""
    data = bytearray(profiles.srgb())
    count = struct.unpack_from(">I", data, 128)[0]
    for index in range(count):
        tag, start, size = struct.unpack_from(">4sII", data, 132 + 12 * index)
        if tag == b"rTRC":
            data[start : start + 16] = struct.pack(">4sIHHi", b"para", 0, 0, 0, round(curve * 65536))
        if tag == b"desc":
            there = bytes(data[start : start + size])
            data[start : start + size] = there.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))
    return bytes(data)


def grey_profile(gamma: float) -> bytes:
    """Return the smallest profile of a grey scale."""
    white = struct.pack(">3i", 63190, 65536, 54061)
    description = b"desc" + bytes(4) + struct.pack(">I", 5) + b"Gray\0" + bytes(79)
    tags = {
        b"desc": description,
        b"wtpt": b"XYZ " + bytes(4) + white,
        b"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2),
        b"cprt": b"text" + bytes(4) + b"none" + bytes(4),
    }
    start, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += struct.pack(">4sII", name, start + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(data), b"none", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    return head + bytes(12) + b"acsp" + bytes(28) + white + bytes(48) + table + data


def opened(data: bytes) -> Image.Image:
    """Return what Pillow makes of a file."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def described(profile: bytes) -> str:
    """Return the name that a profile gives itself."""
    return str(ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))).strip()
