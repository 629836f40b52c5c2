"""A small but complete validation report: six cases of two subjects, with every outcome to be shown."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from host.reports.analyses import analyse
from host.reports.model import (
    AttemptSection,
    CaseSection,
    EnvironmentSection,
    FlowSection,
    KitSection,
    RegistrationSection,
    ReleaseSection,
    Report,
)
from host.reports.observed import observed_rows
from host.reports.sensitivity import sensitivity
from host.validation.protocol import Criterion, Metric, Protocol
from host.validation.verdict import CaseRow, evaluate
from plugin_spec.case import QcEntry
from registry.statements import ESignature, FileRef, Measured

RUN = "00000000000000a"


def digest_of(letter: str) -> str:
    """A digest that is easy to tell from others."""
    return "sha256:" + letter * 64


def make_protocol() -> Protocol:
    """Overlap, relative volume difference, and the outcome; the volume has to hold per field strength."""
    return Protocol(
        contract="assay.protocol/1",
        kit="brain-tissue-small",
        version="1.0.0",
        title="Grey matter volume on a small kit",
        question="Does the release measure grey matter volume closely enough to the reference standard?",
        context_of_use="Exploratory grey matter volume from 3-D T1-weighted images of adults.",
        risk="A wrong volume would blur a treatment effect; no patient is treated by it.",
        sample_size_basis="A per-case tolerance; no interval is claimed.",
        multiplicity="all_criteria_must_pass",
        metrics=(
            Metric(
                id="gm_dice", kind="masks", function="dice", port="tissue", label="grey_matter",
                reference_value=1, unit="1",
                definition="Dice coefficient (Dice 1945) of the grey matter mask.", failed_case_counts_as=0.0,
            ),
            Metric(
                id="gm_volume_difference", kind="numbers", function="relative_difference_percent",
                port="volumes", column="gm_ml", unit="%",
                definition="100 (measured - reference) / reference.",
                failed_case_counts_as="not met",
            ),
            Metric(
                id="as_expected", kind="outcome", unit="1",
                definition="1 where the case ended as expected, else 0.", failed_case_counts_as=0.0,
            ),
        ),
        criteria=(
            Criterion(
                id="gm_overlap", requirement="Grey matter is found where it is.", metric="gm_dice",
                statistic="every_case", comparator=">=", bound=0.85, scope="overall", min_cases=4,
                rationale="Two trained readers agree this well.",
            ),
            Criterion(
                id="gm_volume", requirement="Grey matter volume is close to the reference.",
                metric="gm_volume_difference", statistic="every_case", comparator="abs<=", bound=5.0,
                scope="each:field_strength", min_cases=2,
                rationale="Half the yearly loss the trial looks for.",
            ),
            Criterion(
                id="outcomes", requirement="Images that cannot be measured are refused.",
                metric="as_expected", statistic="every_case", comparator=">=", bound=1.0, scope="overall",
                min_cases=6,
                rationale="A number from an unusable image is worse than none.",
            ),
        ),
    )  # fmt: skip


def make_case(
    number: int,
    *,
    outcome: Literal["ok", "refused", "failed"] = "ok",
    expected: Literal["ok", "refused"] = "ok",
    dice: float = 0.9,
    reference_ml: float = 620.0,
    difference_percent: float = 1.0,
    reason: str = "",
    message: str = "",
) -> CaseSection:
    """One case; a failed one gets what the protocol says it counts as."""
    failed = outcome == "failed" and expected == "ok"
    measurable = expected == "ok" and not failed
    measured_ml = reference_ml * (1 + difference_percent / 100)
    return CaseSection(
        row=CaseRow(
            case=f"case-{number:02d}",
            subject=f"subject-{1 + number % 2}",
            expected=expected,
            outcome=outcome,
            reason_code=reason,
            strata={"field_strength": "1.5 T" if number <= 3 else "3 T"},
            values={
                "gm_dice": dice if measurable else 0.0 if failed else None,
                "gm_volume_difference": difference_percent if measurable else None,
                "as_expected": float(outcome == expected),
            },
            imputed=("gm_dice",) if failed else (),
            never_met=("gm_volume_difference",) if failed else (),
        ),
        run=RUN + str(number),
        message=message,
        measured=(Measured(port="volumes", row=0, column="gm_ml", value=measured_ml, unit="mL"),)
        if outcome == "ok"
        else (),
        references={"gm_ml": reference_ml} if expected == "ok" else {},
        duration_s=41.5 + number,
        memory_peak_bytes=600 * 1024**2,
        memory_limit_bytes=4 * 1024**3,
        qc=(QcEntry(id="brain-volume-plausible", verdict="pass", value=1410.5),) if outcome == "ok" else (),
        warnings=(),
    )


def make_report(
    *, title: str = "Brain tissue volumes", cases: tuple[CaseSection, ...] | None = None
) -> Report:
    """Six cases: four measured, one that failed, one correct refusal. The criteria are not met."""
    protocol = make_protocol()
    cases = cases or (
        make_case(1, dice=0.931, reference_ml=598.0, difference_percent=-1.8),
        make_case(2, dice=0.912, reference_ml=641.0, difference_percent=2.4),
        make_case(3, outcome="failed", reason="timeout", message="no result within 600 s"),
        make_case(4, dice=0.94, reference_ml=655.0, difference_percent=0.6),
        make_case(5, dice=0.899, reference_ml=702.0, difference_percent=4.1),
        make_case(
            6,
            outcome="refused",
            expected="refused",
            reason="field-of-view",
            message="the cerebellum is cut off",
        ),
    )
    rows = [case.row for case in cases]
    verdict = evaluate(protocol, rows)
    return Report(
        validation="0123456789abcdef",
        subset="whole kit",
        started_at="2026-11-23T14:00:00+00:00",
        finished_at="2026-11-23T14:05:30+00:00",
        executed_by="dev-devi",
        release=_release(title),
        kit=_kit(),
        protocol=protocol,
        registration=RegistrationSection(
            record=digest_of("e"),
            sequence=7,
            logged_at="2026-11-20T09:00:00+00:00",
            registered_by="qa-quinn",
            cosigned_by=("witness-wu",),
            cosigned_checkpoint_size=8,
            first_run_started_at="2026-11-23T14:00:01+00:00",
        ),
        environment=EnvironmentSection(
            host_version="0.1.0",
            python="3.11.9",
            platform="Linux x86_64",
            cpus=2,
            memory_bytes=8 * 1024**3,
            engine="docker 27.0",
            plugin_environment={"numpy": "1.26.4", "dipy": "1.9.0"},
        ),
        flow=FlowSection.of(rows),
        cases=cases,
        verdict=verdict,
        attempts=(
            AttemptSection(
                validation="0123456789abcdef", attempt=1, plugin="brain-tissue-volumes", version="1.2.0",
                started_at="2026-11-23T14:00:00+00:00", finished=True, verdict=verdict.verdict,
            ),
        ),
        limitations=("Six cases of two subjects are a case series.", "One scanner vendor only."),
        analyses=analyse(protocol, observed_rows(protocol, cases)),
        sensitivity=sensitivity(protocol, rows, verdict),
    )  # fmt: skip


def _release(title: str) -> ReleaseSection:
    return ReleaseSection(
        record=digest_of("a"),
        plugin="brain-tissue-volumes",
        version="1.2.0",
        title=title,
        image=digest_of("b"),
        manifest=digest_of("c"),
        weights=(FileRef(name="atlas.nii.gz", digest=digest_of("d"), bytes=1_234_567),),
        intended_use="Volumes of grey matter, white matter and fluid from a T1-weighted image.",
        not_for="Diagnosis; children; images after contrast agent.",
        known_failure_modes=("Strong motion thins the cortex.",),
        citations=("Zhang, Brady, Smith 2001, doi:10.1109/42.906424",),
        author="A. Author",
    )


def _kit() -> KitSection:
    return KitSection(
        id="brain-tissue-small",
        version="1.0.0",
        title="Six T1-weighted images",
        summary="Images computed from an average brain with known tissue maps.",
        evidence="derived",
        kit_digest=digest_of("1"),
        protocol_digest=digest_of("2"),
        dataset="An average brain",
        dataset_doi="10.1016/j.neuroimage.2010.07.033",
        dataset_licence="permissive",
        provenance="Average of many adults; no single person is recognisable.",
        reference_standard="Thresholded tissue probability maps of the same average.",
        operating_range=("Grey matter volume 400 to 900 mL", "Voxel edge 1 to 1.2 mm"),
    )


def make_signature(
    *, name: str = "Quinn Quality", meaning: Literal["review", "approval"] = "review"
) -> ESignature:
    """An e-signature as the registry hands it over after verifying it."""
    return ESignature(
        actor="qa-quinn",
        role="qa",
        at="2026-11-24T10:15:00+01:00",
        reason="I have read the whole report.",
        target=digest_of("f"),
        printed_name=name,
        meaning=meaning,
        rendering=digest_of("9"),
        authentication="key file and passphrase",
    )


def make_volumes(
    shape: tuple[int, int, int] = (40, 48, 36),
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """An image, a predicted and a reference label map of two nested balls; the predicted one is shifted."""
    axes = np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in shape), indexing="ij")

    def balls(dx: float, dy: float) -> NDArray[Any]:
        radius = np.sqrt((axes[0] - dx) ** 2 + (axes[1] - dy) ** 2 + axes[2] ** 2)
        return (radius < 14).astype(np.uint8) + (radius < 8).astype(np.uint8)

    reference = balls(0, 0)
    image = 100.0 * reference + 10 * np.sin(axes[0]) + 20
    return image, balls(2, 1), reference
