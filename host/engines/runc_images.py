"""The images of the runc engine: each unpacked once, in a folder named by its image ID, and only read afterwards.

Layout of the folder: ``images/<hex>/`` (``config.json``, the config's bytes, and ``root/``, the tree),
``names.json`` (which image a name stands for), ``locks/<hex>`` (held while the image is used or changed),
``incoming/`` (what is being unpacked; whatever is left there is nobody's).

Invariants
----------
* ``images/<hex>`` appears whole, by one rename, after every layer had the digest that the config names and the
  config had the digest ``<hex>``.
* Nothing writes below it afterwards. `Images.verify` compares it with the layers themselves, since the folder is
  the user's and can be edited.
"""

import fcntl
import hashlib
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from host.engines.archived_layers import archived_layers, whole_file
from host.engines.docker_archive import ArchivedImage, archived_image
from host.engines.image_defaults import ImageDefaults, image_defaults
from host.engines.interface import LayerFiles, full_name, is_image_id, require_image_id
from host.engines.layer_tree import image_tree
from host.engines.tree_files import mapped, require_digests, require_same, write_tree
from host.errors import EngineRefusedError, ImageLoadError, ImageMissingError, ImageTamperedError
from plugin_spec.files import sync_folder, write_atomic
from registry.canonical import canonical_json

_NAMES: Final = TypeAdapter(dict[str, str])


@dataclass(frozen=True, slots=True)
class UnpackedImage:
    """An image that can be run: its tree, and what its config says."""

    image_id: str
    root: Path
    defaults: ImageDefaults


class Images:
    """A folder of unpacked images; several processes may use it at once.

    Parameters
    ----------
    folder : Path
        Made when something is put into it, closed to other users.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._images, self._incoming, self._locks = folder / "images", folder / "incoming", folder / "locks"

    def held(self) -> Mapping[str, tuple[str, ...]]:
        """The images unpacked here, each with its names."""
        found = sorted(self._images.glob("*/config.json"))
        names = self._names()
        return {
            image_id: tuple(sorted(name for name, named in names.items() if named == image_id))
            for image_id in (f"sha256:{path.parent.name}" for path in found)
        }

    def holds(self, image_id: str) -> bool:
        """Whether the image is unpacked here."""
        return (self._place(image_id) / "config.json").is_file()

    def load(self, archive: Path) -> str:
        """Unpack the one image of a docker archive; do nothing if it is already.

        Raises
        ------
        ImageLoadError
            The archive is no image, its bytes are not the ones its digests name, or the disk is full.
        """
        image = archived_image(archive)
        if self.holds(image.image_id):
            return image.image_id  # without waiting for the containers that use it
        with self._locked(image.image_id, fcntl.LOCK_EX):
            if self.holds(image.image_id):
                return image.image_id
            try:
                with self._work() as work:
                    self._unpack(archive, image, work)
            except (OSError, OverflowError, tarfile.TarError, zlib.error, EOFError) as error:
                said = error.strerror if isinstance(error, OSError) and error.strerror else error
                raise ImageLoadError(
                    f"{archive} cannot be unpacked: {said}",
                    subject=str(archive),
                    hint=f"look at the space left in {self._folder}, and make the archive again",
                ) from error
        return image.image_id

    def _unpack(self, archive: Path, image: ArchivedImage, work: Path) -> None:
        image_defaults(image.config_bytes, subject=str(archive))
        layers = archived_layers(archive, image, work)
        ready = work / "image"
        ready.mkdir(0o700)
        with mapped(layers) as contents:
            require_digests(layers, contents)
            write_tree(image_tree(layers), contents, ready / "root", owners=_is_root())
        write_atomic(ready / "config.json", image.config_bytes)
        # A rename that outlives a power failure must not name files that did not.
        descriptor = os.open(ready, os.O_RDONLY | os.O_DIRECTORY)
        try:
            _sync_disk(descriptor)
        finally:
            os.close(descriptor)
        place = self._place(image.image_id)
        if place.exists():
            _remove_tree(place)
        ready.rename(place)
        sync_folder(self._images)

    def verify(self, image_id: str, layers: LayerFiles) -> None:
        """Compare the unpacked tree with the image's layers.

        Parameters
        ----------
        image_id : str
        layers : callable
            Where the uncompressed layer of a digest lies; its bytes are hashed here.

        Raises
        ------
        ImageTamperedError
            The config, a layer or anything in the tree is not what the image ID stands for.
        """
        with self.used(image_id) as image:
            files = [whole_file(diff_id, layers(diff_id)) for diff_id in image.defaults.diff_ids]
            try:
                with mapped(files) as contents:
                    require_digests(files, contents)
                    require_same(image_tree(files), contents, image.root, owners=_is_root(), subject=image_id)
            except (OSError, ValueError, ImageLoadError) as error:
                raise ImageTamperedError(
                    f"the image {image_id} cannot be compared with its layers: {error}",
                    subject=image_id,
                    hint="the stored layers are damaged: import the trial's bundle again",
                ) from error

    @contextmanager
    def used(self, image_id: str) -> Iterator[UnpackedImage]:
        """Hold an image so that nobody removes it.

        Raises
        ------
        ImageMissingError
            It is not here.
        ImageTamperedError
            Its config is not the one the image ID names.
        """
        with self._locked(image_id, fcntl.LOCK_SH):
            place = self._place(image_id)
            try:
                config_bytes = (place / "config.json").read_bytes()
            except FileNotFoundError as error:
                raise _missing(image_id) from error
            if f"sha256:{hashlib.sha256(config_bytes).hexdigest()}" != image_id:
                raise ImageTamperedError(
                    f"the config of {image_id} was edited",
                    subject=image_id,
                    hint="remove the image and load it",
                )
            yield UnpackedImage(image_id, place / "root", image_defaults(config_bytes, subject=image_id))

    def remove(self, image_id: str) -> None:
        """Forget the image and all its names.

        Raises
        ------
        EngineRefusedError
            A container of it runs.
        """
        self._require(image_id)
        with self._locked(image_id, fcntl.LOCK_EX | fcntl.LOCK_NB):
            with self._names_to_change() as names:
                for name in [name for name, named in names.items() if named == image_id]:
                    del names[name]
            with self._work() as going:
                self._place(image_id).rename(going / "image")

    def tag(self, image_id: str, name: str) -> None:
        """Let ``name`` stand for the image."""
        self._require(image_id)
        with self._names_to_change() as names:
            names[":".join(full_name(name))] = image_id

    def resolve(self, name: str) -> str | None:
        """Return the image that ``name``, a name or an image ID, stands for, if it is here."""
        image_id = name if is_image_id(name) else self._named(name)
        return image_id if image_id is not None and self.holds(image_id) else None

    def _named(self, name: str) -> str | None:
        try:
            full = ":".join(full_name(name))
        except EngineRefusedError:
            return None  # what is no name stands for nothing
        return self._names().get(full)

    def _make_folders(self) -> None:
        try:
            for one in (self._images, self._incoming, self._locks):
                one.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
        except OSError as error:
            raise EngineRefusedError(
                f"{error.filename}: {error.strerror}",
                subject=str(self._folder),
                hint="the runc engine keeps its images in ASSAY_CACHE: name a folder of yours",
            ) from error

    def _require(self, image_id: str) -> None:
        if not self.holds(image_id):
            raise _missing(image_id)

    def _place(self, image_id: str) -> Path:
        return self._images / require_image_id(image_id).removeprefix("sha256:")

    @contextmanager
    def _locked(self, image_id: str, how: int) -> Iterator[None]:
        self._make_folders()
        with (self._locks / self._place(image_id).name).open("a") as lock:
            try:
                fcntl.flock(lock, how)
            except BlockingIOError as error:
                raise EngineRefusedError(
                    f"the image {image_id} is in use", subject=image_id, hint="wait for its containers to end"
                ) from error
            yield

    @contextmanager
    def _work(self) -> Iterator[Path]:
        """A folder of its own for passing files; what killed processes left beside it is removed first."""
        with (self._locks / "incoming").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                for left in self._incoming.iterdir():
                    _remove_tree(left)
            except BlockingIOError:
                pass  # somebody is at work there; the next one clears up
            fcntl.flock(lock, fcntl.LOCK_SH)
            work = Path(tempfile.mkdtemp(dir=self._incoming))
            try:
                yield work
            finally:
                _remove_tree(work)

    @contextmanager
    def _names_to_change(self) -> Iterator[dict[str, str]]:
        with (self._locks / "names").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            names = self._names()
            yield names
            write_atomic(self._folder / "names.json", canonical_json(names))

    def _names(self) -> dict[str, str]:
        path = self._folder / "names.json"
        try:
            return _NAMES.validate_json(path.read_bytes(), strict=True)
        except FileNotFoundError:
            return {}
        except ValidationError as error:
            raise EngineRefusedError(
                f"{path} is not a list of names",
                subject=str(path),
                hint="remove it, and load the images again",
            ) from error


def _is_root() -> bool:
    return os.geteuid() == 0


def _missing(image_id: str) -> ImageMissingError:
    return ImageMissingError(
        f"runc does not hold the image {image_id}",
        subject=image_id,
        hint="nothing is ever pulled; load it: assay plugin build (an author), assay trial import (a site)",
    )


def _sync_disk(descriptor: int) -> None:
    import ctypes  # this one system call is in no module of the standard library

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(descriptor) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _remove_tree(folder: Path) -> None:
    # Folders of an image may be closed to their owner; root passes, others must open them first.
    if not _is_root():
        for parent, folders, _ in os.walk(folder):
            for name in folders:
                if not os.path.islink(f"{parent}/{name}"):
                    os.chmod(f"{parent}/{name}", 0o700)
    shutil.rmtree(folder)
