"""What a case of a kit asks a plugin to be run on."""

from pathlib import Path

from host.case_table import parameter_value
from host.errors import KitFitError
from host.execution import CaseRequest
from host.kits.cases import KitCase
from plugin_spec.case import Scalar
from plugin_spec.manifest import Manifest


def case_request(case: KitCase, manifest: Manifest, data: Path) -> CaseRequest:
    """The files and parameters of a case, as the plugin declares them.

    Parameters
    ----------
    case : KitCase
    manifest : Manifest
        Says which ports take several files, and of which kind each parameter is.
    data : Path
        The kit's data folder.

    Raises
    ------
    KitFitError
        The plugin has no such parameter, or does not allow the value.
    """
    return CaseRequest(
        case.case_id,
        {port: tuple(data / file.path for file in files) for port, files in case.inputs.items()},
        case_parameters(case, manifest),
    )


def case_parameters(case: KitCase, manifest: Manifest) -> dict[str, Scalar]:
    """The parameters of a case, read as the plugin declares them; faults as in `case_request`."""
    declared = {one.name: one for one in manifest.parameters}
    values: dict[str, Scalar] = {}
    for name, cell in case.parameters.items():
        if name not in declared:
            raise KitFitError(f"case {case.case_id} gives param.{name}; {manifest.id} has no such parameter")
        try:
            values[name] = parameter_value(declared[name], cell)
        except ValueError as error:
            raise KitFitError(f"case {case.case_id}: param.{name}: {error}") from error
    return values
