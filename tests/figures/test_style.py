import matplotlib.pyplot as plt
from IPython.core.formatters import DisplayFormatter

from figures.style import export


def drawn():
    figure, ax = plt.subplots()
    ax.plot([1, 3, 2], label="a line")
    ax.legend()
    return figure


def test_exported_figure_is_a_vector_file_and_the_same_again(tmp_path):
    a, b = (export(drawn(), name, tmp_path) for name in ("a", "b"))
    assert a.startswith("<?xml")
    assert a == b == (tmp_path / "a.svg").read_text() == (tmp_path / "b.svg").read_text()
    assert not list(tmp_path.glob("*.tmp"))


def test_exported_figure_is_what_a_notebook_shows_and_is_not_drawn_again(tmp_path):
    drawing = export(drawn(), "a", tmp_path)
    data, _ = DisplayFormatter().format(drawing)
    assert data["image/svg+xml"] == drawing
    assert data["text/plain"] == "a figure"
    assert not plt.get_fignums()


def test_figures_have_the_width_and_the_font_of_the_page(tmp_path):
    figure = drawn()
    assert figure.get_size_inches()[0] == 6.3
    assert figure.axes[0].title.get_fontname() == "cmr10"
