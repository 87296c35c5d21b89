"""Runs a notebook's cell as a kernel does: in the main thread, where an event loop runs."""

import ast
import asyncio
import sys
from pathlib import Path
from typing import Any


async def run_cell(text: str) -> None:
    code = compile(text, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    cell: Any = eval(code, {"__name__": "__main__"})  # noqa: S307 - a coroutine, since the cell awaits
    await cell


asyncio.run(run_cell(Path(sys.argv[1]).read_text()))
