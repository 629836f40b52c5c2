"""The author's adapter: loaded, called for a case, and its exceptions turned into the contract's words and codes."""

import importlib
import traceback
from typing import Any, Callable, Mapping

import pluggy

from plugin_spec.hookspecs import PROJECT, CaseResult, GpuUnusable, PluginHooks, Refuse, UnreadableInput
from plugin_spec.runtime import protocol
from plugin_spec.runtime.gpu import Look
from plugin_spec.runtime.protocol import Folders
from plugin_spec.typed import typed_adapter


def load_adapter(name: str) -> pluggy.PluginManager:
    """Import the adapter module and register it on a plugin manager of its own."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(PluginHooks)
    module = importlib.import_module(name)
    manager.register(module, name=name)
    functions = typed_adapter(module)
    if functions is not None:
        manager.register(functions, name=f"{name}:functions")
    manager.check_pending()
    answering = len(manager.hook.run_case.get_hookimpls())
    if answering != 1:
        raise TypeError(
            f"adapter {name!r} implements {'no' if not answering else 'more than one'} run_case hook; "
            "mark one function with @algorithm, or decorate run_case with @hookimpl"
        )
    return manager


def run_case(
    hooks: Any,
    request: Mapping[str, Any],
    state: Any,
    folders: Folders,
    *,
    environment: Callable[[], Mapping[str, str]],
    look: Look,
) -> None:
    """Call ``run_case`` for the requested case and write what it answers; its exceptions pass through.

    Parameters
    ----------
    environment : callable
        Measures the tool versions; called after the case.
    look : Look
        What the container sees of GPUs.
    """
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
        environment=environment(),
        gpu=look.seen,
    )


def measured_environment(hooks: Any) -> Mapping[str, str]:
    """Tool versions as the adapter measures them; empty where it does not."""
    return hooks.describe_environment() or {}


def answered(work: Callable[[], None], folders: Folders, look: Look) -> int:
    """Do ``work``; an exception of it becomes a result.json that says so.

    Parameters
    ----------
    work : callable
        Reads the request and writes result.json, or raises.
    folders : Folders
    look : Look
        What the container sees of GPUs, whatever becomes of the case.

    Returns
    -------
    int
        The exit code of the contract; result.json says the same in words.
    """
    try:
        work()
    except Refuse as refusal:
        protocol.write_result(
            folders, "refused", reason_code=refusal.reason_code, message=refusal.message, gpu=look.seen
        )
        return protocol.EXIT_REFUSED
    except UnreadableInput as error:
        return _failed(folders, look, "unreadable-input", str(error))
    except GpuUnusable as error:
        return _failed(folders, look, "gpu-unusable", str(error))
    except Exception as error:  # noqa: BLE001 - whatever the algorithm raises is its failure, reported as such
        traceback.print_exc()
        return _failed(folders, look, "plugin-error", f"{type(error).__name__}: {error}")
    return protocol.EXIT_OK


def _failed(folders: Folders, look: Look, reason_code: str, message: str) -> int:
    protocol.write_result(folders, "failed", reason_code=reason_code, message=message, gpu=look.seen)
    return protocol.CODE_OF_REASON[reason_code]
