"""A class against the reference class, with the probability of the positive one."""

from collections.abc import Sequence

from host.errors import KitFitError
from host.kits.cases import KitCase
from host.validation.metric import Metric
from host.validation.scorers.case_files import CaseFiles
from host.validation.scorers.scorer import Scorer
from plugin_spec.host_hooks import Observed
from plugin_spec.manifest import Manifest
from plugin_spec.ports import ClassificationPort


def _check(metric: Metric, manifest: Manifest, cases: Sequence[KitCase]) -> None:
    port, classes = manifest.output(metric.port or ""), set(metric.classes or ())
    if not isinstance(port, ClassificationPort):
        raise KitFitError(f"metric {metric.id}: {manifest.id} has no classification output {metric.port}")
    if {one.name for one in port.classes} != classes:
        raise KitFitError(
            f"metric {metric.id}: {manifest.id} tells {', '.join(sorted(one.name for one in port.classes))} apart, "
            f"not {', '.join(sorted(classes))}"
        )
    if metric.positive is not None and not port.probabilities:
        raise KitFitError(f"metric {metric.id}: {manifest.id} gives no probability of {metric.positive}")
    for case in cases:
        given = case.classes.get(metric.port or "")
        if given is not None and given not in classes:
            raise KitFitError(
                f"case {case.case_id}: class.{metric.port} is {given!r}, which is no class of it"
            )


def _observe(metric: Metric, files: CaseFiles) -> Observed:
    classes, port = metric.classes or (), metric.port or ""
    predicted, reference = classes.index(str(files.found(port, "label"))), _reference(metric, files)
    observations = {"predicted": (float(predicted),), "reference": (float(reference),)}
    if metric.positive is not None:
        observations["score"] = (float(files.found(port, f"probability.{metric.positive}")),)
    return Observed(value=float(predicted == reference), observations=observations)


def _impute(metric: Metric, files: CaseFiles) -> Observed:
    """A wrong class, and the wrong probability with certainty.

    Where one class is positive, a case of another was called positive, or a failed one would be a true negative; the
    class farthest from the right one stands beside, where it is another. Otherwise that farthest class counts.
    """
    classes, reference = metric.classes or (), _reference(metric, files)
    last = len(classes) - 1
    farthest = last if last - reference >= reference else 0
    observations = {"predicted": (float(farthest),), "reference": (float(reference),)}
    if metric.positive is not None:
        positive = classes.index(metric.positive)
        observations["score"] = (float(reference != positive),)
        if reference != positive and positive != farthest:
            observations |= {"predicted": (float(positive),), "predicted_far": (float(farthest),)}
    return Observed(value=0.0, observations=observations)


def _reference(metric: Metric, files: CaseFiles) -> int:
    return (metric.classes or ()).index(files.case.classes[metric.port or ""])


CLASSES = Scorer(_check, _observe, _impute)
