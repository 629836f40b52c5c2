"""An e-signature on a report with a PDF: one record and one PAdES signature, and neither without the other."""

from pathlib import Path

import pytest

from host.errors import ReportMismatchError, ReportSignatureError
from host.home import now
from host.reports.pdf.signature import sign_copy
from host.reports.recheck import recheck
from host.reports.signing import ReportSigner, sign_report, signatures_on
from host.validation.attempt import Validated
from registry.errors import BlobMismatchError, IndependenceError, RoleError, WrongStateError
from registry.esignature import Signing, compose, newest_copy
from registry.keys import Signer, generate
from registry.record import Record
from registry.statements import ESignature, SignatureMeaning, SignedCopy, ValidationReport
from registry.trust_root import Person, Role
from tests.support.registry_builders import seeded
from tests.support.tiny_host import ROLES, TinyHost, tiny_host


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[TinyHost, Validated]:
    """A report with a PDF, which every test signs in a validation of its own would cost seconds more each."""
    host = tiny_host(tmp_path_factory.mktemp("printed"))
    return host, host.validate(pdf=True)


def signing(host: TinyHost, person: str, meaning: SignatureMeaning) -> ReportSigner:
    return ReportSigner(person, str(ROLES[person][0]), host.keys[person], meaning, "read in full")


def logged(done: Validated) -> ValidationReport:
    return done.record.statement.read(ValidationReport)


def test_each_signature_is_put_on_the_pdf_and_checked(printed: tuple[TinyHost, Validated]) -> None:
    host, done = printed
    sign_report(host.registry, done.record, signing(host, "ada", "authorship"), at=now())
    _, second = sign_report(host.registry, done.record, signing(host, "quentin", "review"), at=now())
    lines = recheck(host.registry, done.record)
    assert any("the signed PDF holds 2 PAdES signatures" in line for line in lines)
    unsigned = logged(done).report_pdf
    assert second.signed_copy is not None and unsigned is not None
    data = host.registry.blobs.path(second.signed_copy.digest).read_bytes()
    assert data.startswith(host.registry.blobs.path(unsigned.digest).read_bytes())
    assert newest_copy(logged(done), signatures_on(host.registry, done.record)) == second.signed_copy.digest


def test_who_may_not_sign_leaves_neither_record_nor_signature(printed: tuple[TinyHost, Validated]) -> None:
    host, done = printed
    before = signatures_on(host.registry, done.record)
    with pytest.raises(IndependenceError):
        sign_report(host.registry, done.record, signing(host, "ada", "approval"), at=now())
    with pytest.raises(RoleError):
        sign_report(host.registry, done.record, signing(host, "sofia", "approval"), at=now())
    assert signatures_on(host.registry, done.record) == before


@pytest.fixture
def fresh(tmp_path: Path) -> tuple[TinyHost, Validated]:
    host = tiny_host(tmp_path)
    return host, host.validate(pdf=True)


def composed(host: TinyHost, done: Validated, person: str) -> ESignature:
    shown = Signing(
        target=done.record.digest, meaning="review", reason="read", rendering=logged(done).report_html.digest
    )
    return compose(host.registry.root.person(person), Role(ROLES[person][0]), shown, at=now())


def with_copy(host: TinyHost, done: Validated, signature: ESignature, signer: Signer) -> ESignature:
    """The signature with a copy of the PDF that ``signer`` signed for it."""
    pdf = logged(done).report_pdf
    assert pdf is not None
    unsigned = host.registry.blobs.path(pdf.digest).read_bytes()
    file = host.file(
        "copy.pdf", sign_copy(unsigned, unsigned, signature, number=0, organisation="Tiny", signer=signer)
    )
    copy = SignedCopy(**file.model_dump(), extends=pdf.digest)
    return signature.model_copy(update={"signed_copy": copy})


def past_the_rules(host: TinyHost, signature: ESignature) -> Record:
    return host.registry.log_act(signature, [host.keys[signature.actor]], [("report", signature.target)])


@pytest.mark.attack("signature without its PDF, or its PDF on an older copy")
def test_a_signature_without_its_copy_is_refused_and_found_out(fresh: tuple[TinyHost, Validated]) -> None:
    host, done = fresh
    bare = composed(host, done, "quentin")
    with pytest.raises(WrongStateError, match="newest copy"):
        host.registry.act(bare, host.keys["quentin"], [("report", done.record.digest)])
    past_the_rules(host, bare)
    with pytest.raises(ReportMismatchError, match="has no PDF signature on the newest copy"):
        recheck(host.registry, done.record)


def test_a_signature_on_an_older_copy_is_refused(fresh: tuple[TinyHost, Validated]) -> None:
    host, done = fresh
    late = with_copy(host, done, composed(host, done, "quentin"), host.keys["quentin"])
    sign_report(host.registry, done.record, signing(host, "ada", "authorship"), at=now())
    with pytest.raises(WrongStateError, match="newest copy") as refused:
        host.registry.act(late, host.keys["quentin"], [("report", done.record.digest)])
    assert "assay report sign" in refused.value.hint
    past_the_rules(host, late)
    with pytest.raises(ReportMismatchError, match="has no PDF signature on the newest copy"):
        recheck(host.registry, done.record)


def test_a_copy_signed_by_another_key_is_found_out(fresh: tuple[TinyHost, Validated]) -> None:
    """The record is the person's own; the PDF beside it was signed by somebody else."""
    host, done = fresh
    past_the_rules(host, with_copy(host, done, composed(host, done, "quentin"), host.keys["sofia"]))
    with pytest.raises(ReportSignatureError, match="not the key enrolled for them"):
        recheck(host.registry, done.record)


def test_a_stored_copy_that_was_edited_is_found_out(fresh: tuple[TinyHost, Validated]) -> None:
    host, done = fresh
    _, signature = sign_report(host.registry, done.record, signing(host, "quentin", "review"), at=now())
    assert signature.signed_copy is not None
    path = host.registry.blobs.path(signature.signed_copy.digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"%%EOF", b"%%EOE", 1))
    with pytest.raises(BlobMismatchError):
        recheck(host.registry, done.record)


def test_a_signature_by_a_key_enrolled_later_is_not_taken_for_the_earlier_one(
    fresh: tuple[TinyHost, Validated],
) -> None:
    """After a change of keys, what was signed before still verifies, by the key of its time."""
    host, done = fresh
    sign_report(host.registry, done.record, signing(host, "ada", "authorship"), at=now())
    newer = generate(seeded("quentin's second"))
    keys = (newer.public, host.keys["quentin"].public)
    quentin = Person(id="quentin", name="Quentin", roles=ROLES["quentin"], keys=keys)
    host.registry.enrol([quentin], [host.keys["rosa"]], reason="a second key")
    who = ReportSigner("quentin", "qa", newer, "review", "read in full")
    sign_report(host.registry, done.record, who, at=now())
    assert recheck(host.registry, done.record)


def test_a_report_without_a_pdf_is_signed_by_record_alone(host: TinyHost) -> None:
    done = host.validate()
    _, signature = sign_report(host.registry, done.record, signing(host, "quentin", "review"), at=now())
    assert signature.signed_copy is None
    assert recheck(host.registry, done.record)
