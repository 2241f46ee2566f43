"""What holds of the repository as a whole: nothing of a machine in it, and every name that it gives exists."""

import ast
import importlib
import re
import subprocess
from collections import Counter
from importlib.util import find_spec

import nbformat
import pytest
from pybtex.database import parse_file

from beyond_alignment import study
from beyond_alignment.book.notebook import toc_pages
from beyond_alignment.project import root

# Written in parts, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|root|home/(?!someone)\w+|Users/(?!someone)\w+)" + "/")
REGISTRY_HOST = re.compile(
    "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.", "debian" + r"\.org"])
)
NOT_TEXT = {".h5ad", ".parquet", ".png", ".gz", ".npz", ".safetensors"}
MOST_CODE_LINES = 400
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


def tracked() -> list[str]:
    """Names of the tracked files that are text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root(), capture_output=True, text=True, check=False)
    names = [name for name in listed.stdout.split("\0") if name and (root() / name).is_file()]
    if not names:
        pytest.skip("not a git checkout")
    return [name for name in names if (root() / name).suffix not in NOT_TEXT]


def read(name: str) -> str:
    """Text of a file of the project."""
    return (root() / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY_HOST], ids=["paths of a machine", "hosts of registries"])
def test_tracked_files_are_free_of(pattern):
    assert [f"{name}: {found.group()}" for name in tracked() if (found := pattern.search(read(name)))] == []


def code_lines(text):
    """Lines that are neither blank, nor comment, nor docstring."""
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body[:1]:
                case [ast.Expr(value=ast.Constant(value=str()))]:
                    docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    numbered = enumerate(text.splitlines(), start=1)
    return sum(n not in docstrings and bool(line.strip()) and not line.strip().startswith("#") for n, line in numbered)


def test_a_file_is_one_subject_of_at_most_400_code_lines():
    sizes = {str(path): code_lines(path.read_text(encoding="utf-8")) for path in (root() / "src").rglob("*.py")}
    assert {name: lines for name, lines in sizes.items() if lines > MOST_CODE_LINES} == {}


def test_every_name_that_is_imported_from_the_package_exists():
    missing = []
    for path in sorted((root() / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("beyond_alignment"):
                module = importlib.import_module(node.module)  # one that is imported late, too
                names = [alias.name for alias in node.names if not hasattr(module, alias.name)]
                missing += [(path.name, name) for name in names if not find_spec(f"{node.module}.{name}")]
    assert missing == []


def test_studies_stay_small_and_each_file_belongs_to_one():
    files = [path for path in (root() / "results" / "studies").glob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20e6
    assert [path.name for path in files if not path.with_suffix(".json").is_file()] == []
    assert [path.stem for path in files if path.suffix == ".json" and study.stored(path.stem) is None] == []


@pytest.mark.parametrize("page", toc_pages())
def test_page_of_the_table_of_contents_exists(page):
    assert any((root() / f"{page}{suffix}").is_file() for suffix in (".md", ".ipynb"))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "book/reproduce.md", "book/index.md"])
def test_verbs_that_are_named_exist_in_the_makefile(name):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), flags=re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", read(name), flags=re.MULTILINE))
    assert named <= targets


def test_readme_gives_both_commands():
    assert {"make book", "make test"} <= set(re.findall(r"^(make \w+)", read("README.md"), flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_into_the_repository_lead_somewhere(name):
    assert [link for link in LINK.findall(read(name)) if not (root() / link).exists()] == []


def test_citation_keys_are_in_the_bibliography():
    known = set(parse_file(root() / "book" / "references.bib").entries)
    cited = set(
        re.findall(r'citation(?:=|: )"([\w-]+)"', "\n".join(read(n) for n in tracked() if n.startswith("src/")))
    )
    for name in (name for name in tracked() if name.startswith(("book/", "notebooks/"))):
        for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", read(name)):
            cited |= {key.strip() for key in keys.split(",")}
    assert cited
    assert cited - known == set()


def test_every_source_has_a_title_and_somebody_who_wrote_it():
    entries = parse_file(root() / "book" / "references.bib").entries
    assert [key for key, entry in entries.items() if "title" not in entry.fields or not entry.persons] == []


def test_a_target_has_one_place_in_the_book():
    found: Counter[str] = Counter()
    for page in toc_pages():
        file = next(file for end in (".md", ".ipynb") if (file := root() / f"{page}{end}").is_file())
        if file.suffix == ".ipynb":
            cells = nbformat.read(file, as_version=4).cells
            text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        else:
            text = file.read_text(encoding="utf-8")
        found.update(re.findall(r"^\(([\w-]+)\)=$", text, flags=re.MULTILINE))
    assert found
    assert [target for target, times in found.items() if times > 1] == []


def test_terms_are_in_the_glossary():
    known = set(re.findall(r"^([A-Z&][^\n]*)\n  ", read("book/glossary.md"), flags=re.MULTILINE))
    used = set()
    for name in (name for name in tracked() if name.startswith(("book/", "notebooks/"))):
        for text, target in re.findall(r"\{term\}`([^<`]+?)(?: <([^>`]+)>)?`", read(name)):
            used.add(target or text)
    assert used
    assert {term for term in used if term.lower() not in {name.lower() for name in known}} == set()
