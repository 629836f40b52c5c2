"""The report as one HTML page: nothing is loaded from elsewhere, and all text is escaped.

Invariants
----------
* The same report, figures and signatures give the same bytes.
* Every figure of the report stands in an element with ``data-field`` (`host.reports.marks.check_agreement`).
* One script of our own sorts tables; the page's policy allows it and the style sheet by their digests, and no other.
  Without it the page says the same.
"""

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib import resources

from host.errors import ReportMismatchError
from host.reports import (
    case_sections,
    checklist_sections,
    comparison_sections,
    conduct_sections,
    evidence_sections,
    installation_sections,
    result_sections,
    subject_sections,
)
from host.reports.fields import report_fields
from host.reports.figure import Figure
from host.reports.marks import Marks
from host.reports.markup import Html, element, facts, join, moment
from host.reports.model import Report
from host.reports.wording import counted
from host.reports.write import content_digest
from registry.statements import ESignature

APPENDICES = {"cases": "A", "checklists": "B", "digests": "C"}
Section = tuple[str, str, Html]  # key, which is its anchor; title; body


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
    sections = _sections(report, figures, marks, signatures)
    numbers = {key: str(number) for number, (key, _, _) in enumerate(sections, start=1)} | APPENDICES
    appendices = (
        ("cases", "Every case", case_sections.cases(report, marks)),
        (
            "checklists",
            "Reporting guidelines, and what is not covered",
            checklist_sections.checklists(numbers),
        ),
        ("digests", "Digests in full", subject_sections.digests(report)),
    )
    titled = [
        (key, f"{'Appendix ' if key in APPENDICES else ''}{numbers[key]}. {title}", body)
        for key, title, body in (*sections, *appendices)
    ]
    body = element(
        "body",
        element("header", _first_screen(report, marks, signatures), _contents(titled)),
        *(element("section", element("h2", title, id=key), part) for key, title, part in titled),
        element("script", script()),
    )
    return ("<!DOCTYPE html>\n" + element("html", _head(report), body, lang="en") + "\n").encode()


def _sections(
    report: Report, figures: Sequence[Figure], marks: Marks, signatures: Sequence[ESignature]
) -> tuple[Section, ...]:
    """The report in the order in which it is read and judged."""
    protocol = subject_sections.protocol(report, marks)
    installation = installation_sections.installation(report, marks)
    flow = join((result_sections.placed(figures, "flow"), evidence_sections.flow(report, marks)))
    return (
        ("identity", "Identity and digests", subject_sections.identity(report, marks)),
        ("context", "Context of use and risk", subject_sections.context(report)),
        ("protocol", "Protocol, approvals, and the proof that it was logged first", protocol),
        ("installation", "Installation checks and self-test of the statistics", installation),
        ("flow", "Case flow, failures included", flow),
        ("criteria", "Requirements, criteria and verdicts", evidence_sections.criteria(report, marks)),
        ("results", "Results by metric and stratum", result_sections.results(report, figures, marks)),
        ("worst", "Worst cases", result_sections.worst(report, figures)),
        ("sensitivity", "Sensitivity analyses", comparison_sections.sensitivity(report, marks)),
        ("robustness", "Robustness and sameness", comparison_sections.sameness(report, marks)),
        ("version", "Change from the version before", comparison_sections.version_delta(report, marks)),
        ("conduct", "Deviations and attempts", conduct_sections.deviations_and_attempts(report, marks)),
        ("limits", "Leak check, readers, operating range and limitations", conduct_sections.limits(report, marks)),
        ("conclusion", "Conclusion", evidence_sections.conclusion(report, marks)),
        ("signatures", "E-signatures", subject_sections.signatures(signatures)),
    )  # fmt: skip


def _contents(sections: Sequence[Section]) -> Html:
    items = [element("li", element("a", title, href=f"#{key}")) for key, title, _ in sections]
    return element(
        "nav", element("h2", "Contents"), element("ul", *items), class_="contents", aria_label="Contents"
    )


def _head(report: Report) -> Html:
    release = report.release
    style, code = _style(report), script()
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_allowed(style)}'; script-src '{_allowed(code)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"Validation report: {release.title} {release.version} on {report.kit.title}"),
        element("style", style),
    )


def _style(report: Report) -> Html:
    """The style sheet, and what stands at the edge of every printed page: hexadecimal names only, nobody's text."""
    edges = (
        f'@page {{ @top-left {{ content: "Assay validation report {report.validation}" }} '
        f'@top-right {{ content: "content {content_digest(report)}" }} }}\n'
    )
    return Html(_resource("report.css") + edges)


def script() -> Html:
    """The one script of the page."""
    return Html(_resource("report.js"))


def _resource(name: str) -> str:
    return resources.files("host.reports").joinpath(name).read_text(encoding="utf-8")


def _allowed(text: str) -> str:
    """How a content security policy (level 3) names a script or style sheet that it allows."""
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


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
                    ("On", join((f"{kit.title}: {kit.id} {kit.version}, {counted(flow.cases, 'case')} of "
                                 f"{counted(flow.subjects, 'independent subject')}; ", marks.text("subset")))),
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
    return _instead_of_unsigned(page, _signed_by(signatures), subject_sections.signatures(signatures))


def for_print(page: bytes) -> bytes:
    """Make the page that is printed as PDF, which carries its signatures itself: it points to them and names none."""
    pointer = element(
        "span", "see the signatures of this file on the page “E-signatures”; without any it is unsigned."
    )
    return _instead_of_unsigned(page, pointer, subject_sections.signatures_of_this_file())


def _instead_of_unsigned(page: bytes, first_screen: Html, section: Html) -> bytes:
    for part, signed in ((_signed_by, first_screen), (subject_sections.signatures, section)):
        unsigned = part(()).encode()
        if page.count(unsigned) != 1:
            raise ReportMismatchError("a signed copy is made from the unsigned page only")
        page = page.replace(unsigned, signed.encode())
    return page
