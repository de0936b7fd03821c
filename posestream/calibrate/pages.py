"""A picture as a page to be printed in true size: PDF (A4), or PNG that says its resolution."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from posestream.arrays import Image
from posestream.errors import ConfigError

_A4_MM: Final = (297.0, 210.0)  # landscape
_PT_PER_MM: Final = 72.0 / 25.4


def write_page(path: Path, picture: Image, px_per_mm: float) -> None:
    """Write a grey picture (H, W) in the middle of an A4 page.

    Raises ConfigError where the name ends neither in .pdf nor .png, or cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in (".pdf", ".png"):
        raise ConfigError(f"{path} must end in .pdf or .png: choose one of them.")
    data = (_pdf if suffix == ".pdf" else _png)(picture, px_per_mm)
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.") from None


def _png(picture: Image, px_per_mm: float) -> bytes:
    """With a white margin, which markers need, of a tenth of the shorter side."""
    picture = np.pad(picture, min(picture.shape) // 10, constant_values=255)
    height, width = picture.shape
    rows = b"".join(b"\0" + row.tobytes() for row in picture)
    per_m = round(px_per_mm * 1000.0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", per_m, per_m, 1)),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def _pdf(picture: Image, px_per_mm: float) -> bytes:
    height, width = picture.shape
    size_mm = width / px_per_mm, height / px_per_mm
    page_pt = [side * _PT_PER_MM for side in _A4_MM]
    size_pt = [side * _PT_PER_MM for side in size_mm]
    left, bottom = (0.5 * (page - size) for page, size in zip(page_pt, size_pt, strict=True))
    draw = f"{size_pt[0]:.3f} 0 0 {size_pt[1]:.3f} {left:.3f} {bottom:.3f} cm /Im Do".encode()
    image = zlib.compress(picture.tobytes(), 9)
    return _document(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page_pt[0]:.3f} {page_pt[1]:.3f}] "
        "/Contents 4 0 R /Resources << /XObject << /Im 5 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(draw), draw),
        f"<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /BitsPerComponent 8 "
        f"/ColorSpace /DeviceGray /Filter /FlateDecode /Length {len(image)} >>\n".encode()
        + b"stream\n" + image + b"\nendstream",
    )  # fmt: skip


def _document(*objects: bytes) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, start,
    )  # fmt: skip
