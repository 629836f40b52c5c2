"""Sections on what was tested, under which plan, where, and by whom: everything but the results."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from host.reports.fields import display
from host.reports.marks import Marks, shortened
from host.reports.markup import Content, Html, breakable, bullets, element, facts, join, moment, table
from host.reports.model import Report
from host.reports.write import content_digest
from host.validation.metric import Metric
from host.validation.protocol import Protocol
from registry.statements import ESignature


def identity(report: Report, marks: Marks) -> Html:
    """Which bytes were tested, on which bytes."""
    release, kit = report.release, report.kit
    weights = [
        element("li", f"{one.name}, {one.bytes} bytes, ", shortened(one.digest)) for one in release.weights
    ]
    return facts(
        (
            ("Validation", marks.text("validation")),
            ("Plugin", f"{release.plugin} {release.version}: {release.title}"),
            ("Author", release.author),
            ("Release record", marks.digest("release")),
            ("Container image", marks.digest("image")),
            ("Manifest", marks.digest("manifest")),
            ("Weights", element("ul", *weights) if weights else "none"),
            ("Citations", bullets(release.citations, none="none given")),
            ("Kit", f"{kit.id} {kit.version}: {kit.title}"),
            ("Kit files", marks.digest("kit")),
            ("Protocol file", marks.digest("protocol")),
            ("Dataset", f"{kit.dataset}; doi:{kit.dataset_doi}; licence: {kit.dataset_licence}"),
            ("Provenance", kit.provenance),
            ("Reference standard", kit.reference_standard),
            (
                "Report content",
                join((marks.digest("content"), " (of the JSON report without its list of renderings)")),
            ),
        )
    )


def context(report: Report) -> Html:
    """What the release is for, and what a wrong answer would cost."""
    plan, release = report.protocol, report.release
    return facts(
        (
            ("Question", plan.question),
            ("Context of use", plan.context_of_use),
            ("Risk", plan.risk),
            ("Intended use, says its author", release.intended_use),
            ("Not for", release.not_for),
            ("Known failure modes", bullets(release.known_failure_modes, none="none declared")),
        )
    )


def protocol(report: Report, marks: Marks) -> Html:
    """The plan, who approved it, and the order of events that shows it came first."""
    plan = report.protocol
    sides = "one-sided" if plan.sides == 1 else "two-sided"
    intervals = f"{100 * plan.level:g} %, {sides}, where a criterion says nothing else"
    return join(
        (
            element("p", logged_first(report)),
            _registration(report, marks),
            element("h3", "Approvals of the protocol"),
            _approvals(report),
            element("h3", "Order of events in the log"),
            _order(report, marks),
            element("h3", "The plan"),
            facts(
                (
                    ("Title", plan.title),
                    ("Sample size", plan.sample_size_basis),
                    ("Multiplicity", plan.multiplicity.replace("_", " ")),
                    ("Confidence", intervals),
                    ("Resampling", f"{plan.resamples} resamples of subjects, seed {plan.seed}"),
                )
            ),
            element("h3", "Metrics as they were registered"),
            table(
                ("Metric", "Of", "Definition", "Unit", "A failed case counts as"),
                [_metric(one) for one in plan.metrics],
                class_="dense",
            ),
            element("h3", "Perturbations and repeats as they were registered"),
            _comparisons(plan),
        )
    )


def _comparisons(plan: Protocol) -> Html:
    """Known changes of the images, and ways of running again, as they were declared."""
    rows = [
        (element("code", one.id), "perturbed copy", one.summary, _which(one.cases))
        for one in plan.perturbations
    ]
    for same in plan.sameness:
        engine = f" on {same.engine}" if same.engine else ""
        times = "once" if same.count == 1 else f"{same.count} times"
        rows.append(
            (element("code", same.id), "the same again", f"{same.kind}{engine}, {times}", _which(same.cases))
        )
    if not rows:
        return element("p", "No perturbed copies and no repeated runs were registered.")
    return table(("Name", "What", "How", "Cases"), rows, class_="dense")


def _which(cases: str | tuple[str, ...]) -> str:
    return cases if isinstance(cases, str) else ", ".join(cases)


def _registration(report: Report, marks: Marks) -> Html:
    proof = report.registration
    cosigners = ", ".join(proof.cosigned_by) or "nobody"
    return facts(
        (
            (
                "Registration record",
                join((marks.digest("registration"), f", entry {proof.sequence} of the log")),
            ),
            ("Registered by", join((f"{proof.registered_by}, ", moment(proof.logged_at)))),
            (
                "Covered by",
                f"a checkpoint of {proof.cosigned_checkpoint_size} entries, cosigned by {cosigners}",
            ),
            ("First run began", moment(proof.first_run_started_at)),
        )
    )


def _approvals(report: Report) -> Html:
    """Who stands for the plan: registering it and departing from it are signed acts."""
    registered = report.registration.registered_by
    approved = [
        element("li", f"deviation {one.number}, by {one.by}, ", moment(one.at)) for one in report.deviations
    ]
    return join(
        (
            element(
                "p", f"Registering is a signed act: {registered} stands for the plan as it was registered."
            ),
            element("p", "Approved since:") if approved else "",
            element("ul", *approved) if approved else "",
        )
    )


def _order(report: Report, marks: Marks) -> Html:
    proof = report.order_proof
    if proof is None:
        return element(
            "p", "The records are named above; their inclusion in the log is not part of this report."
        )
    rows = [
        (
            marks.number(f"order/{at}/sequence"),
            *marks.cells(f"order/{at}", ("what", "at", "by")),
            marks.digest(f"order/{at}/record"),
        )
        for at, _ in enumerate(proof.events, start=1)
    ]
    return join(
        (
            table(("Entry", "What", "Time", "By", "Record"), rows, class_="dense"),
            element(
                "p",
                "The JSON report carries each of these records as it was signed, with the proof of its place under "
                "this checkpoint, the protocol's text, and the trust roots to check them by; no registry is needed.",
                class_="note",
            ),
            element("pre", proof.log.checkpoint),
        )
    )


def _metric(one: Metric) -> tuple[Content, ...]:
    counted = one.failed_case_counts_as
    looked_at = ".".join(part for part in (one.port, one.label or one.column) if part)
    of = one.kind if not looked_at else f"{one.function or one.kind} of {looked_at}"
    return (
        element("code", breakable(one.id)),
        of,
        one.definition,
        one.unit,
        counted.replace("_", " ") if isinstance(counted, str) else display(counted),
    )


def logged_first(report: Report) -> Html:
    """One sentence on whether the plan was there first, and seen by somebody other than the executor."""
    proof = report.registration
    logged, began = (datetime.fromisoformat(at) for at in (proof.logged_at, proof.first_run_started_at))
    others = sorted(set(proof.cosigned_by) - {report.executed_by})
    if logged < began and others and proof.cosigned_checkpoint_size > proof.sequence:
        return join(
            (
                element("span", "Logged first: ", class_="good"),
                "registered ",
                moment(proof.logged_at),
                f" as log entry {proof.sequence}, cosigned by {', '.join(others)}, before the first run at ",
                moment(proof.first_run_started_at),
                ".",
            )
        )
    return join(
        (
            element("span", "NOT SHOWN TO BE LOGGED FIRST: ", class_="bad"),
            "registered ",
            moment(proof.logged_at),
            f" as log entry {proof.sequence}; first run ",
            moment(proof.first_run_started_at),
            f"; cosigned by {', '.join(others) or 'nobody but the executor'} over "
            f"{proof.cosigned_checkpoint_size} entries.",
        )
    )


def signatures(signed: Sequence[ESignature]) -> Html:
    """Printed name, time with zone, meaning (21 CFR 11.50)."""
    if not signed:
        return element("p", "UNSIGNED: no e-signature is attached to this report.", class_="notice")
    rows = [
        (
            one.printed_name,
            f"{one.actor}, {one.role}",
            one.meaning,
            moment(one.at),
            one.reason,
            shortened(one.target),
            shortened(one.rendering) if one.rendering else "none",
            one.authentication,
        )
        for one in signed
    ]
    head = (
        "Printed name",
        "Person, role",
        "Meaning",
        "Time",
        "Reason",
        "Signed record",
        "Page shown",
        "Authenticated by",
    )
    return table(head, rows, class_="dense")


def signatures_of_this_file() -> Html:
    """What a printed page says in place of signatures: a PDF holds them itself, in the room left below."""
    return element(
        "p",
        "Signatures are added to this file as PDF signatures (PAdES), each with printed name, meaning and time, and "
        "shown below. A copy with nothing below is unsigned. What counts is each signed record in the registry’s log.",
        class_="note room",
    )


def digests(report: Report) -> Html:
    """Every shortened digest in full."""
    rows = [(name, element("code", digest)) for name, digest in _digests(report)]
    return table(("What", "Digest"), rows, class_="digests")


def _digests(report: Report) -> Iterator[tuple[str, str]]:
    release, kit = report.release, report.kit
    yield "Release record", release.record
    yield "Container image", release.image
    yield "Manifest", release.manifest
    yield from ((f"Weights {one.name}", one.digest) for one in release.weights)
    yield "Kit files", kit.kit_digest
    yield "Protocol file", kit.protocol_digest
    yield "Registration record", report.registration.record
    yield "Report content without renderings", content_digest(report)
