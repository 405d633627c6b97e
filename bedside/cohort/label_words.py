"""A label of the dictionary inside a sentence of ours."""

from __future__ import annotations

# Persons and places that scores, stages, signs and diseases are called after.
_NAMES = (
    "Addison African Alzheimer American Apgar Asian Barrett Barthel Berlin Bishop Binet Breslow Burkitt Calgary "
    "Caucasian Charlson Cockcroft Coombs Crohn Cushing Danish Down Doppler Dukes Durie Elston Epstein Epworth "
    "European Ewing Fazekas Fisher Forrest Framingham French Fuhrman German Glasgow Gleason Gram Graves Hamilton "
    "Hashimoto Helicobacter Hispanic Hodgkin Hunt Huntington Japanese Kaposi Karnofsky Kellgren Killip Kurtzke Lansky "
    "Latin Likert Lugol Lynch Mallampati Mayo Merkel Nottingham Paget Paris Parkinson Philadelphia Pugh Ranson "
    "Raynaud Rankin Rockall Rotterdam Sjögren Sokal Tanner Turner Wells Wilms Wilson Zubrod "
)
NAMES = frozenset(_NAMES.split())


def in_sentence(label: str) -> str:
    """A label inside a sentence: "Recurrence or death" begins small, "CD4 fall", "AIDS" and names stay as they are.

    A name is a word of `NAMES`, one with a second capital or a figure ("Child-Pugh class", "Ki-67"), or one in the
    genitive ("Cushing's disease"). A name that is not listed begins small: say it in another place of the label.

    >>> in_sentence("Age in 1971"), in_sentence("Karnofsky, by the patient"), in_sentence("Ki-67")
    ('age in 1971', 'Karnofsky, by the patient', 'Ki-67')
    """
    first = label.partition(" ")[0].rstrip(",;:/")
    genitive = first.endswith(("'s", "’s"))
    if genitive or first in NAMES or any(c.isupper() or c.isdigit() for c in first[1:]):
        return label
    return label[:1].lower() + label[1:] if label[1:2].islower() or label[1:2] == " " else label
