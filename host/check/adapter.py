"""Rules on the adapter's source, read as a syntax tree: the host never imports an adapter."""

from collections.abc import Iterator
from inspect import signature
from typing import Final

from host.check import syntax
from host.check.folder import PluginFolder
from host.check.syntax import Function, Source
from plugin_spec.faults import Found
from plugin_spec.hookspecs import PluginHooks
from plugin_spec.manifest import Manifest
from plugin_spec.typed import OFFERED

FIELD: Final = "runtime.adapter"
HOOKS: Final = {
    name: frozenset(signature(getattr(PluginHooks, name)).parameters) - {"self"}
    for name in ("setup", "run_case", "describe_environment")
}


def adapter_is_python(plugin: PluginFolder) -> Found:
    """C501: the adapter is there, and is Python that parses.

    Fix: add the file, or mend the line.
    """
    name = plugin.manifest.runtime.adapter
    if name is None:
        return
    text = plugin.text(name)
    if text is None:
        what = "is no text of at most 1 MiB" if plugin.file(name).exists() else "is not there"
        yield FIELD, f"names {name}, which {what}", "add the file, or correct its name"
        return
    source = syntax.parsed(text)
    if isinstance(source, str):
        yield FIELD, f"{name}: {source}", "mend the line"


def adapter_answers(plugin: PluginFolder) -> Found:
    """C502: the adapter has one function that answers for a case, and its parameters are what the contract gives.

    Fix: mark one function with @algorithm, whose parameters are the declared inputs and parameters.
    """
    source = _source(plugin)
    if source is None:
        return
    algorithms = [one for one in source.functions if source.is_marked(one, "algorithm")]
    if len(algorithms) > 1:
        names = ", ".join(one.name for one in algorithms)
        yield FIELD, f"@algorithm stands on {names}", "a plugin has one such function: unmark the others"
    elif algorithms:
        yield from _typed_faults(plugin.manifest, algorithms[0])
    else:
        yield from _hook_faults(plugin, source)


def names_in_code_are_declared(plugin: PluginFolder) -> Found:
    """C751: a port, parameter or weights file that the adapter names by a literal is declared.

    Fix: declare it, or correct the name.
    """
    source = _source(plugin)
    if source is None:
        return
    manifest = plugin.manifest
    declared = {
        "inputs": {port.name for port in manifest.inputs},
        "outputs": {port.name for port in manifest.outputs},
        "parameters": {one.name for one in manifest.parameters},
        "weights": {one.name for one in manifest.weights},
    }
    for table, name, line in sorted(set(source.names_looked_up()), key=lambda one: one[2]):
        if name not in declared[table]:
            known = ", ".join(sorted(declared[table])) or "none"
            message = f"{manifest.runtime.adapter} line {line}: {table}[{name!r}] is not declared"
            yield FIELD, message, f"declared {table}: {known}"


def _source(plugin: PluginFolder) -> Source | None:
    """Return the adapter's tree; None where `adapter_is_python` has something to say, or there is no adapter."""
    name = plugin.manifest.runtime.adapter
    text = plugin.text(name) if name is not None else None
    source = syntax.parsed(text) if text is not None else None
    return source if isinstance(source, Source) else None


def _typed_faults(manifest: Manifest, function: Function) -> Iterator[tuple[str, str, str]]:
    """What does not fit between a typed function and the declared names."""
    where = f"{manifest.runtime.adapter} line {function.lineno}: {function.name}()"
    declared = [port.name for port in manifest.inputs] + [one.name for one in manifest.parameters]
    for name in syntax.needed_arguments(function):
        if name not in (*declared, *OFFERED):
            fix = f"declared: {', '.join(declared)}; besides there are {', '.join(OFFERED)}"
            yield FIELD, f"{where} needs {name!r}, which nothing declares", fix
    left = [name for name in declared if name not in syntax.arguments(function)]
    if left and function.args.kwarg is None:
        fix = f"add the parameter {left[0]}, or take it out of plugin.toml"
        yield FIELD, f"{where} does not take {', '.join(left)}, declared in plugin.toml", fix


def _hook_faults(plugin: PluginFolder, source: Source) -> Iterator[tuple[str, str, str]]:
    name = plugin.manifest.runtime.adapter
    defined = {one.name: one for one in source.functions}
    elsewhere = source.may_bind("run_case") or source.calls("algorithm")
    if "run_case" not in defined and not elsewhere:
        fix = "mark the function that answers for a case with @algorithm (from plugin_spec import algorithm)"
        yield FIELD, f"{name} has no function marked @algorithm, and no run_case", fix
    for hook, allowed in HOOKS.items():
        function = defined.get(hook)
        # A helper of one's own may be called setup, as long as it is marked as nothing.
        if function is None or (hook != "run_case" and not function.decorator_list):
            continue
        where = f"{name} line {function.lineno}: {hook}"
        extra = [one for one in syntax.arguments(function) if one not in allowed]
        if not source.is_marked(function, "hookimpl"):
            yield FIELD, f"{where} is not marked as a hook", "write @hookimpl above it"
        elif extra:
            fix = f"it may take: {', '.join(sorted(allowed)) or 'nothing'}"
            yield FIELD, f"{where} takes {', '.join(extra)}, which no hook is given", fix
