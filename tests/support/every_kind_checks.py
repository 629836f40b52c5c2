"""What must hold of a case with a port of every kind, on every engine and by either way to answer."""

from host.execution import Execution
from host.records import measured
from plugin_spec.documents import DetectionsDocument, TransformDocument
from plugin_spec.manifest import Manifest

MEASURED = {
    ("means", 0, "time_point"): "baseline",
    ("means", 0, "mean"): 59.5,
    ("means", 1, "time_point"): "followup-1",
    ("means", 1, "mean"): 69.5,
    ("means", 2, "time_point"): "followup-2",
    ("means", 2, "mean"): 79.5,
    ("call", 0, "label"): "many",
    ("call", 0, "probability.many"): 0.9,
    ("found", 0, "count"): 1.0,
    ("found", 0, "count.lesion"): 1.0,
    ("risk", 0, "value"): 0.25,
    ("risk", 0, "upper"): 1.0,
}


def assert_every_kind_was_answered(manifest: Manifest, ended: Execution) -> None:
    """Each answer follows from the input of its kind."""
    assert (ended.outcome, ended.reason_code, ended.message) == ("ok", "", "")
    outputs = {one.port: one for one in ended.outputs}
    assert list(outputs) == [port.name for port in manifest.outputs if port.name != "denoised"]
    seen = {(one.port, one.row, one.column): one.value for one in measured(manifest, ended)}
    assert MEASURED.items() <= seen.items()
    found, back = outputs["found"].document, outputs["back"].document
    assert isinstance(found, DetectionsDocument)
    assert (found.detections[0].point, found.detections[0].track_id) == ((-1.0, -2.0, 3.0), "seed-0")
    assert isinstance(back, TransformDocument)
    assert back.matrix[0] == (0.0, 1.0, 0.0, 0.0)
    assert "5 instances, 8 drawn voxels" in outputs["page"].path.read_text()
    assert outputs["visits"].grid == outputs["mask"].grid
