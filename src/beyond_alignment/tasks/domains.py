"""Spatial domains from the neighbours' expression, for tissue without drawn regions."""

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from beyond_alignment import keys
from beyond_alignment.tasks.labels import set_labels
from beyond_alignment.tasks.niche import neighbour_mean


def label_domains(
    adata: AnnData, *, task: str = "domain", n_domains: int = 5, n_components: int = 20, seed: int = 0
) -> None:
    """Label each spot with a cluster of its neighbours' mean expression, the spot itself left out.

    The labels are defined on all spots at once, as drawn regions would be; no model that is scored sees the fit.

    Parameters
    ----------
    adata
        Log-normalised counts in ``X``; reads ``obs["section"]`` and the spatial graph; writes the task.
    task
        Name of the task.
    n_domains
        Number of clusters.
    n_components
        Principal components of the neighbours' expression that are clustered, at most.
    seed
        Of PCA and k-means.
    """
    around = pd.DataFrame(neighbour_mean(adata, adata.X.toarray()), index=adata.obs_names)
    around -= around.groupby(adata.obs[keys.SECTION].to_numpy()).transform("mean")
    known = around.notna().all(axis=1).to_numpy()
    kept = min(n_components, int(known.sum()), around.shape[1])
    components = PCA(n_components=kept, random_state=seed).fit_transform(around[known].to_numpy())
    clusters = KMeans(n_clusters=n_domains, n_init=20, random_state=seed).fit_predict(components)
    order = pd.Series(clusters).value_counts().index  # the largest domain is number 1
    names = {cluster: f"domain {number}" for number, cluster in enumerate(order, start=1)}
    labels = np.full(adata.n_obs, None, dtype=object)
    labels[known] = [names[cluster] for cluster in clusters]
    set_labels(adata, task, labels, n_domains=n_domains, n_components=n_components)
