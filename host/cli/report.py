"""``assay report``: read, sign and verify validation reports."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from host.cli import session
from host.cli.answer import JsonFlag, say, show
from host.cli.targets import check_target, write_target
from host.errors import OptionError

if TYPE_CHECKING:
    from registry.log import Record
    from registry.registry import Registry
    from registry.statements import ESignature, ValidationReport

app = typer.Typer(
    help="Show, sign and verify validation reports.", no_args_is_help=True, rich_markup_mode=None
)

VALIDATION_ID = re.compile(r"[0-9a-f]{16}")
IdArgument = Annotated[str, typer.Argument(help="The validation's id, as `assay validate` printed it.")]


@app.command("show")
def show_report(
    validation: IdArgument,
    out: Annotated[
        Path | None, typer.Option(help="Write the HTML page here, with the signatures it has now.")
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(help="Write the PDF here, with a PAdES signature for each e-signature.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Write report.json here, byte for byte as it was signed.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Show a report's verdict and signatures; --out, --pdf and --data write the page, its print and the JSON."""
    from host.reports.signing import signatures_on
    from host.reports.write import read_report
    from registry.esignature import describe
    from registry.statements import ValidationReport

    targets = {"--out": out, "--pdf": pdf, "--data": data}
    for option, path in targets.items():
        if path is not None:
            check_target(path, option)
    _, registry = session.open_registry()
    record = find_report(registry, validation)
    logged = record.statement.read(ValidationReport)
    signatures = signatures_on(registry, record)
    report = read_report(_stored(registry, logged.report_json.digest))
    for option, path in targets.items():
        if path is not None:
            write_target(path, _form(registry, option, logged, signatures))
    show(
        {"record": record.digest, "report": report, "signatures": signatures},
        [
            f"{report.release.title} ({report.release.plugin} {report.release.version}) on {report.kit.title}",
            f"verdict: {report.verdict.verdict}, {report.kit.evidence} evidence, {report.flow.cases} cases, "
            f"{report.flow.failed} failed",
            *[f"signed: {describe(one)}" for one in signatures],
            *([] if signatures else ["UNSIGNED"]),
            *[f"wrote {path}" for path in targets.values() if path],
        ],
        as_json=json,
        next_command="" if signatures else f"assay report sign {validation} --as PERSON --meaning approval",
    )


def _form(
    registry: "Registry", option: str, logged: "ValidationReport", signatures: "list[ESignature]"
) -> bytes:
    """The form of a report that an option asks for."""
    from host.reports.html import with_signatures
    from registry.esignature import newest_copy

    if option == "--data":
        return _stored(registry, logged.report_json.digest)
    if option == "--out":
        page = _stored(registry, logged.report_html.digest)
        return with_signatures(page, signatures) if signatures else page
    newest = newest_copy(logged, signatures)
    if newest is None:
        raise OptionError(
            f"{option}: validation {logged.validation} was reported without a PDF",
            subject=logged.validation,
            hint="--out writes its page, which a browser prints",
        )
    return _stored(registry, newest)


def _stored(registry: "Registry", blob: str) -> bytes:
    """A file of a report, hashed before it is read."""
    registry.blobs.verify(blob)
    return registry.blobs.path(blob).read_bytes()


@app.command()
def sign(
    validation: IdArgument,
    person: session.AsOption,
    meaning: Annotated[str, typer.Option(help="authorship, review, approval or responsibility.")],
    reason: session.ReasonOption = "report signed",
    json: JsonFlag = False,
) -> None:
    """Sign a report with name, time and meaning; the signature is bound to the report's bytes."""
    from host.home import now
    from host.reports.recheck import recheck
    from host.reports.signing import ReportSigner, sign_report
    from host.signing import read_meaning
    from registry.esignature import describe
    from registry.policy import Action
    from registry.statements import ValidationReport

    home, registry = session.open_registry()
    record = find_report(registry, validation)
    logged = record.statement.read(ValidationReport)
    for line in recheck(registry, record):
        say(f"ok  {line}")
    say(
        f"you sign: verdict {logged.verdict}, {logged.evidence} evidence, {logged.subset}, {logged.cases} cases, "
        f"report.json {logged.report_json.digest}, report.html {logged.report_html.digest}"
    )
    actor = session.act_as(home, registry, person, Action.REPORT_SIGN)
    who = ReportSigner(
        actor.person, actor.role, actor.signer, read_meaning(meaning), reason, actor.authentication
    )
    signed, signature = sign_report(registry, record, who, at=now())
    show(
        {"signature": signed.digest, "report": record.digest, "signed": signature},
        [describe(signature), f"  on report {record.digest}, log entry {signed.sequence}"],
        as_json=json,
        next_command="assay catalogue approve PLUGIN@VERSION --report "
        f"{validation} --scope demonstration --use TEXT --as PERSON",
    )


@app.command()
def verify(
    report: Annotated[str, typer.Argument(help="The validation's id, or the file of a report.json.")],
    trust_root: Annotated[
        str | None,
        typer.Option(help="For a file: digest of the trust root, learnt by another way than the report."),
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Verify a report in its registry, or a report.json offline: bytes, order, runs, figures, verdict, signatures."""
    path = report_file(report)
    if path is not None:
        _verify_file(path, trust_root, as_json=json)
        return
    from host.reports.recheck import recheck

    _, registry = session.open_registry()
    record = find_report(registry, report)
    checks = recheck(registry, record)
    show({"report": record.digest, "checks": checks}, [f"ok  {line}" for line in checks], as_json=json)


def _verify_file(path: Path, trust_root: str | None, *, as_json: bool) -> None:
    from host.reports.offline import verify_alone

    if trust_root is None:
        raise OptionError(
            f"{path}: a report's file is verified from a trust root",
            subject=str(path),
            hint="--trust-root sha256:…, as assay trust show prints it where the report was made",
        )
    found = verify_alone(read_file(path), pin=trust_root)
    lines = [f"ok  {line}" for line in found.checks] + [
        f"not shown by the file: {line}" for line in found.not_shown
    ]
    show(
        {
            "validation": found.validation,
            "report_json": found.digest,
            "checks": found.checks,
            "not_shown": found.not_shown,
        },
        [f"report.json {found.digest} of validation {found.validation}", *lines],
        as_json=as_json,
    )


def report_file(text: str) -> Path | None:
    """The file that somebody named; ``None`` where it is the id of a validation."""
    return None if VALIDATION_ID.fullmatch(text) else Path(text)


def read_file(path: Path) -> bytes:
    """Read a report's file. Raises `ReportMalformedError` where it cannot be read."""
    from host.errors import ReportMalformedError

    try:
        return path.read_bytes()
    except OSError as error:
        raise ReportMalformedError(
            f"{path}: {error.strerror}",
            subject=str(path),
            hint="name a report.json, or a validation's id: 16 hexadecimal digits",
        ) from error


def find_report(registry: "Registry", validation: str) -> "Record":
    """The logged report of a validation."""
    from host.errors import ReportUnknownError
    from registry.statements import ValidationReport

    for record in registry.records(ValidationReport.predicate_type):
        if record.statement.read(ValidationReport).validation == validation:
            return record
    raise ReportUnknownError(
        f"no report of a validation {validation!r}", subject=validation, hint="assay audit log"
    )
