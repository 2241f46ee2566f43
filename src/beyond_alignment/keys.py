"""Every AnnData key that the package reads or writes, spelled once."""

SPATIAL = "spatial"
SECTION = "section"
DONOR = "donor"
ARRAY_X = "array_x"
ARRAY_Y = "array_y"
COUNTS = "counts"
TOTAL_COUNTS = "total_counts"
COMPOSITION = "composition"
NEIGHBOUR_COMPOSITION = "neighbour_composition"
OTHER_GENES = "other_genes"
PATHOLOGIST = "pathologist"
BACTERIAL_UMIS = "bacterial_umis"
DATASET = "dataset"
CONNECTIVITIES = "spatial_connectivities"
DISTANCES = "spatial_distances"
MICRONS_PER_PIXEL = "microns_per_pixel"
SPOT_DIAMETER = "spot_diameter_fullres"
IMAGE_SCALE = "tissue_image_scalef"


def embedding(expert: str) -> str:
    """Return the ``obsm`` key of the embedding of an expert."""
    return f"X_{expert}"


def task(name: str) -> str:
    """Return the key, in ``obs`` (or ``obsm``) and in ``uns``, of the labels of a task."""
    return f"task_{name}"
