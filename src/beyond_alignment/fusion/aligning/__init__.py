"""Alignment: two projections, one a modality, that are trained on pairs to agree."""
