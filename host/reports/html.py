"""The report as one HTML page: nothing is loaded from elsewhere, nothing runs, and all text is escaped.

Invariants
----------
* The same report, figures and signatures give the same bytes.
* Every figure of the report stands in an element with ``data-field`` (`host.reports.write.check_agreement`).
* Figures are embedded as images, so that a script inside an SVG would not run.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

from host.errors import ReportMismatchError
from host.reports import case_sections, evidence_sections, subject_sections
from host.reports.marks import Marks
from host.reports.markup import Html, element, facts, join, moment
from host.reports.model import Report
from host.reports.write import report_fields
from registry.statements import ESignature

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class Figure:
    """A picture for the page.

    Attributes
    ----------
    id : str
        Lower case letters, digits and hyphens; unique on the page.
    title, caption : str
        Shown with it. The caption says how to read it.
    svg : str
        From `host.reports.figures`.
    """

    id: str
    title: str
    caption: str
    svg: str


def render(report: Report, figures: Sequence[Figure], signatures: Sequence[ESignature] = ()) -> bytes:
    """Write the page.

    Parameters
    ----------
    report : Report
        Its ``renderings`` are not shown: they name this page by its digest.
    figures : sequence of Figure
        In the order in which they are to stand.
    signatures : sequence of ESignature
        E-signatures on the report, verified by the caller. Without any, the page says that it is unsigned.
    """
    marks = Marks(report_fields(report))
    sections = (
        ("Identity and digests", subject_sections.identity(report, marks)),
        ("Context of use and risk", subject_sections.context(report)),
        ("Protocol, and the proof that it was logged first", subject_sections.protocol(report, marks)),
        ("Environment", subject_sections.environment(report)),
        ("Case flow", join((evidence_sections.flow(report, marks), _pictures(figures, "flow")))),
        ("Acceptance criteria", evidence_sections.criteria(report, marks)),
        ("Cases", case_sections.cases(report, marks)),
        (
            "Figures",
            join(_picture(one) for one in figures if one.id != "flow") or element("p", "None were made."),
        ),
        ("Attempts", evidence_sections.attempts(report)),
        ("Operating range and limitations", subject_sections.limitations(report)),
        ("Conclusion", evidence_sections.conclusion(report, marks)),
        ("Signatures", subject_sections.signatures(signatures)),
        ("Appendix: digests in full", subject_sections.digests(report)),
    )
    numbered = [
        join((element("h2", f"{number}. {title}"), body))
        for number, (title, body) in enumerate(sections, start=1)
    ]
    release = report.release
    title = f"Validation report: {release.title} {release.version} on {report.kit.title}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element(
            "style", Html(resources.files("host.reports").joinpath("report.css").read_text(encoding="utf-8"))
        ),
    )
    page = element(
        "html", head, element("body", _first_screen(report, marks, signatures), *numbered), lang="en"
    )
    return ("<!DOCTYPE html>\n" + page + "\n").encode()


def _first_screen(report: Report, marks: Marks, signatures: Sequence[ESignature]) -> Html:
    """What was tested, on what, with which verdict from which evidence, and who signed."""
    release, kit, flow = report.release, report.kit, report.flow
    smoke = element(
        "p", "SMOKE SUBSET: only a few cases ran. This proves that the path works, and supports no claim.",
        class_="notice",
    )  # fmt: skip
    return join(
        (
            element("p", "Validation report", class_="kicker"),
            element("h1", f"{release.title} {release.version}"),
            evidence_sections.banner(report, marks),
            *([smoke] if report.subset == "smoke" else []),
            facts(
                (
                    ("Tested", join((f"{release.plugin} {release.version}, by {release.author}; release ",
                                     marks.digest("release")))),
                    ("On", join((f"{kit.title}: {kit.id} {kit.version}, {flow.cases} cases of "
                                 f"{flow.subjects} independent subjects; ", marks.text("subset")))),
                    ("Evidence class", evidence_sections.evidence_class(report, marks)),
                    ("Protocol", subject_sections.logged_first(report)),
                    ("Executed", join((f"by {report.executed_by}, ", moment(report.started_at), " to ",
                                       moment(report.finished_at)))),
                    ("Signed", _signed_by(signatures)),
                )
            ),
        )
    )  # fmt: skip


def _signed_by(signatures: Sequence[ESignature]) -> Html:
    if not signatures:
        return element("strong", "UNSIGNED: nobody has signed this report.", class_="bad")
    return join(
        element("span", f"{one.printed_name}, {one.meaning}, ", moment(one.at), element("br"))
        for one in signatures
    )


def with_signatures(page: bytes, signatures: Sequence[ESignature]) -> bytes:
    """Make the signed copy of an unsigned page: the same page, naming who signed it.

    Parameters
    ----------
    page : bytes
        From `render` without signatures; its digest is the rendering that the signatures name.
    signatures : sequence of ESignature
        Verified by the caller.

    Raises
    ------
    ReportMismatchError
        The page is not an unsigned one.
    """
    for part in (_signed_by, subject_sections.signatures):
        unsigned = part(()).encode()
        if page.count(unsigned) != 1:
            raise ReportMismatchError("a signed copy is made from the unsigned page only")
        page = page.replace(unsigned, part(signatures).encode())
    return page


def _pictures(figures: Sequence[Figure], figure_id: str) -> Html:
    return join(_picture(one) for one in figures if one.id == figure_id)


def _picture(figure: Figure) -> Html:
    data = b64encode(figure.svg.encode()).decode()
    return element(
        "figure",
        element("h3", figure.title),
        element("img", src=f"data:image/svg+xml;base64,{data}", alt=f"{figure.title}. {figure.caption}"),
        element("figcaption", figure.caption),
        id=f"figure-{figure.id}",
    )
