"""Which check goes with which port whose file is a document, and what of the case the checks may look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from host.cases.geometry import Grid
from host.content.classification import check_classification
from host.content.detections import check_detections
from host.content.measurements import RowSubjects, check_rows
from host.content.score import check_score
from host.content.transform import check_transform
from plugin_spec.documents import (
    ClassificationDocument,
    DetectionsDocument,
    MeasurementRows,
    ScoreDocument,
    TransformDocument,
)
from plugin_spec.manifest import Manifest
from plugin_spec.ports import ClassificationPort, DetectionsPort, MeasurementsPort, ScorePort, TransformPort

DocumentPort = MeasurementsPort | ClassificationPort | DetectionsPort | ScorePort | TransformPort
Document = MeasurementRows | ClassificationDocument | DetectionsDocument | ScoreDocument | TransformDocument


@dataclass(frozen=True)
class Surroundings:
    """What a document of a case may be compared with.

    Attributes
    ----------
    grids : mapping of str to Grid
        Of every image input of one file.
    subjects : RowSubjects
        What rows of measurements can be about.
    """

    grids: Mapping[str, Grid] = field(default_factory=dict)
    subjects: RowSubjects = RowSubjects()

    @classmethod
    def of(cls, manifest: Manifest, grids: Mapping[str, Grid], files: Mapping[str, int]) -> "Surroundings":
        """From the manifest, the inputs' grids and how many files each input port was given."""
        return cls(grids, RowSubjects.of(manifest, files))

    def grid(self, port: str | None) -> Grid | None:
        """The grid of an input; ``None`` where no port is named, or the port is optional and has no file."""
        return None if port is None else self.grids.get(port)


def check_document(
    port: DocumentPort, data: bytes, surroundings: Surroundings, *, csv: bool = False
) -> Document:
    """Check the bytes of a document against its port.

    Parameters
    ----------
    port, data
        What was declared, and what there is.
    surroundings : Surroundings
    csv : bool, optional
        Whether measurements are written as CSV with a header.
    """
    if isinstance(port, MeasurementsPort):
        return check_rows(port, data, surroundings.subjects, csv=csv)
    if isinstance(port, ClassificationPort):
        return check_classification(port, data)
    if isinstance(port, DetectionsPort):
        return check_detections(port, data, surroundings.grid(port.within))
    if isinstance(port, ScorePort):
        return check_score(port, data)
    return check_transform(port, data)
