"""A recipe that was downloaded before, brought to be used on this file."""

from __future__ import annotations

import streamlit as st

from bedside.errors import Fixable
from bedside.intake import opening
from bedside.intake.plan import to_json
from bedside.intake.recipes import LONGEST, recipe_of
from components import importing
from components.importing import Import, fitted
from components.panels import page


def button(held: Import) -> None:
    """The menu in which a recipe is brought."""
    menu = st.popover("Use a recipe", icon=":material/receipt_long:", key="import_recipe_menu", on_change="rerun")
    if menu.open:
        with menu:
            page.caption("The “Recipe (JSON)” of an earlier import, or the recipe.json of a cohort's folder. What it "
                         "says of columns, outcomes and steps is used on this file; nothing is imported before you "
                         "have seen it.")  # fmt: skip
            key = f"import_recipe_{st.session_state.get('import_uploads', 0)}"
            st.file_uploader("Recipe", type="json", key=key, on_change=_bring, args=(held, key),
                             max_upload_size=LONGEST // 2**20)  # fmt: skip


def _bring(held: Import, key: str) -> None:
    """Use it, or say why it can't be used; then what holds now stays."""
    file = st.session_state.get(key)
    if file is None or held.opened is None:
        return
    st.session_state.pop(importing.TROUBLE, None)
    staged = held.opened.staged
    try:
        plan = recipe_of(file.getvalue(), staged.sha256)
        told = to_json(plan)
        held.change(fitted(opening.remembered(told, staged, held.opened.guessed.plan)))
        held.given, held.last = told, "used"
    except Fixable as stop:
        st.session_state[importing.TROUBLE] = stop
    finally:
        importing._let_go(file)
        st.session_state["import_uploads"] = st.session_state.get("import_uploads", 0) + 1
