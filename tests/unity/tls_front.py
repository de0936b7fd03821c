"""A TLS server in front of a daemon, as a proxy would be, with certificates made for the test.

    tls_front.py make FOLDER                  certificates, and mono's store that trusts their maker
    tls_front.py serve FOLDER NAME TO_PORT    prints the port that it listens on, then serves

NAME is one of the certificates: ``good`` (for localhost and 127.0.0.1), ``elsewhere`` (for
another host), ``stranger`` (made by somebody whom nobody trusts), ``expired``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

CERTIFICATES = {
    "good": ("ca", "DNS:localhost,IP:127.0.0.1", 2),
    "elsewhere": ("ca", "DNS:elsewhere.test", 2),
    "stranger": ("other_ca", "DNS:localhost,IP:127.0.0.1", 2),
    "expired": ("ca", "DNS:localhost,IP:127.0.0.1", -1),
}


def openssl(*arguments: str | Path) -> str:
    command = ["openssl", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def make(folder: Path) -> None:
    """Two authorities and the certificates that they sign; mono trusts the first one."""
    folder.mkdir(parents=True, exist_ok=True)
    for ca in ("ca", "other_ca"):
        openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={ca}",
            "-keyout", folder / f"{ca}.key", "-out", folder / f"{ca}.pem",
        )  # fmt: skip
    for name, (ca, alternatives, days) in CERTIFICATES.items():
        _sign(folder, name, ca, alternatives, days)
    shutil.copy(__file__, folder / "tls_front.py")  # the tests know only this folder
    trust = Path(os.environ["XDG_CONFIG_HOME"]) / ".mono" / "new-certs" / "Trust"
    trust.mkdir(parents=True, exist_ok=True)
    shutil.copy(
        folder / "ca.pem",
        trust / (openssl("x509", "-hash", "-noout", "-in", folder / "ca.pem") + ".0"),
    )


def _sign(folder: Path, name: str, ca: str, alternatives: str, days: int) -> None:
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={alternatives}\nbasicConstraints=CA:FALSE\n")
    openssl(
        "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={alternatives.split(',')[0][4:]}",
        "-keyout", folder / f"{name}.key", "-out", request,
    )  # fmt: skip
    openssl(
        "x509", "-req", "-in", request, "-CA", folder / f"{ca}.pem", "-CAkey", folder / f"{ca}.key",
        "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", folder / f"{name}.pem",
    )  # fmt: skip


async def serve(folder: Path, name: str, to_port: int) -> None:
    """Carry what comes over TLS to the daemon and back, until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")

    async def join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
            ways = (_carry(reader, far_writer), _carry(far_reader, writer))
            await asyncio.gather(*ways)
        writer.close()

    server = await asyncio.start_server(join, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        asyncio.run(serve(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
