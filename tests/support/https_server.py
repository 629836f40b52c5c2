"""An https server on this machine with one file, that can be made to misbehave, and the certificate to trust it by."""

import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class ServedFile:
    """What the server answers with, and what it was asked.

    Attributes
    ----------
    data : bytes
    cut_after : int or None
        Close the connection after so many bytes of an answer.
    ignores_range : bool
        Answer with the whole file, whatever part is asked for.
    leads_to : str
        Redirect there.
    """

    data: bytes
    cut_after: int | None = None
    ignores_range: bool = False
    leads_to: str = ""
    asked: list[str] = field(default_factory=list)
    base: str = ""


@contextmanager
def https_server(folder: Path, served: ServedFile) -> Iterator[Path]:
    """Serve until the block ends; yields the certificate file that a client has to trust."""
    certificate, key = _certificate(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            served.asked.append(wanted)
            if served.leads_to or self.path == "/missing":
                self.send_response(302 if served.leads_to else 404)
                if served.leads_to:
                    self.send_header("Location", served.leads_to)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            found = None if served.ignores_range else re.fullmatch(r"bytes=(\d+)-", wanted)
            start = int(found[1]) if found else 0
            self.send_response(206 if found else 200)
            if found:
                self.send_header("Content-Range", f"bytes {start}-{len(served.data) - 1}/{len(served.data)}")
            body = served.data[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if served.cut_after is None else body[: served.cut_after])
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    served.base = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = folder / "server.pem", folder / "server.key"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, key_file
