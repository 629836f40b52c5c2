"""Plans: ports, parameters, limits follow from the manifest alone."""

import pytest

from host.errors import ParameterError, PortError
from host.planning import check_ports, complete_parameters, plan_limits
from plugin_spec.ports import EnumParameter, FloatParameter, IntParameter
from plugin_spec.resources import MIB, Resources
from tests.support.manifests import minimal_manifest

PARAMETERS = (
    IntParameter(kind="int", name="rounds", summary="s", default=2, minimum=1, maximum=9),
    FloatParameter(kind="float", name="beta", summary="s", unit="1", default=0.1, minimum=0.0, maximum=1.0),
    EnumParameter(kind="enum", name="mode", summary="s", default="fast", values=("fast", "exact")),
)


def test_parameters_are_completed_with_the_declared_defaults() -> None:
    manifest = minimal_manifest(parameters=[one.model_dump(mode="json") for one in PARAMETERS])
    assert complete_parameters(manifest, {"rounds": 3}) == {"rounds": 3, "beta": 0.1, "mode": "fast"}


@pytest.mark.parametrize(
    "given", [{"rounds": 10}, {"rounds": True}, {"rounds": 1.5}, {"beta": "0.1"}, {"mode": "slow"}]
)
def test_a_value_the_manifest_does_not_allow_is_refused(given: dict[str, bool | int | float | str]) -> None:
    with pytest.raises(ParameterError, match=next(iter(given))):
        complete_parameters(
            minimal_manifest(parameters=[one.model_dump(mode="json") for one in PARAMETERS]), given
        )


def test_an_unknown_parameter_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError) as caught:
        complete_parameters(
            minimal_manifest(parameters=[one.model_dump(mode="json") for one in PARAMETERS]), {"alpha": 1}
        )
    assert "rounds, beta, mode" in caught.value.hint


def test_inputs_must_be_the_declared_ports() -> None:
    manifest = minimal_manifest()
    declared = {port.name: 1 for port in manifest.inputs}
    check_ports(manifest, declared)
    with pytest.raises(PortError, match="declares no input 'other'"):
        check_ports(manifest, {**declared, "other": 1})
    with pytest.raises(PortError, match="needs the input"):
        check_ports(manifest, {})


def test_a_port_takes_as_many_files_as_it_declares() -> None:
    image = minimal_manifest().inputs[0].model_dump(mode="json")
    manifest = minimal_manifest(inputs=[image, {**image, "name": "later", "at_least": 0, "at_most": 3}])
    check_ports(manifest, {"t1": 1})
    check_ports(manifest, {"t1": 1, "later": 3})
    with pytest.raises(PortError, match="'later' takes 0 to 3 files, 4 were given"):
        check_ports(manifest, {"t1": 1, "later": 4})
    with pytest.raises(PortError, match="'t1' takes 1 file, 2 were given"):
        check_ports(manifest, {"t1": 2})


def test_memory_grows_with_the_input_as_declared() -> None:
    resources = Resources(
        cpus=1.0, memory_mib=500, memory_per_input_mib=4.0, scratch_mib=10, output_mib=20, case_timeout_s=60
    )
    limits = plan_limits(minimal_manifest(resources=resources.model_dump(mode="json")), 100 * MIB)
    assert limits.memory_bytes == 900 * MIB
    assert (limits.scratch_bytes, limits.output_bytes, limits.timeout_s) == (10 * MIB, 20 * MIB, 60.0)
