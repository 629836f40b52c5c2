"""A table of cases: what does not fit is named by file, line and column before anything runs."""

from pathlib import Path

import pytest

from host.case_table import TableCase, read_case_table
from host.errors import CaseTableError
from plugin_spec.manifest import Manifest, read_manifest
from tests.support.tiny import plugin_folder, write_scan

PARAMETERS = """
[[parameters]]
kind = "int"
name = "passes"
summary = "How often."
default = 1
minimum = 1
maximum = 5

[[parameters]]
kind = "bool"
name = "smooth"
summary = "Whether."
default = false

[[parameters]]
kind = "float"
name = "sigma"
summary = "How much."
unit = "mm"
default = 1.0
minimum = 0.0
maximum = 9.0
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    plugin = plugin_folder(tmp_path / "plugin")
    with (plugin / "plugin.toml").open("a") as stream:
        stream.write(PARAMETERS)
    write_scan(tmp_path / "a.nii")
    write_scan(tmp_path / "b.nii")
    return read_manifest(plugin / "plugin.toml")


def read(folder: Path, manifest: Manifest, text: str) -> tuple[TableCase, ...]:
    (folder / "cases.csv").write_text(text)
    return read_case_table(folder / "cases.csv", manifest)


def test_a_row_is_a_case_with_inputs_and_typed_parameters(manifest: Manifest, tmp_path: Path) -> None:
    text = f"case_id,scan,passes,smooth,sigma\none,a.nii,3,true,2\n\ntwo,{tmp_path / 'b.nii'},,,\n"
    assert read(tmp_path, manifest, text) == (
        TableCase("one", {"scan": tmp_path / "a.nii"}, {"passes": 3, "smooth": True, "sigma": 2.0}),
        TableCase("two", {"scan": tmp_path / "b.nii"}, {}),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("case_id,scan\n", "has 0 cases"),
        ("scan\na.nii\n", ":1: column 'case_id': is missing"),
        ("case_id,scan,scna\n", ":1: column 'scna': is neither input nor parameter"),
        ("case_id,scan,scan\n", ":1: column 'scan': stands twice"),
        ("case_id,scan\none\n", ":2: has 1 cells, the header has 2"),
        ("case_id,scan\none,a.nii,\n", ":2: has 3 cells, the header has 2"),
        ("case_id,scan\n../one,a.nii\n", ":2: column 'case_id': '../one' is no case id"),
        ("case_id,scan\nresults.csv,a.nii\n", ":2: column 'case_id': 'results.csv' is the name of a table"),
        ("case_id,scan\n,a.nii\n", ":2: column 'case_id': '' is no case id"),
        ("case_id,scan\none,a.nii\nONE,b.nii\n", ":3: column 'case_id': 'ONE' stands in line 2 too"),
        ("case_id,scan\none,a.nii\n\n\ntwo,c.nii\n", ":5: column 'scan': "),
        ("case_id,scan\none,\n", ":2: tiny-volumes needs the input 'scan'"),
        ("case_id,scan,passes\none,a.nii,1.5\n", ":2: column 'passes': '1.5' is no value of kind int"),
        (
            "case_id,scan,passes\none,a.nii,9\n",
            ":2: column 'passes': '9' is not allowed; allowed: int, 1 to 5",
        ),
        ("case_id,scan,smooth\none,a.nii,yes\n", ":2: column 'smooth': 'yes' is no value of kind bool"),
        ("case_id,scan,sigma\none,a.nii,nan\n", ":2: column 'sigma': 'nan' is not allowed"),
        ('case_id,scan\none,"a.nii\n', "cannot be read as CSV"),
    ],
)
def test_what_does_not_fit_is_named_by_line_and_column(
    text: str, message: str, manifest: Manifest, tmp_path: Path
) -> None:
    with pytest.raises(CaseTableError) as refused:
        read(tmp_path, manifest, text)
    assert str(tmp_path / "cases.csv") in refused.value.message
    assert message in refused.value.message


def test_a_table_that_is_no_text_or_not_there_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "cases.csv").write_bytes(b"case_id,scan\n\xff\xfe\n")
    with pytest.raises(CaseTableError, match="cannot be read as CSV"):
        read_case_table(tmp_path / "cases.csv", manifest)
    with pytest.raises(CaseTableError, match="No such file"):
        read_case_table(tmp_path / "none.csv", manifest)


def test_a_cell_of_a_port_that_takes_several_files_holds_them_all(manifest: Manifest, tmp_path: Path) -> None:
    scan = manifest.inputs[0].model_copy(update={"at_most": 2})
    several = manifest.model_copy(update={"inputs": (scan,)})
    (case,) = read(tmp_path, several, "case_id,scan\none,b.nii; a.nii\n")
    assert case.inputs == {"scan": (tmp_path / "b.nii", tmp_path / "a.nii")}
    with pytest.raises(CaseTableError, match="takes 1 to 2 files, 3 were given"):
        read(tmp_path, several, "case_id,scan\none,a.nii;b.nii;a.nii\n")
    with pytest.raises(CaseTableError, match="no such file"):
        read(tmp_path, several, "case_id,scan\none,a.nii;c.nii\n")
    with pytest.raises(CaseTableError, match="no such file"):
        read(tmp_path, manifest, "case_id,scan\none,a.nii;b.nii\n")
