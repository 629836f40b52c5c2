"""The contract suite under an author's own pytest: nothing until it is asked for, then one item per part."""

from pathlib import Path

import pytest

# pytester forgets what a run imported; what is imported here is not imported anew for each of them.
import host.embedded.runs  # noqa: F401 - see above
import host.engine_choice  # noqa: F401
from host import extensions
from tests.support.built import Bench
from tests.support.clean_plugin import CleanPlugin, spoilt
from tests.support.memory_engine import ending, writing_the_time
from tests.support.rule_examples import EXAMPLES

pytest_plugins = ["pytester"]
RULES = len(EXAMPLES)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The tiny plugin, built, in the home that the suite uses."""
    return settled(Bench(tmp_path), monkeypatch)


def settled(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("ASSAY_HOME", str(bench.home.path))
    monkeypatch.setenv("ASSAY_CACHE", str(bench.home.cache))
    monkeypatch.setattr(extensions, "connect", lambda name: bench.engine)
    return bench


def suite(pytester: pytest.Pytester, folder: Path | str, *arguments: str) -> pytest.RunResult:
    """Run the suite on a plugin. pytester runs in this process, where every warning is an error unless said."""
    return pytester.runpytest("-W", "default", "--assay-plugin", str(folder), *arguments)


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    return {kind: count for kind, count in result.parseoutcomes().items() if not kind.startswith("warning")}


def lines(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


# ---- asked for, or not ----------------------------------------------------------------------------------------------


def test_without_being_asked_it_collects_nothing_and_imports_nothing(pytester: pytest.Pytester) -> None:
    CleanPlugin().write(pytester.path)
    pytester.makepyfile("""
        import sys

        def test_own():
            assert "host.pytest_entry" in sys.modules
            heavy = {"pydantic", "numpy", "docker", "typer", "plugin_spec", "host.contract_suite", "rich"}
            assert not heavy & set(sys.modules)
    """)
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:cov")
    assert outcomes(result) == {"passed": 1}, lines(result)


def test_a_named_plugin_is_collected_alone(pytester: pytest.Pytester) -> None:
    CleanPlugin().write(pytester.path / "mean")
    pytester.makepyfile("def test_own(): pass")
    result = suite(pytester, "mean", "--assay-rules-only")
    assert outcomes(result) == {"passed": RULES}


def test_with_a_path_the_authors_own_tests_run_as_well(pytester: pytest.Pytester) -> None:
    CleanPlugin().write(pytester.path / "mean")
    pytester.makepyfile("def test_own(): pass")
    result = suite(pytester, "mean", "--assay-rules-only", ".")
    assert outcomes(result) == {"passed": RULES + 1}


@pytest.mark.parametrize("setting", ["auto", "mean"])
def test_the_ini_file_makes_the_suite_part_of_the_repository(setting: str, pytester: pytest.Pytester) -> None:
    CleanPlugin().write(pytester.path / "mean")
    (pytester.path / "other").mkdir()
    (pytester.path / "other" / "plugin.toml").write_text("name = 'of another tool'\n")
    pytester.makepyfile("def test_own(): pass")
    pytester.makeini(f"[pytest]\nassay_plugins = {setting}\n")
    result = pytester.runpytest("--assay-rules-only")
    assert outcomes(result) == {"passed": RULES + 1}


def test_a_folder_without_a_manifest_is_a_usage_error(pytester: pytest.Pytester) -> None:
    result = suite(pytester, "absent")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--assay-plugin *absent: there is no plugin.toml*"])


# ---- rules ----------------------------------------------------------------------------------------------------------


def test_a_broken_rule_is_one_failure_with_its_line_and_fix(pytester: pytest.Pytester) -> None:
    spoilt(pytester.path / "mean", EXAMPLES["C402"])
    result = suite(pytester, "mean", "--assay-rules-only")
    assert outcomes(result) == {"passed": RULES - 1, "failed": 1}
    result.stdout.fnmatch_lines(
        [
            "*mean: C402*",
            "*plugin.toml:*: error C402 in resources.memory_mib",
            "    scratch_mib 500 + shm_mib 64 exceed memory_mib 256",
            "    fix: *",
            "FAILED mean/plugin.toml::C402*",
        ]
    )
    assert "Traceback" not in lines(result)


def test_what_qa_would_ask_about_is_a_warning_and_can_be_made_a_failure(pytester: pytest.Pytester) -> None:
    spoilt(pytester.path / "mean", EXAMPLES["C703"])
    result = suite(pytester, "mean", "--assay-rules-only")
    assert result.parseoutcomes() == {"passed": RULES, "warnings": 1}
    result.stdout.fnmatch_lines(
        ["*plugin.toml:*: ReviewWarning: C703 in outputs.0.columns: port numbers: no repeatability*"]
    )
    strict = suite(pytester, "mean", "--assay-rules-only", "-W", "error")
    assert outcomes(strict) == {"passed": RULES - 1, "failed": 1}
    assert "Traceback" not in lines(strict)
    strict.stdout.fnmatch_lines(["C703 in outputs.0.columns: *; fix: *"])


def test_where_the_document_does_not_fit_the_other_rules_are_skipped(pytester: pytest.Pytester) -> None:
    spoilt(pytester.path / "mean", EXAMPLES["C002"])
    result = suite(pytester, "mean")
    document_rules = sum(number.startswith("C0") for number in EXAMPLES)
    assert outcomes(result) == {
        "failed": 1,
        "passed": document_rules - 1,
        "skipped": RULES - document_rules,
    }


# ---- image, embedded tests, claim -----------------------------------------------------------------------------------


def test_the_tiny_plugin_keeps_its_contract(bench: Bench, pytester: pytest.Pytester) -> None:
    result = suite(pytester, bench.plugin, "--assay-repeats", "2", "-v")
    assert outcomes(result) == {"passed": RULES + 4}, lines(result)
    for name in ("image", "test[[]cube-is-measured]", "test[[]told-to-refuse]", "repeats"):
        result.stdout.fnmatch_lines([f"*::{name} PASSED*"])
    assert len(bench.engine.ran) == 4


def test_a_plugin_that_serves_is_held_against_fresh_containers(
    tmp_path: Path, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = settled(Bench(tmp_path, mode="serve"), monkeypatch)
    result = suite(pytester, bench.plugin, "--assay-repeats", "2", "-v")
    assert outcomes(result) == {"passed": RULES + 5}, lines(result)
    result.stdout.fnmatch_lines(["*::warm PASSED*"])


def test_a_false_claim_fails_the_repeats_alone(bench: Bench, pytester: pytest.Pytester) -> None:
    bench.engine.container = writing_the_time()
    result = suite(pytester, bench.plugin, "--assay-repeats", "2")
    assert outcomes(result) == {"passed": RULES + 3, "failed": 1}
    result.stdout.fnmatch_lines(
        [
            "*repeats*",
            "the claim bitwise does not hold",
            "volumes.bright_ml is 27.0 and 27.000001 between run 1 (fresh) and run *",
            "next: take out clocks*",
        ]
    )


def test_a_test_that_fails_shows_what_the_container_said(bench: Bench, pytester: pytest.Pytester) -> None:
    bench.engine.container = ending(139, printed="Segmentation fault\n")
    result = suite(pytester, bench.plugin, "--assay-repeats", "2")
    assert outcomes(result) == {"passed": RULES + 1, "failed": 2, "skipped": 1}
    result.stdout.fnmatch_lines(["cube-is-measured: expected ok, ended failed: *", "Segmentation fault"])
    assert "host/contract_suite.py" not in lines(result)


def test_only_the_test_that_is_chosen_is_run(bench: Bench, pytester: pytest.Pytester) -> None:
    result = suite(pytester, bench.plugin, "-k", "cube-is-measured")
    assert outcomes(result) == {"passed": 1, "deselected": RULES + 3}
    assert len(bench.engine.ran) == 1


def test_an_engine_that_does_not_answer_is_one_line(
    bench: Bench, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("ASSAY_HOME", str(bench.home.path))
    result = pytester.runpytest(
        "--assay-plugin", str(bench.plugin), "--assay-engine", "podman", "-k", "image"
    )
    assert outcomes(result)["failed"] == 1
    assert "no-engine: " in lines(result)
    assert "Traceback" not in lines(result)
