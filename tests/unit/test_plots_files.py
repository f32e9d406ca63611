"""Pictures and reports as files: whole or not at all, and nothing in them but what was meant."""

import re

import pytest

from alternant import ExplicitALS, _optional, plots
from alternant.errors import DataError, MissingExtraError
from alternant.plots import Section
from alternant.synthetic import example

BEGINS = {".svg": b"<svg", ".png": b"\x89PNG\r\n\x1a\n", ".html": b"<!DOCTYPE html>"}


@pytest.fixture(scope="module")
def model():
    return ExplicitALS(n_factors=2, regularization=0.1, n_sweeps=3).fit(example())


@pytest.fixture(scope="module")
def chart(model):
    return plots.sweeps(model)


@pytest.mark.parametrize("suffix", plots.FORMATS)
def test_each_format(suffix, chart, tmp_path):
    plots.save(chart, tmp_path / f"x{suffix}")
    content = (tmp_path / f"x{suffix}").read_bytes().lstrip()
    assert content[: len(BEGINS[suffix])].lower() == BEGINS[suffix].lower()
    assert [path.name for path in tmp_path.iterdir()] == [f"x{suffix}"]


def test_a_page_of_a_chart_fetches_nothing(chart, tmp_path):
    plots.save(chart, tmp_path / "x.html")
    assert re.findall(r"<(?:script|link)[^>]*(?:src|href)=", (tmp_path / "x.html").read_text()) == []


def test_what_fails_leaves_the_old_file(chart, tmp_path, monkeypatch):
    path = tmp_path / "x.svg"
    path.write_text("old")
    with pytest.raises(DataError, match=r"a picture ends in .svg, .png or .html, got '.*x.jpg'"):
        plots.save(chart, tmp_path / "x.jpg")
    with pytest.raises(DataError, match="scale must be positive, got 0"):
        plots.save(chart, path, scale=0)
    with pytest.raises(DataError, match='theme must be "light" or "dark", got \'blue\''):
        plots.save(chart, path, theme="blue")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        plots.save(chart, path)
    assert path.read_text() == "old"
    assert [left.name for left in tmp_path.iterdir()] == ["x.svg"]


def test_themes_share_the_data(chart):
    light, dark = chart.to_dict(), plots.themed(chart, "dark").to_dict()
    assert light["datasets"] == dark["datasets"]
    assert light["config"]["background"] != dark["config"]["background"]
    assert chart.to_dict() == light


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_lines_stand_out_from_the_background(chart, theme):
    """WCAG: 4.5 for text, 3 for what is drawn."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def contrast(one, other):
        low, high = sorted([luminance(one), luminance(other)])
        return (high + 0.05) / (low + 0.05)

    config = plots.themed(chart, theme).to_dict()["config"]
    background = config["background"]
    for text in (config["title"]["color"], config["title"]["subtitleColor"], config["axis"]["labelColor"]):
        assert contrast(text, background) >= 4.5
    for colour in config["range"]["category"]:
        assert contrast(colour, background) >= 3


def test_a_page_escapes_and_needs_nothing(chart):
    nasty = "<script>alert(1)</script>"
    page = plots.page(nasty, [Section(nasty, text=nasty, facts={nasty: nasty}, table={nasty: [nasty]},
                                      code=nasty, charts=[chart])], subtitle=nasty)  # fmt: skip
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 10
    assert set(re.findall(r'(?:src|srcset|href)="([^";]*)', page)) == {"data:image/svg+xml"}
    assert page.count("base64,") == 2  # light and dark


def test_numbers_of_a_table_are_aligned_and_columns_of_one_length():
    page = plots.page("x", [Section("y", table={"a": [1234, 0.5], "b": ["c", True]})])
    assert "<td class=number>1,234</td><td>c</td>" in page
    assert "<td class=number>0.5</td><td>yes</td>" in page
    with pytest.raises(DataError, match=r"columns of the table in 'y' must have one length, got \[1, 2\]"):
        plots.page("x", [Section("y", table={"a": [1], "b": [1, 2]})])


def test_a_report_is_a_page_and_markdown_with_its_charts(model, tmp_path):
    written = plots.write_report(tmp_path / "new", "A *fit*", plots.fit_sections(model))
    assert [path.name for path in written][:2] == ["report.html", "report.md"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(path.name for path in written)
    text = (tmp_path / "new" / "report.md").read_text()
    assert text.startswith("# A \\*fit\\*\n")
    pictures = re.findall(r"\]\((.*)\)", text)
    assert pictures == [path.name for path in written[2:]]
    assert len(pictures) == 4
    assert model.describe().formula in text


def test_a_report_is_not_written_into_a_file(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(DataError, match="expected a folder to write a report into, got the file"):
        plots.write_report(tmp_path / "x", "x", [])


def test_without_the_extra_the_install_line(monkeypatch):
    monkeypatch.setattr(_optional.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"drawing charts needs the 'plots' extra: pip install"):
        _optional.require("altair", extra="plots", purpose="drawing charts")
