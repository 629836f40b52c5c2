import json
import subprocess
import sys

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


def test_a_found_package_has_no_digest_and_names_its_system():
    found = [
        Component(
            kind="apk",
            name="musl",
            version="1.2",
            architecture="x86_64",
            distribution="alpine-3.19",
            sha256=None,
        ),
        Component(kind="debian", name="tzdata", version="2026a", distribution="ubuntu-24.04", sha256=None),
        Component(kind="conda", name="numpy", version="1.26", sha256=None),
        Component(kind="python", name="nibabel", version="5.2", sha256=None),
    ]
    packages = json.loads(spdx_document(IMAGE, found))["packages"][1:]
    assert not [package for package in packages if "checksums" in package]
    assert [package["externalRefs"][0]["referenceLocator"] for package in packages] == [
        "pkg:apk/alpine/musl@1.2?arch=x86_64&distro=alpine-3.19",
        "pkg:conda/numpy@1.26",
        "pkg:deb/ubuntu/tzdata@2026a?distro=ubuntu-24.04",
        "pkg:pypi/nibabel@5.2",
    ]


def test_what_the_list_cannot_say_is_said_on_the_image():
    document = json.loads(spdx_document(IMAGE, [], remark="3 files belong to no package."))
    assert document["packages"][0]["comment"] == "3 files belong to no package."
    assert "comment" not in json.loads(spdx_document(IMAGE, []))["packages"][0]


def test_another_reader_of_spdx_finds_no_fault_in_it(tmp_path):
    path = tmp_path / "sbom.spdx.json"
    found = Component(kind="conda", name="numpy", version="1.26", sha256=None)
    path.write_bytes(spdx_document(IMAGE, [*COMPONENTS, found], remark="3 files belong to no package."))
    # In a process of its own: its many imports would slow every other test.
    command = [sys.executable, "-W", "ignore", "-m", "spdx_tools.spdx.clitools.pyspdxtools", "-i", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    path.write_bytes(path.read_bytes().replace(b'"SHA256"', b'"SHA257"'))
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
