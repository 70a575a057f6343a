"""Break good files at random, the same way for the same number."""

from __future__ import annotations

import random
import struct
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INTERESTING: Final = (0, 1, 2, 7, 8, 16, 127, 128, 255, 256, 32767, 32768, 65535, 1 << 31, 0xFFFFFFFF)
MOST: Final = 8  # mutations of one file
LONGEST: Final = 1 << 16  # bytes that a mutation makes of a file


def mutant(number: int, names: Sequence[str], files: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the name of the file that was taken, and what was made of it."""
    chance = random.Random(number)  # noqa: S311 - it is to be the same again
    name = chance.choice(names)
    content = bytearray(files[name])
    start, end = _part(name, content, chance)
    for _ in range(chance.choice((1, 1, 1, 2, 3, MOST))):
        change = chance.choice(_CHANGES)
        change(content, chance, start, min(end, len(content)))
    if chance.random() < 0.05:
        other = files[chance.choice(names)]
        content[chance.randrange(len(content) + 1) :] = other[chance.randrange(len(other) + 1) :]
    if name.endswith(".png") and chance.random() < 0.8:
        content = _checked(content)
    return name, bytes(content[:LONGEST])


def _part(name: str, content: bytearray, chance: random.Random) -> tuple[int, int]:
    """Return which part of a file to break: all, its head, or what comes behind it: pixels, mostly."""
    head = {"jpg": content.find(b"\xff\xda") + 12, "png": 33, "gif": 13}.get(name.rpartition(".")[2], 64)
    head = min(max(head, 1), len(content) - 1)
    return chance.choice(((0, len(content)), (0, head), (head, len(content)), (head, len(content))))


def _flip(content: bytearray, chance: random.Random, start: int, end: int) -> None:
    if start < end:
        content[chance.randrange(start, end)] ^= 1 << chance.randrange(8)


def _set(content: bytearray, chance: random.Random, start: int, end: int) -> None:
    if start < end:
        content[chance.randrange(start, end)] = chance.choice(
            (0, 1, 0x7F, 0x80, 0xFE, 0xFF, chance.randrange(256))
        )


def _number(content: bytearray, chance: random.Random, start: int, end: int) -> None:
    form = chance.choice(("<H", ">H", "<I", ">I"))
    size = struct.calcsize(form)
    if end - start > size:
        at = chance.randrange(start, end - size)
        content[at : at + size] = struct.pack(form, chance.choice(INTERESTING) & ((1 << 8 * size) - 1))


def _insert(content: bytearray, chance: random.Random, start: int, end: int) -> None:
    at = chance.randrange(start, end + 1) if start <= end else len(content)
    content[at:at] = chance.randbytes(chance.choice((1, 2, 4, 64)))


def _drop(content: bytearray, chance: random.Random, start: int, end: int) -> None:
    if start < end and len(content) > 1:
        at = chance.randrange(start, end)
        del content[at : at + chance.choice((1, 2, 4, 64))]


def _repeat(content: bytearray, chance: random.Random, start: int, end: int) -> None:
    if start < end:
        at = chance.randrange(start, end)
        piece = content[at : at + chance.choice((4, 16, 256))]
        content[at:at] = piece * chance.choice((1, 2, 20))


def _cut(content: bytearray, chance: random.Random, start: int, end: int) -> None:
    if start < end and chance.random() < 0.3:
        del content[chance.randrange(start, end) :]


_CHANGES: Final[tuple[Callable[[bytearray, random.Random, int, int], None], ...]] = (
    *(_flip, _flip, _flip, _set, _set, _number, _number),
    *(_insert, _drop, _repeat, _cut),
)


def _checked(content: bytearray) -> bytearray:
    """Mend the check sums of a PNG, which would have it refused at once."""
    at = 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        if at + 12 + length > len(content):
            break
        end = at + 8 + length
        content[end : end + 4] = struct.pack(">I", zlib.crc32(content[at + 4 : end]))
        at = end + 4
    return content
