import numpy as np
import pandas as pd

from beyond_alignment.benchmark.patterns.contrasts import CONTRASTS, LABELS
from beyond_alignment.plotting import plot_contrasts
from beyond_alignment.plotting.contrasts import WHERE


def test_every_contrast_has_its_row_with_its_interval():
    leads = np.linspace(-0.1, 0.1, len(CONTRASTS))
    table = pd.DataFrame(
        {"claim": one.claim, "ahead": one.ahead, "behind": one.behind, "labels": one.labels, "n_tasks": 5}
        | {"difference": lead, "low": lead - 0.01, "high": lead + 0.02}
        for one, lead in zip(CONTRASTS, leads, strict=True)
    )
    figure = plot_contrasts(table, label="lead in macro-F1, 95 % interval")
    ax = figure.axes[0]
    figure.canvas.draw()
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert names[0] == "S1: concatenation less sum\n(5 labels of tissue)"
    assert len(names) == len(CONTRASTS)
    drawn = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines[:-1]]
    np.testing.assert_allclose(drawn, list(zip(leads, range(len(leads)), strict=True)))
    spans = [segments.get_segments()[0][:, 0].tolist() for segments in ax.collections]
    np.testing.assert_allclose(spans, np.stack([leads - 0.01, leads + 0.02], axis=1))


def test_every_kind_of_label_has_words():
    assert set(WHERE) == set(LABELS)
