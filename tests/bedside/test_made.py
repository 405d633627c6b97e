"""Data that scripts read carry the hash of what is in them."""

from __future__ import annotations

from bedside.report.made import Made, sealed


def test_scripts_and_data_share_a_name_that_other_data_do_not_have():
    made = Made("", (("bedside", "FILE = 'data.csv'"),), (("a",), [(1,)]), "data.csv")
    one = sealed(made)
    assert one.data_name.startswith("data-") and one.data_name.endswith(".csv")
    assert one.scripts == (("bedside", f"FILE = '{one.data_name}'"),)
    other = sealed(Made("", made.scripts, (("a",), [(2,)]), "data.csv"))
    assert other.data_name != one.data_name
    assert sealed(one) is one
    assert sealed(Made("words")).data is None
