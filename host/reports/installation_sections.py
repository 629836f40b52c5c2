"""The section on the installation: where it ran, what was checked first, and the engine against published numbers."""

from collections.abc import Iterator
from itertools import groupby

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
    return join(
        (
            element(
                "p",
                element("span", f"{passed} of {len(test.oracles)}", class_=word),
                f" published numbers were reproduced on this installation{f' ({versions})' if versions else ''}.",
            ),
            _oracles(test, marks),
            *_not_run(test, marks),
        )
    )


def _oracles(test: SelfTestSection, marks: Marks) -> Html:
    """Every number under its source."""
    head = ("Quantity", "Published", "Found", "Tolerance", "Passed")
    cells = [
        element(
            "th", one, class_="number" if one in {"Published", "Found", "Tolerance"} else None, scope="col"
        )
        for one in head
    ]
    parts = [element("thead", element("tr", *cells))]
    numbered = enumerate(test.oracles, start=1)
    for _, group in groupby(numbered, key=lambda pair: pair[1].id):
        members = list(group)
        first = members[0][0]
        source = element(
            "th", element("code", marks.text(f"oracle/{first}/id")), ": ", marks.text(f"oracle/{first}/source"),
            colspan=str(len(head)), scope="rowgroup",
        )  # fmt: skip
        rows = [element("tr", *_oracle(f"oracle/{at}", one.passed, marks)) for at, one in members]
        parts.append(element("tbody", element("tr", source, class_="requirement"), *rows))
    return element("table", *parts, class_="grouped dense")


def _oracle(key: str, passed: bool, marks: Marks) -> tuple[Html, ...]:
    numbers = [marks.number(f"{key}/{name}") for name in ("expected", "found", "tolerance")]
    return (
        element("td", marks.text(f"{key}/quantity")),
        *numbers,
        element("td", _passed(marks, f"{key}/passed", passed)),
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
