"""Pages with parts that programs write, each between two markers of its own."""

from __future__ import annotations

from pathlib import Path


def write(page: Path, block: str, text: str) -> None:
    """Puts a text between the page's two markers of this name. Raises `LookupError` if the page does not have them."""
    begin, end = f"<!-- {block}: begin -->", f"<!-- {block}: end -->"
    content = page.read_text(encoding="utf-8")
    if begin not in content or end not in content:
        raise LookupError(f"{page.name} has no block {block}")
    head, _, rest = content.partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text(f"{head}{begin}\n\n{text.strip()}\n\n{end}{tail}", encoding="utf-8")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Rows as a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" if line[0] != "---" else f"|{'|'.join(line)}|" for line in lines)
