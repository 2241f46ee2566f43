"""What can be estimated from, and the one sentence that says why not: the boundary of every estimator."""

import warnings
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from beyond_alignment.errors import InputError
from beyond_alignment.information import PID_ESTIMATORS, estimate_pid
from beyond_alignment.information import samples as boundary
from beyond_alignment.information.posterior import make_folds
from beyond_alignment.information.samples import Samples, check_samples


def good(n=240, seed=0):
    """Two sources, labels and groups that nothing is wrong with."""
    rng = np.random.default_rng(seed)
    x1, x2 = rng.normal(size=(n, 6)), rng.normal(size=(n, 4)).astype(np.float32)
    y = np.array(["a", "b", "c"])[rng.integers(3, size=n)]
    groups = np.array([f"donor {i % 8}" for i in range(n)])
    return {"x1": x1, "x2": x2, "y": y, "groups": groups}


def spoilt(change):
    """The good samples with one thing changed."""
    samples = good()
    change(samples)
    return samples


def put(key, value):
    return lambda samples: samples.update({key: value(samples)})


def with_entries(matrix, entries):
    matrix = np.array(matrix)
    for where, value in entries.items():
        matrix[where] = value
    return matrix


def copy_rows(samples):
    for key in ("x1", "x2"):
        samples[key][[9, 18, 27]] = samples[key][[0, 1, 2]]


BAD = {
    "NaN": (
        put("x1", lambda s: with_entries(s["x1"], {(3, 5): np.nan, (3, 1): np.inf, (7, 0): np.nan})),
        "x1 holds 3 NaN or infinite values in 2 of 240 rows (first: row 3, column 1)",
    ),
    "infinity in the other": (put("x2", lambda s: with_entries(s["x2"], {(0, 0): -np.inf})), "x2 holds 1 NaN or inf"),
    "huge": (put("x1", lambda s: s["x1"] * 1e200), "values as large as"),
    "words as a source": (put("x1", lambda s: [*s["x1"].astype(str).tolist()[:-1], ["x"] * 6]), "not hold real num"),
    "ragged": (put("x1", lambda s: [[1.0], [1.0, 2.0]]), "x1 does not hold real numbers"),
    "complex": (put("x1", lambda s: s["x1"] * 1j), "x1 does not hold real numbers"),
    "no feature": (put("x1", lambda s: s["x1"][:, :0]), "x1 has shape (240, 0)"),
    "three axes": (put("x1", lambda s: s["x1"][None]), "x1 has shape (1, 240, 6)"),
    "constant": (put("x2", lambda s: np.ones((240, 3))), "x2 is the same in all 240 rows"),
    "lengths": (put("x2", lambda s: s["x2"][:-1]), "x1 has 240 rows and x2 has 239"),
    "labels' length": (put("y", lambda s: s["y"][:-1]), "y has 239 labels for 240 rows"),
    "groups' length": (put("groups", lambda s: s["groups"][:-1]), "groups has 239 values for 240 samples"),
    "one class": (put("y", lambda s: ["tumour"] * 240), "y holds one class ('tumour') in all 240 rows"),
    "thin classes": (
        put("y", lambda s: with_entries(s["y"].astype(object), {(0,): "rare", (1,): "rare", (2,): "lone"})),
        "y has classes with too few samples: 'lone' (1), 'rare' (2); each needs 10",
    ),
    "missing labels": (
        put("y", lambda s: with_entries(s["y"].astype(object), {(4,): None, (5,): np.nan})),
        "y misses 2 of 240 labels (first: row 4)",
    ),
    "masked labels": (put("y", lambda s: np.ma.array(s["y"], mask=np.arange(240) == 9)), "y misses 1 of 240"),
    "a missing number": (
        put("y", lambda s: with_entries(s["x1"][:, :2] ** 2, {(8, 1): np.nan})),
        "y is NaN or infinite in 1 of 240 rows (first: row 8)",
    ),
    "an infinite number": (
        put("y", lambda s: with_entries(s["x1"][:, 0] ** 2, {(8,): np.inf})),
        "y is NaN or infinite in 1 of 240 rows (first: row 8)",
    ),
    "an enormous number": (put("y", lambda s: s["x1"][:, 0] * 1e200), "y holds numbers beyond 1e+15"),
    "a table without columns": (put("y", lambda s: pd.DataFrame(index=range(240))), "y has no column"),
    "missing groups": (put("groups", lambda s: [None, *s["groups"][1:]]), "groups misses 1 of 240 values"),
    "one group": (put("groups", lambda s: ["D1"] * 240), "There is one group ('D1')"),
    "groups that are the label": (
        put("groups", lambda s: s["y"]),
        "groups and y say the same: each class is one group",
    ),
    "groups of one class each": (
        put("groups", lambda s: [f"{k}{i % 2}" for i, k in enumerate(s["y"])]),
        "y is the same in all samples of a group, in each of the 6 groups, so within groups nothing is left to tell",
    ),
    "missing labels of text": (
        put("y", lambda s: pd.Series(s["y"], dtype="string").mask(np.arange(240) == 7)),
        "y misses 1 of 240 labels (first: row 7)",
    ),
    "missing whole numbers": (
        put("y", lambda s: pd.Series(np.arange(240) % 3, dtype="Int64").mask(np.arange(240) < 2)),
        "y misses 2 of 240 labels (first: row 0)",
    ),
    "missing truth values": (
        put("y", lambda s: pd.Series(np.arange(240) % 2 == 0, dtype="boolean").mask(np.arange(240) == 3)),
        "y misses 1 of 240 labels (first: row 3)",
    ),
    "class in one group": (
        put("groups", lambda s: np.where(s["y"] == "a", "donor 1", s["groups"])),
        "cannot be learned from the others: 'a' (in 'donor 1'); merge them",
    ),
    "label as a column": (
        put("x2", lambda s: np.c_[s["x2"], np.unique(s["y"], return_inverse=True)[1] * 3.5 - 1]),
        "Column 4 of x2 is identical to the label",
    ),
    "copied rows": (
        copy_rows,
        "6 rows are identical in both sources to a row of another group (rows 0 of 'donor 0' and 9 of 'd",
    ),
    "too few": (lambda s: s.update({k: v[:199] for k, v in s.items()}), "199 samples and at least 200 are supported"),
    "none": (lambda s: s.update({k: v[:0] for k, v in s.items()}), "0 samples and at least 200"),
    "labels of three axes": (put("y", lambda s: np.zeros((240, 1, 1))), "y is neither labels nor"),
    "labels of words in columns": (put("y", lambda s: np.stack([s["y"], s["y"]], axis=1)), "not all numbers"),
    "one block": (put("blocks", lambda s: np.zeros(240)), "one block"),
    "huge sparse": (put("x1", lambda s: sparse.csr_matrix((240, 2**24))), "as a dense matrix"),
    "another order": (
        lambda s: s.update(x1=pd.DataFrame(s["x1"]), y=pd.Series(s["y"]).iloc[::-1]),
        "x1 and y have the same row names in another order",
    ),
}


def test_good_samples_pass():
    found = check_samples(**good(), blocks=np.arange(240) // 4)
    assert (found.n, found.n_groups, found.classes) == (240, 8, ("a", "b", "c"))
    assert (found.x1.dtype, found.x2.dtype) == (np.float64, np.float32)
    assert found.blocks.max() == 59
    assert (found.target_note, found.notes) == ("labels as they are", ())
    np.testing.assert_array_equal(np.array(found.classes)[found.codes], good()["y"])


@pytest.mark.parametrize(("change", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_sentence(change, says):
    with pytest.raises(InputError) as caught:
        check_samples(**spoilt(change))
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("n_classes", [1, 0, 2.5, True])
def test_a_number_of_classes_without_meaning(n_classes):
    with pytest.raises(InputError, match=f"n_classes is {n_classes}; give a whole number of at least 2"):
        check_samples(**good(), n_classes=n_classes)


def test_a_number_in_other_units_in_a_source_is_found():
    samples = good()
    samples["y"] = np.random.default_rng(1).normal(size=240)
    check_samples(**samples)
    samples["x1"] = np.c_[samples["x1"], 32 + 1.8 * samples["y"]]
    with pytest.raises(InputError, match="Column 6 of x1 is identical to the label"):
        check_samples(**samples)


def test_discrete_sources_repeat_across_groups_as_they_should():
    samples = good()
    rng = np.random.default_rng(2)
    samples["x1"], samples["x2"] = rng.integers(2, size=240), rng.integers(2, size=(240, 1))
    assert check_samples(**samples).x1.shape == (240, 1)
    samples["groups"] = None
    assert len(check_samples(**samples).notes) == 1


def test_without_groups_the_reader_is_told():
    samples = good() | {"groups": None}
    copy_rows(samples)
    assert [note[:22] for note in check_samples(**samples).notes] == [
        "No groups were given, ",
        "3 of 240 rows repeat a",
    ]
    assert "by block." in check_samples(**samples, blocks=np.arange(240) // 4).notes[0]


def test_negative_zero_is_zero():
    samples = good()
    for key, zero in (("x1", 0.0), ("x2", -0.0)):
        samples[key][0] = zero
        samples[key][1] = -zero
    with pytest.raises(InputError, match="2 rows are identical"):
        check_samples(**samples)


@pytest.mark.parametrize(
    "wrap",
    [
        sparse.csr_matrix,
        sparse.coo_array,
        pd.DataFrame,
        lambda x: pd.DataFrame(x).astype("Float64"),
        np.ma.MaskedArray,
        np.asfortranarray,
        np.ndarray.tolist,
    ],
)
def test_every_container_gives_the_same(wrap):
    samples = good()
    found = check_samples(**(samples | {"x1": wrap(samples["x1"])}))
    np.testing.assert_array_equal(found.x1, samples["x1"])


@pytest.mark.parametrize(
    "hide",
    [
        lambda x: np.ma.array(x, mask=np.arange(x.size).reshape(x.shape) == 7),
        lambda x: pd.DataFrame(x).astype("Float64").mask(np.arange(x.size).reshape(x.shape) == 7),
    ],
)
def test_what_is_masked_is_missing(hide):
    samples = good()
    with pytest.raises(InputError, match="1 NaN or infinite values in 1 of 240 rows \\(first: row 1, column 1"):
        check_samples(**(samples | {"x1": hide(samples["x1"])}))


@pytest.mark.parametrize(
    ("wrap", "classes"),
    [
        (pd.Series, ("a", "b", "c")),
        (list, ("a", "b", "c")),
        (lambda y: pd.Categorical(y, categories=["c", "none", "b", "a"]), ("c", "b", "a")),
        (lambda y: pd.Series(y, dtype="string"), ("a", "b", "c")),
        (lambda y: y == "a", ("False", "True")),
        (lambda y: np.unique(y, return_inverse=True)[1], ("0", "1", "2")),
        (lambda y: np.unique(y, return_inverse=True)[1].astype(float), ("0", "1", "2")),
        (lambda y: pd.Series(np.unique(y, return_inverse=True)[1]).astype("Int64"), ("0", "1", "2")),
        (lambda y: pd.Series(np.unique(y, return_inverse=True)[1]).astype("Float64"), ("0", "1", "2")),
        (lambda y: pd.Series(y == "a", dtype="boolean"), ("False", "True")),
        (lambda y: pd.Series(y).replace("b", "nan"), ("a", "c", "nan")),
        (lambda y: np.where(y == "b", "nan", y), ("a", "c", "nan")),
        (lambda y: pd.Categorical(np.where(y == "b", "NA", y)), ("NA", "a", "c")),
        (lambda y: np.ma.array(y), ("a", "b", "c")),
        (lambda y: pd.get_dummies(pd.Series(y)), ("a", "b", "c")),
    ],
)
def test_labels_are_classes_as_they_are(wrap, classes):
    samples = good()
    found = check_samples(**(samples | {"y": wrap(samples["y"])}))
    assert found.classes == classes
    assert found.target_note.startswith("labels as they are")
    assert len({(a, b) for a, b in zip(found.codes, samples["y"], strict=True)}) == 3


def test_numbers_are_cut_at_their_quantiles():
    y = np.random.default_rng(3).lognormal(size=240)
    found = check_samples(**(good() | {"y": y}))
    assert np.bincount(found.codes).tolist() == [60, 60, 60, 60]
    assert found.target_note == "numbers, cut at their quantiles into 4 classes"
    assert found.classes[0].startswith("up to")
    assert np.all(np.diff(found.codes[np.argsort(y)]) >= 0)
    assert len(check_samples(**(good() | {"y": y}), n_classes=6).classes) == 6


def test_classes_of_close_numbers_keep_their_names_apart():
    y = 1 + 1e-9 * np.random.default_rng(3).normal(size=240)
    assert len(set(check_samples(**(good() | {"y": y})).classes)) == 4


def test_categories_that_read_the_same_are_one_class():
    y = pd.Categorical([("1", 1, "b")[i % 3] for i in range(240)])
    assert check_samples(**(good() | {"y": y})).classes == ("1", "b")


def test_many_zeros_make_fewer_classes():
    y = np.maximum(np.random.default_rng(4).normal(size=240) - 1, 0)
    found = check_samples(**(good() | {"y": y}))
    assert found.classes == ("up to 0", "above 0")
    np.testing.assert_array_equal(found.codes == 1, y > 0)


def test_a_composition_is_clustered_and_named():
    rng = np.random.default_rng(5)
    corner = rng.integers(3, size=240)
    shares = rng.dirichlet(np.ones(3), size=240) * 0.2 + 0.8 * np.eye(3)[corner]
    y = pd.DataFrame(shares, columns=["tumour", "stroma", "immune"])
    found = check_samples(**(good() | {"y": y}), n_classes=3)
    assert {name[3:] for name in found.classes} == {"most tumour", "most stroma", "most immune"}
    assert len(set(zip(found.codes, corner, strict=True))) == 3
    assert found.target_note == "3 shares of a whole, clustered by k-means of their square roots into 3 classes"
    again = check_samples(**(good() | {"y": y}), n_classes=3)
    np.testing.assert_array_equal(found.codes, again.codes)


def test_other_numbers_are_clustered_in_units_of_their_spread():
    rng = np.random.default_rng(6)
    side = rng.integers(2, size=240)
    y = np.c_[side + 0.05 * rng.normal(size=240), 1e6 + rng.normal(size=240)]
    found = check_samples(**(good() | {"y": y}))
    assert found.target_note == "2 numbers, clustered by k-means into 5 classes"


def test_a_duplicate_inside_a_group_is_no_leak():
    samples = good()
    for key in ("x1", "x2"):
        samples[key][8] = samples[key][0]
    assert check_samples(**samples).n == 240


def small(samples):
    """A group of three samples, smaller than the table of its states and classes."""
    samples["groups"][:3] = "small"


def one_class(samples):
    """A group in which every sample is of one class."""
    samples["groups"] = np.where((samples["y"] == "a") & (samples["groups"] == "donor 0"), "pure", samples["groups"])


def few(samples):
    samples["groups"] = np.array(["p", "q", "r"])[np.arange(240) % 3]


def alone(samples):
    samples["groups"][0] = "alone"


def all_of_them(samples):
    for change in (small, one_class, alone):
        change(samples)


@pytest.mark.parametrize(
    ("method", "change"),
    [
        *((method, change) for method in ("cvx", "gaussian") for change in (small, one_class, few, alone)),
        ("posterior", all_of_them),
        ("posterior", few),
    ],
)
def test_uneven_groups_are_estimated(method, change):
    samples = spoilt(change)
    folds = {"n_folds": 5} if method == "posterior" else {}
    found = estimate_pid(**samples, method=method, n_bootstrap=20, n_null=1, **folds)
    assert found.n_groups == len(np.unique(samples["groups"]))
    assert all(np.isfinite(found.value(term)) for term in ("redundancy", "unique1", "unique2", "synergy", "I12"))
    assert np.isfinite(found.null["I12"]).all()


def test_sparse_sources_give_the_same_estimate():
    samples = good()
    dense = estimate_pid(**samples, method="cvx", n_bootstrap=20, n_null=0)
    samples["x1"] = sparse.csr_matrix(samples["x1"])
    assert estimate_pid(**samples, method="cvx", n_bootstrap=20, n_null=0).intervals == dense.intervals


def test_numbers_of_numpy_are_whole_numbers():
    numbers = {"n_bootstrap": 20, "n_null": 1, "seed": 3}
    plain = estimate_pid(**good(), method="cvx", **numbers)
    other = estimate_pid(**good(), method="cvx", **{name: np.int64(number) for name, number in numbers.items()})
    assert other.intervals == plain.intervals
    np.testing.assert_array_equal(
        make_folds(check_samples(**good()), n_folds=np.int16(3), seed=np.int64(1)),
        make_folds(check_samples(**good()), n_folds=3, seed=1),
    )
    assert len(check_samples(**(good() | {"y": good()["x1"][:, 0] ** 2}), n_classes=np.int32(3)).classes) == 3


@pytest.mark.parametrize("method", PID_ESTIMATORS)
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_bootstrap": 19}, "n_bootstrap is 19; give a whole number of at least 20"),
        ({"n_bootstrap": 50.0}, "n_bootstrap is 50.0"),
        ({"n_bootstrap": True}, "n_bootstrap is True"),
        ({"n_null": -1}, "n_null is -1; give a whole number of at least 0"),
        ({"seed": None}, "seed is None"),
    ],
)
def test_every_method_takes_the_same_numbers(method, options, says):
    with pytest.raises(InputError, match=says):
        estimate_pid(**good(), method=method, **options)


@pytest.mark.parametrize("n_folds", [1, 2.5])
def test_folds_are_two_or_more(n_folds):
    with pytest.raises(InputError, match=f"n_folds is {n_folds}; give a whole number of at least 2"):
        estimate_pid(**good(), n_bootstrap=20, n_null=0, n_folds=n_folds)


def dealt(sizes, n_classes, n_folds, seed):
    """Folds of groups of these sizes, with labels drawn at random."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=len(groups) - n_classes)])
    x = np.zeros((len(groups), 1))
    names = tuple(map(str, range(n_classes)))
    samples = Samples(x, x, rng.permutation(codes), names, groups, None, "", (), None)
    return groups, make_folds(samples, n_folds=n_folds, seed=seed)


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 200), min_size=2, max_size=15).filter(lambda sizes: sum(sizes) >= 8),
    n_classes=st.integers(2, 8),
    n_folds=st.integers(2, 10),
    seed=st.integers(0, 10**6),
)
def test_no_fold_is_empty_and_no_group_is_divided(sizes, n_classes, n_folds, seed):
    groups, folds = dealt(sizes, n_classes, n_folds, seed)
    assert set(folds) == set(range(min(n_folds, len(sizes))))
    assert len(set(zip(groups, folds, strict=True))) == len(sizes)


@pytest.mark.parametrize("seed", range(10))
def test_folds_of_uneven_donors_are_as_even_as_they_can_be(seed):
    _, folds = dealt((89, 84, 66, 40, 20, 120), 3, 5, seed)
    assert sorted(np.bincount(folds)) == [60, 66, 84, 89, 120]


ANY_DTYPE = st.one_of(
    hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.boolean_dtypes(), hnp.unicode_string_dtypes(max_len=3)
)
ANY_ARRAY = ANY_DTYPE.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=12))
)
ANY_LIST = st.lists(
    st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=2), st.lists(st.floats(), max_size=2))
)


def answered(**arguments):
    """Return the samples or the sentence; anything else is a fault."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            with mock.patch.multiple(boundary, MIN_SAMPLES=4, MIN_PER_CLASS=2):
                found = check_samples(**arguments)
        except InputError as error:
            sentence = str(error)
        else:
            sentence = None
    if sentence is not None:
        assert len(sentence.splitlines()) == 1
        return
    assert isinstance(found, Samples)
    assert np.isfinite(found.x1).all()
    assert np.isfinite(found.x2).all()
    assert len({len(found.x1), len(found.x2), len(found.codes)}) == 1
    assert set(found.codes) == set(range(len(found.classes)))
    assert len(found.classes) >= 2
    assert np.bincount(found.codes).min() >= 2


@settings(max_examples=80, deadline=None)
@given(x1=ANY_ARRAY | ANY_LIST, x2=ANY_ARRAY, y=ANY_ARRAY | ANY_LIST, groups=st.none() | ANY_ARRAY | ANY_LIST)
def test_anything_is_answered(x1, x2, y, groups):
    answered(x1=x1, x2=x2, y=y, groups=groups)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), n=st.integers(4, 30))
def test_samples_of_one_length_are_answered(data, n):
    def draw(*shape):
        return data.draw(ANY_DTYPE.flatmap(lambda dtype: hnp.arrays(dtype, (n, *shape))))

    kinds = st.sampled_from(["a", "b", "", None, 1, 2.5, np.nan, True])
    y = data.draw(st.lists(kinds, min_size=n, max_size=n) | st.lists(st.sampled_from("ab"), min_size=n, max_size=n))
    y = data.draw(st.sampled_from([y, draw(), draw(3)]))
    groups = data.draw(st.none() | st.lists(st.sampled_from("pqrs"), min_size=n, max_size=n))
    answered(x1=draw(2), x2=draw(1), y=y, groups=groups, blocks=data.draw(st.sampled_from([None, draw()])))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    rows=st.sets(st.integers(0, 59), min_size=1),
    value=st.sampled_from([np.nan, np.inf, -np.inf]),
)
def test_every_row_that_is_not_finite_is_counted(seed, rows, value):
    samples = good(60, seed=seed)
    columns = np.random.default_rng(seed).integers(6, size=len(rows))
    samples["x1"][sorted(rows), columns] = value
    says = rf"in {len(rows)} of 60 rows \(first: row {min(rows)}, column {columns[0]}\)"
    with mock.patch.object(boundary, "MIN_SAMPLES", 50), pytest.raises(InputError, match=says):
        check_samples(**samples)
