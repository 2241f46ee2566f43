"""One set of pins: pyproject.toml, environment.yml and constraints.txt agree."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from beyond_alignment.project import root

PROJECT = tomllib.loads((root() / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
ENVIRONMENT = yaml.safe_load((root() / "environment.yml").read_text(encoding="utf-8"))
CONSTRAINTS = [
    line for line in (root() / "constraints.txt").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
]


def test_every_pin_is_exact_and_public():
    wrong = [pin for pin in [*PINS, *CONSTRAINTS] if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)]
    assert wrong == []


def test_environment_yml_installs_the_pins_of_pyproject():
    (pip,) = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    assert sorted(pip) == sorted(PINS)


def test_environment_yml_uses_a_python_that_pyproject_allows():
    (python,) = [entry for entry in ENVIRONMENT["dependencies"] if str(entry).startswith("python=")]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(f"{python.removeprefix('python=')}.0")


@pytest.mark.parametrize("pin", PINS)
def test_constraints_hold_every_pin(pin):
    versions = {canonicalize_name(name): version for name, version in (line.split("==") for line in CONSTRAINTS)}
    name, version = pin.split("==")
    assert versions.get(canonicalize_name(name)) == version
