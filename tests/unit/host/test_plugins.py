"""The plugin manager: a proxy per release, and none answers for another."""

import dataclasses

import pytest

from host.execution import CaseRequest, execute, prepare
from host.plugins import PluginCatalogue
from host.releases import InstalledRelease
from host.staging import RunFolder
from tests.support.tiny_host import TinyHost

OTHER_IMAGE = "sha256:" + "b" * 64


def run(host: TinyHost, catalogue: PluginCatalogue, release: InstalledRelease, run_id: str) -> str:
    """Run one case of a release; the image that ran."""
    folder = RunFolder.create(host.home.runs / run_id)
    prepared = prepare(release, CaseRequest("c", {"scan": host.scan()}, {}), folder, run_id=run_id)
    ended = execute(prepared, catalogue=catalogue, engine=host.engine, labels={}, cancelled=lambda: False)
    assert ended.outcome == "ok"
    return host.engine.ran[-1].image_id


@pytest.mark.parametrize("field", ["image", "manifest_digest"])
def test_each_release_runs_its_own_image_whichever_came_first(field: str, host: TinyHost) -> None:
    first = host.release
    second = dataclasses.replace(
        first, image=OTHER_IMAGE, **({} if field == "image" else {field: OTHER_IMAGE})
    )
    host.engine.images.add(OTHER_IMAGE)
    catalogue = PluginCatalogue()
    ran = [
        run(host, catalogue, release, f"{number:016x}")
        for number, release in enumerate((first, second, first, second))
    ]
    assert ran == [first.image, OTHER_IMAGE, first.image, OTHER_IMAGE]


def test_the_container_is_asked_for_exactly_what_the_manifest_declares(host: TinyHost) -> None:
    run(host, PluginCatalogue(), host.release, "0" * 16)
    (spec,) = host.engine.ran
    need = host.manifest.resources
    assert (spec.limits.memory_bytes, spec.limits.pids) == (need.memory_mib * 2**20, need.pids)
    assert (spec.limits.timeout_s, spec.argv, spec.gpu) == (need.case_timeout_s, None, None)
