"""What must hold between the parts of a manifest: numbered rules, each with the field it is about and a fix.

The models check each field by itself; the rules here look across fields. A number is never given to another rule.
C1xx names and ports, C2xx runtime and image, C3xx tests and determinism, C4xx domain and resources.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from plugin_spec.faults import Fault, Found
from plugin_spec.ports import (
    ClassificationPort,
    DicomSeriesPort,
    LabelMapPort,
    MeasurementsPort,
    Port,
    ReportPort,
    ScorePort,
    VolumePort,
)

if TYPE_CHECKING:
    from plugin_spec.manifest import Comparison, Manifest

COLLECT_FAULTS: Final = "assay.collect-faults"


Rule = Callable[["Manifest"], Found]


def faults_of(manifest: "Manifest", rules: Mapping[str, Rule] | None = None) -> list[Fault]:
    """Every fault of a manifest by some rules, by default those of this module, in their order."""
    return [
        Fault(number, path, message, fix)
        for number, rule in (RULES if rules is None else rules).items()
        for path, message, fix in rule(manifest)
    ]


def _ports(manifest: "Manifest") -> Iterator[tuple[str, Port]]:
    for kind, ports in (("inputs", manifest.inputs), ("outputs", manifest.outputs)):
        for number, port in enumerate(ports):
            yield f"{kind}.{number}", port


def names_are_distinct(manifest: "Manifest") -> Found:
    """C101: ports and parameters share one set of names.

    Fix: rename all but one of them.
    """
    names = [port.name for _, port in _ports(manifest)] + [one.name for one in manifest.parameters]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        fix = "rename all but one of them"
        yield "inputs", f"ports and parameters share one set of names; repeated: {', '.join(repeated)}", fix


def listed_names_are_distinct(manifest: "Manifest") -> Found:
    """C102: weights and tests have distinct names.

    Fix: rename all but one of them.
    """
    for what, named in (("weights", manifest.weights), ("tests", manifest.tests)):
        if len({one.name for one in named}) != len(named):
            yield what, "each name may stand once", "rename all but one of them"


def grids_name_an_input(manifest: "Manifest") -> Found:
    """C103: grid_of, within, from_port and to_port name an image input of one file, other than the port itself.

    Fix: name an image input that takes one file.
    """
    single = [
        port.name
        for port in manifest.inputs
        if isinstance(port, (VolumePort, LabelMapPort)) and port.at_most == 1
    ]
    for path, port in _ports(manifest):
        for field in ("grid_of", "within", "from_port", "to_port"):
            target = getattr(port, field, None)
            if target is None or (target in single and target != port.name):
                continue
            others = [name for name in single if name != port.name]
            what = "the port itself" if target == port.name else f"{target!r}, which is not an image input"
            needed = type(port).model_fields[field].is_required()
            alone = "declare an image input of one file" + ("" if needed else f", or remove {field}")
            fix = f"name one of: {', '.join(others)}" if others else alone
            yield f"{path}.{field}", f"port {port.name}: {field} names {what} of one file", fix


def lists_are_inputs(manifest: "Manifest") -> Found:
    """C104: only an input takes several files, and a DICOM series is one folder.

    Fix: declare one output per file, and one port per series.
    """
    for path, port in _ports(manifest):
        if port.is_list and path.startswith("outputs"):
            yield f"{path}.at_most", f"port {port.name}: an output is one file", "declare one output per file"
        if port.is_list and isinstance(port, DicomSeriesPort):
            yield f"{path}.at_most", f"port {port.name}: one series per port", "declare one port per series"


def something_is_needed(manifest: "Manifest") -> Found:
    """C105: at least one input and one output are not optional.

    Fix: set at_least = 1 on one of them.
    """
    for what, ports in (("inputs", manifest.inputs), ("outputs", manifest.outputs)):
        if all(port.at_least == 0 for port in ports):
            yield what, "at least one port must not be optional", "set at_least = 1 on one of them"


def follow_ups_have_a_baseline(manifest: "Manifest") -> Found:
    """C106: an interval is counted from a baseline input.

    Fix: set time_point = "baseline" on the input of the first visit.
    """
    has_baseline = any(port.time_point == "baseline" for port in manifest.inputs)
    for path, port in _ports(manifest):
        if port.interval_days is not None and not has_baseline:
            fix = 'set time_point = "baseline" on the input of the first visit'
            yield f"{path}.interval_days", f"port {port.name}: no input is the baseline", fix


def defaults_are_allowed(manifest: "Manifest") -> Found:
    """C107: a parameter's default lies inside its own bounds.

    Fix: change the default or the bounds.
    """
    for number, one in enumerate(manifest.parameters):
        if not one.accepts(one.default):
            message = f"parameter {one.name}: the default {one.default!r} is out of bounds"
            yield f"parameters.{number}.default", message, "change the default or the bounds"


def one_way_to_answer(manifest: "Manifest") -> Found:
    """C201: an adapter or a command, not both.

    Fix: adapter = "adapter.py" for a Python module, [runtime.command] for any other tool.
    """
    runtime = manifest.runtime
    if (runtime.adapter is None) == (runtime.command is None):
        fix = 'adapter = "adapter.py" for a Python module, [runtime.command] for any other tool'
        yield "runtime", "give either an adapter or a command", fix


def only_adapters_serve(manifest: "Manifest") -> Found:
    """C202: a tool that is called anew for each case cannot be kept warm.

    Fix: write mode = "exec".
    """
    if manifest.runtime.mode == "serve" and manifest.runtime.command is not None:
        yield "runtime.mode", "a command cannot serve many cases from one container", 'write mode = "exec"'


def requirements_have_a_place(manifest: "Manifest") -> Found:
    """C203: hashed requirements are installed into images made from packages only.

    Fix: install them in the image, or use source = "packages".
    """
    if manifest.runtime.requirements is not None and manifest.image.source != "packages":
        fix = 'install them in the image, or use source = "packages"'
        yield "runtime.requirements", f"an image from {manifest.image.source!r} is not installed into", fix


def placeholders_are_declared(manifest: "Manifest") -> Found:
    """C204: a command's placeholders name what the manifest declares.

    Fix: name a declared port, parameter or weights file.
    """
    command = manifest.runtime.command
    if command is None:
        return
    known = {
        "inputs": {port.name for port in manifest.inputs},
        "outputs": {port.name for port in manifest.outputs},
        "parameters": {one.name for one in manifest.parameters},
        "weights": {one.name for one in manifest.weights},
    }
    for one in command.placeholders():
        if one.table in known and one.name not in known[one.table]:
            declared = sorted(known[one.table])
            fix = _nearest(one.name, declared) or f"declared: {', '.join(declared)}"
            yield (
                "runtime.command.argv",
                f"{{{one.table}.{one.name}}} is not declared",
                fix if declared else f"declare {one.name} in [[{one.table}]]: nothing is declared there",
            )
    switches = {one.name for one in manifest.parameters if one.kind == "bool"}
    for one in command.placeholders():
        if one.flag is not None and one.name in known["parameters"] - switches:
            message = f"{{{one.table}.{one.name}?{one.flag}}} stands for a switch, but the parameter is none"
            yield "runtime.command.argv", message, f'write "{one.flag}" and {{parameters.{one.name}}}'


def command_writes_every_output(manifest: "Manifest") -> Found:
    """C205: a command says which file holds which output, each output once.

    Fix: give every output a file of its own in [runtime.command.outputs].
    """
    command = manifest.runtime.command
    if command is None:
        return
    ports = {port.name: port for port in manifest.outputs}
    for name in sorted(ports.keys() ^ set(command.outputs)):
        if name in ports:
            message = f"output {name} has no file"
            fix = f'add {name} = "{name}{_ending(ports[name])}"'
        else:
            message = f"{name} is no output port"
            open_ports = [one for one in ports if one not in command.outputs]
            fix = _nearest(name, open_ports) or "declare the port, or remove the line"
        yield "runtime.command.outputs", message, fix
    files = ["result.json", *(path.rpartition("/")[2] for path in command.outputs.values())]
    if len(set(files)) != len(files):
        message = "two ports share a file name, or one takes that of result.json"
        yield (
            "runtime.command.outputs",
            message,
            "let the tool write one file per port, under names that differ",
        )


def both_kinds_of_test(manifest: "Manifest") -> Found:
    """C301: a case that must answer, and one that must be refused.

    Fix: add a [[tests]] with expect = "refused": an input the plugin must not answer for.
    """
    if {test.expect for test in manifest.tests} != {"ok", "refused"}:
        message = "at least one positive (ok) and one negative (refused) test is needed"
        yield (
            "tests",
            message,
            'add a [[tests]] with expect = "refused": an input the plugin must not answer for',
        )


def tests_fit_the_ports(manifest: "Manifest") -> Found:
    """C302: a test gives every needed input, nothing undeclared, and as many files as the port takes.

    Fix: list each needed input port in inputs, and no other.
    """
    for number, test in enumerate(manifest.tests):
        path, given = f"tests.{number}.inputs", test.files()
        needed = {port.name for port in manifest.inputs if port.at_least}
        declared = {port.name for port in manifest.inputs}
        if not needed <= set(given) <= declared:
            yield (
                path,
                f"test {test.name}: {_differences(needed, set(given), declared)}",
                _inputs_fix(manifest),
            )
            continue
        for port in manifest.inputs:
            if port.name in given and not port.at_least <= len(given[port.name]) <= port.at_most:
                takes = _count(port)
                message = f"test {test.name}: {port.name} takes {takes}, not {len(given[port.name])}"
                yield path, message, f"list {takes}"


def test_parameters_are_allowed(manifest: "Manifest") -> Found:
    """C303: a test sets declared parameters inside their bounds.

    Fix: set a declared parameter to a value inside its bounds.
    """
    declared = {one.name: one for one in manifest.parameters}
    for number, test in enumerate(manifest.tests):
        for name, value in test.parameters.items():
            if name not in declared or not declared[name].accepts(value):
                message = f"test {test.name}: parameter {name} = {value!r} is not allowed"
                fix = (
                    "give a value that its declaration allows"
                    if name in declared
                    else "name a declared parameter"
                )
                names = f": {', '.join(declared)}" if declared else ": there is none"
                yield f"tests.{number}.parameters", message, fix + ("" if name in declared else names)


def comparisons_fit_the_ports(manifest: "Manifest") -> Found:
    """C304: a test compares what its output can be compared by.

    Fix: see the table of comparisons in the author's guide.
    """
    for number, test in enumerate(manifest.tests):
        for place, comparison in enumerate(test.compare):
            fault = _comparison_fault(manifest, comparison)
            if fault:
                fix = "see the table of comparisons in the author's guide"
                yield f"tests.{number}.compare.{place}", f"test {test.name}: {fault}", fix


def positive_tests_compare(manifest: "Manifest") -> Found:
    """C305: a refused case has no outputs to compare.

    Fix: remove compare from the test that expects a refusal.
    """
    for number, test in enumerate(manifest.tests):
        if test.expect == "refused" and test.compare:
            yield f"tests.{number}.compare", f"test {test.name}: a refused case has no outputs", "remove it"


def tolerances_fit_the_ports(manifest: "Manifest") -> Found:
    """C306: a tolerance is about a declared output, in a figure that fits its kind.

    Fix: dice for a label map; absolute or relative for a volume, a score or a column.
    """
    for number, one in enumerate(manifest.determinism.tolerances):
        path = f"determinism.tolerances.{number}"
        if one.column is not None:
            ports = [port.name for port in manifest.outputs if one.port in (None, port.name)]
            if not any(one.column in manifest.columns_of(name) for name in ports):
                yield path, f"determinism: no measurements column {one.column!r}", "name a declared column"
            continue
        port = manifest.output(one.port or "")
        fits = (isinstance(port, LabelMapPort) and one.dice is not None) or (
            isinstance(port, (VolumePort, ScorePort)) and one.dice is None
        )
        if not fits:
            fix = "dice for a label map; absolute or relative for a volume, a score or a column"
            yield path, f"determinism: the tolerance does not fit an output {one.port!r}", fix


def tolerance_claims_have_one(manifest: "Manifest") -> Found:
    """C307: tolerances stand where the claim is a tolerance, and only there (a GPU fallback needs them too).

    Fix: add [[determinism.tolerances]], or change the claim.
    """
    claim = manifest.determinism
    gpu = manifest.resources.gpu
    needed = claim.claim == "tolerance" or (gpu is not None and gpu.cpu_fallback == "within_tolerance")
    if needed and not claim.tolerances:
        yield (
            "determinism.tolerances",
            "the claim is a tolerance, but none is given",
            "add [[determinism.tolerances]]",
        )
    if claim.claim.startswith("bitwise") and claim.tolerances and not needed:
        yield "determinism.tolerances", "a bitwise claim has no tolerance", 'write claim = "tolerance"'


def domain_rules_name_an_input(manifest: "Manifest") -> Found:
    """C401: a domain rule looks at an input.

    Fix: name a declared input.
    """
    inputs = [port.name for port in manifest.inputs]
    for number, rule in enumerate(manifest.domain):
        if rule.port not in inputs:
            message = f"domain rule on {rule.tag}: {rule.port!r} is not an input port"
            yield f"domain.{number}.port", message, f"inputs: {', '.join(inputs)}"


def memory_shares_fit(manifest: "Manifest") -> Found:
    """C402: scratch and shared memory live in the container's memory.

    Fix: raise memory_mib, or lower the shares.
    """
    need = manifest.resources
    if need.scratch_mib + need.shm_mib > need.memory_mib:
        message = (
            f"scratch_mib {need.scratch_mib} + shm_mib {need.shm_mib} exceed memory_mib {need.memory_mib}"
        )
        yield "resources.memory_mib", message, "both are shares of the memory limit: raise it, or lower them"


def _comparison_fault(manifest: "Manifest", one: "Comparison") -> str:
    """Why a comparison cannot be made; empty when it can."""
    port = manifest.output(one.port)
    if port is None:
        return f"no output {one.port!r}"
    bounded = (one.absolute is not None) != (one.relative is not None)
    if isinstance(port, MeasurementsPort):
        if one.column is None or one.column not in manifest.columns_of(one.port):
            return f"no column {one.port}.{one.column or ''}"
        return "" if one.value is not None and bounded else _by(one.port, "value and absolute or relative")
    needs, holds = {
        "score": ("value and absolute or relative", one.value is not None and bounded),
        "classification": ("equals, a declared class", one.equals in _names(port)),
        "detections": ("count", one.count is not None),
        "label_map": (
            "reference and dice, of a declared label",
            bool(one.reference and one.dice and one.label in {None, *_names(port)}),
        ),
        "volume": ("reference and absolute", bool(one.reference and one.absolute is not None)),
    }.get(port.kind, ("nothing: people look at it", False))
    return "" if holds else _by(one.port, needs)


def _nearest(name: str, known: Sequence[str]) -> str:
    """Return the question after a misspelt name; empty where nothing is near."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def _ending(port: Port) -> str:
    """How a tool's file for an output ends."""
    if isinstance(port, (VolumePort, LabelMapPort)):
        return ".nii.gz"
    if isinstance(port, ReportPort):
        return f".{port.format}"
    return ".csv" if isinstance(port, MeasurementsPort) else ".json"


def _count(port: Port) -> str:
    """How many files a port takes, in words."""
    if port.at_least == port.at_most:
        return "1 file" if port.at_most == 1 else f"{port.at_most} files"
    return f"{port.at_least} to {port.at_most} files"


def _differences(needed: set[str], given: set[str], declared: set[str]) -> str:
    """What a test's inputs lack, and what they have too much."""
    parts = [
        f"{what} {', '.join(sorted(names))}"
        for what, names in (
            ("it lacks the input", needed - given),
            ("there is no input", given - declared),
        )
        if names
    ]
    return "; ".join(parts)


def _inputs_fix(manifest: "Manifest") -> str:
    optional = [port.name for port in manifest.inputs if not port.at_least]
    named = f"give {', '.join(port.name for port in manifest.inputs if port.at_least)}"
    return named + (f", and if you like {', '.join(optional)}" if optional else "")


def _by(port: str, needs: str) -> str:
    return f"{port} is compared by {needs}"


def _names(port: Port) -> set[str]:
    if isinstance(port, ClassificationPort):
        return {one.name for one in port.classes}
    return {one.name for one in port.labels} if isinstance(port, LabelMapPort) else set()


RULES: Final[dict[str, Rule]] = {
    "C101": names_are_distinct,
    "C102": listed_names_are_distinct,
    "C103": grids_name_an_input,
    "C104": lists_are_inputs,
    "C105": something_is_needed,
    "C106": follow_ups_have_a_baseline,
    "C107": defaults_are_allowed,
    "C201": one_way_to_answer,
    "C202": only_adapters_serve,
    "C203": requirements_have_a_place,
    "C204": placeholders_are_declared,
    "C205": command_writes_every_output,
    "C301": both_kinds_of_test,
    "C302": tests_fit_the_ports,
    "C303": test_parameters_are_allowed,
    "C304": comparisons_fit_the_ports,
    "C305": positive_tests_compare,
    "C306": tolerances_fit_the_ports,
    "C307": tolerance_claims_have_one,
    "C401": domain_rules_name_an_input,
    "C402": memory_shares_fit,
}
