"""Rules on the files of a kit and what may be done with them (K2xx)."""

import ast
from collections.abc import Iterator

from host.errors import KitError, RequirementsError, SourceError
from host.kits.check.parts import Found, KitParts, Place, in_kit
from host.kits.data import case_file_faults
from host.kits.sources import SourceFile, source_files
from host.sources.pinned import FORMS, uri_fault
from plugin_spec.model import read_document
from plugin_spec.review import NOT_STATED


def sources_can_be_fetched(parts: KitParts) -> Found:
    """K201: a source's uri is one Assay can fetch; a file of the folder is there with the declared size.

    Fix: write local:PATH, package:NAME==VERSION@sha256:WHEEL!MEMBER, or url:https://….
    """
    for number, source in enumerate(parts.kit.sources):
        where = in_kit(f"sources.{number}.uri")
        if fault := uri_fault(source.uri):
            yield where, fault, FORMS
            continue
        if source.listing is not None and not (parts.path / source.listing).is_file():
            continue  # K206 says so
        try:
            for file in _files_of(parts, number):
                local = file.pinned.local
                if local is not None and local.stat().st_size != file.pinned.bytes:
                    message = f"{file.pinned.name} has {local.stat().st_size} bytes, declared are {file.pinned.bytes}"
                    yield where, message, "correct bytes and sha256: sha256sum FILE"
        except SourceError as error:
            yield where, error.message, "put the file there, or correct the path"
        except KitError:
            continue  # K206 says so


def licences_are_known(parts: KitParts) -> Found:
    """K202: the licences of kit, data set and sources are SPDX expressions.

    Fix: name one of the SPDX licence list, or LicenseRef-NAME with its words in licence_text.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    for field, licence in licences_of(parts):
        if licence == NOT_STATED:
            continue  # a warning, and a refusal at registration
        try:
            canonicalize_license_expression(licence)
        except InvalidLicenseExpression:
            fix = "name one of the SPDX licence list, or LicenseRef-NAME with its words in licence_text"
            yield in_kit(field), f"{licence!r} is no SPDX licence", fix


def licences_of(parts: KitParts) -> Iterator[tuple[str, str]]:
    """Every licence with its field. In ``assay.kit/1`` the data set's was free text."""
    yield "licence", parts.kit.licence
    if not parts.kit.is_first:
        yield "dataset.licence", parts.kit.dataset.licence
    for number, source in enumerate(parts.kit.sources):
        if source.licence is not None:
            yield f"sources.{number}.licence", source.licence


def case_files_have_their_digests(parts: KitParts) -> Found:
    """K203: the kit's own case files, and those made here before, have the digests of cases.csv.

    Fix: restore the file, or make a new version of the kit.
    """
    made = parts.data if parts.data.is_dir() else None
    for case, message in case_file_faults(parts.cases, made, parts.path):
        line = next(line for line, one in parts.rows if one is case)
        fix = "restore the file, or correct its digest and raise the kit's version"
        yield Place("cases.csv", "", line), message, fix


def the_generator_can_be_built(parts: KitParts) -> Found:
    """K204: the generator is there and is Python, and its requirements are pinned with hashes.

    Fix: mend the script; uv pip compile --generate-hashes requirements.in.
    """
    generator = parts.kit.generator
    if generator is None:
        return
    try:
        ast.parse(read_document(parts.path / generator.script, error=KitError))
    except KitError as error:
        yield in_kit("generator.script"), error.message, "write the script, or correct its name"
    except (SyntaxError, ValueError) as error:
        yield in_kit("generator.script"), f"{generator.script} is no Python: {error}", "mend the line"
    if generator.requirements is None:
        return
    from host.images.requirements import parse_requirements

    try:
        text = read_document(parts.path / generator.requirements, error=KitError).decode("utf-8", "replace")
        parse_requirements(text, where=generator.requirements)
    except KitError as error:
        yield in_kit("generator.requirements"), error.message, "write the file, or correct its name"
    except RequirementsError as error:
        yield in_kit("generator.requirements"), error.message, "uv pip compile --generate-hashes"


def something_makes_the_case_files(parts: KitParts) -> Found:
    """K205: a case file comes from the generator, from a source, or from the kit's own folder.

    Fix: write source:NAME or local:PATH, or declare [generator].
    """
    if parts.kit.generator is not None:
        return
    for line, case in parts.rows:
        for file in case.files():
            if file.path.partition("/")[0] not in ("source", "local"):
                message = f"case {case.case_id}: nothing makes {file.path}"
                fix = "write source:NAME or local:PATH, or declare [generator]"
                yield Place("cases.csv", "", line), message, fix


def listings_are_those_declared(parts: KitParts) -> Found:
    """K206: a listing is there, and has the digest and size of its source.

    Fix: correct sha256 and bytes of the source, or restore the listing.
    """
    for number, source in enumerate(parts.kit.sources):
        if source.listing is not None:
            try:
                _files_of(parts, number)
            except KitError as error:
                fix = error.hint or "correct the listing"
                yield in_kit(f"sources.{number}.listing"), error.message, fix


def _files_of(parts: KitParts, number: int) -> tuple[SourceFile, ...]:
    """The files of one source."""
    source = parts.kit.sources[number]
    contents = {}
    if source.listing is not None:
        contents[source.listing] = read_document(parts.path / source.listing, error=KitError)
    return source_files((source,), contents, parts.path)
