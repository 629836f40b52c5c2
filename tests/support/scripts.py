"""Scripts of plugins and kits, which are no part of any package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]


def load_script(path: str) -> ModuleType:
    """Load a script by its path in the project, under a name of its own."""
    name = "script_" + "".join(one if one.isalnum() else "_" for one in path)
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and hooks look their module up
    spec.loader.exec_module(module)
    return module
