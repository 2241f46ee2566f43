import matplotlib.pyplot as plt
import pandas as pd

from beyond_alignment.plotting.training import plot_training


def test_a_line_a_network_named_at_its_end_and_names_kept_apart():
    curves = {
        "one": pd.DataFrame({"epoch": [1.0, 2.0, 3.0], "loss": [3.0, 2.0, 1.0], "top1": [0.1, 0.2, 0.3]}),
        "the_same": pd.DataFrame({"epoch": [1.0, 2.0, 3.0], "loss": [3.0, 2.0, 1.0]}),
    }
    figure = plot_training(curves, measures=[("loss", "loss (nats)"), ("top1", "share")])
    loss, top1 = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[3.0, 2.0, 1.0]] * 2
    assert len(top1.lines) == 1
    names = {text.get_text(): text.get_position()[1] for text in loss.texts}
    assert set(names) == {"one", "the same"}
    assert abs(names["one"] - names["the same"]) >= 0.08 * 2.0
    assert [text.get_text() for text in top1.texts] == ["one"]
    plt.close(figure)
