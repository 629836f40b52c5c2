"""A plugin's own Debian package, locked with the machine's real apt, built again from nothing, and run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from host.images.apt import Apt
from host.images.archive import save_archive
from host.images.base_lock import read_base_lock
from host.images.build import BuiltImage, PluginSource, build_plugin_image
from host.images.debian_lock import lock_debian
from tests.support.cli import default_cache
from tests.support.engine_bench import ENGINES, Bench

# Found by the loader only through the link that its maintainer script would make.
PACKAGE = "libblas3"

pytestmark = [pytest.mark.network, pytest.mark.slow]


def build(cache: Path) -> BuiltImage:
    base = read_base_lock()
    return build_plugin_image(
        PluginSource(
            base_lock=base,
            requirements=None,
            adapter_files={},
            entry=None,
            command=("python3",),
            debian=lock_debian([PACKAGE], base, Apt()),
        ),
        cache=cache,
    )


@pytest.fixture(scope="module")
def built() -> BuiltImage:
    return build(default_cache())


def test_empty_caches_give_the_same_image(built: BuiltImage, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert (again.image_id, again.sbom_bytes) == (built.image_id, built.sbom_bytes)


def test_the_package_has_a_layer_of_its_own_above_the_base_and_is_in_the_bill_of_materials(
    built: BuiltImage,
) -> None:
    assert len(built.layers) == 2
    packages = {one["name"]: one for one in json.loads(built.sbom_bytes)["packages"]}
    assert packages[PACKAGE]["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/debian/libblas3@")
    assert built.notes == (f"maintainer scripts are never run; these packages have one: {PACKAGE}",)


@pytest.fixture(params=list(ENGINES))
def bench(request: pytest.FixtureRequest, built: BuiltImage, tmp_path: Path) -> Iterator[Bench]:
    engine = ENGINES[request.param]()
    folder = tmp_path / "bench"
    folder.mkdir(mode=0o700)
    save_archive(built, tmp_path / "image.tar")
    image_id = engine.load(tmp_path / "image.tar")
    yield Bench(engine, image_id, folder, "debian-image")
    engine.remove(image_id)
    engine.close()


@pytest.mark.docker
def test_every_engine_makes_the_same_image_of_it_and_finds_a_library_behind_an_alternative(
    bench: Bench, built: BuiltImage
) -> None:
    assert bench.image_id == built.image_id
    assert bench.log("import ctypes; print(ctypes.CDLL('libblas.so.3').dnrm2_ is not None)") == "True\n"
