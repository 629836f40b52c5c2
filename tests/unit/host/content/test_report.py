"""Reports: shown to people, so nothing in them may act or be fetched; and nothing in them is read."""

import io

import pytest

from host.content.report import REPORT_BYTES_MAX, check_report
from host.errors import OutputActiveContentError, OutputMalformedError
from tests.support.output_ports import output_port

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\nstartxref\n9\n%%EOF\n"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>A report</title>
<style>/* plain */ table { border: 1px solid #888 } .low { color: red }</style></head>
<body style="margin: 2em">
<h1 id="top">Volumes of case &lt;1&gt;</h1>
<p>All is <b>well</b> &amp; measured: 3 &lt; 4.</p>
<table><tr><th scope=col>tissue<td class='low' colspan="2">12.5 mL</table>
<img alt="slice" src="data:image/png;base64,iVBORw0KGgo="><br/>
<a href="#top">back</a>
</body>
</html>
"""


def check(content, name="report.html", size=None):
    data = content if isinstance(content, bytes) else content.encode()
    form = name.rpartition(".")[2] if name.endswith((".pdf", ".html")) else "html"
    check_report(
        output_port("report", format=form), io.BytesIO(data), name, len(data) if size is None else size
    )


def test_a_plain_page_and_a_whole_pdf_are_taken():
    check(PAGE)
    check(b"\xef\xbb\xbf" + PAGE.encode())
    check(PDF, "report.pdf")
    check(PDF + b"\n" * 1000, "report.pdf")


def body(text):
    return f"<!doctype html><html><body>{text}</body></html>"


ACTIVE = {
    "a script": "<script>alert(1)</script>",
    "a script in capitals": "<SCRIPT SRC=x></SCRIPT>",
    "an event handler": '<p onclick="alert(1)">x</p>',
    "an event handler without quotes": "<img src=x onerror=alert(1)>",
    "an event handler after a slash": '<img/onerror="alert(1)">',
    "a javascript link": '<a href="javascript:alert(1)">x</a>',
    "a javascript link in entities": '<a href="&#106;avascript:alert(1)">x</a>',
    "a link outside": '<a href="https://example.org/">x</a>',
    "a link to a file": '<a href="other.html">x</a>',
    "a picture from outside": '<img src="https://example.org/pixel.png">',
    "a picture without a scheme": '<img src="//example.org/pixel.png">',
    "a picture that is a drawing": '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
    "a picture set": '<img srcset="https://example.org/a.png 2x">',
    "a frame": '<iframe src="https://example.org/"></iframe>',
    "a frame with a page": '<iframe srcdoc="&lt;script&gt;"></iframe>',
    "an object": '<object data="x.swf"></object>',
    "an embedded file": "<embed>",
    "a form": '<form action="https://example.org/"></form>',
    "a button": "<button>x</button>",
    "a refresh": '<meta http-equiv="refresh" content="0;url=https://example.org/">',
    "a base": '<base href="https://example.org/">',
    "a linked style sheet": '<link rel="stylesheet" href="x.css">',
    "a drawing": '<svg onload="alert(1)"></svg>',
    "mathematics": "<math><mtext></mtext></math>",
    "a template": "<template><b>x</b></template>",
    "a video": '<video src="x.mp4"></video>',
    "a portal in a comment": "<!--><script>alert(1)</script>-->",
    "a comment": "<!-- a note -->",
    "CDATA": "<![CDATA[ x ]]>",
    "an instruction": "<?xml version='1.0'?>",
    "a second doctype": "<!doctype html>",
    "a bare angle bracket": "3 < 4",
    "an open tag": '<p class="',
    "a tag with a broken quote": '<p title="a"b">x</p>',
    "an angle bracket in an attribute": '<p title="<script>">x</p>',
    "a non-breaking blank in a tag": '<img alt="a"\u00a0src="x">',
    "an attribute twice": '<p class="a" class="b">x</p>',
    "attributes of a closing tag": '<p>x</p class="a">',
    "a style that fetches": '<p style="background: url(https://example.org/a.png)">x</p>',
    "a style that fetches in entities": '<p style="background: &#117;rl(//e)">x</p>',
    "a style that fetches in escapes": r'<p style="background: \75rl(//e)">x</p>',
    "a style sheet that fetches": "<style>p { background: URL (//e) }</style>",
    "a style sheet that imports": "<style>@import 'https://example.org/a.css';</style>",
    "a style sheet that picks": "<style>p { background: image-set('a.png' 1x) }</style>",
    "a style sheet that computes": "<style>p { width: expression(alert(1)) }</style>",
    "a style sheet behind a comment": "<style>p { x: u/**/rl(//e) }</style>",
    "an element in a style sheet": "<style><b>x</b></style>",
    "a style sheet that is not closed": "<style>p { color: red }",
    "a style sheet that hides a script": "<title><style></title><script>alert(1)</script>",
    "another character set": '<meta charset="utf-7">',
    "an escape": "\x1b(J",
    "a zero": "a\x00b",
    "a mark inside": "a\ufeffb",
}


@pytest.mark.parametrize("what", ACTIVE)
def test_a_page_that_could_act_or_fetch_is_refused(what):
    with pytest.raises(OutputActiveContentError, match="^port answer: "):
        check(body(ACTIVE[what]))


@pytest.mark.parametrize(
    "start", ["<html>", "", "text", "<!doctype html public 'x'>", "<!-- --><!doctype html>"]
)
def test_a_page_begins_with_its_doctype(start):
    with pytest.raises(OutputActiveContentError, match="doctype"):
        check(f"{start}<p>x</p>")


MALFORMED = {
    "a page in another encoding": (b"<!doctype html>\xff", "report.html", "byte 15 is not UTF-8"),
    "a PDF that is none": (PAGE, "report.pdf", "does not start so"),
    "a PDF with something before it": (b"\n" + PDF, "report.pdf", "does not start so"),
    "a PDF that is cut short": (PDF[:-6], "report.pdf", "cut short"),
    "a PDF with much behind its end": (PDF + b"x" * 1025, "report.pdf", "cut short"),
    "a file of another ending": (PAGE, "report.txt", "does not end in .html"),
    "a file without an ending": (PAGE, "html", "does not end in .html"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_file_that_is_no_such_report_is_refused(what):
    content, name, said = MALFORMED[what]
    with pytest.raises(OutputMalformedError, match="^port answer: ") as caught:
        check(content, name)
    assert said in caught.value.message


def test_a_report_past_the_limit_is_not_read():
    with pytest.raises(OutputMalformedError, match="larger than"):
        check(PAGE, size=REPORT_BYTES_MAX + 1)


def test_a_long_hostile_page_is_judged_in_time():
    hostile = body("<p " + "a " * 200_000)
    with pytest.raises(OutputActiveContentError):
        check(hostile)
    check(body("<p>x</p>" * 50_000))
