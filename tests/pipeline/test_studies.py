"""Studies of a profile: complete, refused where they are not, priced by job, run on files of the same format."""

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from beyond_alignment.cli import app
from beyond_alignment.datasets.folders import read_folder
from beyond_alignment.errors import InputError
from beyond_alignment.pipeline import studies
from beyond_alignment.pipeline.jobs import plan_jobs, processes
from beyond_alignment.pipeline.profiles import load_profile
from beyond_alignment.pipeline.studies import find_study, load_studies, run_study
from tests.tissue import make_tissue


def test_the_full_profile_is_complete_and_lists_every_job():
    machine, found = load_studies("full")
    assert [study.name for study in found] == ["lung", "breast", "thymus"]
    jobs = plan_jobs(load_profile("full"), machine, found)
    for study in found:
        names = {job.name for job in jobs if job.name.startswith(f"{study.name}: ")}
        assert len(names) == 4 + len(study.methods)
    mine = [job for job in jobs if ": " in job.name]
    assert sum(job.seconds for job in mine) < 12 * 3600  # overnight
    assert max(job.memory_gb for job in mine if job.where == "GPU") < machine.gpu_gb
    host = [job.memory_gb for job in mine if job.where == "CPU"]
    assert max(memory * processes(machine, memory) for memory in host) < machine.memory_gb


def test_the_dry_run_prints_them_and_runs_nothing():
    said = CliRunner().invoke(app, ["book", "run", "--profile", "full", "--dry-run"])
    assert said.exit_code == 0
    assert "lung: bottleneck" in said.output
    assert "is not there yet" in said.output
    assert "page 06_scaling" in said.output


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A profile with one study, and a folder in the layout of HEST-1k with both embeddings beside it."""
    (tmp_path / "notebooks" / "profiles").mkdir(parents=True)
    monkeypatch.setattr(studies, "root", lambda: tmp_path)
    monkeypatch.setenv("BEYOND_ALIGNMENT_RESULTS", str(tmp_path / "results"))
    common = {"expression": "nicheformer", "morphology": "uni2_h", "field_of_view_um": 0, "label": "annotation"}
    common |= {"groups": "section", "methods": ["expression_only", "concat", "surrogate_morphology"], "n_folds": 2}
    common |= {"fractions": [0.3, 1.0], "n_seeds": 2, "n_trials": 1, "n_spots": 50, "n_classes": 2}
    machine = {"device": "a card", "gpu_gb": 80, "memory_gb": 64, "cores": 4, "teraflops": 1, "patches_per_second": 1}
    profile = {"pages": {}, "machine": machine}
    profile["studies"] = {"common": common, "tissues": {"lung": {"folder": "hest1k/lung"}}}
    place = tmp_path / "notebooks" / "profiles" / "full.yaml"
    place.write_text(yaml.safe_dump(profile))
    return tmp_path, place, profile


def write_hest(folder):
    """Write two samples as HEST-1k lays them out, read them, and add the columns that embedding and annotation add."""
    for name in ("st", "wsis", "metadata"):
        (folder / name).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(2):
        sample = make_tissue(side=6, sections=("A1",), seed=number)[:25]
        sample.obs = sample.obs[[]]
        sample.uns = {}
        sample.write_h5ad(folder / "st" / f"TENX{number}.h5ad")
        (folder / "wsis" / f"TENX{number}.tif").touch()
        (folder / "metadata" / f"TENX{number}.json").write_text('{"pixel_size_um_estimated": 0.5}')
    adata = read_folder(folder)
    bit = rng.integers(0, 2, adata.n_obs)
    adata.obs["annotation"] = np.array(["alveolar", "airway"])[bit]
    adata.obsm["X_uni2_h"] = rng.normal(size=(adata.n_obs, 1536)) + 0.5 * bit[:, None]
    adata.obsm["X_nicheformer"] = rng.normal(size=(adata.n_obs, 512)) + 0.5 * bit[:, None]
    adata.write_h5ad(folder.with_name(f"{folder.name}.h5ad"))


def test_a_study_runs_on_generated_files_and_goes_on_where_it_stopped(small):
    base, _, _ = small
    study = find_study("full", "lung")
    with pytest.raises(InputError, match="--dry-run prints"):
        run_study(study, profile="full")
    write_hest(base / "hest1k" / "lung")
    points = pd.read_csv(run_study(study, profile="full"))
    assert points.groupby(["method", "fraction"])["seed"].nunique().eq(2).all()
    assert set(points["method"]) == set(study.methods)
    kept = list((base / "executed" / "full" / "points").glob("*.npz"))
    assert len(kept) == 3 * 2 * 2 * 2  # methods, fractions, seeds, folds
    times = {path: path.stat().st_mtime_ns for path in kept}
    run_study(study, profile="full")
    assert {path: path.stat().st_mtime_ns for path in kept} == times


def test_a_wrong_study_is_refused(small):
    _, place, profile = small
    with pytest.raises(InputError, match="did you mean 'lung'"):
        find_study("full", "lungs")
    profile["studies"]["tissues"]["lung"]["lable"] = "x"
    place.write_text(yaml.safe_dump(profile))
    with pytest.raises(InputError, match="did you mean 'label'"):
        load_studies("full")
    del profile["studies"]["tissues"]["lung"]["lable"], profile["studies"]["common"]["groups"]
    place.write_text(yaml.safe_dump(profile))
    with pytest.raises(InputError, match="lacks groups"):
        load_studies("full")
