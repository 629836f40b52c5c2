"""The terms of a lock: the example that its readers copy is read, and a fault of it is named in one line."""

import re
from pathlib import Path

import pytest

from host.errors import OptionError
from host.lock_file import read_terms

README = Path(__file__).parents[3] / "registry" / "README.md"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    (block,) = re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL)
    path = tmp_path / "terms.toml"
    path.write_text(block)
    return path


def test_the_example_of_the_readme_is_read(example: Path) -> None:
    terms = read_terms(example)
    assert terms.thresholds is not None
    assert {one.role: one.count for one in terms.thresholds} == {"qa": 2, "sponsor": 1}
    whole = terms.lock_terms(example.parent)
    assert whole.gpus == ("NVIDIA L4", "cpu")
    assert whole.least is not None and whole.least.evidence == "patient"
    assert whole.analysis_plan is not None and whole.protocol is None
    slot = terms.slots["volume"]
    assert slot.context is not None and slot.context.endpoint_role == "secondary"
    assert (slot.parameters, slot.domain[0].minimum) == ({"tau": 4.0}, 2.9)


def test_a_misspelt_term_is_named_with_its_file(example: Path) -> None:
    example.write_text(example.read_text().replace("[least]", "[leest]"))
    with pytest.raises(OptionError, match="terms.toml.*leest") as refused:
        read_terms(example)
    assert "\n" not in refused.value.message
