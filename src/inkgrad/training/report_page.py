"""The parts that a report is made of: a page that needs nothing but itself, tables, figures, percentages."""

import base64
import html
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = [
    "base64_of",
    "details",
    "escape",
    "figures",
    "most",
    "page",
    "percent",
    "percent_by",
    "picture",
    "plot",
    "table",
]

_STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --card: #f6f8fa;
  --wrong: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e8eaed; --soft: #a3abb5; --line: #3a414a;
  --card: #1f242a; --wrong: #ff9a8f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
p { max-width: 44rem; margin: .5rem 0 1rem; } b { color: var(--wrong); }
.soft, figcaption, caption { color: var(--soft); font-size: .9rem; text-align: left; }
caption { padding-bottom: .4rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 0; }
.figures div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; }
.figures dt { color: var(--soft); font-size: .9rem; } .figures dd { margin: 0; }
.figures .value { font-size: 1.6rem; font-weight: 600; line-height: 1.3; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); gap: 1.5rem; }
figure { margin: 0; } figcaption { margin-top: .4rem; } .scroll { overflow-x: auto; }
figure + figure { margin-top: 1.5rem; }
.plot { display: block; max-width: 100%; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: .5rem; padding: .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } .wide { width: 100%; }
th, td { padding: .3rem .75rem; border-bottom: 1px solid var(--line); text-align: right; }
thead th { color: var(--soft); font-size: .9rem; } th:first-child { text-align: left; }
.wide th[scope=row] { overflow-wrap: anywhere; min-width: 5rem; vertical-align: top; }
.details td { text-align: left; overflow-wrap: anywhere; width: 80%; }
details { margin-top: 1rem; } summary { cursor: pointer; } details .scroll { margin-top: .75rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr)); gap: .75rem; padding: 0;
  list-style: none; }
.gallery li { line-height: 1.35; overflow-wrap: anywhere; }
.gallery img { display: block; width: 100%; height: auto; image-rendering: pixelated; border: 1px solid var(--line);
  border-radius: .25rem; }
@media print { .gallery li, figure, tr { break-inside: avoid; } }
"""


def page(title: str, sections: Iterable[str]) -> str:
    """The whole page: a heading, and what stands below it."""
    heading, body = escape(title), "\n".join(section for section in sections if section)
    # The policy makes the browser itself refuse whatever a name smuggled past the escaping.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{body}
</main>
</body>
</html>
"""


def table(style: str, caption: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts; the first cell of a row is its heading."""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in header)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(text)}</td>" for text in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<table class="{style}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def figures(entries: Iterable[tuple[str, str, str]]) -> str:
    """The main figures in large type: (name, value, what it is) of each."""
    cells = "".join(
        f'<div><dt>{escape(name)}</dt><dd class="value">{escape(value)}</dd><dd class="soft">{escape(note)}</dd></div>'
        for name, value, note in entries
    )
    return f'<dl class="figures">{cells}</dl>'


def details(entries: Mapping[str, str]) -> str:
    """A section with what else there is to say, nothing where that is nothing."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in entries.items()
    )
    return f'<section><h2>Details</h2><table class="wide details">{rows}</table></section>' if rows else ""


def plot(svg: bytes, alt: str, caption: str) -> str:
    """A figure; as an image and not inline: the identifiers inside one SVG cannot collide with those of the next."""
    return _figure(f'src="data:image/svg+xml;base64,{base64_of(svg)}"', alt, caption)


def picture(png: bytes, width: int, alt: str, caption: str) -> str:
    """A figure of pixels, shown `width` CSS pixels wide where there is room."""
    return _figure(f'src="data:image/png;base64,{base64_of(png)}" width="{width}"', alt, caption)


def _figure(source: str, alt: str, caption: str) -> str:
    said = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img class="plot" {source} alt="{escape(alt)}">{said}</figure>'


def most(what: str, count: int, shown: int) -> str:
    """What is listed, how many there are, and how many of them are left out."""
    rest = f"; the first {shown} are shown, {count - shown:,} more are not" if count > shown else ""
    return f"{what}: {count:,}{rest}."


def percent_by(n: int) -> Callable[[float], str]:
    """Writes shares of n images with as many decimals as one image is worth: one of 10,000 is 0.01%."""
    return lambda share: percent(share, max(0, math.ceil(math.log10(n)) - 2))


def percent(share: float, decimals: int) -> str:
    """Rounded, but never up to all or down to none."""
    step = 10.0**-decimals
    text = f"{100 * share:.{decimals}f}"
    if share < 1 and float(text) >= 100:
        return f">{100 - step:.{decimals}f}%"
    if share > 0 and float(text) == 0:
        return f"<{step:.{decimals}f}%"
    return f"{text}%"


def escape(text: str) -> str:
    """Text as HTML writes it."""
    # Names of files may hold bytes that are no UTF-8, as lone surrogates; a page may not.
    return html.escape(text.encode("utf-8", "replace").decode().replace("\0", "?"))


def base64_of(content: bytes) -> str:
    """What a data URL holds."""
    return base64.b64encode(content).decode("ascii")
