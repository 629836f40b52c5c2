"""The software bill of materials of a plugin image: SPDX 2.3, the same bytes for the same image."""

from collections.abc import Sequence
from urllib.parse import quote

from host.images.identity import EPOCH
from host.images.store import Component
from registry.canonical import canonical_json

_DOCUMENT, _IMAGE = "SPDXRef-DOCUMENT", "SPDXRef-Image"


def spdx_document(image_id: str, components: Sequence[Component], *, remark: str = "") -> bytes:
    """List what is in an image.

    Parameters
    ----------
    image_id : str
        Names the document and the package that holds all others.
    components : sequence of Component
        Packages; the digest, where there is one, is that of the downloaded file.
    remark : str, optional
        What the list cannot say: files that belong to no package, for example.

    Returns
    -------
    bytes
        SPDX 2.3 as canonical JSON. The creation time is fixed: the document is a function of the image.
    """
    packages = [
        _image(image_id, remark),
        *(_package(number, one) for number, one in enumerate(_ordered(components))),
    ]
    contained = [
        {"spdxElementId": _IMAGE, "relationshipType": "CONTAINS", "relatedSpdxElement": package["SPDXID"]}
        for package in packages[1:]
    ]
    described = {"spdxElementId": _DOCUMENT, "relationshipType": "DESCRIBES", "relatedSpdxElement": _IMAGE}
    return canonical_json(
        {
            "SPDXID": _DOCUMENT,
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "name": f"plugin image {image_id}",
            "documentNamespace": f"urn:assay:sbom:{image_id}",
            "creationInfo": {"created": EPOCH, "creators": ["Tool: assay"]},
            "packages": packages,
            "relationships": [described, *contained],
        }
    )


def _ordered(components: Sequence[Component]) -> list[Component]:
    return sorted(components, key=lambda one: (one.kind, one.name, one.version, one.sha256 or ""))


def _image(image_id: str, remark: str) -> dict[str, object]:
    return {
        "SPDXID": _IMAGE,
        "name": "plugin image",
        "versionInfo": image_id,
        "primaryPackagePurpose": "CONTAINER",
        **({"comment": remark} if remark else {}),
        **_unstated(),
    }


def _package(number: int, component: Component) -> dict[str, object]:
    return {
        "SPDXID": f"SPDXRef-{component.kind}-{number}",
        "name": component.name,
        "versionInfo": component.version,
        **({"packageFileName": component.file_name} if component.file_name else {}),
        **_checksums(component),
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": _purl(component),
            }
        ],
        **_unstated(),
    }


def _unstated() -> dict[str, object]:
    # Licences are in the image, in /usr/share/doc and each wheel's dist-info; nobody has judged them here.
    return {
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def _checksums(component: Component) -> dict[str, object]:
    if component.sha256 is None:
        return {}
    value = component.sha256.removeprefix("sha256:")
    return {"checksums": [{"algorithm": "SHA256", "checksumValue": value}]}


def _purl(component: Component) -> str:
    name, version = quote(component.name, safe=""), quote(component.version, safe="")
    match component.kind:
        case "debian" | "apk":
            system = component.distribution.rpartition("-")[0] or "debian"
            kind = "deb" if component.kind == "debian" else "apk"
            distribution = component.distribution or "bookworm"
            arch = f"arch={component.architecture}&" if component.architecture else ""
            where = f"{arch}distro={quote(distribution, safe='')}"
            return f"pkg:{kind}/{quote(system, safe='')}/{name}@{version}?{where}"
        case "conda":
            return f"pkg:conda/{name}@{version}"
        case _:
            return f"pkg:pypi/{name}@{version}"
