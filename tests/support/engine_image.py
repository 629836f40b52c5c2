"""Small images for engine tests, from this machine's own interpreter or one file: no network is needed."""

import hashlib
import io
import json
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

import pluggy

import plugin_spec
from host.engines.interface import Engine
from host.images.workshop import contract_files

TINY_PLUGIN = Path(__file__).parent / "tiny_plugin"
_LEFT_OUT = {
    "__pycache__",
    "site-packages",
    "dist-packages",
    "test",
    "idlelib",
    "tkinter",
    "ensurepip",
    "lib2to3",
}
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"


def docker_archive(path: Path, layers: Sequence[bytes], **config: object) -> str:
    """Write a docker archive of uncompressed layers and return its image ID."""
    image_id, data = _archive(layers, config)
    path.write_bytes(data)
    return image_id


def _archive(layers: Sequence[bytes], config: Mapping[str, object]) -> tuple[str, bytes]:
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    document = {
        "architecture": "amd64",
        "config": config,
        "created": "1970-01-01T00:00:00Z",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
    }
    config_bytes = json.dumps(document, sort_keys=True).encode()
    identity = hashlib.sha256(config_bytes).hexdigest()
    names = [f"{digest}/layer.tar" for digest in digests]
    manifest = [{"Config": f"{identity}.json", "Layers": names, "RepoTags": None}]
    members = [(f"{identity}.json", config_bytes), *zip(names, layers, strict=True)]
    return f"sha256:{identity}", tar_of([*members, ("manifest.json", json.dumps(manifest).encode())])


def tar_of(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a tar of regular files with fixed times and owners."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in members:
            _add(tar, name, data, 0o755)
    return buffer.getvalue()


def python_image(engine: Engine) -> str:
    """Make sure the engine holds an image with Python and its standard library; return its image ID."""
    return _loaded(engine, *_python_archive())


def runtime_image(engine: Engine, plugin: Path = TINY_PLUGIN) -> str:
    """Make sure the engine holds the Python image with the contract's runtime and a plugin's modules."""
    return _loaded(engine, *_runtime_archive(plugin))


def runtime_config(plugin: Path = TINY_PLUGIN) -> bytes:
    """The config of that image: the bytes that its ID is the digest of."""
    image_id, data = _runtime_archive(plugin)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.extractfile(f"{image_id.removeprefix('sha256:')}.json")
        assert member is not None
        return member.read()


def runtime_archive(path: Path, plugin: Path) -> str:
    """Write that image as a docker archive and return its image ID."""
    image_id, data = _runtime_archive(plugin)
    path.write_bytes(data)
    return image_id


def runtime_layers(plugin: Path = TINY_PLUGIN) -> list[bytes]:
    """The layers of that image, lowest first."""
    return [python_layer(), _runtime_layer(plugin)]


def _loaded(engine: Engine, image_id: str, data: bytes) -> str:
    if not engine.holds(image_id):
        with NamedTemporaryFile(suffix=".tar") as archive:
            archive.write(data)
            archive.flush()
            assert engine.load(Path(archive.name)) == image_id
    return image_id


@cache
def _runtime_archive(plugin: Path) -> tuple[str, bytes]:
    config = {
        "Env": [
            "PATH=/opt/py/bin",
            "PYTHONHOME=/opt/py",
            "PYTHONPATH=/opt/assay",
            "PYTHONDONTWRITEBYTECODE=1",
        ],
        "Cmd": ["python3", "-m", "plugin_spec.runtime", "adapter"],
        "WorkingDir": "/scratch",
    }
    return _archive(runtime_layers(plugin), config)


def _runtime_layer(plugin: Path) -> bytes:
    contract, hooks = Path(plugin_spec.__file__).parent, Path(pluggy.__file__).parent
    members = [(f"opt/assay/plugin_spec/{one.relative_to(contract)}", one) for one in contract_files()]
    members += [(f"opt/assay/pluggy/{one.relative_to(hooks)}", one) for one in sorted(hooks.glob("*.py"))]
    members += [(f"opt/assay/{one.name}", one) for one in sorted(plugin.glob("*.py"))]
    return tar_of([(name, path.read_bytes()) for name, path in members])


def python_layers(folder: Path) -> Mapping[str, Path]:
    """Write the layers of that image into a folder; return where each lies, by digest."""
    data = python_layer()
    path = folder / "layer.tar"
    path.write_bytes(data)
    return {f"sha256:{hashlib.sha256(data).hexdigest()}": path}


@cache
def _python_archive() -> tuple[str, bytes]:
    config = {
        "Env": ["PATH=/opt/py/bin", "PYTHONHOME=/opt/py"],
        "Entrypoint": ["/opt/py/bin/python3", "-c"],
        "Cmd": ["print('the image speaks')"],
    }
    return _archive([python_layer()], config)


def python_layer() -> bytes:
    """A layer with this machine's interpreter, its standard library, and the folders a container is given."""
    executable = Path(sys._base_executable).resolve()
    library = Path(sysconfig.get_paths()["stdlib"])
    modules = sorted(
        path
        for path in library.rglob("*")
        if path.is_file() and not {*_LEFT_OUT} & {*path.parts} and path.suffix != ".a"
    )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("tmp", "proc", "sys", "dev", "scratch", "assay/in", "assay/out", "assay/weights"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        _add(tar, "opt/py/bin/python3", executable.read_bytes(), 0o755)
        for path in modules:
            _add(tar, f"opt/py/lib/{_PYTHON}/{path.relative_to(library)}", path.read_bytes(), 0o644)
        extensions = [path for path in modules if path.suffix == ".so"]
        for name, source in sorted(_shared_libraries([executable, *extensions]).items()):
            _add(tar, name, source.read_bytes(), 0o755)
    return buffer.getvalue()


def _shared_libraries(binaries: Sequence[Path]) -> dict[str, Path]:
    listed = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found = {Path(name) for name in re.findall(r"(?:=> |^\s+)(/\S+) \(0x", listed, re.MULTILINE)}
    # The loader has a fixed place; everything else is found in the loader's default folder.
    return {
        (
            f"lib64/{path.name}" if path.name.startswith("ld-linux") else f"lib/x86_64-linux-gnu/{path.name}"
        ): path
        for path in found
    }


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))
