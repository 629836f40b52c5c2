import pytest

from host.images.dockerfile import base_digest, read_dockerfile

DIGEST = "a" * 64
PINNED = f"example.org:5000/tools/fsl@sha256:{DIGEST}"
BASE = f"assay/base:{DIGEST}"


def rules(text: str) -> list[str]:
    return [one.rule for one in read_dockerfile(text).faults]


def test_a_pinned_multi_stage_dockerfile_is_accepted():
    read = read_dockerfile(
        f"""# syntax is a word in this comment
FROM {PINNED} AS builder
RUN make \\
    # a comment between
    && make install
from --platform=linux/amd64 {BASE}
COPY --from=builder --chown=1:1 /out /opt
COPY --from=0 /out /opt
COPY --from={PINNED} /licence /
ADD data.tar /opt/
FROM builder
FROM scratch
HEALTHCHECK --interval=5s CMD true
"""
    )
    assert read.faults == ()
    assert read.images == (PINNED, BASE)
    assert not read.wants_certificates


@pytest.mark.parametrize(
    "line",
    [
        "FROM debian",
        "FROM debian:12",
        "FROM example.org/debian:12",
        "FROM debian@sha256:abc",
        "FROM assay/base",
        "FROM assay/base:latest",
        "FROM ${BASE}",
        "FROM",
        f"FROM {PINNED} AS",
        "FROM later\nFROM scratch AS later",
        "RUN true",
        "",
    ],
)
def test_a_start_that_nothing_pins_is_refused(line):
    assert "I201" in rules(line)


def test_the_fault_names_the_line_and_says_what_to_write():
    [fault] = read_dockerfile("# x\n\nFROM scratch\nFROM debian:12\n").faults
    assert (fault.rule, fault.path) == ("I201", "Dockerfile line 4")
    assert "FROM debian:12: not pinned by digest" in fault.message
    assert "assay/base:DIGEST" in fault.fix


@pytest.mark.parametrize(
    "line",
    [
        "ADD https://example.org/model.bin /opt/",
        "ADD git@example.org:x/y.git /opt/",
        'ADD ["http://example.org/x", "/"]',
        "ADD $URL /opt/",
        "ADD \\\n  https://example.org/x /",
        "add https://example.org/model.bin /opt/",
        'ADD ["https:\\u002f/example.org/x", "/"]',
        "ADD file\\\n:// /",
    ],
)
def test_add_takes_nothing_from_the_network(line):
    assert rules(f"FROM scratch\n{line}\n") == ["I202"]


@pytest.mark.parametrize("source", ["debian:12", "absent", "1", "$STAGE"])
def test_copy_takes_nothing_from_an_image_that_nothing_pins(source):
    assert rules(f"FROM scratch\nCOPY --from={source} / /\n") == ["I203"]


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=docker/dockerfile:1\nFROM scratch\n",
        "# escape=`\nFROM scratch\n",
        "FROM scratch\nRUN --mount=type=cache,target=/x true\n",
        "FROM scratch\nRUN --network=host true\n",
        "FROM scratch\nCOPY <<EOF /x\n",
        "FROM --platform=linux/arm64 scratch\n",
        "FROM scratch\nADD --checksum=sha256:x x /\n",
        "FROM scratch\n!!!\n",
        # What a later stage would do, unread.
        "FROM scratch AS a\nONBUILD ADD https://example.org/x /\nFROM a\n",
        # The builder takes quotes and escapes off, and would read a flag or an address.
        'FROM scratch\nCOPY "--from=debian:12" / /\n',
        "FROM scratch\nCOPY --fr\\om=debian:12 / /\n",
        "FROM scratch\nADD https:/'/'example.org/x /\n",
        'FROM scratch\nADD ["https:\\"\\"//example.org/x", "/"]\n',
        # Python sees two lines here, the builder one.
        "FROM scratch\nADD a\x0b# https://example.org/x /\n",
        "FROM scratch\nADD a\u2028# https://example.org/x /\n",
        "FROM scratch\rFROM debian:12\n",
        "FROM scratch\nWORKDIRX /\n",
    ],
)
def test_what_the_classic_builder_would_not_understand_is_refused(text):
    assert "I204" in rules(text)


@pytest.mark.parametrize(
    "text", ["FR\\\nOM debian:12\n", "FROM \\\n# a comment\n\n  debian:12", "FROM debian:12 \\"]
)
def test_a_start_broken_over_lines_is_read_as_the_builder_reads_it(text):
    assert rules(text) == ["I201"]


def test_line_ends_of_windows_are_read():
    assert rules("FROM scratch\r\nCOPY a \\\r\n /b\r\n") == []


def test_the_base_of_this_host_is_told_by_its_digest():
    assert base_digest(BASE) == f"sha256:{DIGEST}"
    assert base_digest(PINNED) is None


def test_the_hosts_certificates_are_wanted_only_by_name():
    text = "FROM scratch\nCOPY .assay/ca-certificates.crt /tmp/\n"
    assert read_dockerfile(text).wants_certificates
