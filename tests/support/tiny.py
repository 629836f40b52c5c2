"""A plugin, a kit and scans that cost seconds: the whole job without downloads, and every way it can fail."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

from registry.canonical import digest
from tests.support.cli import Cli
from tests.support.tiny_kit.make_kit import main as make_kit
from tests.support.tiny_kit.make_kit import scan
from tests.support.tiny_plugin.adapter import BEHAVIOURS

HERE = Path(__file__).parent
RELEASE = "tiny-volumes@1.0.0"
IMAGE_NAME = "assay/tiny-volumes:1.0.0"
TRIAL = "tiny-trial"


def write_scan(path: Path, behaviour: str = "answer", edge: int = 3) -> Path:
    """A scan with a bright cube of ``edge`` voxels, one millilitre each, on which the plugin behaves so."""
    path.write_bytes(scan(edge, BEHAVIOURS.index(behaviour)))
    return path


def plugin_folder(folder: Path) -> Path:
    """The plugin's folder, with the scans of its embedded tests."""
    folder.mkdir()
    for name in ("plugin.toml", "adapter.py"):
        shutil.copyfile(HERE / "tiny_plugin" / name, folder / name)
    (folder / "tests").mkdir()
    for behaviour in ("answer", "refuse"):
        write_scan(folder / "tests" / f"{behaviour}.nii", behaviour)
    return folder


def kit_folder(folder: Path) -> Path:
    """The kit's folder, with its source pinned and its table of cases filled in."""
    folder.mkdir()
    for name in ("kit.toml", "protocol.toml", "cubes.json", "make_kit.py"):
        shutil.copyfile(HERE / "tiny_kit" / name, folder / name)
    source = (folder / "cubes.json").read_bytes()
    declared = (folder / "kit.toml").read_text()
    declared = declared.replace('"SHA256"', f'"{digest(source)}"').replace(
        "bytes = 0", f"bytes = {len(source)}"
    )
    (folder / "kit.toml").write_text(declared)
    drawn = folder.with_name(f"{folder.name}-drawn")
    drawn.mkdir()
    make_kit(folder, drawn)
    rows = [
        _row(drawn, "cube-2", expected="ok", size="2", smoke="yes"),
        _row(drawn, "cube-3", expected="ok", size="3", smoke="no"),
        _row(drawn, "told-to-refuse", expected="refused", size="", smoke="yes"),
    ]
    with (folder / "cases.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    shutil.rmtree(drawn)
    return folder


def _row(drawn: Path, case: str, *, expected: str, size: str, smoke: str) -> dict[str, str]:
    image, reference = f"cases/{case}.nii", f"reference/{case}.nii"
    answered = expected == "ok"
    return {
        "case_id": case,
        "subject_id": "cube",
        "expected": expected,
        "evidence": "phantom",
        "smoke": smoke,
        "in.scan": image,
        "in.scan.sha256": digest((drawn / image).read_bytes()),
        "ref.mask": reference if answered else "",
        "ref.mask.sha256": digest((drawn / reference).read_bytes()) if answered else "",
        "value.bright_ml": str(float(int(size) ** 3)) if answered else "",
        "stratum.size": size,
    }


@dataclass(frozen=True)
class TinyWorld:
    """A sponsor and a site under a signed lock of the tiny plugin."""

    folder: Path
    sponsor: Cli
    site: Cli
    plugin: Path
    kit: Path
    validation: str
    trust_root: str
    bundle: Path


def staffed(cli: Cli) -> Cli:
    """Found a registry with a root holder, an author, a QA person and a sponsor."""
    cli.do("trust", "init", "--organisation", "Test Trials", "--root-id", "root", "--root-name", "Rosa Root")
    for person, name, roles in (
        ("ada", "Ada Author", ("developer", "qa")),
        ("quentin", "Quentin Quality", ("qa",)),
        ("sofia", "Sofia Sponsor", ("sponsor",)),
    ):
        held = [word for role in roles for word in ("--role", role)]
        cli.do("trust", "enrol", "--id", person, "--name", name, *held, "--by", "root")
    return cli


def submitted(cli: Cli, plugin: Path, kit: Path) -> Cli:
    """Build and submit the plugin, and register the kit."""
    cli.do("plugin", "build", plugin)
    cli.do("plugin", "submit", plugin, "--as", "ada")
    cli.do("kit", "register", kit, "--as", "quentin")
    return cli


def tiny_world(folder: Path) -> TinyWorld:
    """Carry out the whole job up to the site's import."""
    plugin, kit = plugin_folder(folder / "plugin"), kit_folder(folder / "kit")
    sponsor, site = staffed(Cli(folder / "sponsor")), Cli(folder / "site")
    submitted(sponsor, plugin, kit)
    done = sponsor.read("validate", RELEASE, "--kit", kit, "--as", "ada", "--no-pdf")
    assert done["verdict"]["verdict"] == "met", done
    validation, bundle = done["validation"], folder / "trial.bundle"
    sponsor.do("report", "sign", validation, "--as", "quentin", "--meaning", "approval")
    approval = ("--report", validation, "--scope", "demonstration", "--use", "tests", "--as", "quentin")
    sponsor.do("catalogue", "approve", RELEASE, *approval)
    site.do("trust", "join", "--site", "site-01", "--out", folder / "site.pub")
    enrolment = ("--id", "site-01", "--name", "Site 01", "--role", "site", "--by", "root")
    sponsor.do("trust", "enrol", *enrolment, "--public-key", folder / "site.pub")
    sponsor.do("trial", "create", TRIAL, "--title", "Tiny trial", "--scope", "demonstration", "--as", "sofia")
    sponsor.do("trial", "lock", TRIAL, "--slot", f"bright={RELEASE}", "--site", "site-01", "--as", "sofia")
    sponsor.do("trial", "sign", TRIAL, "--lock", sponsor.newest_lock(TRIAL), "--as", "quentin")
    sponsor.do("trial", "activate", TRIAL, "--site", "site-01", "--as", "sofia")
    sponsor.do("trial", "export", TRIAL, "--out", bundle)
    pin = sponsor.read("trust", "show")["trust_root"]
    site.do("trial", "import", bundle, "--trust-root", pin)
    return TinyWorld(folder, sponsor, site, plugin, kit, validation, pin, bundle)
