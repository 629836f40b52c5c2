"""``python3 -m plugin_spec.runtime ADAPTER``: run one case and exit with the contract's code, or serve many."""

import os
import sys
from pathlib import Path
from typing import Sequence

from plugin_spec.runtime import protocol
from plugin_spec.runtime.adapter import answered, load_adapter, measured_environment, run_case
from plugin_spec.runtime.gpu import Look
from plugin_spec.runtime.protocol import Folders


def run(adapter: str, folders: Folders) -> int:
    """Run the one case that request.json describes.

    Returns
    -------
    int
        The exit code of the contract; result.json says the same in words.
    """
    look = Look()

    def work() -> None:
        request = protocol.read_request(folders)
        look.require(request.get("gpu", ()))
        hooks = load_adapter(adapter).hook
        state = hooks.setup(context=protocol.context_of(request, folders))
        run_case(hooks, request, state, folders, environment=lambda: measured_environment(hooks), look=look)

    return answered(work, folders, look)


def main(arguments: Sequence[str]) -> int:
    """Entry point: the adapter's module name is the one argument.

    Where the host has set ``ASSAY_SERVE`` to the path of its socket, the container serves many cases.
    """
    if len(arguments) != 1:
        print("usage: python3 -m plugin_spec.runtime ADAPTER_MODULE", file=sys.stderr)
        return protocol.EXIT_PLUGIN_ERROR
    control = os.environ.get(protocol.SERVE_VARIABLE)
    if control:
        from plugin_spec.runtime.serve import serve

        return serve(arguments[0], Folders(), Path(control))
    return run(arguments[0], Folders())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
