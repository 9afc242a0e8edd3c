"""A chart as a picture of its own: an SVG with the page's light colours in it, or that as a data address."""

import base64
import re

from manywalks.report.html import template_text


def standalone(svg: str) -> str:
    """A page's chart as a whole SVG file on white paper."""
    wide, high = re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0]
    head = f'xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" class="chart light"'
    style = f"<style>{template_text('report.css').replace('<', '')}</style>"
    paper = f'<rect width="{wide}" height="{high}" fill="#fff"/>'
    inside = svg.index(">") + 1
    opening = svg[:inside].replace('class="chart"', head, 1)
    return f"{opening}{style}{paper}{svg[inside:]}"


def address(svg: str) -> str:
    """The same as a data: address, for Markdown that can name no file."""
    return f"data:image/svg+xml;base64,{base64.b64encode(standalone(svg).encode()).decode()}"
