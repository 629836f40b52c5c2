"""Images as others build and save them: layers with whiteouts, old and new archives, OCI layouts."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

Member = tuple[str, bytes | str | None, int]


def layer(*members: Member) -> bytes:
    """A layer of (name, content, mode): bytes make a file, a string a symbolic link, None a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content, mode in members:
            one = tarfile.TarInfo(name)
            one.mode = mode
            if content is None:
                one.type = tarfile.DIRTYPE
                archive.addfile(one)
            elif isinstance(content, str):
                one.type, one.linkname = tarfile.SYMTYPE, content
                archive.addfile(one)
            else:
                one.size = len(content)
                archive.addfile(one, io.BytesIO(content))
    return buffer.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def config(layers: Iterable[bytes], **changes: object) -> bytes:
    """A config as docker writes it."""
    defaults = {"User": "", "Env": ["PATH=/usr/bin"], "Entrypoint": ["/usr/bin/tool"], "Cmd": None}
    document = {
        "architecture": "amd64",
        "config": {**defaults, **changes.pop("config", {})},
        "created": "2026-11-24T23:00:00.123456789Z",
        "docker_version": "20.10.24",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(one)}" for one in layers]},
        **changes,
    }
    return json.dumps(document).encode()


def saved(path: Path, layers: list[bytes], config_bytes: bytes) -> Path:
    """As ``docker save`` up to version 24 writes it, down to its folders, tags and files of its own."""
    names = [f"{number:064x}/layer.tar" for number in range(len(layers))]
    manifest = [
        {"Config": f"{sha256(config_bytes)}.json", "RepoTags": ["tool:latest"], "Layers": names, "Extra": 1}
    ]
    members: dict[str, bytes] = {f"{sha256(config_bytes)}.json": config_bytes}
    for name, data in zip(names, layers, strict=True):
        members[name.replace("layer.tar", "VERSION")] = b"1.0"
        members[name] = data
    members |= {"manifest.json": json.dumps(manifest).encode(), "repositories": b"{}"}
    return write_tar(path, members)


def layout(
    path: Path, layers: list[bytes], config_bytes: bytes, *, compressed: bool = True, nested: bool = False
) -> Path:
    """An OCI layout in a tar, with an attestation beside the image as buildx writes it."""
    stored = [gzip.compress(one, mtime=0) if compressed else one for one in layers]
    manifest = json.dumps(
        {"config": _descriptor(config_bytes), "layers": [_descriptor(one) for one in stored]}
    ).encode()
    unknown = {**_descriptor(b"{}"), "platform": {"os": "unknown", "architecture": "unknown"}}
    blobs = {sha256(one): one for one in (*stored, manifest, config_bytes)}
    entry = {**_descriptor(manifest), "platform": {"os": "linux", "architecture": "amd64"}}
    index = json.dumps({"manifests": [entry, unknown]}).encode()
    if nested:
        blobs[sha256(index)] = index
        kind = "application/vnd.oci.image.index.v1+json"
        index = json.dumps({"manifests": [{**_descriptor(index), "mediaType": kind}]}).encode()
    members = {f"blobs/sha256/{name}": data for name, data in blobs.items()}
    return write_tar(path, {"oci-layout": b"{}", "index.json": index, **members})


def _descriptor(data: bytes) -> dict[str, object]:
    return {"digest": f"sha256:{sha256(data)}", "size": len(data)}


def write_tar(path: Path, members: Mapping[str, bytes | str]) -> Path:
    """A tar of files, and of symbolic links where the content is a string."""
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            one = tarfile.TarInfo(name)
            if isinstance(data, str):
                one.type, one.linkname = tarfile.SYMTYPE, data
                archive.addfile(one)
            else:
                one.size = len(data)
                archive.addfile(one, io.BytesIO(data))
    return path


def members_of(path: Path) -> dict[str, bytes]:
    """The files of a tar."""
    with tarfile.open(path) as archive:
        return {
            one.name: content.read() for one in archive if (content := archive.extractfile(one)) is not None
        }
