"""The layers of a plugin image, each made once.

Invariants
----------
* A layer's recipe is the digest of everything it is made from, this package's code included; the same recipe
  is found in the store, not made again.
* Only an interpreter whose layer has been digested just now is run.
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import plugin_spec
from host.errors import LayerContentError
from host.images.apt import Apt
from host.images.archive import require_whole
from host.images.base import fetch_packages, make_base_root
from host.images.base_lock import BaseLock, LockedPackage
from host.images.bytecode import BaseInterpreter
from host.images.debian_layer import make_debian_root
from host.images.debian_lock import DebianLock
from host.images.layer import Entry, Layer, folder_entries
from host.images.pip_layer import make_site
from host.images.requirements import PinnedRequirement, read_requirements
from host.images.store import Component, LayerStore
from registry.canonical import canonical_json, digest

_CODE = Path(__file__).parent
_RUNTIME_REQUIREMENTS = _CODE / "runtime-requirements.txt"
_CONTRACT = Path(plugin_spec.__file__).parent


@dataclass(frozen=True)
class MadeLayer:
    """A layer, what it is for people, and what was put into it."""

    step: str
    layer: Layer
    components: tuple[Component, ...] = ()
    notes: tuple[str, ...] = ()


class Workshop:
    """Makes the layers that are not in the store yet.

    Parameters
    ----------
    cache : Path
        Holds Debian packages, uv's downloads and the layer store.
    apt : Apt
        How Debian packages are had.
    """

    def __init__(self, cache: Path, apt: Apt) -> None:
        self._cache = cache
        self._apt = apt
        self._store = LayerStore(cache / "layers")
        self._code = [f"{path.name} {digest(path.read_bytes())}" for path in sorted(_CODE.glob("*.py"))]

    def __enter__(self) -> "Workshop":
        self._scratch = tempfile.TemporaryDirectory(prefix=".build.", dir=self._cache)
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def base(self, lock: BaseLock) -> MadeLayer:
        """Make the base layer, the first of every image."""
        recipe = self._recipe("base", lock.digest)
        if (found := self._store.find(recipe)) is None:
            root = self._folder("root")
            make_base_root(fetch_packages(lock, cache=self._cache / "debs", apt=self._apt), root)
            components = _debian_components(lock.packages)
            found = self._store.add(folder_entries(root), recipe=recipe, components=components)
            shutil.rmtree(root)
        return MadeLayer("base", found.layer, found.components)

    def debian(self, lock: DebianLock, *, base: Layer) -> MadeLayer:
        """Make the layer of the plugin's own Debian packages."""
        recipe = self._recipe("debian", base.diff_id, lock.digest)
        if (found := self._store.find(recipe)) is None:
            root = self._folder("debian")
            files = fetch_packages(lock, cache=self._cache / "debs", apt=self._apt)
            named = [(package.package, path) for package, path in zip(lock.packages, files, strict=True)]
            notes = make_debian_root(named, root, self._interpreter(base))
            found = self._store.add(
                folder_entries(root),
                recipe=recipe,
                components=_debian_components(lock.packages),
                notes=notes,
            )
            shutil.rmtree(root)
        step = f"debian packages: {' '.join(lock.asked)}"
        return MadeLayer(step, found.layer, found.components, found.notes)

    def packages(self, requirements: Sequence[PinnedRequirement], *, base: Layer) -> MadeLayer:
        """Make the layer of the adapter's Python packages, at ``/opt/site``."""
        recipe = self._recipe("packages", base.diff_id, *_lines(requirements))
        return self._site("python packages", recipe, requirements, base=base, under="opt/site")

    def runtime(self, *, base: Layer) -> MadeLayer:
        """Make the layer with the contract's runtime and pluggy, at ``/opt/assay``."""
        sources = {f"plugin_spec/{path.relative_to(_CONTRACT).as_posix()}": path for path in contract_files()}
        contents = [f"{name} {digest(path.read_bytes())}" for name, path in sources.items()]
        requirements = read_requirements(_RUNTIME_REQUIREMENTS)
        recipe = self._recipe("runtime", base.diff_id, *_lines(requirements), *contents)
        return self._site(
            "contract runtime", recipe, requirements, base=base, under="opt/assay", sources=sources
        )

    def adapter(self, files: Mapping[str, Path]) -> MadeLayer:
        """Make the layer with the adapter's own files, at ``/opt/assay``."""
        try:
            contents = [f"{name} {digest(path.read_bytes())}" for name, path in sorted(files.items())]
        except OSError as error:
            raise LayerContentError(
                f"{error.filename}: {error.strerror}", subject=str(error.filename)
            ) from error
        recipe = self._recipe("adapter", *contents)
        if (found := self._store.find(recipe)) is None:
            entries = [Entry(f"opt/assay/{name}", source=path.resolve()) for name, path in files.items()]
            found = self._store.add(entries, recipe=recipe)
        return MadeLayer("adapter", found.layer)

    def _site(
        self,
        step: str,
        recipe: str,
        requirements: Sequence[PinnedRequirement],
        *,
        base: Layer,
        under: str,
        sources: Mapping[str, Path] | None = None,
    ) -> MadeLayer:
        if (found := self._store.find(recipe)) is None:
            interpreter = self._interpreter(base)
            folder = self._folder("site")
            wheels = make_site(requirements, folder, uv_cache=self._cache / "uv")
            for name, path in (sources or {}).items():
                folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / name)
            interpreter.compile(folder, image_folder=f"/{under}")
            components = tuple(
                Component(
                    kind="wheel",
                    name=wheel.name,
                    version=wheel.version,
                    file_name=wheel.file_name,
                    sha256=wheel.sha256,
                )
                for wheel in wheels
            )
            entries = folder_entries(folder, under=under)
            found = self._store.add(entries, recipe=recipe, components=components)
            shutil.rmtree(folder)
        return MadeLayer(step, found.layer, found.components)

    def _interpreter(self, base: Layer) -> BaseInterpreter:
        folder = Path(self._scratch.name, f"python-{base.diff_id.removeprefix('sha256:')}")
        if folder.is_dir():
            return BaseInterpreter(folder)
        require_whole(base)
        return BaseInterpreter.unpacked(base, folder)

    def _folder(self, name: str) -> Path:
        folder = Path(self._scratch.name, name)
        folder.mkdir()
        return folder

    def _recipe(self, kind: str, *inputs: str) -> str:
        return digest(canonical_json(["assay.recipe/1", kind, *inputs, *self._code]))


def _debian_components(packages: Sequence[LockedPackage]) -> tuple[Component, ...]:
    return tuple(
        Component(
            kind="debian",
            name=package.package,
            version=package.version,
            architecture=package.architecture,
            sha256=package.sha256,
        )
        for package in packages
    )


def contract_files() -> list[Path]:
    """Return what adapters import and what runs them; the models of the host's side stay outside."""
    imported = [_CONTRACT / f"{name}.py" for name in ("__init__", "hookspecs", "typed")]
    return [*imported, *sorted(_CONTRACT.glob("runtime/*.py"))]


def _lines(requirements: Sequence[PinnedRequirement]) -> list[str]:
    return sorted(" ".join((one.line(), *sorted(one.sha256s))) for one in requirements)
