"""A Dockerfile, an archive and an image the engine holds: one image by three ways, checked when it is built."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.blobs import BlobStore
from tests.support.cli import Cli
from tests.support.engine_image import python_layer
from tests.support.foreign_images import members_of, write_tar
from tests.support.tiny import plugin_folder

DOCKERFILE = """
FROM scratch AS files
ADD python.tar /
FROM files
ENV PATH=/opt/py/bin PYTHONHOME=/opt/py
COPY note.txt /opt/
RUN ["python3", "-c", "assert len(open('/proc/net/route').readlines()) <= 1, 'there is a network'"]
COPY tool.py /opt/tool
ENTRYPOINT ["python3"]
"""
IGNORE = "# all but\n*\n!note.txt\n!python.tar\n!tool.py\n"
TOOL = "#!/opt/py/bin/python3\nprint('tool 1.0')\n"
COMMAND = """
[runtime.command]
argv = ["/opt/tool", "{inputs.scan}", "{outputs.mask}", "{outputs.volumes}"]
outputs = { mask = "mask.nii", volumes = "volumes.csv" }
"""

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.slow]


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def with_image(plugin: Path, lines: str, *, command: bool = False) -> Path:
    """Let the manifest take its image from elsewhere, and answer by a tool where ``command`` says so."""
    path = plugin / "plugin.toml"
    text = path.read_text()
    if command:
        text = text.replace('adapter = "adapter.py"\n', COMMAND)
    path.write_text(text.replace("[[inputs]]", f"[image]\n{lines}\n\n[[inputs]]", 1))
    return plugin


def dockerfile_plugin(folder: Path, dockerfile: str = DOCKERFILE, *, command: bool = False) -> Path:
    plugin = with_image(
        plugin_folder(folder),
        'source = "dockerfile"\ncontext = "image"\nfile = "image/Dockerfile"',
        command=command,
    )
    context = plugin / "image"
    context.mkdir()
    for name, text in {
        "Dockerfile": dockerfile,
        ".dockerignore": IGNORE,
        "note.txt": "x",
        "secret": "y",
    }.items():
        (context / name).write_text(text)
    (context / "python.tar").write_bytes(python_layer())
    (context / "tool.py").write_text(TOOL)
    (context / "tool.py").chmod(0o755)
    return plugin


@dataclass(frozen=True)
class Built:
    """A plugin from a Dockerfile, and the archive of the image it was put on."""

    cli: Cli
    plugin: Path
    made: dict[str, object]
    archive: Path

    @property
    def source(self) -> str:
        return str(self.made["source_image"])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("dockerfile")
    cli, plugin = Cli(folder / "home"), dockerfile_plugin(folder / "plugin")
    made = cli.read("plugin", "build", plugin)
    archive = folder / "source.tar"
    docker("save", str(made["source_image"]), "-o", str(archive))
    yield Built(cli, plugin, made, archive)
    docker("rmi", "--force", "--no-prune", str(made["image"]), str(made["source_image"]))


def test_an_adapter_is_put_on_top_of_a_dockerfiles_image_and_answers(built: Built) -> None:
    assert built.made["way"] == "dockerfile"
    assert built.made["image"] != built.source
    assert {"I102", "I201", "I304"} <= set(built.made["checks"])
    assert built.cli.read("plugin", "test", built.plugin)["failed"] == 0


def test_the_bill_of_materials_names_the_runtime_and_says_what_nobody_can_name(built: Built) -> None:
    data = BlobStore(built.cli.home / "blobs").path(str(built.made["sbom"])).read_bytes()
    packages = json.loads(data)["packages"]
    assert [one["name"] for one in packages[1:]] == ["pluggy"]
    assert "belong to no package that was identified" in packages[0]["comment"]


def test_the_same_image_as_an_archive_and_from_the_engine_is_the_same_image(
    built: Built, tmp_path: Path
) -> None:
    archived = with_image(
        plugin_folder(tmp_path / "archived"),
        f'source = "archive"\npath = "image.tar"\nimage = "{built.source}"',
    )
    (archived / "image.tar").hardlink_to(built.archive)
    name = f"assay-test/{tmp_path.name[-20:].replace('_', '-').strip('-')}:1"
    held = with_image(
        plugin_folder(tmp_path / "held"), f'source = "engine"\nname = "{name}"\nimage = "{built.source}"'
    )
    docker("tag", built.source, name)
    try:
        for plugin in (archived, held):
            assert built.cli.read("plugin", "build", plugin)["image"] == built.made["image"]
    finally:
        docker("rmi", "--no-prune", name)


def test_a_tools_image_goes_through_byte_for_byte(built: Built, tmp_path: Path) -> None:
    plugin = with_image(
        plugin_folder(tmp_path / "tool"),
        f'source = "archive"\npath = "image.tar"\nimage = "{built.source}"',
        command=True,
    )
    (plugin / "image.tar").hardlink_to(built.archive)
    made = built.cli.read("plugin", "build", plugin)
    assert made["image"] == built.source
    config = members_of(built.archive)[f"{built.source.removeprefix('sha256:')}.json"]
    assert BlobStore(built.cli.home / "blobs").path(built.source).read_bytes() == config
    saved = [tmp_path / "one.tar", tmp_path / "two.tar"]
    for path in saved:
        built.cli.do("plugin", "save", plugin, "--out", path)
    assert saved[0].read_bytes() == saved[1].read_bytes()
    with tarfile.open(saved[0]) as archive:
        assert f"{built.source.removeprefix('sha256:')}.json" in archive.getnames()
    assert built.source in docker("load", "-i", str(saved[0]))


def test_an_archive_whose_layer_was_altered_is_refused(built: Built, tmp_path: Path) -> None:
    plugin = with_image(
        plugin_folder(tmp_path / "plugin"),
        f'source = "archive"\npath = "image.tar"\nimage = "{built.source}"',
    )
    members = members_of(built.archive)
    last = json.loads(members["manifest.json"])[0]["Layers"][-1]
    members[last] = members[last].replace(b"tool 1.0", b"evil 1.0")
    write_tar(plugin / "image.tar", members)
    refused = built.cli("plugin", "build", plugin).refused()
    assert (refused.code, refused.exit_code) == ("layer-digest", 4)


def test_another_image_under_the_declared_name_is_refused(built: Built, tmp_path: Path) -> None:
    plugin = with_image(
        plugin_folder(tmp_path / "plugin"),
        f'source = "engine"\nname = "assay/tiny-volumes:1.0.0"\nimage = "sha256:{"0" * 64}"',
    )
    refused = built.cli("plugin", "build", plugin).refused()
    assert (refused.code, refused.exit_code) == ("image-digest", 4)


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("FROM files", f"FROM assay/base:{'0' * 64}", "base-image-missing", "docker does not hold it"),
        ("ENTRYPOINT", "USER root\nENTRYPOINT", "image-rule", "I102 image: the image's user is 'root'"),
        # .dockerignore keeps it out of the context.
        ("COPY note.txt", "COPY secret", "docker-build", "the Dockerfile does not build at Step "),
        (
            "COPY tool.py",
            'RUN ["python3", "-c", "raise SystemExit(\'the step fails\')"]\nCOPY tool.py',
            "docker-build",
            "the Dockerfile does not build at Step ",
        ),
    ],
)
def test_what_a_dockerfile_gets_wrong_is_found_when_it_is_built(
    tmp_path: Path, old: str, new: str, code: str, said: str
) -> None:
    assert old in DOCKERFILE
    plugin = dockerfile_plugin(tmp_path / "plugin", DOCKERFILE.replace(old, new), command=True)
    answer = Cli(tmp_path / "home")("plugin", "build", plugin)
    refused = answer.refused()
    assert (refused.code, refused.exit_code) == (code, 6 if code == "base-image-missing" else 7)
    assert said in refused.message


def test_a_step_has_a_network_and_the_hosts_certificates_where_the_manifest_says_so(tmp_path: Path) -> None:
    has_a_route = "assert len(open('/proc/net/route').readlines()) > 1"
    looks = f"import ssl; ssl.create_default_context(cafile='/ca.crt'); {has_a_route}"
    dockerfile = f"""
FROM scratch AS downloads
ADD python.tar /
ENV PATH=/opt/py/bin PYTHONHOME=/opt/py
COPY .assay/ca-certificates.crt /ca.crt
RUN ["python3", "-c", "{looks}"]
FROM scratch
ADD python.tar /
ENV PATH=/opt/py/bin PYTHONHOME=/opt/py
COPY --from=downloads /opt/py/bin/python3 /opt/again
COPY tool.py /opt/tool
"""
    plugin, cli = dockerfile_plugin(tmp_path / "plugin", dockerfile, command=True), Cli(tmp_path / "home")
    assert cli("plugin", "build", plugin).refused().code == "docker-build"
    manifest = plugin / "plugin.toml"
    manifest.write_text(
        manifest.read_text().replace('source = "dockerfile"', 'source = "dockerfile"\nnetwork = true')
    )
    made = cli.read("plugin", "build", plugin)
    try:
        layers = [BlobStore(cli.home / "blobs").path(one).read_bytes() for one in made["layers"]]
        bundle = Path("/etc/ssl/certs/ca-certificates.crt").read_bytes()
        assert not [one for one in layers if bundle[:1000] in one]
    finally:
        docker("rmi", "--force", "--no-prune", str(made["image"]))


def test_a_dockerfile_may_start_from_this_hosts_base_without_a_hub(tmp_path: Path) -> None:
    cli = Cli(tmp_path / "home")
    start = cli.do("plugin", "base").out.strip()  # the bare name, as FROM "$(assay plugin base)" takes it
    assert docker("image", "inspect", "-f", "{{.Id}}", start) == f"sha256:{start.rpartition(':')[2]}"
    plugin = dockerfile_plugin(tmp_path / "plugin", f"FROM {start}\nCOPY note.txt /opt/note.txt\n")
    made = cli.read("plugin", "build", plugin)
    docker("rmi", "--force", "--no-prune", str(made["image"]), str(made["source_image"]))
    data = BlobStore(cli.home / "blobs").path(made["sbom"]).read_bytes()
    image, *packages = json.loads(data)["packages"]
    assert {"libc6", "python3.11-minimal", "pluggy"} <= {one["name"] for one in packages}
    assert image["comment"].startswith("1 files with 1 bytes belong to no package that was identified")
