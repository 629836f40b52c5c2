"""A build is not bound to the engine it was built for: its image is loaded where it is to run, digests checked."""

from pathlib import Path

import pytest

from host.batch import BatchOrder, BatchProgress, run_batch
from host.embedded.runs import TestOrder, run_tests
from host.errors import ImageMissingError, LayerDigestError
from host.images.identity import image_id
from host.workbench import run_once
from registry.blobs import BlobStore
from registry.errors import BlobMismatchError, MissingBlobError
from tests.support.built import Bench
from tests.support.images import make_image
from tests.support.memory_engine import MemoryEngine
from tests.support.tiny import IMAGE_NAME, write_scan
from tests.support.tiny_host import tiny_host


class Elsewhere:
    """A build, and an engine it was not built for."""

    def __init__(self, folder: Path) -> None:
        made = make_image(folder)
        self.image = image_id(made.config_bytes)
        self.engine = MemoryEngine()
        self.bench = Bench(folder, engine=self.engine, image=self.image)
        self.blobs = BlobStore(self.bench.home.path / "blobs")
        self.layers = [self.blobs.put_file(layer.path).digest for layer in made.layers]
        self.blobs.put_bytes(made.config_bytes)
        self.scan = write_scan(folder / "scan.nii")
        self.said: list[str] = []

    def run(self) -> str:
        order = (self.bench.home, self.bench.plugin, self.engine)
        scan = {"scan": self.scan}
        done = run_once(*order, inputs=scan, parameters={}, out=None, say=self.said.append)
        return str(done.execution.outcome)

    def damage(self, digest: str) -> Path:
        path = self.blobs.path(digest)
        path.chmod(0o600)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        return path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path)


def test_a_case_loads_the_image_once_and_says_so_in_one_line(elsewhere: Elsewhere) -> None:
    assert [elsewhere.run(), elsewhere.run()] == ["ok", "ok"]
    assert elsewhere.said == ["load the image of tiny-volumes 1.0.0 into memory, as it was kept by digest"]
    assert elsewhere.engine.names == {IMAGE_NAME: elsewhere.image}
    assert list(elsewhere.bench.home.runs.iterdir()) == []


def test_a_table_of_cases_loads_the_image(elsewhere: Elsewhere, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_text("case_id,scan\none,scan.nii\n")
    order = BatchOrder(elsewhere.bench.plugin, tmp_path / "cases.csv", tmp_path / "out")
    progress = BatchProgress(say=elsewhere.said.append, case_done=lambda *_: None)
    done = run_batch(elsewhere.bench.home, elsewhere.engine, order, progress)
    assert [one.outcome for one in done.results] == ["ok"]
    assert elsewhere.said[0].startswith("load the image of tiny-volumes 1.0.0 into memory")


def test_the_embedded_tests_load_the_image(elsewhere: Elsewhere) -> None:
    order = TestOrder(elsewhere.bench.plugin, repeats=1)
    run_tests(elsewhere.bench.home, elsewhere.engine, order, say=elsewhere.said.append)
    assert elsewhere.engine.images == {elsewhere.image}


def test_a_damaged_layer_is_refused_by_name_and_nothing_is_loaded(elsewhere: Elsewhere) -> None:
    path = elsewhere.damage(elsewhere.layers[1])
    with pytest.raises(LayerDigestError, match=f"{path}: the layer's bytes have changed") as refused:
        elsewhere.run()
    assert refused.value.hint == "delete the file and build again"
    assert elsewhere.engine.images == set()


def test_a_damaged_config_is_refused_by_name_and_nothing_is_loaded(elsewhere: Elsewhere) -> None:
    elsewhere.damage(elsewhere.image)
    with pytest.raises(BlobMismatchError, match=f"the stored file {elsewhere.image} holds other bytes"):
        elsewhere.run()
    assert elsewhere.engine.images == set()


def test_a_layer_that_is_gone_is_named(elsewhere: Elsewhere) -> None:
    elsewhere.blobs.path(elsewhere.layers[0]).unlink()
    with pytest.raises(MissingBlobError, match=elsewhere.layers[0]):
        elsewhere.run()


def test_an_image_that_nobody_kept_has_to_be_built_again(elsewhere: Elsewhere) -> None:
    elsewhere.blobs.path(elsewhere.image).unlink()
    with pytest.raises(
        ImageMissingError, match="neither the memory engine nor this home holds the image"
    ) as no:
        elsewhere.run()
    assert "assay plugin build" in no.value.hint


def test_a_validation_loads_the_release_it_validates(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    made = make_image(tmp_path)
    host = tiny_host(tmp_path, config=made.config_bytes)
    for layer in made.layers:
        host.registry.blobs.put_file(layer.path)
    host.engine.remove(host.release.image)
    assert host.validate().report.verdict.verdict == "met"
    assert host.engine.images == {host.release.image}
