"""Tars that no honest program writes: headers that make a reader loop, or fill its memory."""

import tarfile


def backwards() -> bytes:
    """A member whose length leads back to its own header."""
    first = tarfile.TarInfo("first").tobuf(tarfile.USTAR_FORMAT)
    return first + extended({"size": "-1536"}) + bytes(1024)


def endless_name() -> bytes:
    """A header that announces a name of two gigabytes."""
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**31
    return header.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def long_name() -> bytes:
    """A name longer than any path."""
    return extended({"path": "a" * 5000}) + bytes(1024)


def chain() -> bytes:
    """Extended headers for extended headers, deeper than Python calls."""
    return b"".join(_header({"comment": "x"}) for _ in range(2000)) + extended({}) + bytes(1024)


def late(mtime: str) -> bytes:
    """A file with a time that is no number of seconds."""
    return extended({"mtime": mtime}) + bytes(1024)


def link_to(target: str) -> bytes:
    """A symbolic link with a target from an extended header, which may hold anything."""
    entry = tarfile.TarInfo("link")
    entry.type = tarfile.SYMTYPE
    return _header({"linkpath": target}) + entry.tobuf(tarfile.USTAR_FORMAT) + bytes(1024)


def extended(records: dict[str, str]) -> bytes:
    """An empty file with an extended header."""
    return _header(records) + tarfile.TarInfo("file").tobuf(tarfile.USTAR_FORMAT)


def _header(records: dict[str, str]) -> bytes:
    body = b"".join(_record(name, value) for name, value in records.items())
    header = tarfile.TarInfo("extended")
    header.type, header.size = tarfile.XHDTYPE, len(body)
    return header.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % 512)


def _record(name: str, value: str) -> bytes:
    length = len(f" {name}={value}\n")
    digits = len(str(length))
    digits = len(str(length + digits))
    return f"{length + digits} {name}={value}\n".encode()
