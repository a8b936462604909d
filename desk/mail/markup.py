"""HTML of a mail to lines of text: what a person sees, with quotes marked by `>`.

Inline elements never break a word or a number; blocks, rows and `<br>` end a line; a table's cells
are kept apart by a space. The walk is a loop, so that no depth of nesting ends it.
"""

import re
from html import unescape
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

HTML_CHARS_MAX: Final = 1_000_000
_NODES_MAX: Final = 60_000
_DEPTH_MAX: Final = 1_500
"""Deeper elements make the parser slow by the square; such a mail is read without its tree."""
_QUOTES_MAX: Final = 8
_UNSEEN: Final = frozenset(
    {"script", "style", "head", "title", "template", "noscript", "object", "svg", "select",
     "iframe", "textarea", "-comment"}
)  # fmt: skip
_BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt",
     "fieldset", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li",
     "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "thead", "tr", "ul"}
)  # fmt: skip
_SPACED: Final = frozenset({"p", "h1", "h2", "h3", "h4", "ul", "ol", "pre"})
"""Blocks with an empty line around them."""
_CELLS: Final = frozenset({"td", "th"})
_HIDDEN: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|mso-hide\s*:\s*all"
    r"|max-height\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])",
    re.IGNORECASE,
)
_SIGNATURE: Final = re.compile(
    r"gmail_signature|mail[-_]?signature|moz-signature|ms-outlook-mobile-signature|-signature\b",
    re.IGNORECASE,
)
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,15})")
_SINGLE: Final = frozenset(
    {"area", "base", "br", "col", "hr", "img", "input", "li", "link", "meta", "option", "p",
     "source", "td", "th", "tr", "wbr"}
)  # fmt: skip
"""Elements that are not, or need not be, closed."""
_SPACE: Final = re.compile(r"[ \t\r\n\f]+")


def html_text(html: str) -> str:
    """Return the lines that a reader of the HTML sees."""
    html = html[:HTML_CHARS_MAX].replace("\x00", "")
    if _is_deep(html):
        return _flat(html)
    tree = LexborHTMLParser(html)
    root = tree.body or tree.root
    return "" if root is None else _walked(root)


class _Lines:
    """Gathers lines; what is inside a quote begins with one `>` for each quote."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.now: list[str] = []
        self.quotes = 0

    def add(self, text: str) -> None:
        """Go on in the line, one space where there were many."""
        if text[0] == " " and (not self.now or self.now[-1].endswith(" ")):
            text = text[1:]
        if text:
            self.now.append(text)

    def add_as_is(self, text: str) -> None:
        """Go on with preformatted text."""
        first, *others = text.split("\n")
        self.now.append(first)
        for line in others:
            self.end(empty=True)
            self.now.append(line)

    def end(self, *, empty: bool = False) -> None:
        """End the line; an empty one counts only where it is meant."""
        line = "".join(self.now).rstrip()
        self.now.clear()
        if line or empty:
            self.done.append(self._marked(line))

    def space(self) -> None:
        """Leave one empty line, unless there is one."""
        if self.done and self.done[-1].strip("> "):
            self.done.append(self._marked(""))

    def _marked(self, line: str) -> str:
        marks = ">" * min(self.quotes, _QUOTES_MAX)
        return f"{marks} {line}".rstrip() if marks else line


def _walked(root: LexborNode) -> str:
    lines = _Lines()
    stack: list[tuple[LexborNode, bool, bool]] = [(root, False, False)]
    nodes = 0
    while stack and nodes < _NODES_MAX:
        node, leaving, kept = stack.pop()
        nodes += 1
        tag = node.tag or ""
        if leaving:
            _leave(lines, tag)
            continue
        if tag == "-text":
            text = node.text_content or ""
            if kept:
                lines.add_as_is(text.replace("\r", ""))
            elif text:
                lines.add(_SPACE.sub(" ", text))
            continue
        if tag in _UNSEEN or _is_hidden(node):
            continue
        if tag == "br":
            lines.end(empty=True)
            continue
        _enter(lines, tag, node)
        stack.append((node, True, False))
        inner = kept or tag == "pre"
        child = node.last_child
        while child is not None:
            stack.append((child, False, inner))
            child = child.prev
    lines.end()
    return "\n".join(lines.done)


def _is_deep(html: str) -> bool:
    depth = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        if name not in _SINGLE:
            depth += -1 if tag[1] else 1
            if depth > _DEPTH_MAX:
                return True
    return False


def _flat(html: str) -> str:
    """Return the text between the tags, a line for each block, without quotes or hiding."""
    html = re.sub(r"(?is)<(script|style)\b[^<>]*>[^<]*", " ", html)
    html = _SPACE.sub(" ", html)
    html = _TAG.sub(lambda tag: "\n<" if tag[2].lower() in _BLOCKS or tag[2] == "br" else "<", html)
    lines = (unescape(re.sub(r"<[^>]*>?", "", line)).strip() for line in html.split("\n"))
    return "\n".join(line for line in lines if line)


def _enter(lines: _Lines, tag: str, node: LexborNode) -> None:
    if tag in _CELLS and lines.now:
        lines.add(" ")
    if tag not in _BLOCKS:
        return
    lines.end()
    if tag in _SPACED:
        lines.space()
    if tag == "blockquote" and _is_quote(node):
        lines.quotes += 1
    elif tag == "li":
        lines.now.append("- ")
    elif tag == "hr":
        lines.now.append("_" * 32)
        lines.end()
    if _SIGNATURE.search(node.attributes.get("class") or node.attributes.get("id") or ""):
        lines.now.append("-- ")
        lines.end()


def _leave(lines: _Lines, tag: str) -> None:
    if tag not in _BLOCKS:
        return
    lines.end()
    if tag == "blockquote" and lines.quotes:
        lines.quotes -= 1
    if tag in _SPACED:
        lines.space()


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN.search(attributes.get("style") or ""))


def _is_quote(node: LexborNode) -> bool:
    """Return whether a blockquote quotes; some programs indent what is written now with one."""
    style = node.attributes.get("style") or ""
    return not ("padding" not in style and re.search(r"border:\s*none", style))
