"""Where the uncompressed bytes of an archive's layers lie, whichever way it was packed.

A few bytes inflate to as many as their author likes: no more is written out than the largest image has.
"""

import os
import tarfile
from pathlib import Path
from typing import IO

from host.engines.docker_archive import ArchivedImage
from host.engines.layer_tree import LayerFile
from host.errors import ImageLoadError
from host.images.gunzip import GZIP, gunzipped
from host.images.image_rules import MAX_IMAGE_BYTES
from host.tar_members import ARCHIVE_MEMBERS_MAX, Window, members, open_members


def _uncompressed(archive: Path, work: Path) -> Path:
    """An archive whose members' bytes lie in it as they are."""
    with archive.open("rb") as stream:
        if stream.read(2) != GZIP:
            return archive
        stream.seek(0)
        return _decompressed(stream, work / "archive.tar", archive, left=MAX_IMAGE_BYTES)


def archived_layers(archive: Path, image: ArchivedImage, work: Path) -> list[LayerFile]:
    """Find the layers' bytes in an archive; compressed ones, or a compressed archive, are written out first.

    Parameters
    ----------
    archive : Path
    image : ArchivedImage
        What it holds, by its own words; the layers' digests are for the caller to check.
    work : Path
        Folder for what has to be written out.

    Raises
    ------
    ImageLoadError
        The archive lacks a layer, has one that is no file, or comes to more than any image may.
    tarfile.TarError, EOFError, zlib.error
        It is damaged.
    """
    plain = _uncompressed(archive, work)
    if len(image.layers) != len(image.diff_ids):
        raise ImageLoadError(
            f"{archive} has {len(image.layers)} layers, its config names {len(image.diff_ids)}",
            subject=str(archive),
        )
    layers = []
    left = MAX_IMAGE_BYTES
    with (
        plain.open("rb") as stream,
        open_members(Window(stream, 0, plain.stat().st_size)) as bundle,
    ):
        found = {one.name: one for one in members(bundle, count_max=ARCHIVE_MEMBERS_MAX)}
        for number, (name, diff_id) in enumerate(zip(image.layers, image.diff_ids, strict=True)):
            try:
                member = found[name]
                # docker save writes equal layers once, and links to them.
                member = found[_linked(member)] if member.issym() or member.islnk() else member
            except KeyError as error:
                raise ImageLoadError(f"{archive} lacks its layer {name}", subject=str(archive)) from error
            content = bundle.extractfile(member) if member.isreg() else None
            if content is None or member.issparse():
                raise ImageLoadError(f"{archive}: the layer {name} is no file", subject=str(archive))
            if content.read(2) == GZIP:
                content.seek(0)
                path = _decompressed(content, work / f"layer-{number}", archive, left=left)
                layers.append(whole_file(diff_id, path))
            else:
                layers.append(LayerFile(diff_id, plain, member.offset_data, member.size))
            left -= layers[-1].size
            if left < 0:
                raise _too_large(archive)
    return layers


def _linked(member: tarfile.TarInfo) -> str:
    if member.islnk():
        return member.linkname
    return os.path.normpath(os.path.join(os.path.dirname(member.name), member.linkname))


def _decompressed(content: IO[bytes], path: Path, archive: Path, *, left: int) -> Path:
    with path.open("xb") as stream:
        for piece in gunzipped(content):
            left -= len(piece)
            if left < 0:
                raise _too_large(archive)
            stream.write(piece)
    return path


def _too_large(archive: Path) -> ImageLoadError:
    return ImageLoadError(
        f"{archive}: comes to more than {MAX_IMAGE_BYTES} bytes uncompressed",
        subject=str(archive),
        hint="leave out build tools, caches and data; data the algorithm needs are weights ([[weights]])",
    )


def whole_file(diff_id: str, path: Path) -> LayerFile:
    """A layer that is a file of its own."""
    return LayerFile(diff_id, path, 0, path.stat().st_size)
