"""The manifest: what it accepts, and that each fault is one line naming file and field."""

from pathlib import Path
from typing import Any

import pytest

from plugin_spec.errors import ContractError, ExitCode
from plugin_spec.manifest import read_manifest
from plugin_spec.ports import VolumePort
from tests.support.manifests import manifest_document, minimal_manifest, write_manifest


def fault_of(folder: Path, **changes: Any) -> str:
    path = write_manifest(folder, **changes)
    with pytest.raises(ContractError) as caught:
        read_manifest(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_the_minimal_manifest_is_read_from_toml_as_it_stands(tmp_path: Path) -> None:
    assert read_manifest(write_manifest(tmp_path)) == minimal_manifest()


def test_defaults_are_the_safe_ones() -> None:
    manifest = minimal_manifest()
    assert (manifest.runtime.threads, manifest.runtime.seed, manifest.resources.gpu) == (1, 0, None)
    assert manifest.weights == ()


def test_columns_and_outputs_are_found_by_name() -> None:
    manifest = minimal_manifest()
    assert manifest.columns_of("numbers") == ("mean",)
    assert manifest.columns_of("t1") == ()
    output = manifest.output("numbers")
    assert output is not None
    assert output.kind == "measurements"
    assert manifest.output("absent") is None


def test_an_unknown_field_is_named(tmp_path: Path) -> None:
    assert "colour: unknown field" in fault_of(tmp_path, colour="MIT")


def test_an_unknown_field_inside_a_port_is_named_with_its_path(tmp_path: Path) -> None:
    port = {**manifest_document()["inputs"][0], "units": "mm"}
    assert "inputs.0.volume.units: unknown field" in fault_of(tmp_path, inputs=[port])


def test_several_faults_are_counted(tmp_path: Path) -> None:
    assert "(and 1 more)" in fault_of(tmp_path, colour="MIT", licence="MIT")


def test_a_unit_in_the_wrong_case_is_answered_with_the_near_miss(tmp_path: Path) -> None:
    port = {**manifest_document()["inputs"][0], "unit": "ML"}
    fault = fault_of(tmp_path, inputs=[port])
    assert "inputs.0.volume.unit: 'ML' is not a known UCUM unit; did you mean 'mL'?" in fault


def test_a_number_is_not_taken_for_a_word(tmp_path: Path) -> None:
    assert "version: Input should be a valid string" in fault_of(tmp_path, version=1.0)


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "01.0.0", "1.0.0 "])
def test_a_version_is_semantic(tmp_path: Path, version: str) -> None:
    assert ": version: " in fault_of(tmp_path, version=version)


@pytest.mark.parametrize("name", ["../brain", "Brain", "", "a" * 64, "brain/volumes"])
def test_an_id_that_could_leave_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    assert ": id: " in fault_of(tmp_path, id=name)


@pytest.mark.parametrize("path", ["/etc/passwd", "../adapter.py", "a/../../b.py", ".hidden.py"])
def test_an_adapter_outside_the_plugin_folder_is_refused(tmp_path: Path, path: str) -> None:
    assert "runtime.adapter" in fault_of(tmp_path, runtime={"mode": "exec", "adapter": path})


def test_grid_of_must_name_an_input(tmp_path: Path) -> None:
    outputs = manifest_document()["outputs"]
    outputs[0] = {
        "kind": "volume",
        "name": "smooth",
        "summary": "A filtered scan.",
        "modality": "MR",
        "unit": "{arbitrary}",
        "grid_of": "t2",
    }
    assert "port smooth: grid_of names 't2', which is not an image input" in fault_of(
        tmp_path, outputs=outputs
    )


def test_a_grid_may_be_that_of_an_input() -> None:
    document = manifest_document()
    overlay = {**document["inputs"][0], "name": "flair", "grid_of": "t1"}
    tests = [{**test, "inputs": {**test["inputs"], "flair": "tests/flair.nii"}} for test in document["tests"]]
    port = minimal_manifest(inputs=[*document["inputs"], overlay], tests=tests).inputs[1]
    assert isinstance(port, VolumePort)
    assert port.grid_of == "t1"


def test_a_name_stands_for_one_port_or_parameter(tmp_path: Path) -> None:
    parameter = {"kind": "bool", "name": "t1", "summary": "A switch.", "default": False}
    assert "repeated: t1" in fault_of(tmp_path, parameters=[parameter])


def test_a_default_out_of_bounds_is_named(tmp_path: Path) -> None:
    parameter = {
        "kind": "int",
        "name": "rounds",
        "summary": "Repeats.",
        "default": 9,
        "minimum": 1,
        "maximum": 8,
    }
    assert "parameter rounds: the default 9 is out of bounds" in fault_of(tmp_path, parameters=[parameter])


def test_a_domain_rule_needs_an_input_to_look_at(tmp_path: Path) -> None:
    rule = {
        "port": "t2",
        "tag": "Manufacturer",
        "one_of": ["ACME"],
        "missing": "flag",
        "outside": "refuse",
        "evidence": "Kit.",
    }
    assert "domain rule on Manufacturer: 't2' is not an input port" in fault_of(tmp_path, domain=[rule])


@pytest.mark.parametrize("kept", [0, 1])
def test_a_positive_and_a_negative_test_are_both_needed(tmp_path: Path, kept: int) -> None:
    one = manifest_document()["tests"][kept]
    tests = [one, {**one, "name": "again"}]
    assert "at least one positive (ok) and one negative (refused) test" in fault_of(tmp_path, tests=tests)


def test_a_refusal_test_names_its_reason(tmp_path: Path) -> None:
    tests = manifest_document()["tests"]
    del tests[1]["reason_code"]
    assert "reason_code stands exactly where refused is expected" in fault_of(tmp_path, tests=tests)


def test_a_test_gives_exactly_the_input_ports(tmp_path: Path) -> None:
    tests = manifest_document()["tests"]
    tests[0]["inputs"] = {"t2": "tests/ramp.nii.gz"}
    assert "test answers: it lacks the input t1; there is no input t2" in fault_of(tmp_path, tests=tests)


def test_a_test_compares_a_declared_column(tmp_path: Path) -> None:
    tests = manifest_document()["tests"]
    tests[0]["compare"][0]["column"] = "median"
    assert "test answers: no column numbers.median" in fault_of(tmp_path, tests=tests)


def test_two_tests_do_not_share_a_name(tmp_path: Path) -> None:
    tests = [{**test, "name": "same"} for test in manifest_document()["tests"]]
    assert "tests: each name may stand once" in fault_of(tmp_path, tests=tests)


def test_two_weights_do_not_share_a_name(tmp_path: Path) -> None:
    weights = {"name": "net", "sha256": "sha256:" + "0" * 64, "bytes": 1, "licence": "MIT", "uri": "x"}
    assert "weights: each name may stand once" in fault_of(tmp_path, weights=[weights, weights])


def test_a_digest_names_its_algorithm_and_all_its_digits(tmp_path: Path) -> None:
    weights = {"name": "net", "sha256": "sha256:" + "0" * 63, "bytes": 1, "licence": "MIT", "uri": "x"}
    assert "weights.0.sha256" in fault_of(tmp_path, weights=[weights])


def test_a_tolerance_needs_a_declared_column(tmp_path: Path) -> None:
    claim = {"claim": "tolerance", "tolerances": [{"column": "median", "absolute": 0.5}]}
    assert "determinism: no measurements column 'median'" in fault_of(tmp_path, determinism=claim)


def test_a_tolerance_on_a_declared_column_is_kept() -> None:
    claim = {"claim": "tolerance", "tolerances": [{"column": "mean", "absolute": 0.5}]}
    assert minimal_manifest(determinism=claim).determinism.tolerances[0].absolute == 0.5


def test_memory_has_a_limit(tmp_path: Path) -> None:
    resources = {**manifest_document()["resources"], "memory_mib": 2**21}
    assert "resources.memory_mib" in fault_of(tmp_path, resources=resources)


def test_a_faulty_manifest_ends_with_the_exit_code_of_a_contract_violation(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        read_manifest(write_manifest(tmp_path, colour="MIT"))
    assert caught.value.exit_code is ExitCode.CONTRACT_VIOLATION
