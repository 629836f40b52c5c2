"""A report checked by somebody who has its file and one digest of a trust root, and nothing else.

What the file can show is checked; what only the registry can show is named, never passed over.
"""

from dataclasses import dataclass

from host.errors import ReportMismatchError
from host.reports.order import verify_order
from host.reports.replay import replay
from host.reports.write import parse_report
from registry.canonical import Digest
from registry.errors import OrderNotShownError, RootPinError

NOT_SHOWN = (
    "that the report is the one that was logged and signed: compare its digest with a signature's",
    "that no earlier execution is left out of its attempts",
    "that its rows are what the runs left",
)


@dataclass(frozen=True)
class Checked:
    """What a report's file showed, and what it cannot show; one line each."""

    validation: str
    digest: Digest
    checks: tuple[str, ...]
    not_shown: tuple[str, ...]


def verify_alone(data: bytes, *, pin: Digest) -> Checked:
    """Verify a ``report.json`` without a registry.

    Parameters
    ----------
    data : bytes
    pin : Digest
        Payload digest of a trust root, known from elsewhere than the report.

    Raises
    ------
    ReportMalformedError
        It is no report.
    ReportMismatchError
        It contradicts itself or its own proof.
    OrderNotShownError
        It carries no proof of order, as those of the first contract do not.
    TrustError
        A signature or proof in it does not verify.
    """
    report = parse_report(data)
    again = replay(data)
    for one in again.differences:
        raise ReportMismatchError(f"report: {one}", subject=report.validation)
    if report.order_proof is None:
        raise OrderNotShownError(
            f"the report of validation {report.validation} carries no proof of order",
            subject=report.validation,
            hint="verify it where it is registered: assay report verify VALIDATION",
        )
    try:
        shown, order = verify_order(report, report.order_proof, pin=pin)
    except RootPinError as error:
        error.hint = (
            "a report carries the trust roots up to its own time; assay trust show lists the earlier ones"
        )
        raise
    places = ", ".join(f"{one.what} {one.sequence}" for one in report.order_proof.events)
    return Checked(
        validation=report.validation,
        digest=again.told,
        checks=(
            f"the {again.replayed[0]}: the verdict is {again.verdict}",
            f"order in the log {shown.checkpoint.origin}: {places}; proven under its signed checkpoint of "
            f"{shown.checkpoint.size} entries",
            f"the plan was cosigned by {', '.join(sorted(order.cosigned))}, who did not execute it, over its first "
            f"{order.covered} entries",
            f"the protocol's text is the registered one; deviations: {len(report.deviations) or 'none'}",
        ),
        not_shown=NOT_SHOWN,
    )
