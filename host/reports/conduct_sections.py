"""Sections on how the validation was conducted, and on what it cannot show."""

from host.reports.marks import Marks
from host.reports.markup import Content, Html, bullets, element, facts, join, number, table
from host.reports.model import Report
from host.reports.sections import DeviationSection


def deviations_and_attempts(report: Report, marks: Marks) -> Html:
    """What departed from the plan, and every execution that this registry knows of."""
    return join(
        (
            element("h3", "Deviations from the protocol"),
            _deviations(report, marks),
            element("h3", "Attempts"),
            _attempts(report, marks),
            element("h3", "Runs that were cut short"),
            _interruptions(report, marks),
        )
    )


def _interruptions(report: Report, marks: Marks) -> Html:
    """Runs that the host stopped before a container ended: nobody saw an answer."""
    if not report.interruptions:
        return element("p", "None: the validation ran through.")
    names = ("case", "comparison", "reason", "at")
    rows = [
        (element("code", marks.text(f"interrupted/{at}/run")), *marks.cells(f"interrupted/{at}", names))
        for at, _ in enumerate(report.interruptions, start=1)
    ]
    note = "The validation was stopped and went on; each of these ran again. No answer of theirs was seen or kept."
    head = ("Run", "Case", "Comparison", "Stopped by", "Began")
    return join((table(head, rows, class_="dense"), element("p", note, class_="note")))


def _deviations(report: Report, marks: Marks) -> Html:
    if not report.deviations:
        return element("p", "None are recorded.")
    rows: list[tuple[Content, ...]] = []
    for at, one in enumerate(report.deviations, start=1):
        key = f"deviation/{at}"
        rows.append(
            (
                marks.number(f"{key}/number"),
                join(_change(f"{key}/changes/{n}", marks) for n, _ in enumerate(one.changes, start=1)),
                marks.text(f"{key}/criteria"),
                marks.text(f"{key}/reason"),
                join((marks.text(f"{key}/by"), " ", marks.text(f"{key}/at"))),
                _when(one, key, marks),
                join((marks.digest(f"{key}/record"), ", entry ", marks.text(f"{key}/sequence"))),
            )
        )
    head = ("No.", "What changed", "Bears on", "Why", "Approved and signed by", "Against the data", "Record")
    return table(head, rows, class_="dense")


def _change(key: str, marks: Marks) -> Html:
    """A field before and after."""
    before, after = (
        marks.text(f"{key}/{side}") if marks.has(f"{key}/{side}") else "nothing"
        for side in ("before", "after")
    )
    return element("div", element("code", marks.text(f"{key}/field")), ": ", before, " → ", after)


def _when(one: DeviationSection, key: str, marks: Marks) -> Html:
    """Whether anybody could have seen data before the plan was changed, by the places in the log."""
    count = marks.text(f"{key}/after_executions")
    if not one.after_executions:
        return element("span", "before the first execution (", count, ")", class_="good")
    return element("span", "after ", count, " execution(s): data may have been seen", class_="bad")


def _attempts(report: Report, marks: Marks) -> Html:
    """Every execution of this kit in this registry."""
    names = ("plugin", "version", "subset", "started_at", "finished", "verdict")
    rows: list[tuple[Content, ...]] = []
    for at, one in enumerate(report.attempts, start=1):
        key = f"attempt/{at}"
        own = " (this report)" if one.validation == report.validation else ""
        ledger = join((element("code", marks.text(f"{key}/validation")), own))
        plan = join((*marks.cells(key, ("kit_version",)), ", deviation ", *marks.cells(key, ("deviation",))))
        counts = marks.number(f"{key}/attempt"), marks.number(f"{key}/runs", "")
        rows.append((counts[0], ledger, plan, counts[1], *marks.cells(key, names)))
    head = (
        "Attempt", "Validation", "Plan", "Runs begun", "Plugin", "Version", "Subset", "Began", "Finished", "Verdict",
    )  # fmt: skip
    note = (
        "Every execution against any version of this kit in this registry, of any release and under any plan "
        "(deviation 0 is the protocol as registered), those that never ended included. Executions elsewhere on the "
        "same data cannot be excluded."
    )
    return join((table(head, rows, class_="dense"), element("p", note, class_="note")))


def limits(report: Report, marks: Marks) -> Html:
    """Leak check, readers, operating range, limitations."""
    return join(
        (
            element("h3", "Leak check"),
            _leak(report, marks),
            element("h3", "Reference standard and its readers"),
            _readers(report, marks),
            element("h3", "Operating range of the kit"),
            bullets(report.kit.operating_range, none="The kit declares none."),
            element("h3", "Limitations"),
            bullets(report.limitations, none="None are recorded."),
        )
    )


def _leak(report: Report, marks: Marks) -> Html:
    leak = report.leak
    if leak is None:
        return element("p", "The kit was not compared with the plugin's declared training data.")
    declared = (
        "The plugin declares its training data." if leak.declared else "The plugin declares no training data."
    )
    told = (
        element("span", f"{len(leak.found)} of the kit's cases or files are among them.", class_="bad")
        if leak.found
        else element(
            "span",
            "Nothing of the kit was found among them." if leak.compared else "There was nothing to compare.",
        )
    )
    rows = [
        marks.cells(f"leak/{at}", ("case", "what", "training_data"))
        for at, _ in enumerate(leak.found, start=1)
    ]
    return join(
        (
            element("p", declared, " ", told, " What is not declared cannot be found."),
            facts(
                (
                    ("Training data declared", bullets(leak.training_data, none="none")),
                    ("Compared", bullets(leak.compared, none="nothing")),
                )
            ),
            table(("Case", "What is found", "In"), rows, class_="dense") if rows else "",
        )
    )


def _readers(report: Report, marks: Marks) -> Html:
    standard = element("p", f"Reference standard: {report.kit.reference_standard}")
    readers = report.readers
    if readers is None:
        return join((standard, element("p", "Nothing is recorded of its readers or of how they agree.")))
    people = [(one.id, one.qualification, one.blinded_to or "not said") for one in readers.readers]
    rows = [
        (
            *marks.cells(key, ("measure", "between")),
            marks.number(f"{key}/estimate/value"),
            element("td", marks.interval(f"{key}/estimate"), class_="number"),
            number(marks.text(f"{key}/estimate/n")),
            marks.text(f"{key}/source"),
        )
        for at, _ in enumerate(readers.agreement, start=1)
        for key in [f"reader/{at}"]
    ]
    head = ("Agreement", "Between", "Estimate", "Interval", "n", "Source")
    return join(
        (
            standard,
            table(("Reader", "Qualification", "Blinded to"), people, class_="dense") if people else "",
            element("p", f"Adjudication: {readers.adjudication}") if readers.adjudication else "",
            table(head, rows, class_="dense")
            if rows
            else element("p", "How far the readers agree with each other is not recorded."),
        )
    )
