import torch

from beyond_alignment.experts import torchvision_operators
from beyond_alignment.experts.torchvision_operators import declare_operators, import_timm


def test_nothing_is_declared_where_the_wheels_match(monkeypatch):
    monkeypatch.setattr(torchvision_operators, "_compiled_operators_load", lambda: True)
    declare_operators.cache_clear()
    assert declare_operators() is None
    declare_operators.cache_clear()


def test_schemas_are_declared_once_where_they_do_not(monkeypatch):
    declared = []

    class Library:
        def __init__(self, name, kind):
            declared.append((name, kind))

        def define(self, schema):
            declared.append(schema)

    monkeypatch.setattr(torchvision_operators, "_compiled_operators_load", lambda: False)
    monkeypatch.setattr(torch.library, "Library", Library)
    declare_operators.cache_clear()
    first = declare_operators()
    assert declare_operators() is first is not None
    assert declared[0] == ("torchvision", "DEF")
    assert [schema.split("(")[0] for schema in declared[1:]] == ["nms", "qnms"]
    declare_operators.cache_clear()


def test_timm_and_its_transforms_can_be_imported_here():
    timm = import_timm()
    assert "mobilenetv2_100" in timm.list_models()
    assert __import__("torchvision").transforms.Resize(8) is not None
