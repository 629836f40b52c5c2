"""Where every case went, as a flow diagram."""

from matplotlib.axes import Axes

from host.reports.figures.canvas import BAD, canvas, svg
from host.reports.model import FlowSection, Report


def flow_figure(report: Report) -> str:
    """Draw where every case went, in the manner of CONSORT (Schulz, Altman, Moher 2010)."""
    ok, refused = (
        FlowSection.of([case.row for case in report.cases if case.row.expected == expected])
        for expected in ("ok", "refused")
    )
    whole = report.flow
    with canvas(8.4, 3.9) as drawing:
        axes = drawing.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(0, 12), ylim=(0, 10))
        _box(axes, (6, 9.0), f"{whole.cases} cases of {whole.subjects} subjects")
        _box(axes, (3.5, 6.3), f"{ok.cases} expected to be answered")
        _box(axes, (9.5, 6.3), f"{refused.cases} expected to be refused")
        ends = (
            ("answered", ok.answered, True),
            ("refused,\nthough usable", ok.refused_wrongly, False),
            (f"failed{_reasons(ok)}", ok.failed, False),
            ("refused,\nas expected", refused.refused_correctly, True),
            ("answered,\nthough unusable", refused.answered_wrongly, False),
            (f"failed{_reasons(refused)}", refused.failed, False),
        )
        for place, (words, count, good) in enumerate(ends):
            x = (1.1, 3.5, 5.6, 7.4, 9.5, 11.2)[place]
            _arrow(axes, (3.5 if place < 3 else 9.5, 5.95), (x, 3.95))
            _box(
                axes,
                (x, 3.8),
                f"{count}\n{words}",
                edge=None if count == 0 else "#1B7F3B" if good else BAD,
                va="top",
            )
        for x in (3.5, 9.5):
            _arrow(axes, (6, 8.65), (x, 6.75))
        axes.text(
            6, 0.6, f"judged: all {whole.cases} cases, failed ones included", ha="center", color="#444444"
        )
        return svg(drawing)


def _reasons(flow: FlowSection) -> str:
    return "".join(f"\n{reason}: {count}" for reason, count in sorted(flow.failure_reasons.items())[:3])


def _box(
    axes: Axes, at: tuple[float, float], text: str, *, edge: str | None = "#444444", va: str = "center"
) -> None:
    style = {
        "boxstyle": "round,pad=0.5",
        "facecolor": "white",
        "edgecolor": edge or "#BBBBBB",
        "linewidth": 1.4,
    }
    axes.text(*at, text, ha="center", va=va, bbox=style, color="black" if edge else "#888888", zorder=3)


def _arrow(axes: Axes, start: tuple[float, float], stop: tuple[float, float]) -> None:
    axes.annotate("", stop, start, arrowprops={"arrowstyle": "-|>", "color": "#666666", "linewidth": 1})
