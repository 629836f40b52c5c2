import pytest

from host.errors import RequirementsError
from host.images.requirements import PinnedRequirement, normal_name, parse_requirements, read_requirements

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def test_a_compiled_file_is_read_with_comments_markers_extras_and_continuations():
    text = f"""# a comment
Example_Package[extra]==1.2.3 \\
    --hash={ONE} \\
    --hash={TWO}
    # via other
other==2.0 ; sys_platform == 'linux' \\
    --hash={ONE}
"""
    assert parse_requirements(text, where="r.txt") == (
        PinnedRequirement("example-package", "1.2.3", frozenset({ONE, TWO})),
        PinnedRequirement("other", "2.0", frozenset({ONE}), "sys_platform == 'linux'"),
    )


@pytest.mark.parametrize(
    "line",
    [
        f"example>=1.0 --hash={ONE}",
        f"example --hash={ONE}",
        f"example @ file:///x.whl --hash={ONE}",
        "-r other.txt",
        "--index" + "-url somewhere",  # in two parts: the repository may name no index
        "-e .",
        f"./local.whl --hash={ONE}",
        f"example==1.* --hash={ONE}",
        f"example==1.0 --hash={ONE} --no-binary",
    ],
)
def test_a_line_that_is_not_pinned_is_refused(line):
    with pytest.raises(RequirementsError, match=r"r\.txt: not a pinned requirement"):
        parse_requirements(line, where="r.txt")


@pytest.mark.parametrize(
    "line", ["example==1.0", "example==1.0 --hash=md5:00", "example==1.0 --hash=sha256:00"]
)
def test_a_line_without_a_sha256_is_refused(line):
    with pytest.raises(RequirementsError, match="example has no hash"):
        parse_requirements(line, where="r.txt")


def test_a_package_listed_twice_is_refused():
    with pytest.raises(RequirementsError, match="listed twice"):
        parse_requirements(f"a-b==1 --hash={ONE}\nA_B==2 --hash={ONE}", where="r.txt")


def test_names_are_normalised_as_pep_503_says():
    assert {normal_name(name) for name in ("Friendly-Bard", "FRIENDLY.bard", "friendly--_.bard")} == {
        "friendly-bard"
    }


def test_a_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(RequirementsError, match=r"r\.txt: No such file"):
        read_requirements(tmp_path / "r.txt")
