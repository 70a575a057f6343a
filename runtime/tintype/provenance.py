"""Where a colorized photograph's colors come from, said in its metadata and never in its pixels.

`Software` (EXIF, PNG), and in XMP the IPTC properties DigitalSourceType, AISystemUsed and AISystemVersionUsed
(IPTC Photo Metadata Standard 2025.1). What was there before is kept beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Final

from tintype import __version__

SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_IPTC: Final = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_XMP: Final = "http://ns.adobe.com/xap/1.0/"
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OURS: Final = ("DigitalSourceType", "AISystemUsed", "AISystemVersionUsed")
_LONGEST: Final = 200  # characters of what another program left as its name
_EMPTY: Final = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}"></rdf:RDF></x:xmpmeta>\n'
    '<?xpacket end="w"?>'
)


@dataclass(frozen=True)
class Origin:
    """What gave a photograph its colors."""

    model: str
    version: str
    """Of the model."""

    @property
    def software(self) -> str:
        """Program and model, each with its version, in a line."""
        return f"Tintype {__version__} (model {self.model} {self.version})"

    def beside(self, there: object) -> str:
        """Return the value of a Software tag that had another value: both, oldest first."""
        earlier = str(there).strip("\0 ") if isinstance(there, str) else ""
        earlier = "; ".join(part for part in earlier.split("; ") if part and not part.startswith("Tintype "))
        return f"{earlier[:_LONGEST]}; {self.software}" if earlier else self.software


def stamped(xmp: bytes, origin: Origin) -> bytes | None:
    """Return an XMP packet that says where the colors come from; None where it cannot be understood.

    `xmp` is the photograph's own, or empty. All else in it stays as it is, byte for byte.
    """
    try:
        text = xmp.decode("utf-8").rstrip("\0") if xmp else _EMPTY
    except UnicodeDecodeError:
        return None
    ends = list(re.finditer(r"</(?:[\w.-]+:)?RDF\s*>", text))
    if not ends:
        return None
    for prefix in _prefixes(text):
        for name in _OURS:
            text = _without(text, prefix, name)
    end = list(re.finditer(r"</(?:[\w.-]+:)?RDF\s*>", text))[-1].start()
    return (text[:end] + _description(text, origin) + text[end:]).encode()


def _prefixes(text: str) -> set[str]:
    """Return what a packet calls the IPTC's namespace."""
    return set(re.findall(rf"""xmlns:([\w.-]+)\s*=\s*["']{re.escape(_IPTC)}["']""", text))


def _without(text: str, prefix: str, name: str) -> str:
    """Leave out a property, as an attribute or as an element."""
    name = f"{re.escape(prefix)}:{name}"
    text = re.sub(rf"""\s+{name}\s*=\s*("[^"]*"|'[^']*')""", "", text)
    return re.sub(rf"<{name}\b(?:[^<>]*/>|.*?</{name}\s*>)", "", text, flags=re.DOTALL)


def _description(text: str, origin: Origin) -> str:
    tool = (
        "" if "CreatorTool" in text else f"<xmp:CreatorTool>Tintype {escape(__version__)}</xmp:CreatorTool>"
    )
    return (
        f'<rdf:Description xmlns:rdf="{_RDF}" rdf:about="{_about(text)}" xmlns:xmp="{_XMP}" '
        f'xmlns:Iptc4xmpExt="{_IPTC}">{tool}'
        f"<Iptc4xmpExt:DigitalSourceType>{SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>"
        f"<Iptc4xmpExt:AISystemUsed>Tintype, model {escape(origin.model)}</Iptc4xmpExt:AISystemUsed>"
        f"<Iptc4xmpExt:AISystemVersionUsed>{escape(origin.version)}</Iptc4xmpExt:AISystemVersionUsed>"
        "</rdf:Description>"
    )


def _about(text: str) -> str:
    """Return what the packet's other descriptions are about: all must name the same."""
    found = re.search(r"""\brdf:about\s*=\s*(?:"([^"<>]*)"|'([^'"<>]*)')""", text)
    return (found[1] or found[2] or "") if found else ""
