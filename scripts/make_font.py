"""Make static/fonts from the published Inter: digits of equal width become the default ones.

A column of risks, times or counts lines up only with tabular digits, and the
theme can name a font but not an OpenType feature. So the feature is frozen:
each digit's code point is pointed at the glyph that `tnum` would have chosen.
Nothing else in the font changes.

    npm pack inter-ui@4.1.1
    pip install fonttools brotli
    python scripts/make_font.py inter-ui-4.1.1.tgz static/fonts

The licence (SIL Open Font License 1.1, no reserved font name) travels along.
"""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

from fontTools.ttLib import TTFont

FONT = "package/variable/InterVariable.woff2"
LICENCE = "package/LICENSE.txt"
NAME = "InterVariable-4.1-tabular.woff2"
DIGITS = range(ord("0"), ord("9") + 1)


def tabular_glyphs(font: TTFont) -> dict[str, str]:
    """Glyph to tabular glyph, from every lookup of the font's `tnum` feature."""
    table = font["GSUB"].table
    lookups = {
        index
        for record in table.FeatureList.FeatureRecord
        if record.FeatureTag == "tnum"
        for index in record.Feature.LookupListIndex
    }
    found: dict[str, str] = {}
    for index in sorted(lookups):
        for sub in table.LookupList.Lookup[index].SubTable:
            found.update(getattr(sub, "ExtSubTable", sub).mapping)
    return found


def freeze_digits(font: TTFont) -> None:
    """Point the ten digits at their tabular glyphs; the Unicode maps may share one dictionary."""
    swap = tabular_glyphs(font)
    for cmap in font["cmap"].tables:
        if cmap.isUnicode():
            cmap.cmap.update({code: swap.get(cmap.cmap[code], cmap.cmap[code]) for code in DIGITS})


def main(package: Path, folder: Path) -> None:
    """Read the npm package, write the font and its licence into `folder`."""
    with tarfile.open(package) as archive:
        font = TTFont(io.BytesIO(archive.extractfile(FONT).read()))
        licence = archive.extractfile(LICENCE).read()
    freeze_digits(font)
    font.flavor = "woff2"
    folder.mkdir(parents=True, exist_ok=True)
    font.save(folder / NAME)
    (folder / "OFL.txt").write_bytes(licence)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
