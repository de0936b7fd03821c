"""A look at a file before a decoder gets it: is it a video at all?

The decoders behind OpenCV also accept playlists and scripts that name other files and
addresses; such a file must not be opened just because it was called ``clip.mp4``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from posestream.errors import CaptureError

_HEAD_BYTES: Final = 1024
_ISO_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp")
_MAGIC: Final = (
    b"\x1a\x45\xdf\xa3",  # Matroska, WebM
    b"FLV\x01",
    b"OggS",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF, WMV
    b"YUV4MPEG2 ",
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x00\x00\x01\xb3",  # MPEG-1/2 video
    b"\x00\x00\x00\x01",  # raw H.264, H.265
    b"GIF8",
    b"DKIF",  # IVF
)
_TS_PACKETS: Final = (188, 192, 204)
_KNOWN: Final = "MP4, MOV, MKV, WebM, AVI, MPEG, WMV, FLV, OGG"


def check_video_file(path: Path) -> None:
    """Raises CaptureError, in one sentence, if ``path`` cannot be a video."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except FileNotFoundError:
        raise CaptureError(f"There is no file {path}: check the name and the folder.") from None
    except IsADirectoryError:
        raise CaptureError(_folder(path)) from None
    except OSError as error:
        if path.is_dir():  # Windows says "permission denied"
            raise CaptureError(_folder(path)) from None
        reason = (error.strerror or str(error)).lower()
        raise CaptureError(f"{path} cannot be read: {reason}.") from None
    if not head:
        raise CaptureError(f"{path} is empty (0 bytes): copy or record it again.")
    if not _looks_like_video(head):
        raise CaptureError(f"{path} is not a video: what can be played is {_KNOWN}.")


def _looks_like_video(head: bytes) -> bool:
    if head.startswith(_MAGIC) or head[4:8] in _ISO_BOXES:
        return True
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return True
    return any(
        len(head) > size + shift and head[shift] == head[shift + size] == 0x47
        for size in _TS_PACKETS
        for shift in (0, 4)
    )


def _folder(path: Path) -> str:
    return f"{path} is a folder: name a video in it, or images:{path} for a folder of pictures."
