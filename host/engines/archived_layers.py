"""Where the uncompressed bytes of an archive's layers lie, whichever way it was packed."""

import os
import tarfile
from pathlib import Path
from typing import IO

from host.engines.docker_archive import ArchivedImage
from host.engines.layer_tree import LayerFile
from host.errors import ImageLoadError
from host.images.gunzip import GZIP, gunzipped


def _uncompressed(archive: Path, work: Path) -> Path:
    """An archive whose members' bytes lie in it as they are."""
    with archive.open("rb") as stream:
        if stream.read(2) != GZIP:
            return archive
        stream.seek(0)
        return _decompressed(stream, work / "archive.tar")


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
        The archive lacks a layer, or has one that is no file.
    """
    plain = _uncompressed(archive, work)
    if len(image.layers) != len(image.diff_ids):
        raise ImageLoadError(
            f"{archive} has {len(image.layers)} layers, its config names {len(image.diff_ids)}",
            subject=str(archive),
        )
    layers = []
    with tarfile.open(plain, mode="r:") as bundle:
        for number, (name, diff_id) in enumerate(zip(image.layers, image.diff_ids, strict=True)):
            try:
                member = bundle.getmember(name)
                # docker save writes equal layers once, and links to them.
                member = bundle.getmember(_linked(member)) if member.issym() or member.islnk() else member
            except KeyError as error:
                raise ImageLoadError(f"{archive} lacks its layer {name}", subject=str(archive)) from error
            content = bundle.extractfile(member)
            if content is None or member.issparse():
                raise ImageLoadError(f"{archive}: the layer {name} is no file", subject=str(archive))
            if content.read(2) == GZIP:
                content.seek(0)
                layers.append(whole_file(diff_id, _decompressed(content, work / f"layer-{number}")))
            else:
                layers.append(LayerFile(diff_id, plain, member.offset_data, member.size))
    return layers


def _linked(member: tarfile.TarInfo) -> str:
    if member.islnk():
        return member.linkname
    return os.path.normpath(os.path.join(os.path.dirname(member.name), member.linkname))


def _decompressed(content: IO[bytes], path: Path) -> Path:
    with path.open("xb") as stream:
        stream.writelines(gunzipped(content))
    return path


def whole_file(diff_id: str, path: Path) -> LayerFile:
    """A layer that is a file of its own."""
    return LayerFile(diff_id, path, 0, path.stat().st_size)
