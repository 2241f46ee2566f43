"""The claims that the book tests, by id, each in one sentence of our own."""

from types import MappingProxyType

from beyond_alignment.errors import InputError

OPEN = "no verdict yet"
VERDICTS = ("replicated", "not replicated", "cannot be tested here")


CLAIMS = MappingProxyType(
    {
        "B1": "SIS measures what only the interaction of the modalities tells; its two definitions rank tasks alike.",
        "B2": "Where linear redundancy dominates (cell type), the best single expert suffices and fusion adds nothing.",
        "B3": "Complex niche labels gain from synergy-aware fusion beyond what linear alignment gives.",
        "B4": "Aligning frozen encoders ends in the principal subspace of their cross-covariance: a spectral ceiling.",
        "B5": "More pairs do not raise that ceiling, because the objective sets it and not the sample.",
        "B6": "InfoNCE on frozen features finds the solution of canonical correlation analysis.",
        "B7": "Alignment-based methods keep redundant information and little or no synergy.",
        "B8": "Interaction-based fusion keeps synergy, gated units part of it, concatenation little, averaging none.",
        "B9": "The higher the SIS of a task, the more synergy-aware fusion gains over the best single modality.",
        "B10": "For standard tasks, fine-tuning the dominant single expert needs the fewest samples.",
        "B11": "Fusion overtakes a single modality only above some number of pairs, and only where synergy is high.",
        "B12": "SIS picks the strategy: below 0.10 one modality, then concatenation, interaction, synergy objectives.",
        "B13": "SIS and the number of pairs together pick the strategy, from one modality to cross-attention.",
        "B14": "Unfreezing the encoders helps alignment but needs pairs and disturbs what was pretrained.",
        "B15": "Tasks about the spot itself are redundant; tasks about its surroundings need more than redundancy.",
        "B16": "Of the self-supervised methods, CoMM does best where synergy matters.",
        "M1": "Fusing both modalities predicts genes better than either alone.",
        "M2": "Transcripts as tokens beat transcripts summed over a tile.",
        "M3": "With tokens, late fusion is on par with early fusion: granularity matters more than timing.",
        "M4": "Light encoders trained for the task beat frozen pathology models.",
        "M5": "Expression alone does no better than copying the best core gene, and morphology alone far worse.",
        "M6": "Contrastive pretraining retrieves better with transcripts as tokens.",
        "M7": "A gene is predicted the better the more redundant it is with the core panel.",
        "M8": "Fused embeddings cluster into regions that are both spatially coherent and molecularly fine.",
        "M9": "A frozen single-cell foundation model on the panel is worse than a small network trained for the task.",
        "S1": "Summing embeddings is cheap but assumes that both modalities live in one metric space.",
        "S2": "Attention pooling beats global pooling when the relevance of a source varies by example.",
        "S3": "Bottom-up hierarchies compound their errors from level to level.",
        "S4": "One uniform token stream is simple but has to learn the statistics of every modality.",
        "S5": "Relational attention suits complementary modalities and hierarchical attention nested ones.",
        "S6": "Cross-modal attention costs the square of the tokens, and pairs are the other bottleneck.",
    }
)


def check_claim(claim: str, verdict: str) -> None:
    """Refuse a claim id or a verdict that the book does not know.

    Raises
    ------
    InputError
        If ``claim`` is not in `CLAIMS` or ``verdict`` not in `VERDICTS`.
    """
    if claim not in CLAIMS:
        msg = f"Unknown claim {claim!r}; the book tests {', '.join(CLAIMS)}: use one of these ids."
        raise InputError(msg)
    if verdict not in VERDICTS:
        msg = f"Unknown verdict {verdict!r} on claim {claim}; use one of: {', '.join(VERDICTS)}."
        raise InputError(msg)
