"""Small photographs of every kind, and files that mean harm: `python -m benchmarks.hostile FOLDER`.

Everything is made here, the same at every call: broken, lying, endless and far too large files, and the
good ones that `benchmarks.fuzz` breaks at random.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageCms, TiffImagePlugin

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIZE: Final = (37, 29)  # px, not round in any way
MANY: Final = 1 << 28  # bytes that a bomb unpacks to
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_LARGEST: Final = 0xFFFFFFFF


def main() -> None:
    """Write all files into a folder."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    files = {**seeds(), **hostile()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    print(f"{len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB")


def picture(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Return a picture with gradients and an edge."""
    x, y = np.meshgrid(np.linspace(0, 255, size[0]), np.linspace(0, 255, size[1]))
    planes = np.stack([x, y, (x + y) % 256, np.where(x > y, 255, 90)], axis=-1).astype(np.uint8)
    return (
        Image.fromarray(planes, "RGBA").convert(mode) if mode != "RGBA" else Image.fromarray(planes, "RGBA")
    )


def seeds() -> dict[str, bytes]:
    """Return good files of every format, mode and depth, by name."""
    files = dict(_jpegs())
    files |= dict(_pngs())
    files |= dict(_tiffs())
    files |= dict(_others())
    return files


def hostile() -> dict[str, bytes]:
    """Return files that are broken or mean harm, by name."""
    files = dict(_truncated())
    files |= dict(_disguised())
    files |= dict(_bombs())
    files |= dict(_giants())
    files |= dict(_exif_absurd())
    files |= dict(_tiff_absurd())
    files |= dict(_profiles())
    return files


def _saved(image: Image.Image, format_name: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format_name, **options)
    return stream.getvalue()


def _exif(orientation: int = 6) -> Image.Exif:
    exif = Image.Exif()
    exif[274], exif[271], exif[306] = orientation, "Maker", "2001:02:03 04:05:06"
    exif.get_ifd(34665)[36867] = "2001:02:03 04:05:06"
    exif.get_ifd(34853)[1] = "N"
    return exif


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _lab() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _jpegs() -> Iterator[tuple[str, bytes]]:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>'
    for mode in ("L", "RGB", "CMYK"):
        yield f"{mode}.jpg", _saved(picture(mode), "JPEG")
    yield "progressive.jpg", _saved(picture(), "JPEG", progressive=True, quality=60)
    yield "restarts.jpg", _saved(picture(), "JPEG", restart_marker_rows=1, subsampling="4:2:0")
    full = {"exif": _exif(), "icc_profile": _srgb(), "dpi": (300, 300), "xmp": xmp, "comment": b"words"}
    yield "full.jpg", _saved(picture("L"), "JPEG", **full)


def _pngs() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        yield f"{mode}.png", _saved(picture(mode), "PNG")
    deep = np.linspace(0, 65535, SIZE[0] * SIZE[1]).astype(np.uint16).reshape(SIZE[::-1])
    yield "I16.png", _saved(Image.fromarray(deep), "PNG")
    rows = np.repeat(deep[..., None], 3, axis=2).astype(">u2")
    yield "RGB16.png", png((*SIZE, 16, 2), b"".join(b"\0" + row.tobytes() for row in rows))
    yield "interlaced.png", png((1, 1, 8, 2), b"\0\1\2\3", interlaced=1)
    yield "full.png", _saved(picture(), "PNG", exif=_exif(), icc_profile=_srgb(), dpi=(72, 72))
    frames = [picture("P"), picture("P").rotate(180)]
    yield "moving.png", _saved(frames[0], "PNG", save_all=True, append_images=frames[1:])
    yield "shade.png", _saved(picture("L"), "PNG", transparency=7)


def _tiffs() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "LAB"):
        image = picture("L").convert("RGB").convert("LAB") if mode == "LAB" else picture(mode)
        yield f"{mode}.tif", _saved(image, "TIFF")
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "group4"):
        image = picture("1" if compression == "group4" else "RGB")
        yield f"{compression}.tif", _saved(image, "TIFF", compression=compression)
    deep = Image.fromarray(np.linspace(0, 65535, SIZE[0] * SIZE[1]).astype(np.uint16).reshape(SIZE[::-1]))
    yield "I16.tif", _saved(deep, "TIFF")
    yield "RGB16.tif", _deep_tiff()
    yield "F.tif", _saved(Image.fromarray(np.asarray(picture("L"), np.float32) / 255), "TIFF")
    pages = [picture("L"), picture("RGB"), picture("1")]
    yield "pages.tif", _saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], dpi=(300, 300))


def _deep_tiff() -> bytes:
    """Return a TIFF of 16 bits in color, uncompressed, in two strips."""
    width, height = SIZE
    values = np.linspace(0, 65535, width * height * 3).astype("<u2").tobytes()
    strip = width * 6 * 20
    ends = [(8, strip), (8 + strip, len(values) - strip)]
    tags = [(256, 3, [width]), (257, 3, [height]), (258, 3, [16] * 3), (259, 3, [1]), (262, 3, [2])]
    tags += [(273, 4, [e[0] for e in ends]), (277, 3, [3]), (278, 3, [20]), (279, 4, [e[1] for e in ends])]
    return tiff(tags, values)


def _others() -> Iterator[tuple[str, bytes]]:
    yield "lossy.webp", _saved(picture(), "WEBP", exif=_exif(), icc_profile=_srgb())
    yield "lossless.webp", _saved(picture("RGBA"), "WEBP", lossless=True)
    frames = [picture(), picture().rotate(180)]
    yield "moving.webp", _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield f"{mode}.bmp", _saved(picture(mode), "BMP")
    for mode, suffix in (("1", "pbm"), ("L", "pgm"), ("RGB", "ppm")):
        yield f"{mode}.{suffix}", _saved(picture(mode), "PPM")
    yield "words.pgm", b"P2\n# words\n3 2 255\n0 50 100\n150 200 250\n"
    yield "words.ppm", b"P3 2 1 65535 0 1 2 30000 40000 65535 "
    deep = np.linspace(0, 65535, SIZE[0] * SIZE[1] * 3).astype(">u2").tobytes()
    yield "deep.ppm", b"P6 %d %d 65535\n" % SIZE + deep
    yield "deep.pgm", b"P5 %d %d 4095\n" % SIZE + deep[: SIZE[0] * SIZE[1] * 2]
    yield "still.gif", _saved(picture("P"), "GIF")
    yield "moving.gif", _saved(picture("P"), "GIF", save_all=True, append_images=[picture("L").rotate(180)])


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file, with its check sum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(head: tuple[int, int, int, int], rows: bytes, *more: bytes, interlaced: int = 0) -> bytes:
    """Return a PNG: width, height, depth and color; rows with their filters; chunks before the pixels."""
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", *head, 0, 0, interlaced))
    return b"".join([_PNG, start, *more, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")])


def tiff(tags: Sequence[tuple[int, int, Sequence[int]]], data: bytes, following: int = 0) -> bytes:
    """Return a little-endian TIFF: `data` from byte 8 on, then one directory; types 3 and 4 alone."""
    at = 8 + len(data) + len(data) % 2
    beyond = at + 2 + 12 * len(tags) + 4
    entries, extra = b"", b""
    for tag, kind, values in tags:
        content = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(content) > 4:
            place, extra = beyond + len(extra), extra + content
            content = struct.pack("<I", place)
        entries += struct.pack("<HHI", tag, kind, len(values)) + content.ljust(4, b"\0")
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return b"II*\0" + struct.pack("<I", at) + data + bytes(len(data) % 2) + directory + extra


def _ends(name: str, content: bytes) -> list[int]:
    """Return where the parts of a file end: markers, chunks, directory entries."""
    if name.endswith(".jpg"):
        return [at + 2 for at in range(len(content) - 1) if content[at] == 0xFF and content[at + 1] > 0xBF]
    if name.endswith(".png"):
        ends, at = [8], 8
        while at < len(content):
            at += 12 + int.from_bytes(content[at : at + 4], "big")
            ends += [at - 4, at]
        return ends
    if name.endswith(".tif"):
        at = int.from_bytes(content[4:8], "little")
        return [4, 8, at, *range(at + 2, min(len(content), at + 200), 12)]
    return [2, 4, 8, 12, 14, 20, 30, 54]


def _truncated() -> Iterator[tuple[str, bytes]]:
    """Yield files that end at each marker, chunk or entry, and at shares of their length."""
    for name, content in seeds().items():
        ends = {0, 1, *_ends(name, content), *(len(content) * share // 7 for share in range(1, 7))}
        for end in sorted(end for end in ends if end < len(content)):
            yield f"cut-{end}-{name}", content[:end]


def _disguised() -> Iterator[tuple[str, bytes]]:
    """Yield photographs with another one's suffix, and what is no photograph with any."""
    good = seeds()
    for name in ("RGB.jpg", "RGB.png", "RGB.tif", "lossy.webp", "RGB.bmp", "still.gif", "RGB.ppm"):
        for suffix in ("jpg", "png", "tif", "webp", "bmp", "ppm"):
            if not name.endswith(suffix):
                yield f"really-{name.replace('.', '-')}.{suffix}", good[name]
    texts = {
        "words": b"this is no photograph\n" * 40,
        "page": b"<html><script>alert(1)</script></html>",
        "drawing": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "program": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) (w) file\n",
        "document": b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        "archive": b"PK\3\4" + bytes(60),
        "zeros": bytes(5000),
        "ones": b"\xff" * 5000,
        "starts": b"\xff\xd8\xff\xe0" * 999,
    }
    for name, content in texts.items():
        for suffix in ("jpg", "png", "tif"):
            yield f"{name}.{suffix}", content


def _bombs() -> Iterator[tuple[str, bytes]]:
    """Yield small files that unpack to very much."""
    zeros = _packed(MANY)
    yield "bomb-rows.png", _bomb_png((16, 16, 8, 2), zeros)
    yield "bomb-size.png", _bomb_png((60000, 60000, 1, 0), zeros)
    for kind, head in ((b"iCCP", b"x\0\0"), (b"zTXt", b"x\0\0"), (b"iTXt", b"x\0\1\0\0\0")):
        name = f"bomb-{kind.decode()}.png"
        yield name, png((4, 4, 8, 0), b"\0\1\2\3\4" * 4, chunk(kind, head + zeros))
    exif = b"x\0\0\0Raw profile type exif\0\0"
    yield "bomb-exif.png", png((4, 4, 8, 0), b"\0\1\2\3\4" * 4, chunk(b"zTXt", exif[4:] + zeros))
    large = [(256, 4, [4000]), (257, 4, [4000]), (258, 3, [8]), (259, 3, [8]), (262, 3, [1]), (273, 4, [8])]
    yield "bomb-strip.tif", tiff([*large, (277, 3, [1]), (278, 4, [4000]), (279, 4, [len(zeros)])], zeros)
    small = [(256, 4, [4]), (257, 4, [4]), (258, 3, [16] * 3), (259, 3, [8]), (262, 3, [2]), (273, 4, [8])]
    yield "bomb-deep.tif", tiff([*small, (277, 3, [3]), (278, 4, [4]), (279, 4, [len(zeros)])], zeros)
    frames = b"".join(b"\x21\xf9\4\0\0\0\0\0\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0" for _ in range(20_000))
    yield "bomb-frames.gif", b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff" + frames + b";"
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
    )
    xmp = laughs + b']><x:xmpmeta xmlns:x="adobe:ns:meta/">&j;</x:xmpmeta>'
    yield "bomb-laughs.jpg", _saved(picture("L"), "JPEG", xmp=xmp)


def _packed(count: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join([*(packer.compress(block) for _ in range(count >> 20)), packer.flush()])


def _bomb_png(head: tuple[int, int, int, int], packed: bytes) -> bytes:
    start = chunk(b"IHDR", struct.pack(">IIBBBBB", *head, 0, 0, 0))
    return _PNG + start + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def _giants() -> Iterator[tuple[str, bytes]]:
    """Yield files that claim to be very large, very thin, or nothing."""
    for width, height in [(0, 0), (0, 5), (1 << 31, 1), (65535, 65535), (_LARGEST, _LARGEST), (1, 1 << 27)]:
        name = f"{width}x{height}"
        yield f"giant-{name}.png", _bomb_png((width, height, 8, 2), zlib.compress(b"\0" * 99))
        head = [(256, 4, [width]), (257, 4, [height]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1])]
        strips = [(273, 4, [8]), (277, 3, [1]), (278, 4, [height]), (279, 4, [16])]
        yield f"giant-{name}.tif", tiff([*head, *strips], bytes(16))
        yield f"giant-{name}.ppm", b"P6 %d %d 255\n" % (width, height) + bytes(99)
        yield f"giant16-{name}.ppm", b"P6 %d %d 65535\n" % (width, height) + bytes(99)
        dib = struct.pack(
            "<IiiHHIIiiII", 40, width & 0x7FFFFFFF, -(height & 0x7FFFFFFF), 1, 24, 0, 0, 0, 0, 0, 0
        )
        yield f"giant-{name}.bmp", b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + dib + bytes(99)
        for seed, mark in (("RGB.jpg", b"\xff\xc0"), ("progressive.jpg", b"\xff\xc2")):
            content = bytearray(seeds()[seed])
            at = content.index(mark) + 5
            content[at : at + 4] = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
            yield f"giant-{name}-{seed}", bytes(content)
    scans = seeds()["progressive.jpg"]
    at = scans.rindex(b"\xff\xda")
    yield "scans.jpg", scans[:at] + scans[at:-2] * 2000 + b"\xff\xd9"


def _exif_absurd() -> Iterator[tuple[str, bytes]]:
    """Yield EXIF that points to itself, is endless, or makes no sense, in a JPEG and a PNG."""
    loop = (
        b"II*\0\x08\0\0\0\3\0" + struct.pack("<HHII", 34665, 4, 1, 8) + struct.pack("<HHII", 34853, 4, 1, 8)
    )
    loop += struct.pack("<HHII", 40965, 4, 1, 8) + struct.pack("<I", 8)
    many = b"II*\0\x08\0\0\0\xff\xff" + b"".join(struct.pack("<HHII", n, 3, 1, n) for n in range(5000))
    counts = (
        b"II*\0\x08\0\0\0\2\0"
        + struct.pack("<HHII", 271, 2, _LARGEST, 8)
        + struct.pack("<HHII", 282, 5, _LARGEST >> 3, 8)
    )
    nested = b"II*\0" + struct.pack("<I", 8)
    for depth in range(3000):
        nested += struct.pack("<HHHIII", 1, 34665, 4, 1, 8 + 18 * (depth + 1), 0)
    blocks = {"loop": loop, "many": many, "counts": counts, "nested": nested, "random": bytes(range(256)) * 9}
    for orientation in (0, 9, 65535):
        blocks[f"turn-{orientation}"] = _exif(orientation).tobytes()[6:]
    zero = Image.Exif()
    zero[282] = zero[283] = TiffImagePlugin.IFDRational(0, 0)
    zero[296] = 2
    blocks["dpi"] = zero.tobytes()[6:]
    for name, block in blocks.items():
        yield f"exif-{name}.jpg", _saved(picture("L"), "JPEG", exif=b"Exif\0\0" + block[:65000])
        yield f"exif-{name}.png", png((4, 4, 8, 0), b"\0\1\2\3\4" * 4, chunk(b"eXIf", block))


def _tiff_absurd() -> Iterator[tuple[str, bytes]]:
    """Yield TIFF whose directories lead around, and whose values make no sense."""
    data = bytes(range(64)) * 4
    good = [(256, 3, [16]), (257, 3, [16]), (258, 3, [8]), (259, 3, [1]), (262, 3, [1]), (273, 4, [8])]
    good += [(277, 3, [1]), (278, 3, [16]), (279, 4, [256])]
    at = 8 + len(data)
    yield "ifd-loop.tif", tiff(good, data, following=at)
    yield "ifd-self.tif", tiff([*good, (330, 4, [at]), (34665, 4, [at]), (34853, 4, [at])], data)
    yield "ifd-chain.tif", _chain(3000)
    for tag, kind, values in [
        *((258, 3, [bits]) for bits in (0, 7, 64, 65535)),
        *((277, 3, [samples]) for samples in (0, 5, 65535)),
        *((278, 4, [rows]) for rows in (0, _LARGEST)),
        *((273, 4, [place]) for place in (0, _LARGEST, 300)),
        *((279, 4, [length]) for length in (0, _LARGEST)),
        *((259, 3, [compression]) for compression in (0, 2, 3, 4, 5, 6, 7, 8, 9, 34712, 50000, 65535)),
        *((262, 3, [meaning]) for meaning in (0, 3, 4, 5, 6, 8, 9, 32803, 65535)),
        *((339, 3, [form]) for form in (0, 2, 3, 4, 5, 6)),
        *((322, 4, [side]) for side in (0, 1, _LARGEST)),
        (284, 3, [2]),
        (317, 3, [9]),
        (266, 3, [2]),
        (320, 3, [1] * 10),
        (338, 3, [9] * 9),
    ]:
        tags = sorted([t for t in good if t[0] != tag] + [(tag, kind, values)])
        yield f"tag-{tag}-{values[0]}.tif", tiff(tags, data)
    for name, value in (("nan", np.nan), ("inf", np.inf), ("far", 1e38)):
        floats = np.linspace(0, 1, 64, dtype=np.float32)
        floats[7::9] = value
        head = [(256, 3, [8]), (257, 3, [8]), (258, 3, [32]), (259, 3, [1]), (262, 3, [1]), (273, 4, [8])]
        rest = [(277, 3, [1]), (278, 3, [8]), (279, 4, [256]), (339, 3, [3])]
        yield f"float-{name}.tif", tiff([*head, *rest], floats.tobytes())
    yield "big.tif", b"II+\0\x08\0\0\0" + struct.pack("<QQ", 1 << 62, 1 << 62)
    yield "bigger.tif", b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, _LARGEST) + bytes(99)


def _chain(count: int) -> bytes:
    """Return a TIFF of very many pages of one pixel."""
    head = b"II*\0" + struct.pack("<I", 10) + b"\7\0"
    body, at = b"", 10
    for number in range(count):
        tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 1)]
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
        length = 2 + 12 * len(tags) + 4
        following = at + length if number + 1 < count else 0
        body += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
        at += length
    return head + body


def _profiles() -> Iterator[tuple[str, bytes]]:
    """Yield color profiles that are cut off, lie about their length, or are for something else."""
    whole = _srgb()
    tags = bytearray(whole)
    tags[128:132] = struct.pack(">I", _LARGEST)
    length = bytearray(whole)
    length[0:4] = struct.pack(">I", _LARGEST)
    for name, profile in {
        "empty": b"x",
        "cut": whole[:140],
        "tags": bytes(tags),
        "length": bytes(length),
        "lab": _lab(),
        "random": bytes(range(256)) * 5,
    }.items():
        for mode in ("L", "RGB", "CMYK"):
            yield f"profile-{name}-{mode}.jpg", _saved(picture(mode), "JPEG", icc_profile=profile)
        yield f"profile-{name}.tif", _saved(picture(), "TIFF", icc_profile=profile)
        deep = png((4, 4, 16, 2), (b"\0" + bytes(24)) * 4, chunk(b"iCCP", b"x\0\0" + zlib.compress(profile)))
        yield f"profile-{name}-deep.png", deep


if __name__ == "__main__":
    main()
