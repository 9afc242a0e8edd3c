"""Pictures of the pages for docs/report.md: real runs, a real browser; at a desk, on a phone, dark, printed.

    python -m docs.page_pictures reports [two=FOLDER] [six=FOLDER] [compare=FOLDER]

`reports` is the demo's folder of reports, with its reproduction; `two`, `six`, `compare` those of a model of
two classes, of one with six endpoints, and of a comparison. Pages that are missing are left out. Wants
Chromium (Debian: apt-get install chromium). Writes docs/images/*.png, 256 colours each.
"""

import io
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from tests.support.chromium import Browser, browser, executable

IMAGES = Path(__file__).resolve().parent / "images"


class Shot(NamedTuple):
    """A picture: its name, the page, the window, what to look at, light, dark or print, what to do first."""

    name: str
    page: str
    width: int = 1180
    height: int = 900
    at: str = "header"
    look: str = "light"
    first: str = ""


OPEN = "document.querySelector('#molecules .open')?.click()"
PIN = """(() => { const c = document.querySelector('.hovers .chart'), b = c.getBoundingClientRect();
 const s = b.width / c.viewBox.baseVal.width;
 const m = [...c.querySelector('.dots').getAttribute('d').matchAll(/M([\\d.]+) ([\\d.]+)/g)][9];
 c.dispatchEvent(new MouseEvent('click', {clientX: b.left + m[1] * s, clientY: b.top + m[2] * s,
 bubbles: true})); })()"""
SHOTS = (
    Shot("report", "demo/report.html", height=1250),
    Shot("molecule", "demo/report.html", height=620, at=".figures", first=PIN),
    Shot("molecules", "demo/report.html", height=760, at="#molecules", first=OPEN),
    Shot("distance", "demo/report.html", height=900, at=".figures table"),
    Shot("phone", "demo/report.html", width=390, height=844),
    Shot("dark", "demo/report.html", height=640, at=".figures", look="dark"),
    Shot("print", "demo/report.html", width=794, height=1123, look="print"),
    Shot("two-classes", "two/report.html", height=1250),
    Shot("six-endpoints", "six/report.html", height=700),
    Shot("reproduction", "demo/reproduction.html", height=760),
    Shot("reproduction-phone", "demo/reproduction.html", width=390, height=844),
    Shot("compare", "compare/compare.html", height=760),
)


def main(folders: dict[str, Path]) -> None:
    """Take every picture whose page is there."""
    if executable() is None:
        raise SystemExit("no Chromium here; on Debian: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        browser(Path(folder) / "profile") as page,
    ):
        for shot in SHOTS:
            which, _, file = shot.page.partition("/")
            if which in folders and (path := folders[which] / file).is_file():
                save(IMAGES / f"{shot.name}.png", taken(page, path, shot))


def taken(page: Browser, path: Path, shot: Shot) -> bytes:
    """A PNG of the page as the shot wants it."""
    scheme = [{"name": "prefers-color-scheme", "value": "dark" if shot.look == "dark" else "light"}]
    media = "print" if shot.look == "print" else "screen"
    page.call("Emulation.setEmulatedMedia", media=media, features=scheme)
    page.open(path, width=shot.width, height=shot.height)
    page.ask(f"document.querySelector({shot.at!r}).scrollIntoView({{behavior: 'instant'}})")
    page.ask("if (scrollY) scrollBy(0, -60)")
    time.sleep(0.5)  # the table is made when it comes into sight
    page.ask(shot.first)
    time.sleep(0.3)
    return page.picture()


def save(path: Path, picture: bytes) -> None:
    """Write a PNG of few colours, a third of the size."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    named = dict(one.split("=", 1) if "=" in one else ("demo", one) for one in sys.argv[1:])
    main({name: Path(folder) for name, folder in named.items()})
