"""The guide for authors of kits tells what the code has: its rules, metrics, statistics and columns."""

import importlib.util
import re
import typing
from pathlib import Path
from types import ModuleType

import pytest

from host.kits.case_rows import COLUMNS
from host.kits.cases import KitCase
from host.validation.metric import Kind

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "validation_kits" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_tables", ROOT / ".ci" / "generate_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_rules_metrics_and_statistics(generator: ModuleType) -> None:
    for guide, name, rows in generator.tables():
        text = (ROOT / guide).read_text(encoding="utf-8")
        assert generator.filled(text, name, rows) == text, f"{guide}, {name}: run .ci/generate"


def columns_told() -> list[str]:
    """The columns of the guide's table, with every placeholder as a name."""
    cells = re.findall(r"^\| (`[^|]*`(?:, …)?) \| ", GUIDE.partition("## cases.csv")[2], flags=re.MULTILINE)
    names = [name for cell in cells for name in re.findall(r"`([^`]*)`", cell)]
    return [re.sub(r"[A-Z]+", "name", name) for name in names]


def test_every_column_of_the_table_is_one_and_none_is_left_out() -> None:
    told = [name for name in columns_told() if COLUMNS.fullmatch(name)]
    groups = {name.partition(".")[0] for name in told}
    plain = {"case_id", "subject_id", "session", "expected", "evidence", "smoke"}
    assert groups == plain | {
        "in", "param", "stratum", "ref", "value", "class", "time", "event", "baseline", "reader",
    }  # fmt: skip
    assert plain < set(KitCase.model_fields)


def test_every_kind_of_metric_has_its_place() -> None:
    told = set(re.findall(r"`([a-z]+)`", GUIDE.partition("| capability | port |")[2].partition("\n\n")[0]))
    assert set(typing.get_args(Kind)) <= told
