"""Whether a plugin takes what a protocol perturbs, and whether every reference can follow."""

from collections.abc import Iterator

from host.errors import KitFitError
from host.kits.kit import KitFolder
from host.perturbations.cases import PerturbedCase
from host.perturbations.declared import Perturbation
from plugin_spec.manifest import Manifest
from plugin_spec.ports import DetectionsPort, DicomSeriesPort, LabelMapPort, TransformPort, VolumePort


def check_perturbations(manifest: Manifest, folder: KitFolder) -> None:
    """Refuse perturbations of inputs that this plugin does not have, or whose references could not be moved.

    Raises
    ------
    KitFitError
        One line with the perturbation and the port.
    """
    fault = next(_faults(manifest, folder), "")
    if fault:
        raise KitFitError(fault, subject=folder.kit.id)


def _faults(manifest: Manifest, folder: KitFolder) -> Iterator[str]:
    for one in folder.protocol.perturbations:
        for port in one.inputs:
            yield from _faults_of_port(manifest, one, port)
    for case in folder.selected(smoke=False):
        if isinstance(case, PerturbedCase) and case.perturbation.moves:
            yield from _faults_of_move(manifest, case)


def _faults_of_port(manifest: Manifest, perturbation: Perturbation, name: str) -> Iterator[str]:
    port, named = manifest.input(name), f"perturbation {perturbation.id}"
    if port is None:
        yield f"{named}: {manifest.id} has no input {name}"
    elif isinstance(port, VolumePort):
        absolute = perturbation.kind == "noise" and perturbation.unit != "%"
        if absolute and perturbation.unit != port.unit:
            yield f"{named}: noise is in {perturbation.unit}, the input {name} in {port.unit}"
    elif not (isinstance(port, LabelMapPort) and perturbation.moves):
        yield f"{named}: {perturbation.kind} is not for the input {name}, of kind {port.kind}"


def _faults_of_move(manifest: Manifest, case: PerturbedCase) -> Iterator[str]:
    """Whatever lies where the image lies has to move with it."""
    named = f"perturbation {case.perturbation.id} of case {case.original.case_id}"
    for name in case.inputs:
        if name not in case.perturbation.inputs and isinstance(
            manifest.input(name), (VolumePort, LabelMapPort, DicomSeriesPort)
        ):
            yield f"{named}: moves the images it names; name {name} too"
    for name in case.references:
        port = manifest.output(name)
        points = isinstance(port, DetectionsPort) and case.perturbation.kind == "rotation"
        if points or isinstance(port, (VolumePort, TransformPort)):
            yield f"{named}: the reference of {name}, of kind {port.kind if port else ''}, cannot be moved with it"
