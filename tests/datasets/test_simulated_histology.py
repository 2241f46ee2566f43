"""Simulated tissue: bits, genes and transcripts against closed forms, dials, donors, bad input."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beyond_alignment.datasets import transcripts
from beyond_alignment.datasets.simulated_histology import LABEL_BITS, Dials, simulate_field, simulate_fields
from beyond_alignment.datasets.simulated_histology.bits import BITS, CORE_BITS, SHAPE_BITS, draw_bits, scores
from beyond_alignment.datasets.simulated_histology.dials import PROGRAMMES
from beyond_alignment.datasets.simulated_histology.genes import draw_genes, expected_counts, truth_of
from beyond_alignment.datasets.simulated_histology.random_fields import jittered_lattice, smooth_grid, stream
from beyond_alignment.datasets.simulated_histology.scattering import scatter
from beyond_alignment.errors import InputError
from beyond_alignment.simulate import decompose, symbol_table

OFF = dict.fromkeys(PROGRAMMES, 0.0)


@cache
def field(**dials):
    """Cells whose bits are independent coins, by default; the picture is coarse where only cells are asked for."""
    chosen = {**OFF, "donor_effect": 0.0, "niche_um": 0.0, "co_location_um": 0.0, **dials}
    return simulate_field(size_um=700, microns_per_pixel=4.0, dials=chosen, n_core_genes=26, n_addon_genes=6, seed=3)


def counts(simulated):
    """Transcripts that each cell made (cell, gene)."""
    made = simulated.transcript_cells
    genes = simulated.on_image.transcripts["gene"].cat.codes.to_numpy()
    table = np.zeros((len(simulated.cells), len(simulated.core_genes) + len(simulated.addon_genes)))
    np.add.at(table, (made[made >= 0], genes[made >= 0]), 1)
    return table


def addon_score(simulated, programme):
    """The add-on counts of each cell, weighted by the sign of their loadings on a programme, without their mean."""
    table = counts(simulated)[:, len(simulated.core_genes) :]
    weighted = (table / table.mean(axis=0)) @ np.sign(simulated.truth[programme].to_numpy())
    return weighted - weighted.mean()


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


def test_same_seed_same_bytes_and_another_seed_other_tissue():
    one, two, other = (simulate_field(size_um=150, microns_per_pixel=1.0, seed=seed) for seed in (5, 5, 6))
    assert one.on_image.image.tobytes() == two.on_image.image.tobytes()
    pd.testing.assert_frame_equal(one.on_image.transcripts, two.on_image.transcripts)
    pd.testing.assert_frame_equal(one.cells, two.cells)
    assert one.on_image.image.tobytes() != other.on_image.image.tobytes()


def test_a_field_is_a_picture_with_transcripts_in_it():
    simulated = simulate_field(
        size_um=150.0, microns_per_pixel=0.7, n_core_genes=5, n_addon_genes=2, donor=1, section=2
    )
    picture = simulated.on_image
    assert isinstance(picture, transcripts.TranscriptsOnImage)
    assert picture.image.shape == (214, 214, 3)
    assert picture.image.dtype == np.uint8
    assert picture.microns_per_pixel == 0.7
    assert picture.transcripts[["x", "y"]].to_numpy().min() >= 0
    assert picture.transcripts[["x", "y"]].to_numpy().max() < 214
    assert tuple(picture.transcripts["gene"].cat.categories) == simulated.core_genes + simulated.addon_genes
    assert (len(simulated.core_genes), len(simulated.addon_genes)) == (5, 2)
    assert len(simulated.transcript_cells) == len(picture.transcripts)
    assert simulated.name == "simulated D2S3"
    assert simulated.cells.notna().all(axis=None)
    assert set(simulated.cells.columns) >= {"x_um", "y_um", "cell_type", "niche", "nucleus_um", *BITS}


def test_smooth_fields_have_the_correlation_and_the_crossings_of_their_law():
    change, size = 30.0, 1500.0
    grid = smooth_grid(np.random.default_rng(0), size, change)
    step, length = size / len(grid), change / np.pi
    assert grid.std() == pytest.approx(1.0, abs=0.06)
    lag = round(length / step)
    expected = np.exp(-((lag * step / length) ** 2) / 2)
    assert (grid[:, lag:] * grid[:, :-lag]).mean() == pytest.approx(expected, abs=0.06)
    changes = (np.diff(np.sign(grid), axis=1) != 0).mean()  # from one grid cell to the next
    assert step / changes == pytest.approx(change, rel=0.06)


def _all_labels(shared, expression, morphology, pair_expression, pair_morphology):
    return 8 * shared + 4 * expression + 2 * morphology + (pair_expression ^ pair_morphology)


def test_labels_of_a_cell_hold_the_bits_that_are_stated():
    rules = {
        "redundant": lambda shared, **_: shared,
        "unique_expression": lambda expression, **_: expression,
        "unique_morphology": lambda morphology, **_: morphology,
        "synergy": lambda pair_expression, pair_morphology, **_: pair_expression ^ pair_morphology,
    }
    for name, rule in rules.items():
        pid = decompose(symbol_table(dict.fromkeys(BITS, 2), CORE_BITS, SHAPE_BITS, rule))
        for term, bits in LABEL_BITS[name].items():
            assert getattr(pid, term) == pytest.approx(bits, abs=1e-6), (name, term)
    every = decompose(symbol_table(dict.fromkeys(BITS, 2), CORE_BITS, SHAPE_BITS, _all_labels))
    for term, bits in LABEL_BITS["all"].items():
        assert getattr(every, term) == pytest.approx(bits, abs=1e-4), term


def test_bits_are_balanced_and_the_pair_alternates_at_its_own_scale():
    points = jittered_lattice(np.random.default_rng(0), 2000.0, 20.0, jitter=0.2)
    tile = pd.Series(list(map(tuple, (points // 250).astype(int))))
    spread = {}
    for scale in (25.0, 500.0):
        bits = draw_bits(np.random.default_rng(1), points, 2000.0, Dials(co_location_um=scale))
        np.testing.assert_allclose(
            bits.mean()[["shared", "expression", "morphology", "pair_expression"]], 0.5, atol=0.01
        )
        differ = bits["pair_expression"] ^ bits["pair_morphology"]
        spread[scale] = [column.groupby(tile).mean().std() for column in (bits["pair_expression"], differ)]
    assert spread[25.0][0] < 0.1 < 0.2 < spread[500.0][0]  # a tile's mean loses the pair where it alternates finely
    assert spread[25.0][1] == spread[500.0][1] > 0.2
    alone = draw_bits(np.random.default_rng(1), points, 2000.0, Dials(niche_um=0, co_location_um=0))
    assert np.abs(alone.corr().to_numpy() - np.eye(5)).max() < 0.06
    assert alone["shared"].groupby(tile).mean().std() == pytest.approx(
        0.5 / np.sqrt(tile.value_counts().mean()), rel=0.25
    )


def test_expected_counts_have_their_mean_over_the_bits():
    dials = Dials(cell_type=0, core=0.9)
    core, addon = draw_genes(np.random.default_rng(0), dials, n_core=20, n_addon=20)
    every = pd.DataFrame(
        np.stack(np.meshgrid(*[[0, 1]] * 5, indexing="ij"), axis=-1).reshape(-1, 5), columns=list(BITS)
    )
    every["cell_type"] = "none of them"
    total = 0.0
    for genes in (core, addon):
        mean = expected_counts(genes, every).mean(axis=0)
        if genes is core:
            np.testing.assert_allclose(mean, genes["base_per_cell"], rtol=1e-9)
        total += genes["base_per_cell"].sum()
    assert total == pytest.approx(dials.transcripts_per_cell)
    # the scores of the programmes are independent coins, so the mean of their product is 1 as well
    np.testing.assert_allclose(mean, addon["base_per_cell"], rtol=1e-9)


def test_shares_are_those_of_the_variance_of_the_log_rate():
    cells = field(synergy=1.0).cells
    _, addon = draw_genes(np.random.default_rng(1), Dials(), n_core=3, n_addon=30)
    truth = truth_of(addon, cells)
    np.testing.assert_allclose(truth[[f"share_{name}" for name in PROGRAMMES]].sum(axis=1), 1.0)
    np.testing.assert_allclose(truth["core_share"] + truth["share_unique_morphology"] + truth["share_synergy"], 1.0)
    one = addon.assign(cell_type=0.0, unique_expression=0.0, unique_morphology=0.0)
    of_bits = np.log(expected_counts(one, cells)).var(axis=0)
    np.testing.assert_allclose(of_bits, addon["synergy"] ** 2 + addon["redundant"] ** 2, rtol=0.1, atol=1e-6)
    nothing = truth_of(addon.assign(**dict.fromkeys(PROGRAMMES, 0.0)), cells)
    assert (nothing.filter(like="share") == 0).all(axis=None)


def test_transcripts_are_poisson_and_spread_as_stated():
    n, expected = 400, np.array([[3.0, 8.0]])
    centres, radius = np.full((n, 2), 500.0), np.full(n, 6.0)
    drawn = scatter(np.random.default_rng(0), np.repeat(expected, n, axis=0), centres, radius, size_um=1000.0,
                    diffusion_um=2.0, ambient=0.2)  # fmt: skip
    made = drawn.cell >= 0
    table = np.zeros((n, 2))
    np.add.at(table, (drawn.cell[made], drawn.gene[made]), 1)
    mean = 0.8 * expected[0]
    np.testing.assert_allclose(table.mean(axis=0), mean, atol=4 * np.sqrt(mean / n).max())
    np.testing.assert_allclose(table.var(axis=0) / mean, 1.0, atol=4 * np.sqrt(2 / n))
    offset = drawn.places[made] - 500.0
    np.testing.assert_allclose(offset.var(axis=0), 6.0**2 / 4 + 2.0**2, rtol=4 * np.sqrt(2 / len(offset)))
    loose = drawn.places[~made]
    assert len(loose) == pytest.approx(0.2 * n * 11.0, abs=4 * np.sqrt(0.2 * n * 11.0))
    np.testing.assert_allclose(loose.var(axis=0), 1000.0**2 / 12, rtol=0.15)


def test_a_field_holds_the_counts_that_its_tables_expect():
    simulated = simulate_field(size_um=400, microns_per_pixel=2.0, seed=2, dials={"ambient": 0.0, "diffusion_um": 0.0})
    tables = [expected_counts(genes, simulated.cells) for genes in (simulated.core, simulated.truth)]
    mean = (np.hstack(tables) * np.exp(simulated.gene_shifts)).sum(axis=0)
    found = simulated.on_image.transcripts["gene"].value_counts(sort=False).to_numpy()
    surprise = (found - mean) / np.sqrt(mean)
    assert np.abs(surprise).max() < 4.5  # what falls off the edge is a per cent of some hundred
    assert surprise.std() == pytest.approx(1.0, abs=0.3)


BIT_OF = {"redundant": "shared", "unique_expression": "expression", "unique_morphology": "morphology"}


@pytest.mark.parametrize("programme", BIT_OF)
def test_a_programme_follows_its_bit_and_nothing_else(programme):
    simulated = field(**{programme: 1.0})
    score, bits = addon_score(simulated, programme), simulated.cells[list(BITS)]
    found = bits.corrwith(pd.Series(score))
    assert found.pop(BIT_OF[programme]) > 0.6
    assert found.abs().max() < 4.5 / np.sqrt(len(bits))


def test_with_synergy_alone_neither_side_tells_and_both_together_do():
    simulated = field(synergy=1.0)
    cells, score = simulated.cells, addon_score(simulated, "synergy")
    differ = cells["pair_expression"] ^ cells["pair_morphology"]
    assert correlation(score, differ) > 0.6
    core = counts(simulated)[:, : len(simulated.core_genes)]
    marks = np.sign(simulated.core["pair_expression"].to_numpy())
    expression, shape = core @ marks, np.log(cells["chromatin"])
    shape = shape - shape.groupby(cells["cell_type"], observed=True).transform("mean")
    assert correlation(expression, cells["pair_expression"]) > 0.8
    assert correlation(shape, cells["pair_morphology"]) > 0.8
    alone = np.column_stack([core, cells[["nucleus_um", "nucleus_aspect", "chromatin"]], cells[list(BITS)]])
    tested = [correlation(score, column) for column in alone.T]
    assert np.abs(tested).max() < 4.5 / np.sqrt(len(cells))
    assert correlation(score, -np.sign(expression - np.median(expression)) * np.sign(shape)) > 0.5


def test_core_genes_say_nothing_of_the_bits_that_only_nuclei_show():
    simulated = field(synergy=1.0)
    core = counts(simulated)[:, : len(simulated.core_genes)]
    limit = 4.5 / np.sqrt(len(core))
    for bit in ("morphology", "pair_morphology"):
        assert np.abs([correlation(gene, simulated.cells[bit]) for gene in core.T]).max() < limit
    assert np.abs([correlation(gene, simulated.cells["shared"]) for gene in core.T]).max() > 3 * limit


def test_a_dial_moves_its_own_effect_alone():
    plain, other = field(synergy=1.0), field(redundant=1.0)
    assert plain.on_image.image.tobytes() == other.on_image.image.tobytes()
    pd.testing.assert_frame_equal(plain.cells, other.cells)
    assert plain.truth["synergy"].abs().gt(0).all()
    assert not other.truth["synergy"].any()
    np.testing.assert_allclose(plain.core["base_per_cell"], other.core["base_per_cell"])
    flat = field(synergy=1.0, core=0.0)
    assert not flat.core[["cell_type", *CORE_BITS]].any(axis=None)


def test_donors_differ_by_stain_and_genes_and_a_donor_is_the_same_in_all_its_sections():
    study = simulate_fields(n_donors=2, fields_per_donor=2, size_um=120, microns_per_pixel=1.0, n_core_genes=30)
    assert [f.name for f in study] == [f"simulated D{d}S{s}" for d in (1, 2) for s in (1, 2)]
    np.testing.assert_array_equal(study[0].stain.eosin, study[1].stain.eosin)
    np.testing.assert_array_equal(study[0].gene_shifts, study[1].gene_shifts)
    assert not np.allclose(study[0].stain.eosin, study[2].stain.eosin, rtol=0.01)
    assert np.abs(study[0].gene_shifts - study[2].gene_shifts).max() > 0.2
    pd.testing.assert_frame_equal(study[0].core, study[3].core)
    assert study[0].cells["x_um"].iloc[0] != study[1].cells["x_um"].iloc[0]
    shifts = np.concatenate([simulate_field(size_um=100, microns_per_pixel=4, donor=d).gene_shifts for d in range(4)])
    assert shifts.std() == pytest.approx(0.2, rel=0.15)


def test_streams_of_different_parts_are_different():
    assert stream(1, 0).random() != stream(1, 1).random() != stream(2, 0).random()
    assert set(np.unique(scores(pd.DataFrame(0, index=[0], columns=list(BITS))).to_numpy())) == {-1}


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(["size_um", "microns_per_pixel"]), value=NUMBERS.filter(lambda v: not v >= 0.05) | st.just(1e9)
)
def test_sizes_that_cannot_be_drawn_are_refused(name, value):
    with pytest.raises(InputError, match=name):
        simulate_field(**{"size_um": 200.0, "microns_per_pixel": 1.0, name: value})


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(Dials.__dataclass_fields__)), value=NUMBERS.filter(lambda v: not v >= 0) | st.just(2e5)
)
def test_dials_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=name):
        simulate_field(dials={name: value})


@settings(max_examples=20, deadline=None)
@given(name=st.text(min_size=1).filter(lambda name: name not in Dials.__dataclass_fields__))
def test_unknown_dials_are_refused_with_those_that_there_are(name):
    with pytest.raises(InputError, match="co_location_um"):
        simulate_field(dials={name: 1.0})


@pytest.mark.parametrize(
    "wrong",
    [
        {"size_um": 8.0},
        {"microns_per_pixel": "half"},
        {"n_core_genes": 2},
        {"n_addon_genes": 0},
        {"n_addon_genes": 2.5},
        {"donor": -1},
        {"seed": -1},
        {"dials": [1.0]},
        {"dials": {"synergy": "much"}},
        {"dials": {"co_location_um": 3.0}},
    ],
)
def test_other_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        simulate_field(**wrong)
    if "n_core_genes" in wrong:
        with pytest.raises(InputError, match="n_donors"):
            simulate_fields(n_donors=0)
