"""PAdES signatures on a report's PDF, and the tampering twin of everything they promise."""

import io
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pyhanko.pdf_utils.generic import DictionaryObject, NameObject, StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from host.errors import ReportSignatureError
from host.reports.html import render
from host.reports.pdf.agreement import check_pdf, print_page
from host.reports.pdf.appearance import Place, appearance, place_of
from host.reports.pdf.certificate import Certified, certify
from host.reports.pdf.signature import Looks, append_signature, sign_copy
from host.reports.pdf.signed_copies import Copy, check_copies
from registry.keys import Signer, generate
from registry.statements import ESignature
from tests.support.registry_builders import seeded
from tests.support.reports import make_report, make_signature

REPORT = make_report()
PAGE = render(REPORT, ())
QUINN, DEVI, MALLORY = (generate(seeded(name)) for name in ("quinn", "devi", "mallory"))
REVIEW = make_signature()
AUTHORSHIP = make_signature(name="Devi Łukasz Ó Briain").model_copy(
    update={
        "actor": "dev-devi",
        "role": "developer",
        "meaning": "authorship",
        "at": "2026-11-23T18:00:00-05:00",
    }
)


@dataclass(frozen=True)
class Signed:
    """The printed report, and what two persons made of it."""

    unsigned: bytes
    copies: tuple[Copy, Copy]

    def check(self, *copies: Copy) -> None:
        check_copies(self.unsigned, copies or self.copies)


def sign(unsigned: bytes, newest: bytes, signature: ESignature, signer: Signer, number: int) -> Copy:
    data = sign_copy(unsigned, newest, signature, number=number, organisation="Acme", signer=signer)
    return Copy(signature, frozenset({signer.public}), data)


@pytest.fixture(scope="module")
def signed() -> Signed:
    unsigned = print_page(REPORT, PAGE)
    first = sign(unsigned, unsigned, AUTHORSHIP, DEVI, 0)
    return Signed(unsigned, (first, sign(unsigned, first.data, REVIEW, QUINN, 1)))


def forged(signed: Signed, signature: ESignature, certified: Certified, **looks: object) -> Copy:
    """A first signature made by a tool that does as it likes."""
    honest = Looks("Signature1", place_of(signed.unsigned, 0), appearance(signature))
    data = append_signature(signed.unsigned, signature, replace(honest, **looks), certified)  # type: ignore[arg-type]
    return Copy(signature, frozenset({QUINN.public}), data)


def test_two_persons_sign_one_after_the_other(signed: Signed) -> None:
    signed.check()
    first, second = signed.copies
    assert second.data.startswith(first.data) and first.data.startswith(signed.unsigned)
    assert len(signed.unsigned) < len(first.data) < len(second.data)


def test_who_holds_a_p256_key_signs_the_page_as_well(signed: Signed) -> None:
    petra = generate(seeded("petra"), "ecdsa-p256")
    copy = sign(signed.unsigned, signed.unsigned, REVIEW, petra, 0)
    check_copies(signed.unsigned, [copy])
    with pytest.raises(ReportSignatureError, match="not the key enrolled for them"):
        check_copies(signed.unsigned, [replace(copy, keys=frozenset({QUINN.public}))])


def test_a_signed_copy_still_says_what_the_report_says(signed: Signed) -> None:
    import pypdf

    printed = pypdf.PdfReader(io.BytesIO(signed.unsigned))
    copy = pypdf.PdfReader(io.BytesIO(signed.copies[-1].data))
    assert [page.extract_text() for page in copy.pages] == [page.extract_text() for page in printed.pages]
    check_pdf(REPORT, PAGE, signed.copies[-1].data)


@pytest.mark.requirement("R12")
@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
def test_a_common_reader_shows_name_and_time_and_calls_the_signatures_valid(
    signed: Signed, tmp_path: Path
) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(signed.copies[-1].data)
    told = subprocess.run(["pdfsig", path], capture_output=True, text=True, check=False).stdout
    assert told.count("Signature is Valid") == 2
    assert "Signer Certificate Common Name: Devi Łukasz Ó Briain" in told
    assert told.count("ETSI.CAdES.detached") == 2 and told.count("\n  - Total document signed") == 1


def test_no_signature_is_nothing_to_check(signed: Signed) -> None:
    check_copies(signed.unsigned, [])


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.attack("PDF edited after signing")
def test_a_changed_byte_of_a_page_is_found_out(signed: Signed) -> None:
    first, second = signed.copies
    at = signed.unsigned.index(b"stream\n", 5000) + 40
    with pytest.raises(ReportSignatureError, match="does not begin with the PDF that was signed"):
        signed.check(first, replace(second, data=flipped(second.data, at)))
    everywhere = tuple(replace(one, data=flipped(one.data, at)) for one in signed.copies)
    with pytest.raises(ReportSignatureError):
        check_copies(flipped(signed.unsigned, at), everywhere)


def test_a_changed_byte_of_a_signature_is_found_out(signed: Signed) -> None:
    first, second = signed.copies
    at = second.data.index(b"/Contents <", len(first.data)) + 400
    digit = b"0" if second.data[at : at + 1] != b"0" else b"1"
    harmed = second.data[:at] + digit + second.data[at + 1 :]
    with pytest.raises(ReportSignatureError):
        signed.check(first, replace(second, data=harmed))


def with_page_changed(data: bytes) -> bytes:
    """A revision that paints over the first page."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    page = writer.root["/Pages"]["/Kids"].raw_get(0)
    paint = writer.add_object(StreamObject(stream_data=b"1 1 1 rg 0 0 600 800 re f"))
    page.get_object()["/Contents"] = paint
    writer.update_container(page.get_object())
    return written(writer)


def with_note(data: bytes) -> bytes:
    """A revision that only adds a key to the catalogue."""
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    writer.root["/Note"] = DictionaryObject({NameObject("/Type"): NameObject("/Note")})
    writer.update_root()
    return written(writer)


def written(writer: IncrementalPdfFileWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize("change", [with_page_changed, with_note, lambda data: data + b"\n"])
def test_anything_after_the_last_signature_is_found_out(
    signed: Signed, change: Callable[[bytes], bytes]
) -> None:
    first, second = signed.copies
    with pytest.raises(ReportSignatureError):
        signed.check(first, replace(second, data=change(second.data)))


@pytest.mark.parametrize("change", [with_page_changed, with_note])
def test_a_change_that_the_first_signer_slips_in_is_found_out(
    signed: Signed, change: Callable[[bytes], bytes]
) -> None:
    """The copy begins with the unsigned PDF and its signature is good, yet the page says something else."""
    copy = sign(signed.unsigned, change(signed.unsigned), REVIEW, QUINN, 0)
    with pytest.raises(ReportSignatureError, match="more than signatures was added"):
        signed.check(copy)


@pytest.mark.attack("PDF edited after signing")
@pytest.mark.parametrize("change", [with_page_changed, with_note])
def test_a_change_that_a_later_signer_slips_in_is_found_out(
    signed: Signed, change: Callable[[bytes], bytes]
) -> None:
    first, _ = signed.copies
    copy = sign(signed.unsigned, change(first.data), REVIEW, QUINN, 1)
    with pytest.raises(ReportSignatureError, match="more than signatures was added"):
        signed.check(first, copy)


def test_a_certificate_of_another_key_is_found_out(signed: Signed) -> None:
    copy = sign(signed.unsigned, signed.unsigned, REVIEW, MALLORY, 0)
    with pytest.raises(ReportSignatureError, match="not the key enrolled for them"):
        signed.check(replace(copy, keys=frozenset({QUINN.public})))


def test_a_key_that_the_person_did_not_certify_is_found_out(signed: Signed) -> None:
    """The certificate of the enrolled key is public; a key of one's own beside it is not certified by it."""
    mine, theirs = certify(REVIEW, "Acme", MALLORY), certify(REVIEW, "Acme", QUINN)
    with pytest.raises(ReportSignatureError, match="not issued by their enrolled key"):
        signed.check(forged(signed, REVIEW, replace(mine, person=theirs.person)))


@pytest.mark.parametrize(
    "change",
    [
        {"meaning": "approval"},
        {"at": "2026-11-24T10:15:01+01:00"},
        {"role": "developer"},
        {"target": "sha256:" + "0" * 64},
        {"actor": "qa-quentin"},
    ],
)
def test_a_signature_that_was_made_for_something_else_is_found_out(
    signed: Signed, change: dict[str, str]
) -> None:
    first, second = signed.copies
    with pytest.raises(ReportSignatureError, match="is about another signature"):
        signed.check(first, replace(second, signature=REVIEW.model_copy(update=change)))


def test_a_name_or_reason_other_than_the_logged_one_is_found_out(signed: Signed) -> None:
    first, second = signed.copies
    with pytest.raises(ReportSignatureError, match="prints another name"):
        signed.check(
            first, replace(second, signature=REVIEW.model_copy(update={"printed_name": "Q. Quality"}))
        )
    with pytest.raises(ReportSignatureError, match="name, reason or time"):
        signed.check(first, replace(second, signature=REVIEW.model_copy(update={"reason": "not read"})))


def test_a_box_that_says_something_else_is_found_out(signed: Signed) -> None:
    other = appearance(REVIEW.model_copy(update={"meaning": "approval"}))
    with pytest.raises(ReportSignatureError, match="its box on the page"):
        signed.check(forged(signed, REVIEW, certify(REVIEW, "Acme", QUINN), box=other))


def test_a_box_that_covers_the_verdict_is_found_out(signed: Signed) -> None:
    everything = Place(0, (0, 0, 595, 841))
    with pytest.raises(ReportSignatureError, match="its box on the page"):
        signed.check(forged(signed, REVIEW, certify(REVIEW, "Acme", QUINN), place=everything))


def test_a_signature_that_the_log_does_not_hold_is_found_out(signed: Signed) -> None:
    _, second = signed.copies
    with pytest.raises(ReportSignatureError, match="the PDF has 2 signatures, the log 1"):
        signed.check(replace(second, signature=AUTHORSHIP, keys=frozenset({DEVI.public})))


def test_a_copy_that_holds_no_more_than_the_one_before_is_found_out(signed: Signed) -> None:
    first, second = signed.copies
    with pytest.raises(ReportSignatureError, match="does not begin with"):
        signed.check(first, replace(second, data=first.data))


def test_a_file_without_a_place_for_signatures_is_not_signed(signed: Signed) -> None:
    from host.reports.pdf.render import print_html

    with pytest.raises(ReportSignatureError, match="no section for signatures"):
        place_of(print_html("<p>a letter</p>"), 0)


def test_there_is_room_for_fourteen_signatures(signed: Signed) -> None:
    places = [place_of(signed.unsigned, number) for number in range(14)]
    assert len({place.box for place in places}) == 14 and len({place.page for place in places}) == 1
    with pytest.raises(ReportSignatureError, match="no room for signature 15"):
        place_of(signed.unsigned, 14)


def test_a_name_that_no_font_can_write_is_not_signed() -> None:
    with pytest.raises(ReportSignatureError, match="cannot be written"):
        appearance(REVIEW.model_copy(update={"printed_name": "Quinn \U0010fffd"}))


def test_a_reason_of_any_length_fits_its_box(signed: Signed) -> None:
    wordy = REVIEW.model_copy(update={"reason": "I have read it. " * 100})
    signed.check(sign(signed.unsigned, signed.unsigned, wordy, QUINN, 0))
