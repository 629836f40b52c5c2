"""Whatever is wrong is told in one named line, and nothing half-written stays.

Scans go through ``assay trial run`` at a site under a signed lock: the strictest path, and the one that logs.
"""

import gc
import os
import re
import shutil
import struct
from pathlib import Path

import pytest

from tests.support.cli import Cli, Refused
from tests.support.tiny import RELEASE, TRIAL, TinyWorld, kit_folder, plugin_folder, write_scan

pytestmark = pytest.mark.docker

SCAN_FIELDS = {"dim": (40, "<8h"), "spacing": (80, "<3f"), "units": (123, "<b"), "voxels": (352, "<120h")}


def run(site: Cli, scan: Path, *options: str, **environment: str | None) -> Refused:
    """Run the locked plugin on a scan and return how it was refused; ``--out`` must not appear."""
    out = site.home.parent / "outputs"
    order = ("--input", f"scan={scan}", "--subject", "S-001", "--visit", "baseline", "--out", out)
    answer = site("trial", "run", TRIAL, *order, *options, **environment)
    assert not (out.exists() and os.listdir(out))
    return answer.refused()


def broken_scan(folder: Path, **fields: tuple[float, ...]) -> Path:
    """A good scan with some of its bytes overwritten."""
    path = write_scan(folder / "JANE-DOE.nii")
    content = bytearray(path.read_bytes())
    for name, values in fields.items():
        offset, code = SCAN_FIELDS[name]
        struct.pack_into(code, content, offset, *values)
    path.write_bytes(content)
    return path


def new_entries(site: Cli, before: TinyWorld) -> list[str]:
    """What the site logged since it imported the bundle."""
    return [row["what"] for row in site.log()][len(before.site.log()) :]


@pytest.fixture
def site(tiny: TinyWorld) -> Cli:
    return tiny.site


# ---- scans --------------------------------------------------------------------------------------------------


def test_a_missing_scan_is_named_and_the_refusal_is_logged_without_its_path(
    site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    refused = run(site, tmp_path / "JANE-DOE.nii")
    assert (refused.exit_code, refused.code) == (6, "input-file")
    assert "JANE-DOE.nii" in refused.message and "no such file" in refused.message
    assert refused.hint
    assert new_entries(site, tiny_template) == ["refusal"]
    assert b"JANE" not in site.payloads()
    site.assert_clean()


UNREADABLE = {
    "cut short in its voxels": (lambda good: good[:-40], "scan.nii", "ends"),
    "cut short in its header": (lambda good: good[:200], "scan.nii", "too short"),
    "not a NIfTI file": (lambda good: b"\x89PNG" + bytes(400), "scan.nii", "not a NIfTI"),
    "gzip in name only": (lambda good: good, "scan.nii.gz", "gzip"),
}


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_file_that_is_no_image_is_a_recorded_failure(
    fault: str, site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    harm, name, said = UNREADABLE[fault]
    path = tmp_path / f"JANE-DOE{Path(name).name.removeprefix('scan')}"
    path.write_bytes(harm(write_scan(tmp_path / "good.nii").read_bytes()))
    assert_unreadable(run(site, path), site, tiny_template, name=name, said=said)


IMPOSSIBLE = {
    "an empty volume": ({"dim": (3, 0, 5, 4, 1, 1, 1, 1)}, "no voxels"),
    "one value everywhere": ({"voxels": (0,) * 120}, "every voxel is 0"),
    "a spacing that is not a number": ({"spacing": (float("nan"), 10, 10)}, "spacing"),
    "a spacing of zero": ({"spacing": (10, 0, 10)}, "spacing"),
    "four dimensions": ({"dim": (4, 6, 5, 2, 2, 1, 1, 1)}, "not 3-D"),
    "two dimensions": ({"dim": (2, 12, 10, 1, 1, 1, 1, 1)}, "not 3-D"),
    "lengths in micrometres": ({"units": (3,)}, "micrometres"),
}


@pytest.mark.parametrize("fault", IMPOSSIBLE)
def test_an_image_that_cannot_be_measured_is_a_recorded_failure(
    fault: str, site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    fields, said = IMPOSSIBLE[fault]
    refused = run(site, broken_scan(tmp_path, **fields))
    assert_unreadable(refused, site, tiny_template, name="scan.nii", said=said)


def assert_unreadable(refused: Refused, site: Cli, before: TinyWorld, *, name: str, said: str) -> None:
    """The port's file and the fault are named; start and end are logged; the file's own name is nowhere."""
    assert (refused.exit_code, refused.code) == (11, "case-failed")
    assert refused.message.startswith(f"{name}: ") and said in refused.message
    assert refused.hint
    assert new_entries(site, before) == ["run-started", "run-finished"]
    assert b"JANE" not in site.payloads()
    site.assert_clean()


def test_a_port_that_is_not_declared_is_refused_and_the_declared_ones_are_listed(
    site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    scan = write_scan(tmp_path / "scan.nii")
    order = (
        "--input",
        f"scan={scan}",
        "--input",
        f"flair={scan}",
        "--subject",
        "S-001",
        "--visit",
        "baseline",
    )
    refused = site("trial", "run", TRIAL, *order).refused()
    assert (refused.exit_code, refused.code) == (6, "port-unknown")
    assert "'flair'" in refused.message and "scan" in refused.hint
    assert new_entries(site, tiny_template) == ["refusal"]
    site.assert_clean()


# ---- manifests and kits -------------------------------------------------------------------------------------

MANIFESTS = {
    "an unknown field": (
        'title = "Tiny volumes"',
        'title = "Tiny volumes"\ncolour = "red"',
        ("colour", "unknown field"),
    ),
    "an unknown nested field": (
        "case_timeout_s = 10",
        "case_timeout_s = 10\nswap_mib = 1",
        ("resources.swap_mib", "unknown"),
    ),
    "a unit in another spelling": ('unit = "mL"', 'unit = "ml"', ("did you mean 'mL'",)),
    "a unit nobody knows": ('unit = "mL"', 'unit = "cups"', ("'cups' is not a known UCUM unit",)),
}


@pytest.mark.parametrize("fault", MANIFESTS)
def test_a_manifest_that_breaks_the_contract_is_not_built(fault: str, tmp_path: Path) -> None:
    right, wrong, said = MANIFESTS[fault]
    plugin, author = plugin_folder(tmp_path / "plugin"), Cli(tmp_path / "home")
    manifest = plugin / "plugin.toml"
    manifest.write_text(manifest.read_text().replace(right, wrong))
    for command in ("check", "build"):
        answer = author("plugin", command, plugin)
        refused = answer.refused()
        assert (refused.exit_code, refused.code) == (7, "contract-violation")
        assert refused.message.startswith(f"{manifest}: ")
        # A check shows its faults on stdout; a build says the first one as its error.
        shown = " ".join(answer.out.split()) if command == "check" else f"{refused.message}; {refused.hint}"
        for part in said:
            assert part in shown
    assert not author.home.exists() or not [path for path in author.home.rglob("*") if path.is_file()]


def test_a_kit_that_was_changed_after_its_registration_is_not_run(tiny: TinyWorld, tmp_path: Path) -> None:
    before = len(tiny.sponsor.log())
    kit = kit_folder(tmp_path / "kit")
    protocol = kit / "protocol.toml"
    protocol.write_text(
        protocol.read_text().replace('bound = 1.0\nscope = "each', 'bound = 0.1\nscope = "each')
    )
    refused = tiny.sponsor("validate", RELEASE, "--kit", kit, "--as", "ada").refused()
    assert (refused.exit_code, refused.code) == (4, "kit-digest")
    assert "tiny-cubes 1.0.0" in refused.message and refused.hint
    assert len(tiny.sponsor.log()) == before + 1
    assert tiny.sponsor.predicates("refusal")[-1]["error"] == "kit-digest"
    tiny.sponsor.assert_clean()


def test_a_case_file_with_another_digest_stops_a_validation_before_its_first_run(tiny: TinyWorld) -> None:
    before = len(tiny.sponsor.log())
    case = next((tiny.sponsor.home / "kits").glob("*/cases/cube-3.nii"))
    content = bytearray(case.read_bytes())
    content[-1] ^= 1
    case.write_bytes(content)
    for command in (("kit", "check", tiny.kit), ("validate", RELEASE, "--kit", tiny.kit, "--as", "ada")):
        answer = tiny.sponsor(*command)
        refused = answer.refused()
        assert (refused.exit_code, refused.code) == (4, "kit-digest")
        assert "cases/cube-3.nii" in answer.out + refused.message and refused.hint
    assert [row["what"] for row in tiny.sponsor.log()][before:] == ["refusal"]
    tiny.sponsor.assert_clean()


def test_a_source_with_another_digest_makes_no_case_files(tiny: TinyWorld, tmp_path: Path) -> None:
    kit = kit_folder(tmp_path / "kit")
    shutil.rmtree(tiny.sponsor.home / "kits")
    cubes = kit / "cubes.json"
    cubes.write_text(cubes.read_text().replace('"edge": 2', '"edge": 1'))
    refused = tiny.sponsor("validate", RELEASE, "--kit", kit, "--as", "ada").refused()
    assert (refused.exit_code, refused.code) == (4, "kit-digest")
    assert "local:cubes.json" in refused.message and refused.hint
    assert not list((tiny.sponsor.home / "kits").iterdir())
    tiny.sponsor.assert_clean()


# ---- engine and container -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # docker-py forgets its socket where nobody listens
def test_without_an_engine_nothing_is_recorded(site: Cli, tiny_template: TinyWorld, tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/no.sock"
    refused = run(site, write_scan(tmp_path / "scan.nii"), "--engine", "docker", DOCKER_HOST=nowhere)
    gc.collect()  # here, where the warning is expected
    assert (refused.exit_code, refused.code) == (8, "no-engine")
    assert nowhere in refused.message and "DOCKER_HOST" in refused.hint
    assert new_entries(site, tiny_template) == []
    site.assert_clean()


def test_running_out_of_memory_names_the_peak_and_the_limit(
    site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    refused = run(site, write_scan(tmp_path / "scan.nii", "hog_memory"))
    assert "peak 64 MiB, limit 64 MiB" in refused.message and "resources.memory_mib" in refused.message
    assert_failed(refused, site, tiny_template, reason="out-of-memory")


def test_a_case_without_an_end_is_stopped_at_its_time_limit(
    site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    refused = run(site, write_scan(tmp_path / "scan.nii", "sleep"))
    assert re.search(r"still running after \d+ s; the limit is resources.case_timeout_s", refused.message)
    assert_failed(refused, site, tiny_template, reason="timeout")


BREACHES = {
    "missing_output": ("output-missing", "port mask"),
    "extra_file": ("output-undeclared", "'notes.txt'"),
    "link": ("output-not-a-file", "port mask: mask.nii is a symbolic link"),
    "wrong_grid": ("output-grid", "port mask: its voxels lie elsewhere than those of scan"),
    "unknown_label": ("output-labels", "port mask: holds the values 7"),
    "not_a_number": ("output-malformed", "port volumes"),
    "out_of_range": ("output-range", "bright_ml is -1 mL; 0 to 1000 is declared"),
    "forge_result": ("contract-violation", "result.json"),
    "no_result": ("output-missing", "result.json"),
    "raise_error": ("plugin-error", "RuntimeError: told to fail"),
}


@pytest.mark.parametrize("behaviour", BREACHES)
def test_a_container_that_breaks_the_contract_gives_no_numbers(
    behaviour: str, site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    reason, said = BREACHES[behaviour]
    refused = run(site, write_scan(tmp_path / "scan.nii", behaviour))
    assert said in refused.message
    assert_failed(refused, site, tiny_template, reason=reason)


def assert_failed(refused: Refused, site: Cli, before: TinyWorld, *, reason: str) -> None:
    """The failure is recorded with its reason and without numbers, and the container is gone."""
    assert (refused.exit_code, refused.code) == (11, "case-failed")
    assert refused.hint
    assert new_entries(site, before) == ["run-started", "run-finished"]
    record = site.last_run()
    assert (record["outcome"], record["reason_code"]) == ("failed", reason)
    assert record["outputs"] == record["measured"] == []
    site.assert_clean()


def test_a_refusal_by_the_plugin_is_an_answer_with_an_exit_code_of_its_own(
    site: Cli, tiny_template: TinyWorld, tmp_path: Path
) -> None:
    refused = run(site, write_scan(tmp_path / "scan.nii", "refuse"))
    assert (refused.exit_code, refused.code) == (10, "case-refused")
    assert "the first voxel says so" in refused.message
    assert new_entries(site, tiny_template) == ["run-started", "run-finished"]
    assert (site.last_run()["outcome"], site.last_run()["reason_code"]) == ("refused", "told-to-refuse")
    site.assert_clean()


# ---- keys ---------------------------------------------------------------------------------------------------


def open_a_trial(sponsor: Cli, person: str, **environment: str | None) -> Refused:
    """Act in somebody's name."""
    order = ("other-trial", "--title", "Other", "--scope", "demonstration", "--as", person)
    return sponsor("trial", "create", *order, **environment).refused()


KEYS = {
    "a wrong pass phrase": ("sofia", "not-this-one", (4, "wrong-passphrase"), ["refusal"]),
    "no pass phrase": ("sofia", None, (6, "pass-phrase-needed"), []),
    "a person who is not enrolled": ("mallory", "whatever", (5, "wrong-role"), []),
}


@pytest.mark.parametrize("fault", KEYS)
def test_a_key_that_cannot_be_opened_signs_nothing_and_a_guess_is_logged(fault: str, tiny: TinyWorld) -> None:
    person, phrase, expected, logged = KEYS[fault]
    before = len(tiny.sponsor.log())
    refused = open_a_trial(tiny.sponsor, person, **{f"ASSAY_PASSPHRASE_{person.upper()}": phrase})
    assert (refused.exit_code, refused.code) == expected
    assert person in refused.message
    assert [row["what"] for row in tiny.sponsor.log()[before:]] == logged
    tiny.sponsor.assert_clean()


def test_a_person_without_a_key_file_signs_nothing(tiny: TinyWorld) -> None:
    before = len(tiny.sponsor.log())
    (tiny.sponsor.home / "keys" / "sofia.key").unlink()
    refused = open_a_trial(tiny.sponsor, "sofia")
    assert (refused.exit_code, refused.code) == (4, "unknown-key")
    assert "sofia.key" in refused.message
    assert len(tiny.sponsor.log()) == before
    tiny.sponsor.assert_clean()


def test_a_key_that_nobody_enrolled_signs_nothing_and_the_attempt_is_logged(
    tiny: TinyWorld, tmp_path: Path
) -> None:
    before = len(tiny.sponsor.log())
    stranger = Cli(tmp_path / "stranger")
    founder = ("--root-id", "sofia", "--root-name", "Not Sofia")
    stranger.do("trust", "init", "--organisation", "Elsewhere", *founder)
    shutil.copyfile(stranger.home / "keys" / "sofia.key", tiny.sponsor.home / "keys" / "sofia.key")
    refused = open_a_trial(tiny.sponsor, "sofia")
    assert (refused.exit_code, refused.code) == (4, "wrong-actor")
    assert [row["what"] for row in tiny.sponsor.log()][before:] == ["refusal"]
    tiny.sponsor.assert_clean()
