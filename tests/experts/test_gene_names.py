import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from beyond_alignment.errors import InputError
from beyond_alignment.experts.gene_names import is_ensembl, match_genes, plain_name

SYMBOLS = ["TP53", "ERBB2", "CD8A", "C1orf112", "HLA-DRA"]
IDS = [f"ENSG{number:011d}" for number in range(1, 6)]


def selected(var_names, wanted, counts, *, min_shared=1):
    return match_genes(var_names, wanted, min_shared=min_shared).select(np.asarray([counts])).toarray()[0].tolist()


def test_genes_come_in_the_order_that_is_wanted_and_absent_ones_are_zero():
    match = match_genes(["CD8A", "ACTB", "TP53"], SYMBOLS, min_shared=2)
    assert match.select(np.array([[1, 2, 3], [4, 5, 6]])).toarray().tolist() == [[3, 0, 1, 0, 0], [6, 0, 4, 0, 0]]
    assert match.missing == ("ERBB2", "C1orf112", "HLA-DRA")
    assert match.n_shared == 2
    assert match.by_case == ()


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("ENSG00000141510.17", "ENSG00000141510"),
        ("ENSMUSG00000059552.3", "ENSMUSG00000059552"),
        ("ensg00000141510", "ENSG00000141510"),
        ("ENSG00000002586.20_PAR_Y", "ENSG00000002586"),
        (" TP53 ", "TP53"),
        ("AC012.3", "AC012.3"),
        ("RP11-34P13.7", "RP11-34P13.7"),
        ("ENST00000269305.9", "ENST00000269305.9"),
    ],
)
def test_only_ensembl_gene_identifiers_lose_their_version(name, plain):
    assert plain_name(name) == plain


def test_versions_do_not_hinder_on_either_side():
    assert selected([IDS[1] + ".4", IDS[0]], [IDS[0] + ".12", IDS[1]], [5, 7]) == [7, 5]


def test_an_exact_version_outranks_another():
    assert selected([f"{IDS[0]}.2"], [f"{IDS[0]}.1", f"{IDS[0]}.2"], [3]) == [0, 3]


def test_columns_of_the_same_gene_are_summed():
    match = match_genes(["TP53", "CD8A", "TP53"], SYMBOLS[:3], min_shared=2)
    assert match.select(sparse.csr_matrix([[1, 2, 4]])).toarray().tolist() == [[5, 0, 2]]
    assert selected([f"{IDS[0]}.1", f"{IDS[0]}.1_PAR_Y"], IDS, [3, 4]) == [7, 0, 0, 0, 0]


def test_an_exact_name_outranks_one_of_another_case():
    assert selected(["c1ORF112", "Tp53"], ["TP53", "C1orf112", "Tp53"], [1, 2]) == [0, 1, 2]
    match = match_genes(["Tp53", "CD8A"], ["TP53", "CD8A"], min_shared=2)
    assert match.by_case == ("TP53",)


def test_symbols_against_ensembl_says_so_and_names_both():
    with pytest.raises(InputError, match="0 of the 5 genes") as caught:
        match_genes(SYMBOLS, IDS, min_shared=1)
    assert "The data has TP53, ERBB2, CD8A; the model ENSG00000000001" in str(caught.value)
    assert "the data has symbols and the model Ensembl identifiers" in str(caught.value)
    with pytest.raises(InputError, match="the data has Ensembl identifiers and the model symbols"):
        match_genes(IDS, SYMBOLS, min_shared=1)


@pytest.mark.parametrize(
    ("min_shared", "enough"), [(2, True), (3, False), (0.4, True), (0.41, False), (1.0, False), (0, True)]
)
def test_fewest_genes_are_a_number_or_a_share(min_shared, enough):
    if enough:
        assert match_genes(SYMBOLS[:2], SYMBOLS, min_shared=min_shared).n_shared == 2
    else:
        with pytest.raises(InputError, match=r"2 of the 5 genes .* check the species"):
            match_genes(SYMBOLS[:2], SYMBOLS, min_shared=min_shared)


@pytest.mark.parametrize("min_shared", [-1, 1.5, -0.1])
def test_a_number_that_cannot_be_is_refused(min_shared):
    with pytest.raises(InputError, match="min_shared is"):
        match_genes(SYMBOLS, SYMBOLS, min_shared=min_shared)


def test_a_gene_that_is_wanted_twice_is_refused():
    with pytest.raises(InputError, match="listed more than once, such as 'TP53'"):
        match_genes(SYMBOLS, ["TP53", "CD8A", "TP53"], min_shared=1)


def test_no_genes_at_all_are_refused():
    with pytest.raises(InputError, match="The data has no genes"):
        match_genes([], SYMBOLS, min_shared=1)
    assert not is_ensembl([])


@settings(max_examples=80, deadline=None)
@given(
    numbers=st.lists(st.integers(0, 10**9), min_size=1, max_size=30, unique=True),
    data=st.data(),
)
def test_any_way_of_writing_identifiers_finds_every_gene_and_every_count(numbers, data):
    wanted = [f"ENSG{number:011d}" for number in numbers]
    columns = data.draw(st.permutations(wanted + data.draw(st.lists(st.sampled_from(wanted), max_size=5))))
    ways = (str.lower, str, lambda name: name + ".7", lambda name: f"{name}.7_PAR_Y", lambda name: f" {name}")
    written = [data.draw(st.sampled_from(ways))(name) for name in columns] + ["ENSG99999999999", "ACTB"]
    counts = np.arange(1, len(written) + 1)
    match = match_genes(written, wanted, min_shared=1.0)
    truth = [sum(count for count, name in zip(counts, columns, strict=False) if name == gene) for gene in wanted]
    assert match.select(counts[None]).toarray()[0].tolist() == truth
    assert match.missing == match.by_case == ()


@settings(max_examples=80, deadline=None)
@given(have=st.lists(st.text(max_size=4), max_size=12), wanted=st.lists(st.text(max_size=4), max_size=12, unique=True))
def test_any_names_are_matched_or_refused_and_nothing_is_counted_twice(have, wanted):
    match = match_genes(have, wanted, min_shared=0)
    assert len(set(match.columns.tolist())) == len(match.columns)
    for column, place in zip(match.columns, match.positions, strict=True):
        assert plain_name(have[column]).upper() == plain_name(wanted[place]).upper()
    exact = set(have) & set(wanted)
    assert exact <= {wanted[place] for place in match.positions}
    assert match.n_shared + len(match.missing) == len(wanted)
