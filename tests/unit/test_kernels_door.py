"""Only ``alternant.kernels`` imports the compiled module."""

import ast
from pathlib import Path

import alternant

SOURCE = Path(alternant.kernels.__file__).parents[1]


def imports_the_compiled_module(file: Path) -> bool:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = (
            [alias.name for alias in getattr(node, "names", [])]
            if isinstance(node, ast.Import | ast.ImportFrom)
            else []
        )
        if isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
        if any(name.split(".")[-1] == "_kernels" for name in names):
            return True
    return False


def test_only_kernels_imports_the_compiled_module():
    found = {
        file.relative_to(SOURCE).parts[0]
        for file in SOURCE.rglob("*.py")
        if imports_the_compiled_module(file)
    }
    assert found == {"kernels"}
