"""The door through which pytest finds the contract suite: two options, and nothing else until one of them is used.

pytest imports this module in every run of anybody who has Assay installed, so it imports nothing itself.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: "pytest.Parser") -> None:
    """Add the options and the ini setting."""
    group = parser.getgroup("assay", "contract suite of Assay plugins")
    group.addoption(
        "--assay-plugin",
        action="append",
        default=[],
        metavar="FOLDER",
        help="run the contract suite on the plugin in FOLDER: every rule, the image, the embedded tests (repeatable)",
    )
    group.addoption("--assay-engine", default="auto", metavar="NAME", help="container engine (default: auto)")
    group.addoption(
        "--assay-repeats", type=int, default=3, metavar="N", help="runs of each embedded test (default: 3)"
    )
    group.addoption(
        "--assay-rules-only", action="store_true", help="check the rules alone; needs no container engine"
    )
    parser.addini(
        "assay_plugins",
        "folders of plugins whose contract suite belongs to this repository; 'auto' takes every plugin.toml found",
        type="args",
        default=[],
    )


def pytest_configure(config: "pytest.Config") -> None:
    """Bring in the suite where a plugin is named."""
    if config.getoption("--assay-plugin") or config.getini("assay_plugins"):
        from host.contract_suite import ContractSuite

        config.pluginmanager.register(ContractSuite.of(config), "assay-contract-suite")
