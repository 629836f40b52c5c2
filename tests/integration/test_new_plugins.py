"""What `assay plugin new` writes passes check, build, test and run untouched, on real engines; false twins do not."""

from pathlib import Path

import pytest

from plugin_spec.errors import ExitCode
from tests.support.cli import Answer, Cli

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.slow]

CAPABILITIES = ("detection", "segmentation", "classification", "quantification", "prediction")
WRITTEN = {
    "detection": "spots.json",
    "segmentation": "mask.nii.gz",
    "classification": "finding.json",
    "quantification": "numbers.json",
    "prediction": "risk.json",
}
TOOL = "tool"


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """One home for all, so that layers are built once."""
    return Cli(tmp_path_factory.mktemp("author") / "home")


def new(author: Cli, folder: Path, scaffold: str) -> Path:
    """Write a new plugin: a capability's, or a tool's."""
    what = ("quantification", "--tool") if scaffold == TOOL else (scaffold,)
    name = f"new-{scaffold}"
    author.do("plugin", "new", name, "--capability", *what, "--into", folder)
    return folder / name


def changed(plugin: Path, file: str, *changes: tuple[str, str]) -> Path:
    """Replace texts in a file of a plugin; each must be there."""
    text = (plugin / file).read_text()
    for old, fresh in changes:
        assert old in text
        text = text.replace(old, fresh)
    (plugin / file).write_text(text)
    return plugin


def test(author: Cli, plugin: Path, engine: str = "runc") -> Answer:
    """Build a plugin and run its embedded tests twice."""
    author.do("plugin", "build", plugin, "--engine", engine)
    return author("plugin", "test", plugin, "--repeats", "2", "--engine", engine, "--json")


test.__test__ = False  # type: ignore[attr-defined]  # not a test function, whatever pytest thinks of its name


@pytest.mark.parametrize(
    ("scaffold", "engine"),
    [*((one, "runc") for one in (*CAPABILITIES, TOOL)), ("segmentation", "docker"), (TOOL, "docker")],
)
def test_a_new_plugin_passes_check_build_test_and_run_untouched(
    scaffold: str, engine: str, author: Cli, tmp_path: Path
) -> None:
    plugin = new(author, tmp_path, scaffold)
    author.do("plugin", "check", plugin)
    tested = test(author, plugin, engine)
    assert tested.exit_code == 0, tested.out + tested.err
    assert [one["fault"] for one in tested.document["tests"]] == ["", ""]
    assert (tested.document["determinism"]["verdict"], tested.document["determinism"]["identical"]) == (
        "holds",
        True,
    )
    scan = f"image={plugin / 'tests' / 'phantom.nii.gz'}"
    answer = author.read(
        "plugin", "run", plugin, "--input", scan, "--out", tmp_path / "out", "--engine", engine
    )
    assert answer["outcome"] == "ok"
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert WRITTEN.get(scaffold, "numbers.csv") in written


def test_a_new_plugin_that_writes_the_time_and_claims_bitwise_is_refused(author: Cli, tmp_path: Path) -> None:
    plugin = changed(
        new(author, tmp_path, "quantification"),
        "adapter.py",
        ("import nibabel\n", "import time\n\nimport nibabel\n"),
        ("float(bright.mean())", "float(bright.mean()) + time.time_ns() % 1_000_000 * 1e-10"),
    )
    answer = test(author, plugin)
    assert answer.exit_code == ExitCode.CONTRACT_VIOLATION
    refused = answer.refused()
    assert refused.code == "determinism-false"
    assert refused.message.startswith("numbers.bright_mean is 1000.")
    assert "between run 1 (fresh) and run" in refused.message
    assert "phantom-is-answered" in refused.message


def test_a_warm_plugin_whose_cases_change_the_next_one_is_refused(author: Cli, tmp_path: Path) -> None:
    plugin = changed(
        new(author, tmp_path, "quantification"),
        "adapter.py",
        ("@algorithm\n", "seen = []\n\n\n@algorithm\n"),
        ("float(bright.mean())", "float(bright.mean()) + (seen.append(image) or len(seen)) * 1e-6"),
    )
    changed(plugin, "plugin.toml", ('mode = "exec"', 'mode = "serve"'))
    answer = test(author, plugin)
    assert answer.document["tests"][0]["runs"] == {"fresh": 2, "warm": 2}
    assert answer.document["determinism"]["warm_only"] is True
    refused = answer.refused()
    assert refused.code == "determinism-false"
    assert "(warm)" in refused.message
    assert "a case changes the next one" in refused.hint


def test_a_new_plugin_may_serve_from_one_warm_container(author: Cli, tmp_path: Path) -> None:
    plugin = changed(
        new(author, tmp_path, "quantification"), "plugin.toml", ('mode = "exec"', 'mode = "serve"')
    )
    answer = test(author, plugin)
    assert answer.exit_code == 0, answer.err
    assert (answer.document["determinism"]["verdict"], answer.document["determinism"]["compared"]) == (
        "holds",
        4,
    )


@pytest.mark.parametrize(
    ("change", "line", "hint"),
    [
        (
            ("    scan = nibabel", "    import scipy\n    scan = nibabel"),
            "import scipy",
            "add scipy to requirements.in",
        ),
        (
            ("    scan = nibabel", "    Path('/opt/here').write_text('x')\n    scan = nibabel"),
            "Path('/opt/here').write_text('x')",
            "only two folders can be written",
        ),
        (
            ("    scan = nibabel", "    bytearray(2**31)\n    scan = nibabel"),
            "",
            "raise resources.memory_mib (now 320)",
        ),
        (
            (
                "    scan = nibabel",
                "    import urllib.request as r; r.urlopen('https://example.org')\n    scan = nibabel",
            ),
            "r.urlopen",
            "a container has no network",
        ),
        (("return {", "return [], {"), "", "return a mapping of the output ports (numbers), or a CaseResult"),
        (('{"numbers"', '{"number"'), "", "leave only the declared outputs (numbers)"),
    ],
    ids=["module", "write", "memory", "network", "answer", "output"],
)
def test_a_fault_of_the_author_comes_back_with_its_line_and_what_to_do(
    change: tuple[str, str], line: str, hint: str, author: Cli, tmp_path: Path
) -> None:
    plugin = changed(new(author, tmp_path, "quantification"), "adapter.py", change)
    author.do("plugin", "build", plugin, "--engine", "runc")
    scan = f"image={plugin / 'tests' / 'phantom.nii.gz'}"
    answer = author("plugin", "run", plugin, "--input", scan, "--out", tmp_path / "out", "--engine", "runc")
    assert answer.exit_code == ExitCode.CASE_FAILED, answer.out + answer.err
    assert hint in answer.err.splitlines()[-1]
    assert line in answer.err
    if line:
        number = (
            (plugin / "adapter.py")
            .read_text()
            .splitlines()
            .index(next(one for one in (plugin / "adapter.py").read_text().splitlines() if line in one))
        )
        assert f"{plugin / 'adapter.py'}:{number + 1}, in " in answer.err
    assert "plugin_spec/runtime" not in answer.err
    kept = (tmp_path / "out" / "log.txt").read_text()
    assert not line or "plugin_spec/runtime" in kept, "the log is kept whole"
