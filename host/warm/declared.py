"""Whether a plugin may be run in warm containers at all: its author must have said so."""

from host.warm.errors import WarmUndeclaredError
from plugin_spec.manifest import Manifest


def require_declared(manifest: Manifest) -> None:
    """Refuse warm containers for a plugin that does not declare them.

    Raises
    ------
    WarmUndeclaredError
        Its ``runtime.mode`` is not ``serve``.
    """
    if manifest.runtime.mode != "serve":
        raise WarmUndeclaredError(
            f"{manifest.id} {manifest.version} does not declare that one container may answer for many cases",
            subject=manifest.id,
            hint='leave --warm out, or have its author write mode = "serve" under [runtime]',
        )
