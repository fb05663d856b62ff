"""The frame of the page: its head, style and list of sections."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from html import escape

# Contrast of text on its ground is at least 4.5 : 1, in both schemes. On paper the light one.
STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --card: #f6f7f9; --text: #1c2128; --soft: #57606a; --rule: #d0d7de; --blue: #2f6fc4; --pale: #b9d0ee;
  --good: #1a7f37; --bad: #b42318; --band: #2f6fc430; --heat: 47, 111, 196; }
@media screen and (prefers-color-scheme: dark) { :root { --ground: #14171c; --card: #1d2229; --text: #e6e9ee; --soft: #a5adb8; --rule: #3a414b; --blue: #7fb2f0; --pale: #2f4b70;
  --good: #5fd07f; --bad: #ff8f85; --band: #7fb2f038; --heat: 127, 178, 240; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer, nav { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 22px; margin: 40px 0 4px; padding-top: 16px; border-top: 1px solid var(--rule); }
h3 { font-size: 17px; margin: 0 0 4px; }
p { margin: 4px 0 12px; }
.soft { color: var(--soft); }
.small { font-size: 14px; } .one { white-space: nowrap; }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 0; margin: 12px 0 0; }
a { color: var(--blue); }
.skip { position: absolute; left: -9999px; } .skip:focus { left: 8px; top: 8px; background: var(--ground); padding: 8px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; margin: 4px 0 12px; }
caption { text-align: left; color: var(--soft); padding-bottom: 4px; }
th, td { padding: 5px 16px 5px 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--rule); }
th { font-weight: 600; } section[aria-labelledby=scorecard] tbody th { min-width: 10em; } thead th { color: var(--soft); white-space: nowrap; }
.n { text-align: right; white-space: nowrap; }
.bar { display: inline-block; vertical-align: middle; width: 160px; height: 12px; border-radius: 3px; overflow: hidden; background: var(--card); border: 1px solid var(--rule); }
.bar i { display: block; float: left; height: 100%; background: var(--blue); } .bar i.pale { background: var(--pale); }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(430px, 1fr)); gap: 16px; margin-top: 12px; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 16px; min-width: 0; break-inside: avoid; }
.big { font-size: 28px; line-height: 1.2; font-weight: 600; margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: 8px 40px; margin: 16px 0 0; padding: 0; } .facts div { display: flex; flex-direction: column-reverse; }
.facts dt { color: var(--soft); font-size: 14px; } .facts dd { margin: 0; font-size: 22px; font-weight: 600; }
ul.do { margin: 4px 0 12px; padding-left: 20px; }
details { margin: 4px 0 8px; } summary { cursor: pointer; color: var(--blue); }
svg.chart { width: 100%; height: auto; display: block; } svg.chart text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--rule); stroke-width: 1; } .zero { stroke: var(--soft); stroke-width: 1; } .line { fill: none; stroke: var(--blue); stroke-width: 2; }
.band { fill: var(--band); } .target { fill: none; stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 4; }
.dot { fill: var(--blue); stroke: var(--blue); stroke-width: 1.5; } .dot.met { fill: var(--good); stroke: var(--good); } .dot.missed { fill: var(--bad); stroke: var(--bad); }
.dot.partial { fill: var(--card); } .span { stroke: var(--blue); stroke-width: 2; }
svg.spark { width: 96px; height: 24px; vertical-align: middle; }
.paper { background: #ffffff; border-radius: 8px; padding: 8px; } .paper svg, .picture svg { max-width: 100%; height: auto; }
.heat { display: inline-block; min-width: 46px; padding: 1px 6px; border-radius: 3px; }
footer { padding: 32px 24px; }
@media (max-width: 560px) { .cards { grid-template-columns: 1fr; } .bar { width: 80px; } }
@media print {
  @page { margin: 16mm; }
  body { font-size: 11pt; } th, td { padding-top: 2px; padding-bottom: 2px; } svg.chart { max-height: 150px; } header, main, footer, nav { max-width: none; padding-left: 0; padding-right: 0; }
  nav, summary { display: none; } .cards { grid-template-columns: 1fr 1fr; } .wide { overflow: visible; break-inside: avoid; }
  h2, h3, section > p { break-after: avoid; } tr, .picture { break-inside: avoid; } .picture svg { max-height: 210mm; width: auto; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


@dataclasses.dataclass
class Section:
    """A part of the page. One without a title stands before the list of the others."""

    id: str
    title: str
    html: str


def page(title: str, sections: Sequence[Section]) -> str:
    opening = "".join(s.html for s in sections if not s.title)
    named = [s for s in sections if s.title]
    links = "".join(f'<li><a href="#{s.id}">{escape(s.title)}</a></li>' for s in named)
    body = "".join(f'<section aria-labelledby="{s.id}"><h2 id="{s.id}">{escape(s.title)}</h2>{s.html}</section>\n' for s in named)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing may come from elsewhere, and nothing may run.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{STYLE}</style></head>\n'
        f'<body><a class="skip" href="#content">To the content</a><header><h1>{escape(title)}</h1>{opening}</header>\n'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n<main id="content">\n{body}</main>\n'
        '<footer class="soft small">Made by Journeyman. Intervals are of 95 %. A value whose period is not over is hollow, or ends in …</footer></body></html>\n'
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """Cells are HTML. A column whose name ends in `>` is of numbers; the first cell of a row is its head."""
    names = [c.rstrip(">") for c in columns]
    kinds = [' class="n"' if c.endswith(">") else "" for c in columns]
    top = "".join(f'<th scope="col"{kind}>{escape(n)}</th>' for n, kind in zip(names, kinds, strict=True))
    lines = []
    for row in rows:
        first, *others = row
        cells = "".join(f"<td{kind}>{c}</td>" for c, kind in zip(others, kinds[1:], strict=True))
        lines.append(f'<tr><th scope="row"{kinds[0]}>{first}</th>{cells}</tr>')
    said = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="wide"><table>{said}<thead><tr>{top}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def bar(*parts: tuple[float, str], words: str = "") -> str:
    """Shares of a whole, end to end; `words` say them to who cannot see them."""
    pieces = "".join(f'<i class="{kind}" style="width:{100 * min(max(x, 0), 1):.1f}%"></i>' for x, kind in parts)
    return f'<span class="bar" role="img" aria-label="{escape(words)}">{pieces}</span>'
