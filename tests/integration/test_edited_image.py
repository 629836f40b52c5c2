"""An edited image never runs under a lock: the site's own tree is compared with the layers of the signed bundle."""

from dataclasses import replace
from pathlib import Path

import pytest

from host.engines.runc import connect
from tests.support.tiny import TRIAL, TinyWorld, write_scan

pytestmark = pytest.mark.docker


@pytest.mark.attack("unpacked image tree edited")
def test_a_site_on_runc_refuses_an_edited_image_and_importing_again_repairs_it(
    tiny: TinyWorld, tmp_path: Path
) -> None:
    site = replace(tiny.site, cache=tmp_path / "cache")
    take_in = ("trial", "import", tiny.bundle, "--trust-root", tiny.trust_root, "--engine", "runc")
    scan = write_scan(tmp_path / "scan.nii")
    order = ("trial", "run", TRIAL, "--input", f"scan={scan}", "--subject", "S-001", "--engine", "runc")
    site.do(*take_in)
    site.do(*order, "--visit", "baseline")
    assert site.predicates("run-started")[-1]["engine"] == "runc"
    image_id = site.predicates("run-started")[-1]["image"]
    with connect(tmp_path / "cache")._images.used(image_id) as image:
        adapter = next(image.root.rglob("adapter.py"))
    # One more volume for every patient.
    adapter.write_text(adapter.read_text().replace("volume_ml = sum(mask)", "volume_ml = 1 + sum(mask)"))
    before = site.log()
    refused = site(*order, "--visit", "month-6").refused()
    assert (refused.exit_code, refused.code) == (4, "image-tampered")
    assert "adapter.py" in refused.message
    assert [row["what"] for row in site.log()[len(before) :]] == ["refusal"]
    assert "was edited: removed" in site.do(*take_in).err
    site.do(*order, "--visit", "month-6")
    site.assert_clean()
