import json

from host.images.found_packages import FoundPackages, find_packages
from host.images.inventory import ImageFile, Inventory
from host.images.store import Component

DPKG = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9
Description: text
 more: text

Package: removed
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
APK = "P:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\nR:ld-musl-x86_64.so.1\n\nP:busybox\nV:1.36\nA:x86_64\nF:bin\nR:busybox\n"


def found(records: dict[str, str], *files: str, **sizes: int) -> FoundPackages:
    listed = {name: ImageFile("file", 0o644, 10) for name in (*files, *records)}
    return find_packages(Inventory(listed, {name: text.encode() for name, text in records.items()}))


def names(packages: FoundPackages) -> list[tuple[str, str, str]]:
    return [(one.kind, one.name, one.version) for one in packages.components]


def test_debian_packages_that_are_installed_are_listed_with_their_system():
    packages = found(
        {
            "var/lib/dpkg/status": DPKG,
            "var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib\n/lib/libc.so.6\n",
            "etc/os-release": 'ID=debian\nVERSION_ID="12"\nNAME="Debian\n',
        },
        "usr/lib/libc.so.6",
    )
    assert names(packages) == [("debian", "libc6", "2.36-9")]
    assert packages.components[0].distribution == "debian-12"
    # os-release itself belongs to a package that this list does not hold.
    assert packages.unowned_files == 1


def test_distroless_images_list_one_package_per_file():
    stanza = "Package: tzdata\nVersion: 2026a\nArchitecture: all\n"
    assert names(found({"var/lib/dpkg/status.d/tzdata": stanza})) == [("debian", "tzdata", "2026a")]


def test_alpine_packages_and_their_files():
    packages = found({"lib/apk/db/installed": APK}, "lib/ld-musl-x86_64.so.1", "bin/busybox", "opt/mine")
    assert names(packages) == [("apk", "musl", "1.2.4-r2"), ("apk", "busybox", "1.36")]
    assert packages.unowned_files == 1


def test_python_distributions_and_their_files():
    site = "usr/local/lib/python3.9/site-packages"
    packages = found(
        {
            f"{site}/nibabel-5.2.1.dist-info/METADATA": "Name: nibabel\nVersion: 5.2.1\n\nVersion: not this",
            f"{site}/nibabel-5.2.1.dist-info/RECORD": "nibabel/a.py,sha256=x,1\n../../../bin/nib-ls,,\n",
            f"{site}/old.egg-info": "Name: old\nVersion: 1\n",
            f"{site}/broken.egg-info/PKG-INFO": "nothing",
        },
        f"{site}/nibabel/a.py",
        "usr/local/bin/nib-ls",
    )
    assert names(packages) == [("python", "nibabel", "5.2.1"), ("python", "old", "1")]
    assert packages.unowned_files == 1  # old.egg-info, which lists no files


def test_conda_packages_and_their_files():
    meta = json.dumps({"name": "numpy", "version": "1.26.4", "files": ["lib/numpy.py"]})
    packages = found(
        {"opt/conda/conda-meta/numpy-1.26.4.json": meta, "opt/conda/conda-meta/bad.json": "[]"},
        "opt/conda/lib/numpy.py",
    )
    assert names(packages) == [("conda", "numpy", "1.26.4")]
    assert packages.unowned_files == 0


def test_what_could_not_be_identified_is_counted_and_said():
    packages = found({}, "opt/fsl/bin/bet", "opt/fsl/bin/fast", "usr/bin/x", "var/lib/rpm/rpmdb.sqlite")
    assert packages.unowned_files == 4
    assert "4 files with 40 bytes belong to no package that was identified, most of them in /opt/fsl" in (
        packages.remark
    )
    assert packages.remark.endswith("Not read: an rpm database.")


def test_bytecode_caches_and_package_lists_are_nobodys():
    assert found({}, "usr/lib/__pycache__/x.pyc", "var/cache/y", "etc/ld.so.cache").remark == ""


def test_layers_that_assay_made_are_known_without_records():
    known = Component(kind="debian", name="libc6", version="1", sha256=f"sha256:{'0' * 64}")
    files = {"usr/lib/libc.so.6": ImageFile("file", layer=0), "opt/x": ImageFile("file", layer=1)}
    packages = find_packages(Inventory(files), {0: (known,)})
    assert packages.components == (known,)
    assert packages.unowned_files == 1
