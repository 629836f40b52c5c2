"""From a manifest to its card. Pure: every sentence says what the manifest declares, and nothing more."""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote

from host.card import ports
from host.card.model import Block, Bullets, Card, Facts, Link, Paragraph, Section, Table
from host.card.words import (
    MODALITIES,
    lasting,
    listed,
    mebibytes,
    number,
    quantity,
    sized,
    span,
    tag_words,
)
from plugin_spec.command import Command, shown
from plugin_spec.domain import DomainRule
from plugin_spec.faults import Fault
from plugin_spec.image import ArchiveImage, DockerfileImage, EngineImage
from plugin_spec.manifest import Comparison, EmbeddedTest, Manifest, Tolerance, Weights
from plugin_spec.ports import MeasurementsPort, ScorePort
from plugin_spec.review import WAITS_FOR_A_HUMAN

_CLAIMS: Final = {
    "bitwise": "The same image and settings give the same bytes, on any machine.",
    "bitwise_same_device": "The same image and settings give the same bytes on one kind of processor; on another kind "
    "the last digits may differ.",
    "tolerance": "The same image and settings give answers that differ by no more than this:",
    "stochastic": "The same image and settings may give different answers; no bound is claimed.",
}
_FALLBACKS: Final = {
    "no": "Without such a device it does not run.",
    "same_results": "Without such a device it runs on the processor, with the same results.",
    "within_tolerance": "Without such a device it runs on the processor, with results within the declared tolerances.",
}
_COMMERCIAL: Final = {
    "allowed": "allowed",
    "forbidden": "forbidden",
    "ask": "ask the authors",
}


def compose(manifest: Manifest, *, digest: str, remarks: Sequence[Fault] = ()) -> Card:
    """Write the card.

    Parameters
    ----------
    digest : str
        Of the manifest's bytes, so that a printed card says which manifest it tells of.
    remarks : sequence of Fault
        What a review found (warnings of ``assay plugin check``).
    """
    sections = (
        ("What it is for", _purpose(manifest, waiting=sum(one.rule == WAITS_FOR_A_HUMAN for one in remarks))),
        ("What goes in", ports.inputs(manifest)),
        ("What comes out", ports.outputs(manifest)),
        ("Settings", ports.settings(manifest)),
        ("Which images it takes", _domain(manifest)),
        ("How it is known to go wrong", iter([Bullets(manifest.attribution.known_failure_modes)])),
        ("When the same scan is run again", _repeats(manifest)),
        ("Tests that come with it", _tests(manifest)),
        ("What it was trained on", _training(manifest)),
        ("What it needs", _needs(manifest)),
        ("How it is run", _running(manifest)),
        ("Licences, authors, publications", _sources(manifest)),
        ("What a reviewer will ask", _remarks([one for one in remarks if one.rule != WAITS_FOR_A_HUMAN])),
        ("Identity", _identity(manifest, digest)),
    )
    return Card(
        f"{manifest.id} {manifest.version}",
        manifest.title,
        manifest.summary,
        [Section(title, list(blocks)) for title, blocks in sections],
    )


def _purpose(manifest: Manifest, *, waiting: int) -> Iterator[Block]:
    about = manifest.attribution
    if waiting:
        yield Paragraph(
            f"A draft: {waiting} text(s) below still wait for a human, and it cannot be submitted.",
            strong=True,
        )
    yield Paragraph("What the authors declare; nothing on this card is evidence that it holds.")
    yield Facts(
        [
            ("Intended use", about.intended_use),
            ("Not for", about.not_for),
            ("Device status", about.device_status),
            ("Field", "; ".join(f"{one.area}: {one.disease}" for one in manifest.indications)),
            ("Images", listed(MODALITIES[one] for one in manifest.modalities)),
            ("Kind of answer", listed(manifest.capabilities)),
            ("Commercial use", _COMMERCIAL[about.commercial_use]),
        ]
    )


def _domain(manifest: Manifest) -> Iterator[Block]:
    if not manifest.domain:
        yield Paragraph("No limits are declared: the host takes any image.", strong=True)
    else:
        yield Paragraph("The host looks at each image before the algorithm starts.")
        rows = [(one.port, _rule(one), _consequence(one), one.evidence) for one in manifest.domain]
        yield Table(("input", "the image must have", "if not", "because"), rows)
    reasons = [test.reason_code for test in manifest.tests if test.reason_code is not None]
    if reasons:
        yield Paragraph(
            f"The algorithm itself refuses, as its tests show, with: {listed(dict.fromkeys(reasons))}."
        )


def _rule(rule: DomainRule) -> str:
    if rule.one_of is not None:
        return f"{tag_words(rule.tag)}: {listed(rule.one_of, 'or')}"
    return f"{tag_words(rule.tag)}: {span(rule.minimum, rule.maximum, rule.unit)}"


def _consequence(rule: DomainRule) -> str:
    outside = {"refuse": "refused", "flag": "answered with a flag"}[rule.outside]
    missing = {"refuse": "refused", "flag": "answered with a flag", "accept": "accepted"}[rule.missing]
    return outside if outside == missing else f"{outside}; if it is not known: {missing}"


def _repeats(manifest: Manifest) -> Iterator[Block]:
    claim = manifest.determinism
    yield Paragraph(_CLAIMS[claim.claim])
    if claim.tolerances:
        yield Bullets([_tolerance(one) for one in claim.tolerances])
    yield Paragraph("This is the authors' claim; assay plugin test measures it and refuses a false one.")


def _tolerance(one: Tolerance) -> str:
    where = ".".join(part for part in (one.port, one.column) if part)
    if one.dice is not None:
        return f"{where}: Dice overlap of at least {one.dice:g}"
    if one.absolute is not None:
        return f"{where}: {number(one.absolute)}, in its unit"
    return f"{where}: {(one.relative or 0) * 100:g} %"


def _tests(manifest: Manifest) -> Iterator[Block]:
    rows = [
        (
            test.name,
            _given(test),
            _expected(test),
            "\n".join(_compared(manifest, one) for one in test.compare) or "-",
        )
        for test in manifest.tests
    ]
    yield Table(("test", "given", "must", "compared"), rows)


def _given(test: EmbeddedTest) -> str:
    files = [f"{port} = {', '.join(names)}" for port, names in test.files().items()]
    return "; ".join([*files, *(f"{name} = {value}" for name, value in test.parameters.items())])


def _expected(test: EmbeddedTest) -> str:
    return "answer" if test.expect == "ok" else f"refuse: {test.reason_code}"


def _compared(manifest: Manifest, one: Comparison) -> str:
    where = ".".join(part for part in (one.port, one.column or one.label) if part)
    if one.value is not None:
        unit = _unit(manifest, one)
        if one.absolute is None:
            return f"{where} = {quantity(one.value, unit)} ± {(one.relative or 0) * 100:g} % of it"
        return f"{where} = {number(one.value)} ± {quantity(one.absolute, unit)}"
    if one.equals is not None:
        return f"{where} = {one.equals}"
    if one.count is not None:
        return f"{where}: {one.count} findings" + (f" ± {one.absolute:g}" if one.absolute else "")
    if one.dice is not None:
        return f"{where}: Dice with {one.reference} at least {one.dice:g}"
    return f"{where}: differs from {one.reference} by at most {number(one.absolute or 0)}"


def _unit(manifest: Manifest, one: Comparison) -> str | None:
    """The unit of the number that a test compares."""
    port = manifest.output(one.port)
    if isinstance(port, MeasurementsPort):
        return next((column.unit for column in port.columns if column.name == one.column), None)
    return port.unit if isinstance(port, ScorePort) else None


def _training(manifest: Manifest) -> Iterator[Block]:
    about = manifest.attribution
    yield Paragraph(about.training_data)
    if about.training_datasets:
        rows = [
            (
                one.name,
                one.source,
                "not said" if one.subjects is None else number(one.subjects),
                f"{len(one.digests)} digests, {len(one.identifiers)} identifiers",
            )
            for one in about.training_datasets
        ]
        yield Table(("data set", "source", "subjects", "known of its cases"), rows)


def _needs(manifest: Manifest) -> Iterator[Block]:
    need = manifest.resources
    grows = (
        f", and {need.memory_per_input_mib:g} MiB for each MiB of uncompressed image"
        if need.memory_per_input_mib
        else ""
    )
    pairs = [
        ("Processors", f"{need.cpus:g}"),
        ("Memory", f"{mebibytes(need.memory_mib)}{grows}"),
        (
            "Time",
            f"at most {lasting(need.case_timeout_s)} for a case, {lasting(need.start_timeout_s)} to start",
        ),
        (
            "Disk",
            f"{mebibytes(need.output_mib)} for answers, {mebibytes(need.scratch_mib)} scratch in memory",
        ),
        ("Network", "none: no run of any plugin has one"),
    ]
    yield Facts([*pairs, ("GPU", _gpu(manifest))])


def _gpu(manifest: Manifest) -> str:
    gpu = manifest.resources.gpu
    if gpu is None:
        return "none"
    tested = listed(gpu.compute_capability_tested) or "none that is named"
    return "\n".join(
        [
            f"{gpu.count} {gpu.vendor.upper()} device(s) of {mebibytes(gpu.vram_mib)} or more, compute capability "
            f"{gpu.compute_capability_min} or later, driver {gpu.driver_min} or later.",
            f"Tried on compute capability: {tested}.",
            _FALLBACKS[gpu.cpu_fallback],
            "Other runs may share the device." if gpu.shared else "No other run uses the device meanwhile.",
        ]
    )


def _running(manifest: Manifest) -> Iterator[Block]:
    runtime, image = manifest.runtime, manifest.image
    if runtime.command is not None:
        how = f"A program in a container: {_argv(runtime.command)}"
    else:
        how = f"A Python function in a container ({runtime.adapter}); never in the host's own process"
    container = (
        "a new one for each case"
        if runtime.mode == "exec"
        else "a new one for each case, or one for many where a trial lock permits it"
    )
    if isinstance(image, DockerfileImage):
        made = f"built from {image.file}" + (", with network during the build" if image.network else "")
    elif isinstance(image, ArchiveImage):
        made = f"brought along as {image.path}, pinned as {image.image}"
    elif isinstance(image, EngineImage):
        made = f"{image.name}, pinned as {image.image}"
    else:
        more = f", with the Debian packages {listed(image.debian)}" if image.debian else ""
        made = f"built from locked packages{more}"
    variables = ", ".join(f"{name}={value}" for name, value in runtime.environment.items())
    yield Facts(
        [
            ("Algorithm", how),
            ("Container", container),
            ("Image", made),
            ("Threads, seed", f"{runtime.threads}, {runtime.seed}"),
            *([("Variables", variables)] if variables else []),
        ]
    )
    if runtime.command is not None and runtime.command.exit_codes:
        codes = runtime.command.exit_codes.items()
        meanings = [(code, str(one.outcome), one.reason_code, one.message) for code, one in codes]
        yield Table(("exit code", "means", "reason", "message"), meanings)
    if manifest.weights:
        yield Facts([(one.name, "\n".join(_weights(one))) for one in manifest.weights])


def _weights(one: Weights) -> Iterator[str]:
    yield f"Data file of {sized(one.bytes)}, licence {one.licence}; mounted read-only."
    yield f"from {one.uri}"
    yield one.sha256


def _argv(command: Command) -> str:
    """A command line as manuals write it: what stands for a file or a value in <>, what may be left out in []."""
    written = []
    for item in command.argv:
        words = [shown(word) for word in ((item,) if isinstance(item, str) else item)]
        written.append(" ".join(words) if isinstance(item, str) else f"[{' '.join(words)}]")
    return " ".join(written)


def _sources(manifest: Manifest) -> Iterator[Block]:
    about = manifest.attribution
    yield Facts([("Licence of the code", about.licence), ("Authors", "\n".join(about.authors))])
    yield Bullets([Link(one.text, doi_link(one.doi)) for one in about.citations])


def doi_link(doi: str) -> str:
    """Where a DOI leads."""
    return "https://doi.org/" + quote(doi, safe="/:;()-._~")


def _remarks(remarks: Sequence[Fault]) -> Iterator[Block]:
    if not remarks:
        yield Paragraph("assay plugin check has no remark.")
        return
    yield Table(
        ("rule", "where", "remark"), [(one.rule, one.path, f"{one.message}; {one.fix}") for one in remarks]
    )


def _identity(manifest: Manifest, digest: str) -> Iterator[Block]:
    yield Facts(
        [
            ("Plugin", f"{manifest.id} {manifest.version}"),
            ("Contract", manifest.contract),
            ("Manifest", digest),
        ]
    )
