"""What `assay plugin new` and `assay kit new` write is validated as it stands, but for what a human must type."""

from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode
from tests.support.cli import Cli
from tests.support.tiny import staffed, submitted

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.slow]

CAPABILITIES = ("detection", "segmentation", "classification", "quantification", "prediction")


@pytest.fixture(scope="module")
def sponsor(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """One registry for all, so that layers are built once."""
    return staffed(Cli(tmp_path_factory.mktemp("sponsor") / "home"))


def typed(folder: Path) -> Path:
    """Type what a human must."""
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix in (".toml", ".md", ""):
            text = path.read_text()
            path.write_text(text.replace("FILL IN:", "Typed:").replace("NOASSERTION", "MIT"))
    return folder


def new(
    sponsor: Cli, folder: Path, capability: str, *, code: tuple[str, str] = ("", "")
) -> tuple[Path, Path]:
    """A new plugin, with one line of its code replaced, and a new kit, submitted and registered."""
    name = f"{'changed' if code[0] else 'new'}-{capability}"
    plugin, kit = folder / name, folder / f"kit-{name}"
    sponsor.do("plugin", "new", plugin.name, "--capability", capability, "--into", folder)
    sponsor.do("kit", "new", kit.name, "--capability", capability, "--into", folder)
    adapter = (plugin / "adapter.py").read_text()
    assert code[0] in adapter
    (plugin / "adapter.py").write_text(adapter.replace(*code) if code[0] else adapter)
    submitted(sponsor, typed(plugin), typed(kit))
    return plugin, kit


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_new_kit_judges_a_new_plugin_of_its_capability(
    capability: str, sponsor: Cli, tmp_path: Path
) -> None:
    plugin, kit = new(sponsor, tmp_path, capability)
    validated = ("validate", f"{plugin.name}@0.1.0", "--kit", kit, "--as", "ada", "--engine", "runc")
    done = sponsor.read(*validated)
    assert done["verdict"]["verdict"] == "met", done["verdict"]
    assert len(done["verdict"]["criteria"]) >= 2
    assert {one["evidence"] for one in done["verdict"]["criteria"]} == {"phantom"}
    sponsor.do("report", "verify", done["validation"])


def test_a_plugin_that_marks_too_much_does_not_meet_it(sponsor: Cli, tmp_path: Path) -> None:
    plugin, kit = new(
        sponsor, tmp_path, "segmentation", code=("values >= level * values.max()", "values >= 0")
    )
    validated = (
        "validate",
        f"{plugin.name}@0.1.0",
        "--kit",
        kit,
        "--as",
        "ada",
        "--engine",
        "runc",
        "--json",
    )
    answer = sponsor(*validated)
    assert answer.exit_code == ExitCode.NOT_MET
    words = {(one["criterion"], one["verdict"]) for one in answer.document["verdict"]["criteria"]}
    assert words == {("every_case_ends_as_expected", "met"), ("overlap", "not met")}
