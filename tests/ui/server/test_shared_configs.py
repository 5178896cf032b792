"""What the components of a page look like is computed once; what a visitor's events change stays theirs."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import gradio as gr
import pytest
from gradio.blocks import BlocksConfig
from gradio.state_holder import SessionState

from retrieval.ui.server.shared_configs import share_configs
from tests.support import in_loop


def page_of_some_components() -> gr.Blocks:
    with gr.Blocks(analytics_enabled=False) as page, gr.Row():
        gr.State("mine")
        gr.Textbox("a value", label="Query")
        gr.Slider(1, 10, value=3)
        gr.HTML("<p>text</p>")
    return page


@pytest.fixture
def page() -> gr.Blocks:
    return in_loop(page_of_some_components)


def test_a_state_knows_what_it_knew_before(page: gr.Blocks) -> None:
    before = deepcopy(SessionState(page).config_values)
    share_configs(page)
    assert SessionState(page).config_values == before
    assert any(config["props"].get("value") == "a value" for config in before.values())


def test_no_component_is_asked_again_what_it_looks_like(page: gr.Blocks, monkeypatch: pytest.MonkeyPatch) -> None:
    share_configs(page)
    asked: list[int] = []

    def noted(_id: int, *others: Any) -> dict[str, Any]:
        asked.append(_id)
        return {}

    monkeypatch.setattr(BlocksConfig, "config_for_block", staticmethod(noted))
    for _ in range(3):
        SessionState(page)
    assert asked == []


def test_changes_of_one_visitor_are_unseen_by_others(page: gr.Blocks) -> None:
    share_configs(page)
    one, other = SessionState(page), SessionState(page)
    expected = deepcopy(other.config_values)
    [key] = [key for key, block in page.blocks.items() if isinstance(block, gr.Textbox)]
    one._update_value_in_config(key, "changed")
    assert one.config_values[key]["props"]["value"] == "changed"
    replaced = in_loop(lambda: gr.Textbox("another", label="Other", render=False))
    one[key] = replaced
    one._update_config(key)
    assert one.config_values[key]["props"]["label"] == "Other"
    assert other.config_values == expected
    assert SessionState(page).config_values == expected
    assert other.blocks_config.blocks[key] is page.blocks[key]
