"""What a reviewer would stumble over: rules that an author is told, and that reading a manifest does not enforce.

Manifests that were signed before a rule was made must go on being read, so a new rule stands here and not in
`plugin_spec.rules`. C6xx are errors of what people declare; C7xx are warnings.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from plugin_spec.domain import SIDECAR_UNITS, unit_factor
from plugin_spec.faults import Found
from plugin_spec.model import FILL_IN
from plugin_spec.ports import DicomSeriesPort, LabelMapPort, MeasurementsPort, VolumePort
from plugin_spec.resources import MIB
from plugin_spec.rules import Rule

if TYPE_CHECKING:
    from plugin_spec.manifest import Manifest

_PLACEHOLDER: Final = re.compile(r"\b(TODO|FIXME|TBD|XXX|[Ll]orem ipsum)\b")
_SECRET_NAME: Final = re.compile(
    r"(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)(_|$)",
    re.IGNORECASE,
)
_SECRET_VALUE: Final = re.compile(
    r"^(AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|glpat-\S{20,}|sk-\S{20,})$|-----BEGIN "
)
_HOSTS_OWN: Final = frozenset(
    {
        "HOME",
        "TMPDIR",
        "LD_PRELOAD",
        "CUDA_VISIBLE_DEVICES",
        "NVIDIA_VISIBLE_DEVICES",
        "ROCR_VISIBLE_DEVICES",
    }
)
_NO_EVIDENCE: Final = re.compile(r"\W*(none|n/?a|yes|no|unknown|see paper|-)?\W*", re.IGNORECASE)
_NO_TRAINING: Final = re.compile(r"\s*(none|no |not )", re.IGNORECASE)
# DICOM keywords and BIDS keys that acceptance domains are made of.
COMMON_TAGS: Final = (
    *SIDECAR_UNITS,
    *("AcquisitionContrast", "BodyPartExamined", "ContrastBolusAgent", "ConversionType", "ConvolutionKernel"),
    *("DeviceSerialNumber", "EchoTrainLength", "ImageType", "InstitutionName", "KVP", "Manufacturer"),
    *("ManufacturerModelName", "ManufacturersModelName", "Modality", "MRAcquisitionType", "NumberOfAverages"),
    *("ParallelReductionFactorInPlane", "PatientPosition", "PhotometricInterpretation", "PixelBandwidth"),
    *("ProtocolName", "PulseSequenceDetails", "PulseSequenceType", "Radiopharmaceutical", "ReconMethodName"),
    *("ReceiveCoilName", "ScanningSequence", "ScanOptions", "SequenceName", "SequenceVariant"),
    *(
        "SeriesDescription",
        "SoftwareVersions",
        "StationName",
        "TracerName",
        "TracerRadionuclide",
        "XRayTubeCurrent",
    ),
)
# A whole head at 1 mm, for volumes whose size no domain rule bounds.
USUAL_VOXELS: Final = 256 * 256 * 180
WAITS_FOR_A_HUMAN: Final = "C711"
NOT_STATED: Final = "NOASSERTION"  # as SPDX documents say it
STORED_BYTES, LOADED_BYTES = 2, 4  # int16 in the file, float32 in memory
INTERPRETER_MIB: Final = 64


def nothing_is_left_to_fill_in(manifest: "Manifest") -> Found:
    """C601: no text still waits for a human (TODO, FIXME, TBD, XXX, lorem ipsum).

    Fix: write what only a human can know.
    """
    for path, text in texts(manifest.model_dump(mode="json", exclude_unset=True), ""):
        found = _PLACEHOLDER.search(text)
        if found:
            fix = "write what only a human can know"
            yield path, f"still holds {found[0]!r}", fix


def nothing_secret_is_declared(manifest: "Manifest") -> Found:
    """C602: the environment holds no password, token or key: a manifest is signed and published.

    Fix: remove it; a container has no network to use it on.
    """
    for name, value in manifest.runtime.environment.items():
        if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
            fix = "remove it; a container has no network to use it on"
            yield f"runtime.environment.{name}", "looks like a secret", fix


def the_host_sets_its_own(manifest: "Manifest") -> Found:
    """C603: the environment leaves alone what the host sets (HOME, TMPDIR, visible devices) and LD_PRELOAD.

    Fix: remove it.
    """
    for name in sorted(_HOSTS_OWN & {name.upper() for name in manifest.runtime.environment}):
        yield f"runtime.environment.{name}", f"{name} is the host's to set", "remove it"


def citations_lead_somewhere(manifest: "Manifest") -> Found:
    """C604: a DOI ends where it ends, without a full stop, comma or bracket of the sentence around it.

    Fix: take off the last character.
    """
    for number, citation in enumerate(manifest.attribution.citations):
        balanced = citation.doi.count("(") == citation.doi.count(")")
        if citation.doi[-1] in ".,;:'\"" or (citation.doi[-1] in ")]>" and not balanced):
            path = f"attribution.citations.{number}.doi"
            yield path, f"{citation.doi} ends with {citation.doi[-1]!r}", "take off the last character"


def domain_rules_have_evidence(manifest: "Manifest") -> Found:
    """C605: a domain rule says what its bounds rest on.

    Fix: name the data, kit or publication that covers these values.
    """
    for number, rule in enumerate(manifest.domain):
        if _NO_EVIDENCE.fullmatch(rule.evidence):
            fix = "name the data, kit or publication that covers these values"
            yield f"domain.{number}.evidence", f"{rule.evidence!r} is no evidence", fix


def tests_do_not_contradict(manifest: "Manifest") -> Found:
    """C606: no two tests expect different answers to the same inputs and parameters.

    Fix: give one of them another input.
    """
    seen: dict[str, tuple[str, str | None, str]] = {}
    for number, test in enumerate(manifest.tests):
        case = repr((sorted(test.files().items()), sorted(test.parameters.items())))
        expected, reason, name = seen.setdefault(case, (test.expect, test.reason_code, test.name))
        if (expected, reason) != (test.expect, test.reason_code):
            message = f"test {test.name} gives what {name} gives, and expects another answer"
            yield f"tests.{number}.inputs", message, "give one of them another input"


def ranges_are_in_units_of_their_tags(manifest: "Manifest") -> Found:
    """C607: a range is in a unit that its tag is given in, or that it can be turned into.

    Fix: write the bounds in the unit named.
    """
    for number, rule in enumerate(manifest.domain):
        if rule.unit is not None and unit_factor(rule.tag, rule.unit) is None:
            given = SIDECAR_UNITS[rule.tag]
            message = f"{rule.tag} is given in {given!r}, which is no {rule.unit!r}"
            yield f"domain.{number}.unit", message, f"write the bounds in {given!r}"


def images_have_a_domain(manifest: "Manifest") -> Found:
    """C701: every image input has a domain rule: evidence holds for the images it was gathered on.

    Fix: add [[domain]] rules for what the evidence covers: geometry.…, MagneticFieldStrength, Manufacturer.
    """
    ruled = {rule.port for rule in manifest.domain}
    for number, port in enumerate(manifest.inputs):
        if isinstance(port, (VolumePort, DicomSeriesPort)) and port.name not in ruled:
            fix = "add [[domain]] rules for what the evidence covers, such as geometry.spacing_max_mm"
            yield f"inputs.{number}", f"port {port.name}: any image at all is accepted", fix


def something_is_refused(manifest: "Manifest") -> Found:
    """C702: at least one domain rule refuses; flags alone let every image through.

    Fix: set outside = "refuse" on the rules whose bounds the results depend on.
    """
    if manifest.domain and not any("refuse" in (rule.outside, rule.missing) for rule in manifest.domain):
        fix = 'set outside = "refuse" on the rules whose bounds the results depend on'
        yield "domain", "every rule only flags: no image is refused", fix


def endpoints_are_repeatable(manifest: "Manifest") -> Found:
    """C703: a measured column claims its repeatability: a change in a patient is judged against it.

    Fix: add repeatability = { wcv_percent = …, source = "…" } where test-retest data exist.
    """
    for number, port in enumerate(manifest.outputs):
        if isinstance(port, MeasurementsPort):
            bare = [column.name for column in port.columns if column.repeatability is None]
            if bare:
                fix = 'add repeatability = { wcv_percent = …, source = "…" } where test-retest data exist'
                yield (
                    f"outputs.{number}.columns",
                    f"port {port.name}: no repeatability is claimed for {_listed(bare)}",
                    fix,
                )


def measures_are_coded(manifest: "Manifest") -> Found:
    """C704: a measured column has a coded concept, so that numbers of two plugins can be told to be of one thing.

    Fix: add concept = { value = "…", scheme = "SCT", meaning = "…" }.
    """
    for number, port in enumerate(manifest.outputs):
        if isinstance(port, MeasurementsPort):
            bare = [column.name for column in port.columns if column.concept is None]
            if bare:
                fix = 'add concept = { value = "…", scheme = "SCT", meaning = "…" }'
                yield (
                    f"outputs.{number}.columns",
                    f"port {port.name}: no coded concept for {_listed(bare)}",
                    fix,
                )


def answers_repeat(manifest: "Manifest") -> Found:
    """C705: the answer to one input is one answer; a stochastic claim makes every endpoint noisier.

    Fix: seed every generator from context.seed and claim bitwise or a tolerance.
    """
    if manifest.determinism.claim == "stochastic":
        fix = "seed every generator from context.seed and claim bitwise or a tolerance"
        yield "determinism.claim", "two runs on one image may differ without bound", fix


def gpus_were_tried(manifest: "Manifest") -> Found:
    """C706: a plugin that needs a GPU says on which compute capabilities it was tried.

    Fix: add compute_capability_tested = ["8.6"] after running the tests on such a device.
    """
    gpu = manifest.resources.gpu
    if gpu is not None and not gpu.compute_capability_tested:
        fix = 'add compute_capability_tested = ["8.6"] after running the tests on such a device'
        yield "resources.gpu", "no device is named on which the plugin was run", fix


def memory_holds_the_images(manifest: "Manifest") -> Found:
    """C707: memory holds the interpreter and every input volume once, as float32.

    Fix: raise memory_mib, or memory_per_input_mib, to what a run was seen to take.
    """
    volumes = sum(port.at_most for port in manifest.inputs if isinstance(port, VolumePort | LabelMapPort))
    need = manifest.resources
    voxels = _largest_voxels(manifest) * volumes
    needed = INTERPRETER_MIB + voxels * LOADED_BYTES / MIB
    given = need.memory_mib + need.memory_per_input_mib * voxels * STORED_BYTES / MIB
    if volumes and given < needed:
        message = (
            f"{given:.0f} MiB for {volumes} volume(s) of {_largest_voxels(manifest):.0f} voxels, "
            f"which alone take {needed:.0f} MiB as float32 with an interpreter"
        )
        fix = "raise memory_mib, or bound geometry.voxels in [[domain]]"
        yield "resources.memory_mib", message, fix


def positive_tests_look_at_the_answer(manifest: "Manifest") -> Found:
    """C708: a test that expects an answer compares something of it.

    Fix: add compare = [{ port = "…", … }] with the value you know to be right.
    """
    for number, test in enumerate(manifest.tests):
        if test.expect == "ok" and not test.compare:
            fix = 'add compare = [{ port = "…", … }] with the value you know to be right'
            yield f"tests.{number}", f"test {test.name}: any answer passes", fix


def training_sets_are_listed(manifest: "Manifest") -> Found:
    """C709: data the method was trained on are listed as datasets, so that a kit made of them can be told.

    Fix: add [[attribution.training_datasets]], or begin training_data with "None".
    """
    about = manifest.attribution
    said = about.training_data
    if not (about.training_datasets or _NO_TRAINING.match(said) or FILL_IN in said):
        fix = 'add [[attribution.training_datasets]], or begin training_data with "None"'
        yield "attribution.training_data", "the training data are not listed as datasets", fix


def people_have_typed_their_part(manifest: "Manifest") -> Found:
    """C711: what a scaffold or an import could not know is typed; until then assay plugin submit refuses.

    Fix: replace the text after FILL IN: (and the licence NOASSERTION) by what holds for this plugin.
    """
    for path, text in texts(manifest.model_dump(mode="json", exclude_unset=True), ""):
        if FILL_IN in text:
            wanted = text.partition(FILL_IN)[2].strip()
            yield path, "a human must still type this", f"write {wanted}" if wanted else "write it"
    for path, licence in licences_of(manifest):
        if licence == NOT_STATED:
            yield path, "a human must still type this", "write the SPDX licence, such as MIT"


def tags_are_spelt_as_images_spell_them(manifest: "Manifest") -> Found:
    """C712: a domain rule's tag is not nearly one that images have: no image would ever have it.

    Fix: correct the tag.
    """
    for number, rule in enumerate(manifest.domain):
        near = get_close_matches(rule.tag, COMMON_TAGS, n=1, cutoff=0.85)
        if near and rule.tag not in COMMON_TAGS:
            yield f"domain.{number}.tag", f"{rule.tag} looks like {near[0]}", f"did you mean {near[0]}?"


def threads_have_processors(manifest: "Manifest") -> Found:
    """C710: there are no more threads than processors.

    Fix: set resources.cpus and runtime.threads to the same number.
    """
    threads, cpus = manifest.runtime.threads, manifest.resources.cpus
    if threads > cpus:
        fix = "set resources.cpus and runtime.threads to the same number"
        yield "runtime.threads", f"{threads} threads share {cpus:g} processor(s)", fix


def licences_of(manifest: "Manifest") -> Iterator[tuple[str, str]]:
    """Every licence with its path: of the code, and of each weights file."""
    yield "attribution.licence", manifest.attribution.licence
    for number, one in enumerate(manifest.weights):
        yield f"weights.{number}.licence", one.licence


def texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text of a document, as it is dumped, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, (Mapping, list)):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, one in items:
            yield from texts(one, f"{path}.{key}" if path else str(key))


def _largest_voxels(manifest: "Manifest") -> float:
    """The voxels of the largest volume that the domain lets in."""
    bounds = [
        rule.maximum
        for rule in manifest.domain
        if rule.tag == "geometry.voxels" and rule.maximum is not None and rule.outside == "refuse"
    ]
    return max(bounds, default=float(USUAL_VOXELS))


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:5])} and {len(names) - 5} more"


REVIEW: Final[dict[str, Rule]] = {
    "C601": nothing_is_left_to_fill_in,
    "C602": nothing_secret_is_declared,
    "C603": the_host_sets_its_own,
    "C604": citations_lead_somewhere,
    "C605": domain_rules_have_evidence,
    "C606": tests_do_not_contradict,
    "C607": ranges_are_in_units_of_their_tags,
    "C701": images_have_a_domain,
    "C702": something_is_refused,
    "C703": endpoints_are_repeatable,
    "C704": measures_are_coded,
    "C705": answers_repeat,
    "C706": gpus_were_tried,
    "C707": memory_holds_the_images,
    "C708": positive_tests_look_at_the_answer,
    "C709": training_sets_are_listed,
    "C710": threads_have_processors,
    "C711": people_have_typed_their_part,
    "C712": tags_are_spelt_as_images_spell_them,
}
