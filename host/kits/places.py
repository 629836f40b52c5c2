"""Where a case's files are: those of the kit, or those of a perturbed copy."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from host.execution import CaseRequest
from host.kits.cases import KitCase
from host.kits.request import case_parameters
from plugin_spec.manifest import Manifest


@dataclass(frozen=True)
class PlacedCase:
    """A case and its files.

    Attributes
    ----------
    inputs : mapping of str to tuple of Path
        Port to its files, in order.
    references : mapping of str to Path
        Output port to the file it is compared with.
    """

    case: KitCase
    inputs: Mapping[str, tuple[Path, ...]]
    references: Mapping[str, Path]

    def request(self, manifest: Manifest) -> CaseRequest:
        """What the case asks to be run; raises `KitFitError` for a parameter that the plugin does not take."""
        return CaseRequest(self.case.case_id, self.inputs, case_parameters(self.case, manifest))


def place(case: KitCase, data: Path) -> PlacedCase:
    """A case of the kit's own table, in the kit's data folder."""
    return PlacedCase(
        case,
        {port: tuple(data / file.path for file in files) for port, files in case.inputs.items()},
        {port: data / file.path for port, file in case.references.items()},
    )
