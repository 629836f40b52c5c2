"""Files of ports: whatever stands in them, the answer is what was declared or one line that names the port."""

import csv
import io
import math
import tempfile
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from host.cases.dicom import read_instance
from host.cases.errors import DicomError
from host.content.classification import check_classification
from host.content.measurements import RowSubjects, check_rows
from host.content.page import page_fault
from plugin_spec.errors import ContractError
from tests.support.dicom_files import write_instance
from tests.support.output_ports import document, output_port

PORT = output_port("measurements", rows_per="lesion")
cells = st.sampled_from(
    ["1", "-1", "1e3", "1,5", "nan", "", " 1", "0x1", "1_0", "\u0661", '"', "a\nb"]
) | st.text(max_size=6)


@given(st.lists(st.lists(cells, min_size=2, max_size=4), max_size=4), st.sampled_from(",;\t"))
def test_a_table_is_its_numbers_or_one_line(rows: list[list[str]], separator: str) -> None:
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator).writerows([["lesion", "gm_ml", "wm_ml"], *rows])
    try:
        found = check_rows(PORT, stream.getvalue().encode("utf-8", "surrogatepass"), RowSubjects(), csv=True)
    except ContractError as error:
        assert error.message.startswith("port answer: ")
    else:
        assert [list(row.values()) for row in found.rows] == [
            [row[0], float(row[1]), float(row[2])] for row in rows
        ]


@given(st.dictionaries(st.sampled_from(["lesion", "healthy", "unsure"]), st.floats(0, 1), min_size=1))
def test_a_call_that_is_taken_is_the_likeliest_of_probabilities_that_sum_to_one(
    probabilities: dict[str, float],
) -> None:
    call = max(probabilities, key=probabilities.__getitem__)
    data = document("classification", label=call, probabilities=probabilities)
    try:
        check_classification(output_port("classification"), data)
    except ContractError:
        assert len(probabilities) < 3 or abs(math.fsum(probabilities.values()) - 1) > 3e-6
    else:
        assert abs(math.fsum(probabilities.values()) - 1) <= 3e-6


class Browser(HTMLParser):
    """What another reader of HTML makes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.acts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "iframe", "object", "embed", "link", "base", "form", "svg"}:
            self.acts.append(tag)
        for name, value in attrs:
            if name.startswith("on") or (
                name in {"href", "src"} and not (value or "").startswith(("#", "data:image/"))
            ):
                self.acts.append(name)


pieces = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<script>",
            "</script>",
            "<style>",
            "</style>",
            "<title>",
            "</title>",
            "<!--",
            "-->",
            "<b ",
        ),
        *(
            "onclick=",
            "href=",
            "src=",
            '"',
            "'",
            ">",
            "<",
            "/",
            " ",
            "javascript:",
            "#a",
            "x",
            "data:image/png;base64,",
        ),
        *(
            "&lt;",
            "&#60;",
            "url(",
            "<img ",
            "<a ",
            "\n",
            "=",
            "<![CDATA[",
            "]]>",
            "<textarea>",
            "<svg/onload=1>",
        ),
    ]
)


@given(st.lists(pieces, max_size=12))
@example(["<a ", 'href="', "#a", '"', ">"])
def test_a_page_that_is_taken_does_nothing_in_another_reader_either(parts: list[str]) -> None:
    page = "<!doctype html>" + "".join(parts)
    if page_fault(page) == "":
        browser = Browser()
        browser.feed(page)
        browser.close()
        assert browser.acts == []


@given(st.text(max_size=60))
def test_any_text_is_judged_without_a_crash(text: str) -> None:
    assert "\n" not in page_fault(text)
    assert "\n" not in page_fault("<!doctype html>" + text)


with tempfile.TemporaryDirectory() as _folder:
    INSTANCE = write_instance(Path(_folder) / "a.dcm").read_bytes()
edits = st.lists(
    st.tuples(st.integers(128, len(INSTANCE) - 1), st.binary(min_size=1, max_size=6)), max_size=6
)


@given(edits, st.integers(0, len(INSTANCE)))
@example([], len(INSTANCE))
def test_an_edited_instance_is_a_header_or_one_line(changes: list[tuple[int, bytes]], kept: int) -> None:
    content = bytearray(INSTANCE)
    for at, patch in changes:
        content[at : at + len(patch)] = patch
    with tempfile.NamedTemporaryFile() as file:
        file.write(content[:kept])
        file.flush()
        try:
            read_instance(Path(file.name), "file 1 of 1", ["EchoTime", "ImageType"])
        except DicomError as error:
            assert error.message.startswith("file 1 of 1: ")
            assert "\n" not in error.message
