"""What a run's record says was measured, for every kind of output."""

from pathlib import Path
from typing import Any

import pytest

from host.errors import OutputMalformedError
from host.execution import Execution
from host.outputs import collect_outputs, read_result
from host.records import measured
from plugin_spec.manifest import Manifest
from registry.canonical import canonical_json
from registry.statements import Measured
from tests.support.output_ports import document, port_document
from tests.unit.host.test_output_kinds import FILES, collect, manifest
from tests.unit.host.test_outputs import GRID, LIMITS


def values(found: tuple[Measured, ...], port: str) -> list[tuple[int, str, float | str, str | None]]:
    return [(one.row, one.column, one.value, one.unit) for one in found if one.port == port]


def test_numbers_calls_scores_and_counts_stand_in_the_record(tmp_path: Path) -> None:
    for name, content in FILES.values():
        (tmp_path / name).write_bytes(content)
    found = measured(manifest(), Execution("ok", "", "", outputs=collect(tmp_path)))
    assert values(found, "measurements") == [(0, "gm_ml", 1.0, "mL"), (0, "wm_ml", 2.0, "mL")]
    assert values(found, "classification") == [
        (0, "label", "lesion", None),
        (0, "probability.healthy", 0.2, "{probability}"),
        (0, "probability.lesion", 0.8, "{probability}"),
        (0, "probability.unsure", 0.0, "{probability}"),
    ]
    assert values(found, "score") == [
        (0, "value", 0.5, "{probability}"),
        (0, "lower", 0.4, "{probability}"),
        (0, "upper", 0.6, "{probability}"),
    ]
    assert values(found, "detections") == [
        (0, "count", 1.0, "1"),
        (0, "count.lesion", 1.0, "1"),
        (0, "count.healthy", 0.0, "1"),
        (0, "count.unsure", 0.0, "1"),
    ]
    assert {one.port for one in found} == {"measurements", "classification", "score", "detections"}
    canonical_json([one.model_dump(mode="json") for one in found])


def collected(folder: Path, content: bytes, *ports: dict[str, Any], name: str = "a.json") -> Execution:
    """An ok execution with ``content`` as every port's file."""
    declared = with_outputs(*ports)
    listed = []
    for number, port in enumerate(ports):
        (folder / f"{number}-{name}").write_bytes(content)
        listed.append({"port": port["name"], "path": f"{number}-{name}"})
    result = {"contract": "assay.result/1", "outcome": "ok", "outputs": listed}
    (folder / "result.json").write_bytes(canonical_json(result))
    outputs = collect_outputs(
        declared, read_result(folder), folder, grids={"t1": GRID}, files={"t1": 1}, limits=LIMITS
    )
    return Execution("ok", "", "", outputs=outputs)


def with_outputs(*ports: dict[str, Any]) -> Manifest:
    base = manifest()
    document = base.model_dump(mode="json")
    return Manifest.model_validate_json(canonical_json({**document, "outputs": list(ports)}))


def test_a_row_says_what_it_is_about(tmp_path: Path) -> None:
    port = port_document("measurements", rows_per="lesion")
    rows = [{"lesion": name, "gm_ml": 1.26, "wm_ml": 2.0} for name in ("a", "b")]
    ended = collected(tmp_path, document("measurements", rows=rows), port)
    assert values(measured(with_outputs(port), ended), "answer") == [
        (0, "lesion", "a", None),
        (0, "gm_ml", 1.3, "mL"),
        (0, "wm_ml", 2.0, "mL"),
        (1, "lesion", "b", None),
        (1, "gm_ml", 1.3, "mL"),
        (1, "wm_ml", 2.0, "mL"),
    ]


def test_a_record_stays_readable_whatever_the_outputs_hold(tmp_path: Path) -> None:
    """Each table alone is within bounds, both together are not."""
    ports = [port_document("measurements", rows_per="lesion", name=name) for name in ("one", "two")]
    rows = [{"lesion": f"{n}", "gm_ml": 1.0, "wm_ml": 2.0} for n in range(4000)]
    data = document("measurements", rows=rows)
    collected(tmp_path, data, ports[0])
    with pytest.raises(OutputMalformedError, match="hold 24000 values together; a record holds 20000"):
        collected(tmp_path, data, *ports)


@pytest.mark.parametrize("name", ["x" * 64, "", "a\x1b[31m", "a\nb"])
def test_what_a_row_is_about_has_a_short_printable_name(tmp_path: Path, name: str) -> None:
    port = port_document("measurements", rows_per="lesion")
    rows = [{"lesion": name, "gm_ml": 1.0, "wm_ml": 2.0}]
    with pytest.raises(OutputMalformedError, match="port answer: a lesion has no name of 1 to 63 printable"):
        collected(tmp_path, document("measurements", rows=rows), port)
