"""Rules on how the parts of a kit fit together (K1xx)."""

from host import extensions
from host.errors import UnknownMetricError
from host.kits.cases import evidence_of
from host.kits.check.parts import CASES, Found, KitParts, Place, in_cases, in_kit, in_protocol
from host.kits.fit import missing_columns, strata_of
from host.perturbations.cases import perturbation_faults


def the_protocol_is_the_kits(parts: KitParts) -> Found:
    """K101: protocol.toml is for this kit and version.

    Fix: write the same kit and version in both files.
    """
    kit, protocol = parts.kit, parts.protocol
    for field, found, wanted in (("kit", protocol.kit, kit.id), ("version", protocol.version, kit.version)):
        if found != wanted:
            yield in_protocol(field), f"is for {found}, kit.toml says {wanted}", f'write {field} = "{wanted}"'


def cases_have_what_metrics_compare_with(parts: KitParts) -> Found:
    """K102: a case that is to answer has what each metric compares with.

    Fix: fill the column, or leave the metric out.
    """
    for line, case in parts.rows:
        if case.expected == "refused":
            continue
        for metric in parts.protocol.metrics:
            for column in missing_columns(metric, case, parts.protocol):
                message = f"case {case.case_id} has no {column}, which metric {metric.id} compares with"
                yield in_cases(column, line), message, f"fill the column {column}, or leave the metric out"


def cases_have_their_strata(parts: KitParts) -> Found:
    """K103: a case has a level of each stratum that criteria on its metrics are judged by.

    Fix: fill the column, or leave the scope out.
    """
    for line, case in parts.rows:
        wanted = {
            name
            for metric in parts.protocol.metrics
            if case.expected == "ok" or metric.kind == "outcome"
            for name in strata_of(metric, parts.protocol)
        }
        for name in sorted(wanted - set(case.strata)):
            message = f"case {case.case_id} has no stratum.{name}, which criteria are judged by"
            yield in_cases(f"stratum.{name}", line), message, f"fill the column stratum.{name}"


def evidence_is_that_of_the_weakest_case(parts: KitParts) -> Found:
    """K104: the kit's evidence is that of its weakest case that is to answer: a phantom is no patient.

    Fix: write the weakest of the column evidence among the cases expected ok.
    """
    weakest = evidence_of(parts.cases, first=parts.kit.is_first)
    if parts.kit.evidence != weakest:
        message = f"is {parts.kit.evidence}, cases.csv holds {weakest} cases"
        yield in_kit("evidence"), message, f'write evidence = "{weakest}"'


def reference_classes_are_declared(parts: KitParts) -> Found:
    """K105: a reference class is one that the metric knows.

    Fix: correct the cell, or add the class to the metric.
    """
    for metric in parts.protocol.metrics:
        if metric.kind != "classes" or metric.classes is None:
            continue
        for line, case in parts.rows:
            found = case.classes.get(metric.port or "")
            if found is not None and found not in metric.classes:
                message = (
                    f"case {case.case_id} is {found!r}, metric {metric.id} knows {', '.join(metric.classes)}"
                )
                fix = "correct the cell, or add the class to the metric"
                yield in_cases(f"class.{metric.port}", line), message, fix


def perturbed_and_repeated_cases_are_there(parts: KitParts) -> Found:
    """K106: perturbations and sameness name cases that are there, and inputs that these have.

    Fix: correct the name.
    """
    for message in perturbation_faults(parts.protocol.perturbations, parts.cases):
        yield Place(CASES, ""), message, "correct perturbations in protocol.toml, or the case"
    known = {case.case_id for case in parts.cases}
    for number, one in enumerate(parts.protocol.sameness):
        for case_id in () if one.cases == "all" else sorted(set(one.cases) - known):
            yield in_protocol(f"sameness.{number}.cases"), f"there is no case {case_id}", "correct the name"


def metrics_are_registered(parts: KitParts) -> Found:
    """K107: a metric's function is registered, for the kind of outputs it is applied to.

    Fix: write one of the names listed.
    """
    for number, metric in enumerate(parts.protocol.metrics):
        if metric.function is None:
            continue
        where = in_protocol(f"metrics.{number}.function")
        try:
            registered = extensions.metric(metric.function)
        except UnknownMetricError as error:
            yield where, error.message, error.hint
            continue
        if registered.operands != metric.kind:
            names = sorted(one.name for one in extensions.metrics().values() if one.operands == metric.kind)
            message = f"{metric.function} compares {registered.operands}, not {metric.kind}"
            yield where, message, f"for {metric.kind}: {', '.join(names) or 'none is registered'}"


def the_plan_makes_sense(parts: KitParts) -> Found:
    """K108: the plan asks for what its statistics can say, and no failed case can help.

    Fix: change the criterion as the message says.
    """
    places = {
        f"criterion {one.id}": f"criteria.{number}" for number, one in enumerate(parts.protocol.criteria)
    }
    for fault in parts.protocol.faults():
        what, _, message = fault.partition(": ")
        where = in_protocol(places.get(what, what))
        message, _, fix = message.partition("; ")
        yield where, message, fix or "change it, or leave it out"
