import json

from host.images.sbom import spdx_document
from host.images.store import Component

IMAGE = f"sha256:{'a' * 64}"
COMPONENTS = [
    Component(
        kind="wheel", name="numpy", version="2.0.0", file_name="numpy.whl", sha256=f"sha256:{'1' * 64}"
    ),
    Component(
        kind="debian", name="zlib1g", version="1:1.2", architecture="amd64", sha256=f"sha256:{'2' * 64}"
    ),
]


def test_every_component_is_listed_with_version_and_digest():
    document = json.loads(spdx_document(IMAGE, COMPONENTS))
    assert document["spdxVersion"] == "SPDX-2.3"
    listed = {
        package["name"]: (package["versionInfo"], package["checksums"][0]["checksumValue"])
        for package in document["packages"]
        if "checksums" in package
    }
    assert listed == {"numpy": ("2.0.0", "1" * 64), "zlib1g": ("1:1.2", "2" * 64)}
    purls = [
        ref["referenceLocator"] for package in document["packages"] for ref in package.get("externalRefs", [])
    ]
    assert purls == ["pkg:deb/debian/zlib1g@1%3A1.2?arch=amd64&distro=bookworm", "pkg:pypi/numpy@2.0.0"]


def test_every_relationship_names_elements_that_exist():
    document = json.loads(spdx_document(IMAGE, COMPONENTS))
    known = {document["SPDXID"], *(package["SPDXID"] for package in document["packages"])}
    for relationship in document["relationships"]:
        assert {relationship["spdxElementId"], relationship["relatedSpdxElement"]} <= known
    assert len(known) == 4


def test_the_document_does_not_depend_on_the_order_of_components_or_the_clock():
    document = spdx_document(IMAGE, COMPONENTS)
    assert document == spdx_document(IMAGE, COMPONENTS[::-1])
    assert json.loads(document)["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
