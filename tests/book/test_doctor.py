import hashlib
import json

import pytest

from beyond_alignment.book import doctor
from beyond_alignment.experts.availability import Availability


@pytest.fixture
def findings(project, monkeypatch):
    """Let the doctor look at a project, without torch and the data layer."""
    for slow in ("_device", "_data", "_experts"):
        monkeypatch.setattr(doctor, slow, lambda: [])
    digest = hashlib.sha256(b"3").hexdigest()
    project.write("data/manifest.json", json.dumps({"files": {"a.txt": {"sha256": digest}}}))
    return lambda: {finding.what: finding for finding in doctor.examine()}


def test_a_sound_project_has_no_fault(findings):
    found = findings()
    assert all(finding.ok for finding in found.values() if finding.needed)
    assert found["release"].found == "1 files in data/, checksums right"


def test_an_altered_release_is_a_fault(findings, project):
    project.write("data/a.txt", "4")
    assert "missing or altered: a.txt" in findings()["release"].found


@pytest.mark.parametrize(("sections", "needed"), [((), True), (("A1",), False)])
def test_without_raw_data_the_release_is_needed(findings, project, monkeypatch, sections, needed):
    (project.root / "data/manifest.json").unlink()
    monkeypatch.setattr(doctor, "_raw_sections", lambda name: sections)
    assert (findings()["release"].ok, findings()["release"].needed) == (False, needed)


def test_a_check_that_breaks_is_a_fault_and_the_others_go_on(findings, project):
    project.edit("01_first", 1, "seed = open('x')")
    found = findings()
    assert not found["pages"].ok
    assert found["kernel"].ok


def test_experts_are_ready_fetched_or_lack_something_that_is_named(monkeypatch):
    known = {
        "colour": Availability(True, ()),
        "phikon": Availability(True, (), "hub", 0.3),
        "uni": Availability(False, ("token: ask", "GPU memory: 3 GiB")),
    }
    monkeypatch.setattr("beyond_alignment.experts.registry.EXPERTS", known)
    monkeypatch.setattr("beyond_alignment.experts.availability.availability", known.get)
    found = {finding.what: finding for finding in doctor._experts()}
    assert found["experts, ready"].found == "colour"
    assert found["experts, from the hub"].found == "fetched at first use: phikon (0.3 GB)"
    assert found["expert uni"].found == "token: ask; GPU memory: 3 GiB"
    assert not any(finding.needed for finding in found.values())
