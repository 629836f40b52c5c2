"""A kit on real engines, side by side and in warm containers: the report says that they agree, and can be rechecked."""

from pathlib import Path

import pytest

from host.reports.recheck import recheck
from registry.statements import RunFinished, RunStarted
from tests.support.engine_bench import ENGINES
from tests.support.engine_image import runtime_config, runtime_image, runtime_layers
from tests.support.tiny_host import tiny_host

pytestmark = pytest.mark.docker


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_a_kit_in_warm_containers_agrees_with_fresh_ones(name: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    engine = ENGINES[name]()
    try:
        image = runtime_image(engine)
        host = tiny_host(tmp_path, mode="serve", engine=engine, config=runtime_config())
        assert host.release.image == image
        for layer in runtime_layers():
            host.registry.blobs.put_bytes(layer)
        done = host.validate(warm=True, jobs=2)
    finally:
        engine.close()
    assert done.report.verdict.verdict == "met"
    assert [(one.kind, one.agreement) for one in done.report.sameness] == [("warm", "equal")]
    records = host.registry.records
    begun = [one.statement.read(RunStarted) for one in records(RunStarted.predicate_type)]
    ended = [one.statement.read(RunFinished) for one in records(RunFinished.predicate_type)]
    assert sorted(one.container for one in begun) == ["fresh"] * 3 + ["warm"] * 3
    assert {one.run for one in begun} == {one.run for one in ended}
    assert all(one.log and one.memory_peak_bytes for one in ended)
    assert recheck(host.registry, done.record)
    assert list(host.home.runs.iterdir()) == []
