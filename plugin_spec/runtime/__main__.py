"""``python3 -m plugin_spec.runtime ADAPTER``: run one case and exit with the contract's code."""

import importlib
import sys
import traceback
from typing import Any, Sequence

import pluggy

from plugin_spec.hookspecs import PROJECT, CaseResult, PluginHooks, Refuse, UnreadableInput
from plugin_spec.runtime import protocol
from plugin_spec.runtime.protocol import Folders


def load_adapter(name: str) -> pluggy.PluginManager:
    """Import the adapter module and register it on a plugin manager of its own."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(PluginHooks)
    manager.register(importlib.import_module(name), name=name)
    manager.check_pending()
    if not manager.hook.run_case.get_hookimpls():
        raise TypeError(f"adapter {name!r} implements no run_case hook; decorate one with @hookimpl")
    return manager


def run(adapter: str, folders: Folders) -> int:
    """Run the one case that request.json describes.

    Returns
    -------
    int
        The exit code of the contract; result.json says the same in words.
    """
    try:
        request = protocol.read_request(folders)
        hooks: Any = load_adapter(adapter).hook
        state = hooks.setup(context=protocol.context_of(request, folders))
        result = hooks.run_case(case=protocol.case_of(request, folders), state=state)
        if not isinstance(result, CaseResult):
            raise TypeError(f"run_case answered with {type(result).__name__}, expected a CaseResult")
        outputs = protocol.write_outputs(result, folders, request.get("outputs", {}))
        protocol.write_result(
            folders,
            "ok",
            outputs=outputs,
            qc=result.qc,
            warnings=result.warnings,
            environment=hooks.describe_environment() or {},
        )
    except Refuse as refusal:
        protocol.write_result(folders, "refused", reason_code=refusal.reason_code, message=refusal.message)
        return protocol.EXIT_REFUSED
    except UnreadableInput as error:
        protocol.write_result(folders, "failed", reason_code="unreadable-input", message=str(error))
        return protocol.EXIT_UNREADABLE_INPUT
    except Exception as error:  # noqa: BLE001 - whatever the algorithm raises is its failure, reported as such
        traceback.print_exc()
        protocol.write_result(
            folders, "failed", reason_code="plugin-error", message=f"{type(error).__name__}: {error}"
        )
        return protocol.EXIT_PLUGIN_ERROR
    return protocol.EXIT_OK


def main(arguments: Sequence[str]) -> int:
    """Entry point: the adapter's module name is the one argument."""
    if len(arguments) != 1:
        print("usage: python3 -m plugin_spec.runtime ADAPTER_MODULE", file=sys.stderr)
        return protocol.EXIT_PLUGIN_ERROR
    return run(arguments[0], Folders())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
