"""The section on the installation: where it ran, what was checked first, and the engine against published numbers."""

from collections.abc import Iterator

from host.reports.marks import Marks
from host.reports.markup import Html, element, facts, join, table
from host.reports.model import Report
from host.reports.sections import SelfTestSection

MIB = 1024 * 1024


def installation(report: Report, marks: Marks) -> Html:
    """Environment, checks before the first case, and the self-test of the statistics."""
    return join(
        (
            element("h3", "Environment"),
            _environment(report),
            element("h3", "Checks before the first case"),
            _checks(report, marks),
            element("h3", "Self-test of the statistics engine"),
            _self_test(report, marks),
            element(
                "p",
                "These checks are the host's own. They are no performance qualification at a customer's site, which "
                "this report does not hold.",
                class_="note",
            ),
        )
    )


def _environment(report: Report) -> Html:
    here = report.environment
    inside = ", ".join(f"{name} {version}" for name, version in sorted(here.plugin_environment.items()))
    return facts(
        (
            ("Assay", here.host_version),
            ("Python", here.python),
            ("Platform", f"{here.platform}, {here.cpus} CPUs, {here.memory_bytes // MIB} MiB of memory"),
            ("Container engine", here.engine),
            *(("GPU", line) for line in here.gpus),
            ("In the container, says the plugin", inside or "nothing"),
        )
    )


def _checks(report: Report, marks: Marks) -> Html:
    if not report.installation_checks:
        return element("p", "None are recorded in this report.")
    rows = [
        (*marks.cells(f"check/{at}", ("check", "found")), _passed(marks, f"check/{at}/passed", one.passed))
        for at, one in enumerate(report.installation_checks, start=1)
    ]
    return table(("Check", "Found", "Passed"), rows, class_="dense")


def _self_test(report: Report, marks: Marks) -> Html:
    test = report.self_test
    if test is None:
        return element("p", "The statistics engine was not tested against published numbers for this report.")
    passed = sum(one.passed for one in test.oracles)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(test.versions.items()))
    word = "good" if passed == len(test.oracles) else "bad"
    rows = [
        (
            *marks.cells(f"oracle/{at}", ("id", "quantity", "source")),
            *(marks.number(f"oracle/{at}/{name}") for name in ("expected", "found", "tolerance")),
            _passed(marks, f"oracle/{at}/passed", one.passed),
        )
        for at, one in enumerate(test.oracles, start=1)
    ]
    return join(
        (
            element(
                "p",
                element("span", f"{passed} of {len(test.oracles)}", class_=word),
                f" published numbers were reproduced on this installation{f' ({versions})' if versions else ''}.",
            ),
            table(
                ("Oracle", "Quantity", "Source", "Published", "Found", "Tolerance", "Passed"),
                rows,
                class_="dense sortable",
            ),
            *_not_run(test, marks),
        )
    )


def _not_run(test: SelfTestSection, marks: Marks) -> Iterator[Html]:
    if test.not_run:
        rows = [
            (
                *marks.cells(f"not_run/{at}", ("id", "source")),
                marks.number(f"not_run/{at}/numbers"),
                *marks.cells(f"not_run/{at}", ("reason",)),
            )
            for at, _ in enumerate(test.not_run, start=1)
        ]
        yield element("p", "Not run here, and so neither passed nor failed:")
        yield table(("Oracle", "Source", "Numbers", "Why"), rows, class_="dense")


def _passed(marks: Marks, name: str, passed: bool) -> Html:
    return marks.text(name, class_="good" if passed else "bad")
