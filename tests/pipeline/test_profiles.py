import pytest

from beyond_alignment.errors import InputError
from beyond_alignment.pipeline.parameters import declared, resolve
from beyond_alignment.pipeline.profiles import load_profile


def notebook(*sources):
    return {"cells": [{"source": source, "metadata": {"tags": ["parameters"]}} for source in sources]}


def test_a_page_keeps_its_defaults_for_what_a_profile_does_not_say(project):
    pages = {plan.name: plan for plan in load_profile("full").pages}
    assert list(pages) == ["01_first", "02_second", "03_third"]
    expected = {"profile": "full", "seed": 1, "names": ["a", "b"], "rate": 2, "device": "auto"}
    assert pages["02_second"].parameters == expected
    assert load_profile("quick").pages[0].expected_seconds == 2


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("pages: {01_frist: {}}", "unknown page '01_frist'.*did you mean '01_first'"),
        ("pages: {01_first: {parameters: {seeds: 1}}}", "no parameter 'seeds': did you mean 'seed'"),
        ("pages: {01_first: {parameters: {seed: one}}}", "expected int like 1"),
        ("pages: {01_first: {parameter: {seed: 1}}}", "unknown key 'parameter': did you mean 'parameters'"),
        ("page: {}", "unknown key 'page'"),
        ("pages: [", "not YAML"),
        ("3", "expected a mapping"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_nearest_name(project, text, match):
    project.write("notebooks/profiles/quick.yaml", text)
    with pytest.raises(InputError, match=match):
        load_profile("quick")


def test_an_unknown_profile_names_the_nearest(project):
    with pytest.raises(InputError, match="did you mean 'quick'"):
        load_profile("quik")


def test_declared_parameters_are_literals_with_their_types():
    source = "a = 1  # how many\nb: float = 0.5\nc = ['x']\nd = None\ne = -2\nf = 'text'"
    assert declared("p", notebook(source)) == {"a": 1, "b": 0.5, "c": ["x"], "d": None, "e": -2, "f": "text"}


@pytest.mark.parametrize("source", ["import os", "a = b", "a, b = 1, 2", "a = (1, 2)", "a = f()", "print(1)", "a: int"])
def test_anything_else_in_the_parameters_cell_is_refused(source):
    with pytest.raises(InputError, match="may only give names"):
        declared("p", notebook(source))


@pytest.mark.parametrize("sources", [(), ("a = 1", "b = 1")])
def test_there_is_one_parameters_cell(sources):
    with pytest.raises(InputError, match="exactly one"):
        declared("p", notebook(*sources))


@pytest.mark.parametrize(
    ("default", "value", "fits"),
    [
        (1.0, 2, True),
        (1, 2.0, False),
        (True, 1, False),
        (1.0, True, False),
        ([1.0], [1, 2.5], True),
        (["a"], [1], False),
        ([], ["a"], True),
        (None, 5, True),
        ("a", None, False),
    ],
)
def test_types_follow_the_default(default, value, fits):
    if fits:
        assert resolve("p", {"x": default}, {"x": value}) == {"x": value}
    else:
        with pytest.raises(InputError, match="expected"):
            resolve("p", {"x": default}, {"x": value})
