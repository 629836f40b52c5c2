"""Measurements: rows of time-points, and the CSV that a tool without Python writes."""

import pytest

from host.content.measurements import RowSubjects, check_rows
from host.errors import OutputLabelsError, OutputMalformedError, OutputMissingError, OutputRangeError
from tests.support.manifests import minimal_manifest
from tests.support.output_ports import document, output_port

GOOD = {"gm_ml": 1.0, "wm_ml": 2.0}
NOBODY = RowSubjects()
VISITS = RowSubjects(time_points=frozenset({"baseline", "followup-1", "followup-2"}))


def csv_rows(text, port=None, subjects=NOBODY):
    data = text if isinstance(text, bytes) else text.encode()
    return check_rows(port or output_port("measurements"), data, subjects, csv=True).rows


def visit_rows(*visits):
    port = output_port("measurements", rows_per="time_point")
    rows = [{"time_point": visit, **GOOD} for visit in visits]
    return check_rows(port, document("measurements", rows=rows), VISITS).rows


def test_every_time_point_of_the_case_has_its_row():
    assert len(visit_rows("baseline", "followup-2", "followup-1")) == 3
    with pytest.raises(OutputMissingError, match="port answer: no row for followup-2"):
        visit_rows("baseline", "followup-1")
    with pytest.raises(OutputLabelsError, match="unknown time-points screening"):
        visit_rows("baseline", "followup-1", "screening")
    with pytest.raises(OutputMalformedError, match="a time-point stands in two rows"):
        visit_rows("baseline", "baseline", "followup-1")


def test_time_points_follow_from_the_ports_and_the_files_they_were_given():
    image = {"kind": "volume", "summary": "A.", "modality": "MR", "unit": "1"}
    manifest = minimal_manifest(
        inputs=[
            {**image, "name": "t1", "time_point": "baseline"},
            {**image, "name": "flair", "time_point": "baseline"},
            {**image, "name": "later", "time_point": "followup", "at_least": 0, "at_most": 3},
            {**image, "name": "last", "time_point": "followup", "order": 9, "at_least": 0},
            {**image, "name": "atlas"},
        ],
        tests=[
            {"name": "a", "inputs": {"t1": "a.nii", "flair": "a.nii", "atlas": "a.nii"}, "expect": "ok"},
            {
                "name": "b",
                "inputs": {"t1": "a.nii", "flair": "a.nii", "atlas": "a.nii"},
                "expect": "refused",
                "reason_code": "x",
            },
        ],
    )
    files = {"t1": 1, "flair": 1, "later": 2, "atlas": 1}
    assert RowSubjects.of(manifest, files).time_points == {"baseline", "followup-1", "followup-2"}
    assert RowSubjects.of(manifest, {"t1": 1, "last": 1}).time_points == {"baseline", "followup-9"}


def test_a_csv_file_is_read_as_its_numbers():
    assert csv_rows("wm_ml,gm_ml\r\n2,1.5e1\r\n") == ({"wm_ml": 2.0, "gm_ml": 15.0},)
    assert csv_rows('"gm_ml","wm_ml"\n.5,"+2."') == ({"gm_ml": 0.5, "wm_ml": 2.0},)


def test_a_csv_file_may_begin_with_a_byte_order_mark():
    assert csv_rows("\ufeffgm_ml,wm_ml\n1,2\n") == (GOOD,)


def test_the_column_that_names_the_row_is_a_word_even_if_it_looks_like_a_number():
    port = output_port("measurements", rows_per="lesion")
    assert csv_rows("lesion,gm_ml,wm_ml\n1,1,2\n2,1,2\n", port)[1] == {"lesion": "2", **GOOD}
    assert csv_rows("lesion,gm_ml,wm_ml\n", port) == ()


CSV_FAULTS = {
    "nothing": ("", OutputMalformedError, "is empty"),
    "no row": ("gm_ml,wm_ml\n", OutputMalformedError, "0 rows, but one per case"),
    "two rows": ("gm_ml,wm_ml\n1,2\n1,2\n", OutputMalformedError, "2 rows"),
    "a blank line": ("gm_ml,wm_ml\n\n1,2\n", OutputMalformedError, "row 1 has 0 cells"),
    "no header": ("1,2\n", OutputMalformedError, "the header of the CSV file"),
    "a missing column": ("gm_ml\n1\n", OutputMalformedError, "wm_ml"),
    "a further column": ("gm_ml,wm_ml,csf_ml\n1,2,3\n", OutputMalformedError, "csf_ml"),
    "a repeated column": ("gm_ml,gm_ml,wm_ml\n1,1,2\n", OutputMalformedError, "repeats"),
    "blanks in the header": ("gm_ml, wm_ml\n1,2\n", OutputMalformedError, "header"),
    "semicolons": ("gm_ml;wm_ml\n1;2\n", OutputMalformedError, "header"),
    "a cell too many": ("gm_ml,wm_ml\n1,2,3\n", OutputMalformedError, "3 cells, the header 2"),
    "an empty cell": ("gm_ml,wm_ml\n,2\n", OutputMalformedError, "gm_ml is ''"),
    "a decimal comma": ('gm_ml,wm_ml\n"1,5",2\n', OutputMalformedError, "'1,5'"),
    "a unit": ("gm_ml,wm_ml\n1 mL,2\n", OutputMalformedError, "'1 mL'"),
    "a blank before a number": ("gm_ml,wm_ml\n1, 2\n", OutputMalformedError, "' 2'"),
    "nan": ("gm_ml,wm_ml\nnan,2\n", OutputMalformedError, "'nan'"),
    "inf": ("gm_ml,wm_ml\ninf,2\n", OutputMalformedError, "'inf'"),
    "a number beyond all": ("gm_ml,wm_ml\n1e999,2\n", OutputMalformedError, "'1e999'"),
    "an underscore": ("gm_ml,wm_ml\n1_0,2\n", OutputMalformedError, "'1_0'"),
    "digits of another script": ("gm_ml,wm_ml\n\u0661,2\n", OutputMalformedError, "gm_ml is"),
    "an open quote": ('gm_ml,wm_ml\n"1,2\n', OutputMalformedError, "not CSV"),
    "another encoding": (b"gm_ml,wm_ml\n\xff,2\n", OutputMalformedError, "byte 12 is not UTF-8"),
    "too much": (b"gm_ml,wm_ml\n" + b"1,2\n" * 300_000, OutputMalformedError, "larger than"),
    "a value out of range": ("gm_ml,wm_ml\n101,2\n", OutputRangeError, "0 to 100 is declared"),
}


@pytest.mark.parametrize("fault", CSV_FAULTS)
def test_a_csv_file_that_would_have_to_be_guessed_is_refused(fault):
    text, error, said = CSV_FAULTS[fault]
    with pytest.raises(error, match="^port answer: ") as caught:
        csv_rows(text)
    assert said in caught.value.message


def test_json_is_not_taken_for_csv_nor_csv_for_json():
    with pytest.raises(OutputMalformedError):
        csv_rows(document("measurements", rows=[GOOD]))
    with pytest.raises(OutputMalformedError):
        check_rows(output_port("measurements"), b"gm_ml,wm_ml\n1,2\n", NOBODY)
