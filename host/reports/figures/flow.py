"""Where every case went, as a flow diagram."""

from collections.abc import Sequence

from host.reports.figures.drawing import BAD, GOOD, INK, LINE, SOFT, Drawing, clipped
from host.reports.markup import Html
from host.reports.model import FlowSection, Report
from host.reports.wording import counted

WIDTH = 700.0
LINE_PX = 15.0
REASONS_SHOWN = 4


def flow_figure(report: Report, figure_id: str = "flow") -> Html:
    """Draw where every case went, in the manner of CONSORT (Schulz, Altman, Moher 2010)."""
    whole = report.flow
    ok, refused = (
        FlowSection.of([case.row for case in report.cases if case.row.expected == expected])
        for expected in ("ok", "refused")
    )
    ends = (
        (70.0, "answered", ok.answered, GOOD, ()),
        (205.0, "refused, though usable", ok.refused_wrongly, BAD, ()),
        (330.0, "failed", ok.failed, BAD, _reasons(ok)),
        (440.0, "refused, as due", refused.refused_correctly, GOOD, ()),
        (545.0, "answered, unusable", refused.answered_wrongly, BAD, ()),
        (645.0, "failed", refused.failed, BAD, _reasons(refused)),
    )
    deepest = max(1 + len(_in_two(words)) + len(reasons) for _, words, *_, reasons in ends)
    height = 238 + LINE_PX * deepest
    drawing = Drawing(WIDTH, height)
    for x in (205.0, 545.0):
        _arrow(drawing, (350, 46), (x, 84))
    for x, *_ in ends:
        _arrow(drawing, (205 if x < 400 else 545, 122), (x, 166))
        drawing.line((x, 166), (x, height - 50), colour=LINE)
    _box(
        drawing,
        350,
        8,
        (f"{counted(whole.cases, 'case')} of {counted(whole.subjects, 'subject')}",),
        width=240,
    )
    _box(drawing, 205, 84, (f"{ok.cases} expected to be answered",), width=220)
    _box(drawing, 545, 84, (f"{refused.cases} expected to be refused",), width=220)
    for (x, words, count, edge, reasons), width in zip(ends, (84, 136, 98, 98, 100, 96), strict=True):
        lines = (str(count), *_in_two(words), *reasons)
        _box(drawing, x, 166, lines, width=width, edge=edge if count else LINE, colour=INK if count else SOFT)
    judged = f"judged: all {counted(whole.cases, 'case')}, those that failed included"
    _box(drawing, 350, height - 46, (judged,), width=WIDTH - 20)
    said = ", ".join(f"{count} {words}" for _, words, count, *_ in ends)
    return drawing.svg(figure_id, "Case flow", f"{whole.cases} cases of {whole.subjects} subjects: {said}.")


def _in_two(words: str) -> tuple[str, ...]:
    first, comma, rest = words.partition(", ")
    return (first + comma.strip(), rest) if rest else (first,)


def _reasons(flow: FlowSection) -> tuple[str, ...]:
    """The commonest reasons for a failure; the table beside the figure has all of them."""
    listed = sorted(flow.failure_reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    more = len(listed) - REASONS_SHOWN
    shown = tuple(
        f"{clipped(reason or 'no reason', 14)}: {count}" for reason, count in listed[:REASONS_SHOWN]
    )
    return (*shown, f"and {more} more") if more > 0 else shown


def _box(
    drawing: Drawing,
    x: float,
    top: float,
    lines: Sequence[str],
    *,
    width: float,
    edge: str = SOFT,
    colour: str = INK,
) -> None:
    height = LINE_PX * len(lines) + 12
    drawing.box((x - width / 2, top), width, height, fill="#ffffff", edge=edge)
    for at, line in enumerate(lines):
        drawing.text((x, top + 17 + LINE_PX * at), line, anchor="middle", colour=colour)


def _arrow(drawing: Drawing, start: tuple[float, float], stop: tuple[float, float]) -> None:
    (x1, y1), (x2, y2) = start, stop
    middle = (y1 + y2) / 2
    drawing.path([(x1, y1), (x1, middle), (x2, middle), (x2, y2)], colour=SOFT, width=1)
    drawing.area([(x2, y2), (x2 - 3.5, y2 - 7), (x2 + 3.5, y2 - 7)], fill=SOFT)
