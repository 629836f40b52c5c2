"""The subset of HTML that a report may use: text, tables, styles and embedded pictures.

Invariant: every ``<`` of the page starts a tag of the grammar below, so there are no comments, no CDATA, no foreign
elements and no broken quotes in which a browser could see another page than this module does. Elements, attributes,
links and pictures are those of closed lists; style sheets cannot fetch.
"""

import html
import re
from typing import Final

_ELEMENT_NAMES = """
html head title meta style body header footer main section article nav aside h1 h2 h3 h4 h5 h6 p div span br hr a b i u
s em strong small sub sup mark abbr cite q code pre kbd samp var blockquote time ul ol li dl dt dd table caption
colgroup col thead tbody tfoot tr th td img figure figcaption details summary
"""
_ATTRIBUTE_NAMES = """
class id style title alt lang dir width height colspan rowspan span scope headers align valign border cellpadding
cellspacing start reversed datetime charset name content role open href src
"""
ELEMENTS: Final = frozenset(_ELEMENT_NAMES.split())
ATTRIBUTES: Final = frozenset(_ATTRIBUTE_NAMES.split())
_DOCTYPE: Final = re.compile(r"\s*<!doctype html>", re.IGNORECASE | re.ASCII)
_ATTRIBUTE: Final = r"""\s+[a-zA-Z][a-zA-Z0-9-]*(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[a-zA-Z0-9_.%#-]+))?"""
_TAG: Final = re.compile(rf"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:{_ATTRIBUTE})*)\s*/?>", re.ASCII)
_ONE_ATTRIBUTE: Final = re.compile(
    r"""\s+([a-zA-Z][a-zA-Z0-9-]*)(?:\s*=\s*(?:"([^"<>]*)"|'([^'<>]*)'|([a-zA-Z0-9_.%#-]+)))?""",
    re.ASCII,
)
# Tabs and line ends are the only control characters: ESC, for one, can switch the character set of a page.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufeff]")
_PICTURE: Final = re.compile(r"data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=\s]+", re.ASCII)
_FRAGMENT: Final = re.compile(r"#[A-Za-z0-9_.:-]*")
# What lets a style sheet fetch or act; a backslash could spell any of it.
_CSS_ACTS: Final = re.compile(
    r"\\|@import|@charset|@namespace|@document|url\s*\(|src\s*\(|image\s*\(|image-set|expression|behavior|binding|"
    r"javascript:",
    re.IGNORECASE | re.ASCII,
)


def page_fault(text: str) -> str:
    """Why a page may not be shown, in one line; empty when it may."""
    found = _CONTROL.search(text)
    if found:
        return f"character {found.start()} is the control character U+{ord(found[0]):04X}"
    doctype = _DOCTYPE.match(text)
    if doctype is None:
        return "the page does not begin with <!doctype html>"
    place, style_from = doctype.end(), None
    while (opening := text.find("<", place)) >= 0:
        tag = _TAG.match(text, opening)
        if tag is None:
            return f"{_excerpt(text, opening)} is no tag of the allowed form; write &lt; for a bare <"
        closing, name = bool(tag[1]), tag[2].lower()
        fault = _tag_fault(closing, name, tag[3])
        if not fault and style_from is not None and (not closing or name != "style"):
            fault = f"<{tag[1]}{name}> stands inside <style>"
        if not fault and name == "style":
            fault = _css_fault(text[style_from:opening]) if style_from is not None else ""
            style_from = None if closing else tag.end()
        if fault:
            return fault
        place = tag.end()
    return "<style> is not closed" if style_from is not None else ""


def _tag_fault(closing: bool, name: str, attributes: str) -> str:
    if name not in ELEMENTS:
        return f"the element <{name}> is not allowed"
    if closing and attributes.strip():
        return f"</{name}> has attributes"
    seen: set[str] = set()
    for found in _ONE_ATTRIBUTE.finditer(attributes):
        attribute = found[1].lower()
        value = html.unescape(next((one for one in found.groups()[1:] if one is not None), ""))
        if attribute in seen:
            return f"<{name}> has {attribute} twice"
        seen.add(attribute)
        fault = _attribute_fault(name, attribute, value)
        if fault:
            return fault
    return ""


def _attribute_fault(element: str, attribute: str, value: str) -> str:
    if attribute not in ATTRIBUTES and not attribute.startswith(("aria-", "data-")):
        return f"<{element}> has the attribute {attribute}, which is not allowed"
    if attribute == "href" and not (element == "a" and _FRAGMENT.fullmatch(value)):
        return f"<{element}> refers to {value[:60]!r}; only #places in the page itself may be linked"
    if attribute == "src" and not (element == "img" and _PICTURE.fullmatch(value)):
        return f"<{element}> fetches {value[:60]!r}; a picture is embedded as data: PNG, JPEG or GIF"
    if attribute == "charset" and value.lower() != "utf-8":
        return f"the page calls itself {value[:20]!r}, a report is UTF-8"
    if attribute in ("name", "content") and element != "meta":
        return f"<{element}> has the attribute {attribute}, which is not allowed"
    return _css_fault(value) if attribute == "style" else ""


def _css_fault(css: str) -> str:
    found = _CSS_ACTS.search(re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)) or _CSS_ACTS.search(css)
    return f"a style holds {found[0]!r}, which can fetch or act" if found else ""


def _excerpt(text: str, start: int) -> str:
    return repr(text[start : start + 40])
