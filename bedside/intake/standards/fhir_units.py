"""Units of UCUM: which of them measure the same, and by what a value has to be multiplied."""

from __future__ import annotations

import re
from functools import lru_cache
from math import prod

Dimension = tuple[tuple[str, int], ...]

_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1, "da": 10.0, "h": 1e2,
             "k": 1e3, "M": 1e6, "G": 1e9}  # fmt: skip
_METRIC = {"g": (1e-3, "mass"), "m": (1.0, "length"), "mol": (1.0, "amount"), "s": (1.0, "time"),
           "Pa": (1.0, "pressure"), "bar": (1e5, "pressure"), "eq": (1.0, "charge"), "U": (1.0, "activity"),
           "[IU]": (1.0, "activity"), "J": (1.0, "energy"), "cal": (4.184, "energy"), "osm": (1.0, "osmoles"),
           "kat": (6e7, "activity"), "m[Hg]": (133_322.0, "pressure"), "m[H2O]": (9_806.65, "pressure"),
           "l": (1e-3, "litre"), "L": (1e-3, "litre")}  # fmt: skip
_FIXED = {"min": (60.0, "time"), "h": (3600.0, "time"), "d": (86_400.0, "time"), "wk": (604_800.0, "time"),
          "mo": (2_629_800.0, "time"), "a": (31_557_600.0, "time"), "%": (1e-2, ""), "[ppth]": (1e-3, ""),
          "[lb_av]": (0.45359237, "mass"), "[oz_av]": (0.028349523125, "mass"), "[in_i]": (0.0254, "length"),
          "[in_us]": (0.0254, "length"), "[ft_i]": (0.3048, "length"), "Cel": (1.0, "temperature"),
          "[degF]": (1.0, "fahrenheit"), "K": (1.0, "kelvin"), "[pH]": (1.0, "acidity"), "deg": (1.0, "angle"),
          "10*": (10.0, ""), "10^": (10.0, "")}  # fmt: skip
_WRITTEN = {
    "mmHg": "mm[Hg]", "mm Hg": "mm[Hg]", "bpm": "/min", "beats/min": "/min", "breaths/min": "/min", "lb": "[lb_av]",
    "lbs": "[lb_av]", "in": "[in_i]", "inches": "[in_i]", "°C": "Cel", "C": "Cel", "degC": "Cel", "F": "[degF]",
    "°F": "[degF]", "degF": "[degF]", "percent": "%", "IU/L": "[IU]/L", "mEq/L": "meq/L", "meq/L": "meq/L",
    "K/uL": "10*3/uL", "k/uL": "10*3/uL", "10^3/uL": "10*3/uL", "x10E3/uL": "10*3/uL", "M/uL": "10*6/uL",
    "10^6/uL": "10*6/uL", "10^9/L": "10*9/L", "10^12/L": "10*12/L", "kg/m^2": "kg/m2", "kg/m²": "kg/m2",
    "years": "a", "yr": "a", "days": "d", "sec": "s", "seconds": "s", "ratio": "1", "mcg/L": "ug/L", "mcg/dL": "ug/dL",
}  # fmt: skip
"""As units are often written where UCUM has another form."""
MOLAR: dict[str, float] = {
    "2345-7": 180.156, "2339-0": 180.156, "1558-6": 180.156, "2160-0": 113.12, "38483-4": 113.12, "2093-3": 386.65,
    "2085-9": 386.65, "2089-1": 386.65, "13457-7": 386.65, "18262-6": 386.65, "2571-8": 885.43, "3094-0": 28.0134,
    "6299-2": 28.0134, "1975-2": 584.66, "1968-7": 584.66, "17861-6": 40.078, "49765-1": 40.078, "3084-1": 168.11,
    "19123-9": 24.305, "2777-1": 30.974, "2498-4": 55.845, "718-7": 16_114.0,
}  # fmt: skip
"""Grams in a mole of what a LOINC code measures; urea by its nitrogen, haemoglobin by its single chain."""
CHARGE = {"2947-0": 1, "2951-2": 1, "6298-4": 1, "2823-3": 1, "2069-3": 1, "2075-0": 1, "20565-8": 1, "2028-9": 1}
"""Charges of an ion: of these, milliequivalents are millimoles."""
HBA1C = {"4548-4", "17856-6", "59261-8"}


def tidy(unit: str) -> str:
    """A unit as UCUM writes it, without remarks in braces: ``"{beats}/min"`` is ``"/min"``."""
    unit = _WRITTEN.get(unit.strip(), unit.strip())
    plain = re.sub(r"\{[^}]*\}", "", unit)
    return "" if plain in ("1", "") else plain.replace("L", "l") if "[" not in plain else plain


@lru_cache(maxsize=4096)
def conversion(unit: str, to: str, loinc: str = "") -> tuple[float, float] | None:
    """What turns a value in one unit into another: ``value * factor + shift``.

    Parameters
    ----------
    unit, to : str
        Codes of UCUM, or as they are often written.
    loinc : str
        What is measured, for a step between mass and amount of substance.

    Returns
    -------
    tuple of (factor, shift) or None
        None if the units do not measure the same, or one of them is not known.

    References
    ----------
    Schadow G, McDonald CJ. The Unified Code for Units of Measure, https://ucum.org.
    HbA1c: Hoelzel W et al. Clin Chem 2004; 50:166-174 (NGSP% = 0.09148 IFCC + 2.152).
    """
    unit, to = tidy(unit), tidy(to)
    if unit == to:
        return 1.0, 0.0
    temperature = {("[degF]", "Cel"): (5 / 9, -160 / 9), ("Cel", "[degF]"): (1.8, 32.0), ("K", "Cel"): (1.0, -273.15)}
    if (unit, to) in temperature:
        return temperature[unit, to]
    if loinc in HBA1C and {unit, to} == {"%", "mmol/mol"}:
        return (0.09148, 2.152) if to == "%" else (1 / 0.09148, -2.152 / 0.09148)
    here, there = measured(unit), measured(to)
    if here is None or there is None:
        return None
    factor, have = here
    wanted, want = there
    if have == want:
        return float(f"{factor / wanted:.14g}"), 0.0
    kilograms = MOLAR.get(loinc, 0.0) / 1000
    if loinc in CHARGE and dict(have).get("charge", 0) != dict(want).get("charge", 0):
        have, want = _as_amount(have), _as_amount(want)
        return (factor / wanted, 0.0) if have == want else None
    if kilograms and _exchanged(have, "mass", "amount") == want:
        return factor / wanted / kilograms, 0.0
    if kilograms and _exchanged(have, "amount", "mass") == want:
        return factor / wanted * kilograms, 0.0
    return None


def measured(unit: str) -> tuple[float, Dimension] | None:
    """A unit in the basic ones, and what it measures; None if a part of it is not known."""
    powers: dict[str, int] = {}
    factors = []
    text = unit if unit[:1] in ("/", "") else f".{unit}"
    for sign, part in re.findall(r"([./])((?:\[[^\]]*\]|[^./\[])+)", text):
        read = _part(part)
        if read is None:
            return None
        factor, what, power = read
        power = -power if sign == "/" else power
        factors.append(factor**power)
        if what == "litre":
            what, power = "length", 3 * power
        if what:
            powers[what] = powers.get(what, 0) + power
    return prod(factors), tuple(sorted((what, power) for what, power in powers.items() if power))


def _part(part: str) -> tuple[float, str, int] | None:
    if ten := re.fullmatch(r"10[*^](-?\d+)", part):
        return 10.0 ** int(ten[1]), "", 1
    if re.fullmatch(r"\d+", part):
        return float(part), "", 1
    form = re.fullmatch(r"(.*?)(-?\d+)?", part)
    if form is None:
        return None
    name, power = form[1], int(form[2] or 1)
    if name in _FIXED:
        return *_FIXED[name], power
    if name in _METRIC:
        return *_METRIC[name], power
    for prefix, scale in _PREFIXES.items():
        base = _METRIC.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if base is not None and len(name) > len(prefix):
            return scale * base[0], base[1], power
    return None


def _exchanged(dimension: Dimension, one: str, other: str) -> Dimension:
    return tuple(sorted((other if what == one else what, power) for what, power in dimension))


def _as_amount(dimension: Dimension) -> Dimension:
    return _exchanged(dimension, "charge", "amount")
