"""What starts often must start fast: the modules that light entry points load."""

import json
import subprocess
import sys


def modules_loaded_by(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after one statement."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_container_side_loads_pluggy_and_the_standard_library_only() -> None:
    loaded = modules_loaded_by("import plugin_spec, plugin_spec.runtime.__main__")
    third_party = loaded - sys.stdlib_module_names - modules_loaded_by("pass")
    assert third_party == {"plugin_spec", "pluggy"}
