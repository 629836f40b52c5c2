"""Small wheels made by hand, for a package index that is a folder."""

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path


def write_wheel(folder: Path, name: str, files: Mapping[str, bytes], *, tag: str = "py3-none-any") -> str:
    """Write ``name`` 1.0 as a wheel; return its digest, ``sha256:…``."""
    info = f"{name}-1.0.dist-info"
    members = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-tool = {name}:main\n".encode(),
    }
    record = "".join(f"{member},{_record_hash(data)},{len(data)}\n" for member, data in members.items())
    record += f"{info}/RECORD,,\n"
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for member, data in {**members, f"{info}/RECORD": record.encode()}.items():
            wheel.writestr(zipfile.ZipInfo(member), data)
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def _record_hash(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
