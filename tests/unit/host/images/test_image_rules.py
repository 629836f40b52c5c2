import pytest

from host.errors import ImageRuleError
from host.images.foreign import ForeignConfig
from host.images.image_rules import (
    RULES,
    config_faults,
    find_python,
    program_faults,
    python_faults,
    require,
    size_faults,
)
from host.images.inventory import ImageFile, Inventory

GOOD = {
    "architecture": "amd64",
    "os": "linux",
    "diff_ids": (f"sha256:{'a' * 64}",),
    "user": "",
    "environment": {},
    "command": (),
    "volumes": (),
    "working_folder": "",
}


def rules(**changes: object) -> list[str]:
    return [one.rule for one in config_faults(ForeignConfig(**{**GOOD, **changes}))]


@pytest.mark.parametrize("user", ["", "65534", "65534:65534", "1000:0"])
def test_an_image_with_no_user_or_a_number_is_accepted(user):
    assert rules(user=user) == []


@pytest.mark.parametrize("user", ["root", "0", "0:0", "00", "appuser", "1000:users", "-1"])
def test_root_and_names_are_refused(user):
    assert rules(user=user) == ["I102"]


@pytest.mark.parametrize(
    "change", [{"architecture": "arm64"}, {"os": "windows"}, {"os": "", "architecture": ""}]
)
def test_another_platform_is_refused(change):
    assert rules(**change) == ["I101"]


def test_volumes_are_refused_by_name():
    [fault] = config_faults(ForeignConfig(**{**GOOD, "volumes": ("/data",)}))
    assert (fault.rule, fault.message) == ("I103", "the image declares volumes: /data")


def test_the_size_limit_is_said_in_both_figures():
    [fault] = size_faults(3 * 10**9, bytes_max=2 * 10**9)
    assert fault.message == "the image comes to 3.0 GB uncompressed; at most 2.0 GB"
    assert list(size_faults(2 * 10**9, bytes_max=2 * 10**9)) == []


FILES = Inventory(
    {
        "opt/bin/tool": ImageFile("file", 0o755),
        "opt/bin/data": ImageFile("file", 0o644),
        "opt/bin": ImageFile("folder", 0o755),
        "opt/venv/bin/python3": ImageFile("link", target="/usr/bin/python3.9"),
        "usr/bin/python3.9": ImageFile("file", 0o755),
    }
)


@pytest.mark.parametrize("program", ["tool", "/opt/bin/tool"])
def test_a_program_in_the_image_is_accepted(program):
    assert list(program_faults(FILES, program, "/bin:/opt/bin")) == []


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("absent", r"absent is not in the image on the image's PATH \(/opt/bin\)"),
        ("/opt/absent", "/opt/absent is not in the image$"),
        ("/opt/bin/data", "/opt/bin/data is not an executable file"),
        ("/opt/bin", "/opt/bin is not an executable file"),
    ],
)
def test_a_program_that_cannot_be_started_is_refused(program, said):
    with pytest.raises(ImageRuleError, match=f"I105 runtime.command.argv: {said}") as refused:
        require([*program_faults(FILES, program, "/opt/bin")])
    assert refused.value.subject == "I105"


def test_python_is_named_where_it_lies_and_not_where_its_link_leads():
    assert find_python(FILES, "/usr/bin:/opt/venv/bin") == "/opt/venv/bin/python3"
    assert find_python(FILES, "/usr/bin") is None
    assert [one.rule for one in python_faults(None, "/usr/bin")] == ["I106"]


def test_every_broken_rule_is_named_and_the_hint_is_the_first_fix():
    faults = list(config_faults(ForeignConfig(**{**GOOD, "user": "root", "volumes": ("/x",)})))
    with pytest.raises(ImageRuleError, match=r"I102 .*; I103 ") as refused:
        require(faults)
    assert refused.value.hint == faults[0].fix
    assert {one.rule for one in faults} <= set(RULES)
