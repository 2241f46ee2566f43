"""The built book in a browser: no error on the console, nothing fetched from elsewhere, formulas rendered."""

import pytest

from beyond_alignment.book.notebook import toc_pages

QUESTION = r"""
(async () => {
  if (window.MathJax && MathJax.startup) await MathJax.startup.promise;
  const formulas = [...document.querySelectorAll('.math')];
  document.querySelectorAll('details').forEach(d => { d.open = true; });
  const code = [...document.querySelectorAll('div.cell_input pre, div.highlight pre')];
  const luminance = colour => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 765;
  return {
    title: document.querySelector('h1')?.innerText ?? '',
    raw: formulas.filter(f => !f.querySelector('mjx-container')).map(f => f.innerText),
    wrong: document.querySelectorAll('mjx-merror, [data-mml-node=merror]').length,
    broken: [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src),
    wider: document.documentElement.scrollWidth > window.innerWidth + 1,
    cut: code.filter(c => c.scrollWidth > c.clientWidth + 1).map(c => c.innerText),
    paper: luminance(getComputedStyle(document.body).backgroundColor),
    ink: luminance(getComputedStyle(document.querySelector('h1')).color),
  };
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", toc_pages())
def test_page(page, scheme, address, browser):
    visit = browser.visit(f"{address}{page}.html", question=QUESTION, scheme=scheme)
    assert visit.errors == []
    assert [url for url in visit.requests if not url.startswith((address, "data:", "blob:"))] == []
    assert visit.answer["title"]
    assert visit.answer["raw"] == []
    assert visit.answer["wrong"] == 0
    assert visit.answer["broken"] == []
    assert not visit.answer["wider"]
    assert visit.answer["cut"] == []
    dark_paper = visit.answer["paper"] < 0.5
    assert dark_paper == (scheme == "dark")
    assert abs(visit.answer["paper"] - visit.answer["ink"]) > 0.5


def test_the_browser_tells_what_a_faulty_page_does(address, browser):
    faulty = "data:text/html,<img src='http://127.0.0.1:1/x.png'><script>throw new Error('boo')</script>"
    visit = browser.visit(faulty, question="document.title", scheme="light")
    assert any("boo" in error for error in visit.errors)
    assert "http://127.0.0.1:1/x.png" in visit.requests
