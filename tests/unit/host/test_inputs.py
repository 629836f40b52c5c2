"""Inputs of every kind: staged under neutral names, read, compared with their ports, and refused with a reason."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from host.errors import InputFileError
from host.execution import CaseRequest, Execution, PreparedRun, execute, prepare
from host.plugins import PluginCatalogue
from host.staging import RunFolder
from plugin_spec.errors import TrustError
from plugin_spec.manifest import Manifest
from registry.canonical import digest
from registry.returns import kept_digests
from registry.statements import RunStarted
from tests.support.dicom_files import CT_IMAGE, MR_IMAGE, write_instance, write_series
from tests.support.manifests import minimal_manifest
from tests.support.memory_engine import writing
from tests.support.nifti_files import nifti_bytes, ramp, write_nifti
from tests.support.output_ports import document, port_document
from tests.support.tiny_host import TinyHost

RUN = "0123456789abcdef"
IMAGE = {"kind": "volume", "summary": "A scan.", "modality": "MR", "unit": "1"}
SERIES = {
    "kind": "dicom_series",
    "name": "series",
    "summary": "A series.",
    "modality": "MR",
    "sop_classes": [MR_IMAGE],
}


def port(kind: str, name: str, **changes: Any) -> dict[str, Any]:
    return port_document(kind, **{"name": name, **changes})


def manifest(*inputs: dict[str, Any], **changes: Any) -> Manifest:
    given = {
        one["name"]: "a.nii" if one.get("at_most", 1) == 1 else ["a.nii"]
        for one in inputs
        if one.get("at_least", 1)
    }
    tests = [
        {"name": "a", "inputs": given, "expect": "ok"},
        {"name": "b", "inputs": given, "expect": "refused", "reason_code": "x"},
    ]
    return minimal_manifest(inputs=list(inputs), tests=tests, **changes)


@dataclasses.dataclass
class Bench:
    """Prepares and runs cases of a manifest with the inputs it is given."""

    host: TinyHost
    folder: Path

    def prepare(self, manifest: Manifest, **inputs: Any) -> PreparedRun:
        release = dataclasses.replace(self.host.release, manifest=manifest)
        run_folder = RunFolder.create(self.host.home.runs / RUN)
        return prepare(release, CaseRequest("c", inputs, {}), run_folder, run_id=RUN)

    def run(self, manifest: Manifest, **inputs: Any) -> Execution:
        prepared = self.prepare(manifest, **inputs)
        self.host.engine.container = writing(10, outcome="refused", reason_code="reached")
        return execute(
            prepared, catalogue=PluginCatalogue(), engine=self.host.engine, labels={}, cancelled=lambda: False
        )

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def image(self, name: str = "scan.nii", data: Any = None, affine: Any = None, **fields: Any) -> Path:
        return write_nifti(self.folder / name, data, affine, **fields)

    def request(self) -> Any:
        return json.loads((self.host.home.runs / RUN / "in" / "request.json").read_text())


@pytest.fixture
def bench(host: TinyHost, tmp_path: Path) -> Bench:
    folder = tmp_path / "given"
    folder.mkdir()
    return Bench(host, folder)


def assert_reached(ended: Execution) -> None:
    """The container was started: nothing was found against the inputs."""
    assert (ended.outcome, ended.reason_code, ended.message) == ("refused", "reached", "")


def assert_ended(ended: Execution, outcome: str, reason: str, said: str) -> None:
    assert (ended.outcome, ended.reason_code) == (outcome, reason)
    assert said in ended.message
    assert ended.exit is None


# ---- lists and optional ports ------------------------------------------------------------------------------


def test_a_list_arrives_numbered_in_its_order_and_an_absent_input_not_at_all(bench: Bench) -> None:
    declared = manifest(
        {**IMAGE, "name": "t1"},
        {**IMAGE, "name": "runs", "at_most": 3},
        {**IMAGE, "name": "flair", "at_least": 0},
        {**IMAGE, "name": "more", "at_least": 0, "at_most": 2},
    )
    runs = [bench.image("z_Doe.nii.gz"), bench.image("a_Doe.nii")]
    ended = bench.run(declared, t1=bench.image(), runs=runs)
    assert_reached(ended)
    assert bench.request()["inputs"] == {"runs": ["runs-01.nii.gz", "runs-02.nii"], "t1": "t1.nii"}


def test_a_list_of_one_is_still_a_list(bench: Bench) -> None:
    declared = manifest({**IMAGE, "name": "runs", "at_most": 3})
    assert_reached(bench.run(declared, runs=bench.image()))
    assert bench.request()["inputs"] == {"runs": ["runs-01.nii"]}


def test_the_record_names_every_file_and_every_sidecar(bench: Bench) -> None:
    bench.file("b.json", '{"Manufacturer": "GE"}')
    paths = [bench.image("a.nii"), bench.image("b.nii")]
    prepared = bench.prepare(manifest({**IMAGE, "name": "runs", "at_most": 3}), runs=paths)
    assert [(one.port, one.name) for one in prepared.staged] == [
        ("runs", "runs-01.nii"),
        ("runs", "runs-02.nii"),
    ]
    assert prepared.staged[1].digest == digest(paths[1].read_bytes())
    assert [(one.port, one.name) for one in prepared.sidecars] == [("runs", "runs-02.json")]


def test_a_domain_rule_judges_each_file_of_a_list(bench: Bench) -> None:
    bench.file("a.json", '{"Manufacturer": "GE"}')
    bench.file("b.json", '{"Manufacturer": "Acme"}')
    rule = {"port": "runs", "tag": "Manufacturer", "one_of": ["GE"], "missing": "refuse", "outside": "refuse"}
    declared = manifest({**IMAGE, "name": "runs", "at_most": 3}, domain=[{**rule, "evidence": "Kit 1."}])
    ended = bench.run(declared, runs=[bench.image("a.nii"), bench.image("b.nii")])
    assert_ended(ended, "refused", "outside-domain", "runs-02: Manufacturer is Acme")


def test_one_unreadable_file_of_a_list_fails_the_case_by_its_neutral_name(bench: Bench) -> None:
    declared = manifest({**IMAGE, "name": "runs", "at_most": 3})
    ended = bench.run(declared, runs=[bench.image("a.nii"), bench.file("Doe_John.nii", b"no image")])
    assert_ended(ended, "failed", "unreadable-input", "runs-02.nii: ")
    assert "Doe" not in ended.message


# ---- images ------------------------------------------------------------------------------------------------

PAIR = ({**IMAGE, "name": "t1"}, {**IMAGE, "name": "flair", "grid_of": "t1", "at_most": 2})


def test_images_on_one_grid_go_on(bench: Bench) -> None:
    assert_reached(bench.run(manifest(*PAIR), t1=bench.image("a.nii"), flair=[bench.image("b.nii")]))


@pytest.mark.parametrize(
    ("data", "affine", "said"),
    [
        (ramp((3, 5, 6)), None, "shape (3, 5, 6), but t1 has (4, 5, 6)"),
        (None, np.diag([-1.0, 1.0, 1.0, 1.0]), "its voxels lie elsewhere"),
        (None, np.diag([1.0, 1.0, 1.1, 1.0]), "its voxels lie elsewhere"),
    ],
)
def test_an_image_on_another_grid_is_refused_before_anything_runs(
    bench: Bench, data: Any, affine: Any, said: str
) -> None:
    given = [bench.image("b.nii"), bench.image("c.nii", data, affine)]
    ended = bench.run(manifest(*PAIR), t1=bench.image("a.nii"), flair=given)
    assert_ended(ended, "refused", "grid-mismatch", f"port flair: {said}")


def test_an_image_with_a_time_axis_goes_where_one_is_declared(bench: Bench) -> None:
    series = bench.file("dwi.nii", nifti_bytes(ramp((4, 5, 6, 3))))
    declared = manifest({**IMAGE, "name": "dwi", "ndim": 4}, resources=growing())
    prepared = bench.prepare(declared, dwi=series)
    assert prepared.limits.memory_bytes == 256 * 2**20 + 720
    assert prepared.grids["dwi"].shape == (4, 5, 6)


def growing() -> dict[str, Any]:
    base = minimal_manifest().resources.model_dump(mode="json")
    return {**base, "memory_per_input_mib": 1.0}


def test_a_series_of_volumes_is_no_volume_and_the_other_way_round(bench: Bench) -> None:
    series = bench.file("dwi.nii", nifti_bytes(ramp((4, 5, 6, 3))))
    ended = bench.run(manifest({**IMAGE, "name": "t1"}), t1=series)
    assert_ended(ended, "failed", "unreadable-input", "t1.nii: the image is 4 x 5 x 6 x 3, not 3-D")


def test_values_and_labels_that_a_port_does_not_declare_are_refused(bench: Bench) -> None:
    ended = bench.run(manifest({**IMAGE, "name": "t1", "value_max": 50.0}), t1=bench.image())
    assert_ended(ended, "refused", "input-mismatch", "port t1: largest value 119")


@pytest.mark.parametrize(
    ("value", "outcome", "reason", "said"),
    [
        (1, "refused", "reached", ""),
        (3, "refused", "input-mismatch", "port mask: holds the values 3"),
        (0, "refused", "input-mismatch", "port mask: no voxel is grey"),
        (0.5, "failed", "unreadable-input", "mask.nii: labels are not whole numbers"),
        (-1, "failed", "unreadable-input", "mask.nii: labels run from -1"),
    ],
)
def test_a_label_map_holds_declared_labels(
    bench: Bench, value: float, outcome: str, reason: str, said: str
) -> None:
    labels = bench.image("m.nii", np.full((4, 5, 6), value, np.float32))
    ended = bench.run(
        manifest({**IMAGE, "name": "t1"}, port("label_map", "mask")), t1=bench.image(), mask=labels
    )
    assert (ended.outcome, ended.reason_code) == (outcome, reason)
    assert said in ended.message


def test_a_space_that_is_declared_is_compared_and_the_default_claims_nothing(bench: Bench) -> None:
    template = bench.image("m.nii", sform_code=3)
    declared = {**IMAGE, "name": "t1", "space": "MNI152NLin2009cAsym"}
    assert_ended(bench.run(manifest(declared), t1=template), "refused", "grid-mismatch", "Talairach")


def test_an_image_in_a_template_may_stand_where_no_space_is_declared(bench: Bench) -> None:
    assert_reached(bench.run(manifest({**IMAGE, "name": "t1"}), t1=bench.image(sform_code=4)))


# ---- documents and files -----------------------------------------------------------------------------------

DOCUMENTS = (
    {**IMAGE, "name": "t1"},
    port("measurements", "numbers_in", at_least=0),
    port("detections", "seeds", within="t1", at_least=0),
    port("transform", "moved", from_port="t1", to_port="t1", at_least=0),
)
GOOD = {
    "numbers_in": document("measurements", rows=[{"gm_ml": 1.0, "wm_ml": 2.0}]),
    "seeds": document(
        "detections",
        frame="LPS",
        detections=[{"label": "lesion", "point": [-1.0, -2.0, 3.0], "score": 0.5}],
    ),
    "moved": document(
        "transform",
        matrix=[[1.0, 0.0, 0.0, 5.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]],
    ),
}


def test_documents_are_staged_as_json_and_go_on(bench: Bench) -> None:
    given = {name: bench.file(f"Doe_{name}.txt", content) for name, content in GOOD.items()}
    assert_reached(bench.run(manifest(*DOCUMENTS), t1=bench.image(), **given))
    assert bench.request()["inputs"] == {
        "moved": "moved.json",
        "numbers_in": "numbers_in.json",
        "seeds": "seeds.json",
        "t1": "t1.nii",
    }


BAD_DOCUMENTS: dict[str, tuple[str, bytes, tuple[str, str, str]]] = {
    "no JSON": ("numbers_in", b"gm_ml,wm_ml\n1,2\n", ("failed", "unreadable-input", "port numbers_in: ")),
    "a missing column": (
        "numbers_in",
        document("measurements", rows=[{"gm_ml": 1.0}]),
        ("failed", "unreadable-input", "port numbers_in: row 1 lacks wm_ml; declared: "),
    ),
    "a value out of range": (
        "numbers_in",
        document("measurements", rows=[{"gm_ml": 1.0, "wm_ml": 200.0}]),
        ("refused", "input-mismatch", "port numbers_in: row 1, wm_ml is 200"),
    ),
    "a seed outside the image": (
        "seeds",
        GOOD["seeds"].replace(b"-2.0", b"-90.0"),
        ("refused", "input-mismatch", "port seeds: finding 1 at (-1, -90, 3) mm LPS lies outside t1"),
    ),
    "a seed in RAS": (
        "seeds",
        GOOD["seeds"].replace(b"[-1.0, -2.0", b"[1.0, 2.0"),
        ("refused", "input-mismatch", "inside it if the numbers are RAS"),
    ),
    "a transform that scales": (
        "moved",
        GOOD["moved"].replace(b"[[1.0", b"[[2.0"),
        ("refused", "input-mismatch", "port moved: a rigid transform neither scales"),
    ),
}


@pytest.mark.parametrize("what", BAD_DOCUMENTS)
def test_a_document_that_does_not_fit_its_port_ends_the_case_with_a_reason(bench: Bench, what: str) -> None:
    name, content, (outcome, reason, said) = BAD_DOCUMENTS[what]
    ended = bench.run(manifest(*DOCUMENTS), t1=bench.image(), **{name: bench.file("d.json", content)})
    assert_ended(ended, outcome, reason, said)


def test_a_document_past_the_limit_is_not_staged(bench: Bench) -> None:
    with pytest.raises(InputFileError, match="larger than 1048576 bytes"):
        bench.prepare(
            manifest(*DOCUMENTS), t1=bench.image(), moved=bench.file("d.json", b" " * (1024 * 1024 + 1))
        )


def test_a_file_is_handed_on_unread_with_an_ending_that_names_nobody(bench: Bench) -> None:
    licence = {"kind": "file", "name": "licence", "summary": "A licence.", "role": "licence", "at_most": 3}
    files = [bench.file("my.LIC", b"\0\xff"), bench.file("key.doe", b"x"), bench.file("plain", b"")]
    assert_reached(bench.run(manifest({**IMAGE, "name": "t1"}, licence), t1=bench.image(), licence=files))
    assert bench.request()["inputs"]["licence"] == ["licence-01.lic", "licence-02", "licence-03"]
    staged = bench.host.home.runs / RUN / "in"
    assert (staged / "licence-01.lic").read_bytes() == b"\0\xff"


def test_a_file_is_bounded_by_its_port(bench: Bench) -> None:
    licence = {"kind": "file", "name": "licence", "summary": "A.", "role": "licence", "bytes_max": 10}
    with pytest.raises(InputFileError, match="larger than 10 bytes"):
        bench.prepare(
            manifest({**IMAGE, "name": "t1"}, licence), t1=bench.image(), licence=bench.file("l", b"x" * 11)
        )


def test_a_port_called_request_does_not_replace_the_hosts_own_file(bench: Bench) -> None:
    declared = manifest({**IMAGE, "name": "t1"}, port("transform", "request", from_port="t1", to_port="t1"))
    assert_reached(bench.run(declared, t1=bench.image(), request=bench.file("d.json", GOOD["moved"])))
    assert bench.request()["inputs"]["request"] == "request-file.json"


# ---- DICOM -------------------------------------------------------------------------------------------------


def test_a_series_arrives_as_a_folder_in_order_and_the_record_names_its_listing(bench: Bench) -> None:
    source = write_series(bench.folder / "Doe_John")
    prepared = bench.prepare(manifest(SERIES), series=source)
    staged = prepared.folder.inputs / "series"
    assert [path.name for path in sorted(staged.iterdir())] == [f"00000{n}.dcm" for n in (1, 2, 3, 4)]
    (listing,) = prepared.listings
    (ref,) = prepared.staged
    assert (ref.name, ref.digest, ref.bytes) == ("series.series.json", digest(listing), len(listing))
    listed = json.loads(listing)["instances"]
    for one in listed:
        assert digest((staged / one["name"]).read_bytes()) == one["digest"]
    assert b"Doe" not in listing and b"DOE" not in listing
    numbers = [int((staged / one["name"]).read_bytes().split(b"8.498.1.")[1][:1]) for one in listed]
    assert numbers == [1, 2, 3, 4]


def test_the_digest_of_a_series_does_not_depend_on_what_its_files_are_called(bench: Bench) -> None:
    first = bench.prepare(manifest(SERIES), series=write_series(bench.folder / "a"))
    first.folder.remove()
    renamed = write_series(bench.folder / "b")
    for number, path in enumerate(sorted(renamed.iterdir())):
        path.rename(renamed / f"{9 - number}")
    assert bench.prepare(manifest(SERIES), series=renamed).staged == first.staged


def test_a_series_of_another_content_has_another_digest(bench: Bench) -> None:
    first = bench.prepare(manifest(SERIES), series=write_series(bench.folder / "a"))
    first.folder.remove()
    other = bench.prepare(manifest(SERIES), series=write_series(bench.folder / "b", EchoTime=3.0))
    assert other.staged != first.staged


def test_the_listing_is_kept_under_the_digest_that_the_record_names(bench: Bench, host: TinyHost) -> None:
    release = dataclasses.replace(host.release, manifest=manifest(SERIES))
    source = write_series(bench.folder / "Doe_John")
    host.engine.container = writing(10, outcome="refused", reason_code="reached")
    request = CaseRequest("c", {"series": source}, {})
    done = host.ledger().run(release, request, subject="s", visit="v", cancelled=lambda: False)
    (ref,) = done.started.statement.read(RunStarted).inputs
    assert ref.digest in kept_digests(done.started.statement.read(RunStarted))
    listed = json.loads(host.registry.blobs.path(ref.digest).read_bytes())
    digests = {digest(path.read_bytes()) for path in source.iterdir()}
    assert {one["digest"] for one in listed["instances"]} == digests
    assert host.registry.blobs.verify(ref.digest) == ref.bytes
    host.registry.blobs.path(ref.digest).chmod(0o644)
    host.registry.blobs.path(ref.digest).write_bytes(b"{}")
    with pytest.raises(TrustError):
        host.registry.blobs.verify(ref.digest)


def test_the_container_is_told_the_folder(bench: Bench) -> None:
    assert_reached(bench.run(manifest(SERIES), series=write_series(bench.folder / "a")))
    assert bench.request()["inputs"] == {"series": "series"}


SERIES_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "another modality": ({"Modality": "CT"}, "the modality is CT, not MR"),
    "another SOP class": ({"SOPClassUID": CT_IMAGE}, "which is not declared"),
    "one instance, copied": ({"SOPInstanceUID": "1.2.3"}, "stands in the folder twice"),
}


@pytest.mark.parametrize("fault", SERIES_FAULTS)
def test_a_series_that_does_not_fit_its_port_is_refused(bench: Bench, fault: str) -> None:
    fields, said = SERIES_FAULTS[fault]
    ended = bench.run(manifest(SERIES), series=write_series(bench.folder / "a", **fields))
    assert_ended(
        ended, "refused", "input-mismatch", f"port series: {'an instance ' if 'twice' in said else ''}"
    )
    assert said in ended.message


def test_a_folder_of_two_series_is_refused(bench: Bench) -> None:
    folder = write_series(bench.folder / "a")
    write_instance(folder / "z", 9, SeriesInstanceUID="1.2.3.4")
    ended = bench.run(manifest(SERIES), series=folder)
    assert_ended(ended, "refused", "input-mismatch", "instances of 2 series")


def test_a_file_that_is_no_instance_fails_the_case_and_only_the_operator_sees_which(bench: Bench) -> None:
    folder = write_series(bench.folder / "a")
    (folder / "Doe_notes.txt").write_text("x")
    ended = bench.run(manifest(SERIES), series=folder)
    assert_ended(
        ended, "failed", "unreadable-input", "port series: file 5 of 5 of the series: not a DICOM file"
    )
    assert "Doe" not in ended.message
    assert "Doe_notes.txt" in ended.hint


@pytest.mark.parametrize("entry", ["folder", "link", "nothing"])
def test_only_regular_files_make_a_series(bench: Bench, entry: str) -> None:
    folder = bench.folder / "a"
    folder.mkdir()
    if entry == "folder":
        (folder / "inner").mkdir()
    if entry == "link":
        (folder / "link.dcm").symlink_to(write_instance(bench.folder / "one.dcm"))
    with pytest.raises(
        InputFileError, match="empty" if entry == "nothing" else "not a regular file"
    ) as caught:
        bench.prepare(manifest(SERIES), series=folder)
    assert caught.value.hint.startswith("--input series=FOLDER")


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_series_is_a_folder(bench: Bench, kind: str) -> None:
    path = bench.folder / "a"
    if kind == "file":
        path.write_bytes(b"x")
    with pytest.raises(InputFileError, match=str(path)):
        bench.prepare(manifest(SERIES), series=path)


def rule(tag: str, **fields: Any) -> dict[str, Any]:
    return {
        "port": "series",
        "tag": tag,
        "missing": "refuse",
        "outside": "refuse",
        "evidence": "Kit 1.",
        **fields,
    }


def test_the_acceptance_domain_is_judged_on_the_header_and_the_slices(bench: Bench) -> None:
    inside = [
        rule("Manufacturer", one_of=["Siemens"]),
        rule("EchoTime", maximum=3.0, unit="ms"),
        rule("geometry.spacing_max_mm", maximum=2.0, unit="mm"),
    ]
    source = write_series(bench.folder / "a")
    assert_reached(bench.run(manifest(SERIES, domain=inside), series=source))


def test_a_series_outside_the_domain_is_refused(bench: Bench) -> None:
    outside = [rule("EchoTime", maximum=2.0, unit="ms")]
    ended = bench.run(manifest(SERIES, domain=outside), series=write_series(bench.folder / "a"))
    assert_ended(ended, "refused", "outside-domain", "series: EchoTime is 2.98, outside at most 2 ms")


def test_geometry_that_the_headers_do_not_give_is_missing(bench: Bench) -> None:
    uneven = [rule("geometry.spacing_max_mm", maximum=9.0, unit="mm")]
    source = write_series(bench.folder / "a", ImagePositionPatient=None)
    ended = bench.run(manifest(SERIES, domain=uneven), series=source)
    assert_ended(ended, "refused", "outside-domain", "geometry.spacing_max_mm is not given")


# ---- visits ------------------------------------------------------------------------------------------------


def test_an_interval_between_a_series_and_a_sidecar_is_judged(bench: Bench) -> None:
    declared = manifest(
        {**SERIES, "time_point": "baseline"},
        {
            **IMAGE,
            "name": "later",
            "time_point": "followup",
            "interval_days": {"minimum": 20.0, "maximum": 40.0},
        },
    )
    source = write_series(bench.folder / "a")
    bench.file("b.json", '{"AcquisitionDateTime": "2026-05-01T10:00:00"}')
    ended = bench.run(declared, series=source, later=bench.image("b.nii"))
    assert_ended(ended, "refused", "outside-domain", "later: days since baseline: 60.99, outside 20 to 40")


def test_an_interval_that_is_not_known_is_a_warning(bench: Bench) -> None:
    declared = manifest(
        {**IMAGE, "name": "t1", "time_point": "baseline"},
        {
            **IMAGE,
            "name": "later",
            "time_point": "followup",
            "interval_days": {"minimum": 20.0, "maximum": 40.0},
        },
    )
    ended = bench.run(declared, t1=bench.image("a.nii"), later=bench.image("b.nii"))
    assert_reached(ended)
    assert ended.warnings == (
        "later: days since baseline are not known, for the baseline gives no acquisition date; expected 20 to 40",
    )
