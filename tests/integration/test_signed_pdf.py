"""`assay report sign` and `show --pdf`: what QA signs is a PDF that common readers show as signed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tiny import RELEASE, TinyWorld

pytestmark = pytest.mark.docker


@pytest.mark.requirement("R7", "R12")
def test_a_report_is_printed_signed_shown_and_verified(tiny: TinyWorld, tmp_path: Path) -> None:
    sponsor = tiny.sponsor
    done = sponsor("validate", RELEASE, "--kit", tiny.kit, "--as", "ada", "--json").document
    validation, path = done["validation"], tmp_path / "report.pdf"
    sponsor.do("report", "show", validation, "--pdf", path)
    unsigned = path.read_bytes()
    sponsor.do("report", "sign", validation, "--as", "ada", "--meaning", "authorship")
    sponsor.do("report", "sign", validation, "--as", "quentin", "--meaning", "approval")
    sponsor.do("report", "show", validation, "--pdf", path)
    assert path.read_bytes().startswith(unsigned)
    checks = sponsor.read("report", "verify", validation)["checks"]
    assert any("2 PAdES signatures" in line for line in checks)
    if shutil.which("pdfsig"):  # CI installs it; the unit tests say where they skip
        told = subprocess.run(["pdfsig", path], capture_output=True, text=True, check=False).stdout
        assert told.count("Signature is Valid") == 2
    sponsor.assert_clean()


def test_a_report_without_a_pdf_says_so(tiny: TinyWorld, tmp_path: Path) -> None:
    refused = tiny.sponsor("report", "show", tiny.validation, "--pdf", tmp_path / "none.pdf").refused()
    assert refused.exit_code == 6 and "without a PDF" in refused.message
    assert not (tmp_path / "none.pdf").exists()
