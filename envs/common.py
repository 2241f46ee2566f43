"""What the extraction scripts share: the command line, the judgement of the input and the order of what is done.

Only the standard library is imported on import, so that ``--help`` answers without the model; h5py, numpy and scipy are
in every model's environment.
"""

import argparse
import importlib.metadata
import platform
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from counts import (
    Counts,
    InputProblem,
    check_counts,
    file_sha256,
    fold,
    kind_of,
    one_column_each,
    read_counts,
    read_gene_map,
    rename,
    species_of,
)
from handover import Model, verify_file, write_file

POINTER = b"version https://git-lfs"
Embed = Callable[[Counts, argparse.Namespace], tuple[Any, dict[str, Any]]]
Vocabulary = Callable[[argparse.Namespace], Sequence[str]]


def build_parser(model: Model) -> argparse.ArgumentParser:
    """Return the options that every script has."""
    about = (
        f"Embed spots with {model.title}: {model.dimension or 'as many as the checkpoint has'} features, "
        f"{model.pooling}. Input: raw counts, genes as {model.genes}, {' or '.join(model.species)}. "
        f"Source: {model.source} ({model.revision}). Licence: {model.licence}."
    )
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("data", type=Path, help=".h5ad file with raw counts")
    parser.add_argument("--out", type=Path, help="file to write; DATA.<model>.h5 beside the data when left out")
    parser.add_argument("--weights", type=Path, help=model.weights)
    parser.add_argument("--layer", default="", help="key of layers that holds raw counts; X when left out")
    parser.add_argument("--gene-column", default="", help="column of var that names the genes; the index when left out")
    parser.add_argument("--gene-map", type=Path, help="two tab-separated columns: name in the data, name for the model")
    parser.add_argument("--species", choices=model.species, default=model.species[0])
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--seed", type=int, default=0, help="of what the model draws")
    parser.add_argument("--check", action="store_true", help="judge the input and the written file, run nothing")
    return parser


def prepare(model: Model, args: argparse.Namespace) -> Counts:
    """Read the input and refuse what the model cannot use."""
    counts = read_counts(args.data, layer=args.layer, gene_column=args.gene_column)
    if args.gene_map:
        counts = rename(counts, read_gene_map(args.gene_map))
    counts = one_column_each(counts)
    check_counts(counts)
    first, kind, species = ", ".join(counts.genes[:3]), kind_of(counts.genes), species_of(counts.genes)
    if model.genes not in (kind, "either"):
        raise InputProblem(
            f"The genes of {args.data.name} are named by {kind} ({first}) and {model.name} wants {model.genes}: "
            "name a column of var with --gene-column or a table with --gene-map."
        )
    if species != args.species and {species, args.species} == {"human", "mouse"}:
        raise InputProblem(
            f"The genes of {args.data.name} look like {species} ({first}) and the species is {args.species}: "
            f"{model.name} knows {' and '.join(model.species)}; choose with --species or map the genes first."
        )
    return counts


def check_shared(model: Model, counts: Counts, vocabulary: Sequence[str]) -> int:
    """Return how many genes data and vocabulary share; refuse too few, naming some of both."""
    known = {fold(gene) for gene in vocabulary}
    n = len(known & {fold(gene) for gene in counts.genes})
    if n < model.min_shared:
        raise InputProblem(
            f"{model.name} knows {n} of the {len(counts.genes)} genes of the data and at least {model.min_shared} are "
            f"needed; the data has {', '.join(counts.genes[:3])}, the model {', '.join(list(vocabulary)[:3])}."
        )
    return n


def in_order(model: Model, names: Sequence[str], values: Any, wanted: Sequence[str]) -> Any:
    """Return rows in the order of the spots, whatever the order in which a model gave them back."""
    import numpy as np

    position = {str(name): i for i, name in enumerate(names)}
    lost = [name for name in wanted if name not in position]
    if lost or len(names) != len(wanted):
        raise InputProblem(
            f"{model.name} gave back {len(names)} of {len(wanted)} spots and dropped {len(lost)}"
            f"{f', such as {lost[0]!r}' if lost else ''}: remove them from the data and run again."
        )
    return np.asarray(values)[[position[name] for name in wanted]]


def weights_of(args: argparse.Namespace, *names: str) -> Path:
    """Return the folder of weights, having looked that it holds what is needed."""
    if args.weights is None:
        raise InputProblem(f"Where are the weights? Give --weights, a folder that holds {', '.join(names)}.")
    absent = [name for name in names if not (args.weights / name).exists()]
    if absent:
        raise InputProblem(f"{args.weights} lacks {', '.join(absent)}; --help says what the folder has to be.")
    pointers = [name for name in names if is_pointer(args.weights / name)]
    if pointers:
        raise InputProblem(f"{', '.join(pointers)} in {args.weights} is a git-lfs pointer: run git lfs pull there.")
    return args.weights


def is_pointer(path: Path) -> bool:
    """Return whether a file stands for one that git-lfs has not fetched."""
    if not path.is_file():
        return False
    with path.open("rb") as handle:
        return handle.read(len(POINTER)) == POINTER


def device_of(args: argparse.Namespace) -> str:
    """Return cuda or cpu, and seed all generators."""
    import numpy as np
    import torch

    random.seed(args.seed)
    np.random.seed(args.seed)  # noqa: NPY002 (the models draw from the global generator)
    torch.manual_seed(args.seed)
    if args.device == "cuda" and not torch.cuda.is_available():
        raise InputProblem("A GPU was asked for and torch finds none: use --device auto or cpu.")
    return "cuda" if args.device != "cpu" and torch.cuda.is_available() else "cpu"


def provenance_of(model: Model, args: argparse.Namespace, counts: Counts, details: dict[str, Any]) -> dict[str, Any]:
    """Return what made the embeddings: flat, so that it fits beside them in ``uns``."""
    versions = {}
    for package in model.packages:
        try:
            versions[f"version_{package}"] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[f"version_{package}"] = "not installed as a package"
    return {
        "model": model.title,
        "source": model.source,
        "revision": model.revision,
        "licence": model.licence,
        "pooling": model.pooling,
        "input": f"raw counts of {args.layer or 'X'}",
        "input_file": counts.path.name,
        "input_sha256": file_sha256(counts.path),
        "species": args.species,
        "n_genes": len(counts.genes),
        "seed": args.seed,
        "python": platform.python_version(),
        **versions,
        **details,
    }


def run(
    model: Model,
    embed: Embed,
    *,
    vocabulary: Vocabulary | None = None,
    options: Callable[[argparse.ArgumentParser], None] | None = None,
    argv: Sequence[str] | None = None,
) -> int:
    """Judge the input, embed, write and read again; return 0, or 2 for bad input.

    Parameters
    ----------
    model
        The record of the model.
    embed
        Returns (spot, feature) in the order of the spots, and provenance of its own.
    vocabulary
        Returns the genes that the model knows; not asked by ``--check`` without ``--weights``.
    options
        Adds the options of one script.
    argv
        Arguments; those of the process when None.
    """
    parser = build_parser(model)
    if options:
        options(parser)
    args = parser.parse_args(argv)
    out = args.out or args.data.with_name(f"{args.data.stem}.{model.name}.h5")
    try:
        counts = prepare(model, args)
        print(f"{args.data.name}: {len(counts.obs_names)} spots, {len(counts.genes)} genes, raw counts.")
        shared = {}
        if vocabulary and (args.weights or not args.check):
            shared["n_genes_shared"] = check_shared(model, counts, vocabulary(args))
            print(f"{model.name} knows {shared['n_genes_shared']} of the genes.")
        if not args.check:
            values, details = embed(counts, args)
            details = provenance_of(model, args, counts, {**shared, **details})
            write_file(out, model, values, counts.obs_names, details)
        if out.exists() or args.out:
            n_features = verify_file(out, model, counts.obs_names)
            print(f"{out}: whole, {len(counts.obs_names)} spots x {n_features} features.")
            print(f"Next: beyond-alignment embed {args.data} --expert {model.name} --from-file {out}")
    except InputProblem as problem:
        print(problem, file=sys.stderr)
        return 2
    except ImportError as error:
        print(
            f"{error}: make the environment of envs/{model.name} and run this script with its Python.", file=sys.stderr
        )
        return 2
    return 0
