"""Rules an image keeps, checked when it is built: each with a number, the field it is about, and a fix.

I1xx: what is in the image's config and files. I2xx: what a Dockerfile may say (``host.images.dockerfile``). I3xx: what
shows when a container of it is started (``host.start_check``). A number is never given to another rule.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from host.errors import ImageRuleError
from host.images.foreign import ForeignConfig
from host.images.inventory import Inventory
from plugin_spec.faults import Fault

# What a site has to store, send and unpack for one release.
MAX_IMAGE_BYTES: Final = 20 * 1024**3
DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NUMERIC_USER = re.compile(r"(?P<uid>\d+)(:\d+)?")

RULES: Final = {
    "I101": "the platform is linux/amd64",
    "I102": "the user is none or a number other than 0; every container runs as 65534 whatever the image says",
    "I103": "no VOLUME: it would be writable without bound",
    "I104": f"all layers together, uncompressed, come to at most {MAX_IMAGE_BYTES // 1024**3} GiB",
    "I105": "the program of the command is in the image and executable",
    "I106": "an image with an adapter has a python3 (or python) on its PATH",
    "I201": "FROM names scratch, an earlier stage, NAME@sha256:DIGEST or assay/base:DIGEST",
    "I202": "ADD takes nothing from the network: no pin would hold it",
    "I203": "COPY --from names an earlier stage, or an image as FROM may",
    "I204": "nothing that only BuildKit understands",
    "I205": "the Dockerfile lies in its context, the context in the plugin's folder",
    "I301": "the program starts in a hardened container: as uid 65534, read-only, without a network",
    "I302": "the image's Python is 3.8 or later",
    "I303": "pluggy and the contract's runtime can be imported",
    "I304": "the adapter can be imported and answers run_case",
}


def config_faults(config: ForeignConfig) -> Iterator[Fault]:
    """Look at a config: platform, user, volumes."""
    platform = f"{config.os or '?'}/{config.architecture or '?'}"
    if platform != "linux/amd64":
        fix = "build it for linux/amd64 (docker build --platform linux/amd64)"
        yield Fault("I101", "image", f"the image is for {platform}", fix)
    numeric = _NUMERIC_USER.fullmatch(config.user)
    if config.user and (numeric is None or int(numeric["uid"]) == 0):
        fix = "write USER 65534:65534 at the end of the Dockerfile, or no USER at all"
        yield Fault("I102", "image", f"the image's user is {config.user!r}", fix)
    if config.volumes:
        fix = "remove VOLUME; /assay/out and /scratch are the places to write to"
        yield Fault("I103", "image", f"the image declares volumes: {', '.join(config.volumes)}", fix)


def size_faults(size_bytes: int, *, bytes_max: int = MAX_IMAGE_BYTES) -> Iterator[Fault]:
    """Look at an image's size."""
    if size_bytes > bytes_max:
        message = (
            f"the image comes to {size_bytes / 1e9:.1f} GB uncompressed; at most {bytes_max / 1e9:.1f} GB"
        )
        fix = "leave out build tools, caches and data; data the algorithm needs are weights ([[weights]])"
        yield Fault("I104", "image", message, fix)


def program_faults(inventory: Inventory, program: str, search: str) -> Iterator[Fault]:
    """Look for the program that a command starts."""
    found = inventory.find_program(program, search)
    if found is None:
        where = "" if "/" in program else f" on the image's PATH ({search})"
        fix = "install it in the image, or correct the first word of runtime.command.argv"
        yield Fault("I105", "runtime.command.argv", f"{program} is not in the image{where}", fix)
    elif found[1].kind != "file" or not found[1].mode & 0o111:
        message = f"/{found[0]} is not an executable file"
        yield Fault("I105", "runtime.command.argv", message, "make it executable in the image: chmod 0755")


def find_python(inventory: Inventory, search: str) -> str | None:
    """Return the absolute path of the image's Python, links not followed: a virtual environment's is a link."""
    for name in ("python3", "python"):
        for folder in search.split(":"):
            if folder.startswith("/") and inventory.find_program(f"{folder}/{name}", search) is not None:
                return f"{folder.rstrip('/')}/{name}"
    return None


def python_faults(python: str | None, search: str) -> Iterator[Fault]:
    """Say that there is no Python."""
    if python is None:
        message = f"no python3 on the image's PATH ({search})"
        fix = "install Python 3.8 or later in the image, or declare a [runtime.command] instead of an adapter"
        yield Fault("I106", "runtime.adapter", message, fix)


def require(faults: Sequence[Fault]) -> None:
    """Refuse an image that breaks a rule.

    Raises
    ------
    ImageRuleError
        It names every broken rule; the hint is the first one's fix.
    """
    if faults:
        listed = "; ".join(f"{one.rule} {one.path}: {one.message}" for one in faults)
        raise ImageRuleError(listed, subject=faults[0].rule, hint=faults[0].fix)
