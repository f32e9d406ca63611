"""The documentation runs, and says what there is: code blocks, docstring examples, commands, public names.

In README.md and docs/, the blocks of a page run from top to bottom in an empty folder:

- ``python`` blocks share one namespace; a ``text`` block after one is what it prints;
- ``console`` blocks hold ``$ alternant …`` commands, run in this process, each followed by what it says;
- a ``toml`` block that begins with ``# name.toml`` becomes that file.

Expected output is compared as doctest does with ELLIPSIS and NORMALIZE_WHITESPACE; a command
without any is not compared.
"""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

import alternant
import command_reference
from alternant.cli import main
from alternant.reading._columns import USUAL_NAMES

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block: its place as page:line, its language and its text."""

    place: str
    language: str
    text: str


def blocks_of(page):
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{page.relative_to(ROOT)}:{line}", found[1], found[2])


def page_id(page):
    return str(page.relative_to(ROOT))


def run_python(block, namespace):
    said = io.StringIO()
    # The line numbers of a traceback are those of the page.
    first_line = int(block.place.rsplit(":", 1)[1])
    with contextlib.redirect_stdout(said):
        exec(compile("\n" * first_line + block.text, block.place, "exec"), namespace)
    return said.getvalue()


def run_console(block):
    """Run each ``$`` line; compare what it says on both streams with the lines below it."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        program, *arguments = shlex.split(command, comments=True)
        if program != "alternant":
            continue
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = main(arguments)
        assert status == (1 if expected.startswith("error: ") else 0), (
            f"{block.place}: {command}\n{said.getvalue()}"
        )
        if expected.strip():
            compare(block.place, expected, said.getvalue())


def compare(place, expected, got):
    same = doctest.OutputChecker().check_output(expected, got, FLAGS)
    assert same, f"{place} expects\n{expected}\ngot\n{got}"


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace, printed = {"__name__": "docs"}, None
    for block in blocks_of(page):
        if block.language == "text" and printed is not None:
            compare(block.place, block.text, printed)
        printed = None
        if block.language == "python":
            printed = run_python(block, namespace)
        elif block.language == "console":
            run_console(block)
        elif block.language == "toml" and block.text.startswith("# "):
            (tmp_path / block.text.split("\n", 1)[0][2:]).write_text(block.text, encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_every_block_is_of_a_known_kind(page):
    known = {"python", "text", "console", "bash", "toml"}
    odd = [block.place for block in blocks_of(page) if block.language not in known]
    assert odd == []


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("command", command_reference.command_names())
def test_every_command_and_option_is_documented(command):
    page = command_reference.PAGE.read_text(encoding="utf-8")
    assert f"\n## alternant {command}\n" in page
    written = command_reference.written(command, page)
    assert written == command_reference.options(command), (
        "run scripts/docs --write and commit docs/command-line.md"
    )


@pytest.mark.parametrize("command", command_reference.command_names())
def test_every_command_and_option_has_help(command):
    app = command_reference.build()[command]
    assert app.help.strip()
    silent = [a.names for a in app.assemble_argument_collection() if not (a.parameter.help or "").strip()]
    assert silent == []


def test_the_recognised_column_names_are_documented():
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    written = re.search(r"<!-- column names -->\n(.*?)<!-- end -->", page, re.DOTALL)[1]
    rows = [f"| {part} | {' '.join(f'`{name}`' for name in names)} |" for part, names in USUAL_NAMES.items()]
    assert written.splitlines()[2:] == rows


def module_names():
    found = pkgutil.walk_packages(alternant.__path__, "alternant.")
    not_ours = {"alternant.__main__", "alternant._kernels"}
    return ["alternant", *(module.name for module in found if module.name not in not_ours)]


@pytest.mark.parametrize("name", module_names())
def test_examples_in_docstrings(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)
    assert failed == 0


def documented_names():
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(alternant\.[\w.]+)", page, flags=re.MULTILINE)


def test_the_documented_names_of_alternant_are_all():
    top = [name.removeprefix("alternant.") for name in documented_names() if name.count(".") == 1]
    assert sorted(top) == sorted([*alternant.__all__, "read", "read_titles"])


@pytest.mark.parametrize("name", documented_names())
def test_documented_names_exist(name):
    module, _, attribute = name.rpartition(".")
    assert getattr(importlib.import_module(module), attribute).__doc__


RECORDS = {
    "BuildReport",
    "Catalogue",
    "Comparison",
    "Completion",
    "Difference",
    "EntryRows",
    "FoldedIn",
    "Description",
    "Explanation",
    "FoldedItems",
    "HalfSweep",
    "Interval",
    "Report",
    "Row",
    "Sampled",
    "Section",
    "Slice",
    "Split",
    "Summary",
    "TraceEntry",
    "Trial",
    "Tuned",
}


@pytest.mark.parametrize("name", [n for n in documented_names() if not n.endswith("Error")])
def test_documented_names_have_an_example(name):
    """In its docstring or, for a class, in one of a method; records that only the library makes need none."""
    module, _, attribute = name.rpartition(".")
    thing = getattr(importlib.import_module(module), attribute)
    documents = [thing.__doc__]
    if isinstance(thing, type):
        documents += [getattr(thing, member).__doc__ for member in vars(thing) if not member.startswith("_")]
    assert attribute in RECORDS or any(">>> " in (document or "") for document in documents)
