"""What the page's components look like, computed once.

Gradio computes it again for the state of every visitor, and for every call without a session: about
10 ms for a page of 120 components, twice as long as a search, and memory for as long as the visitor stays.
"""

from __future__ import annotations

from typing import Any, cast

import gradio as gr
from gradio.blocks import Block, BlocksConfig


def share_configs(page: gr.Blocks) -> None:
    """Makes the states of all visitors share what the components of a finished page look like."""
    blocks = page.default_config
    known = {key: blocks.config_for_block(key, [], block) for key, block in blocks.blocks.items()}

    class Shared(BlocksConfig):  # type: ignore[misc] # Gradio's own types are not checked
        """The components of one page; each state has a copy for those that an event has changed."""

        def __copy__(self) -> Shared:
            copied = super().__copy__()
            copied.__class__ = Shared
            return cast("Shared", copied)

        @staticmethod
        def config_for_block(_id: int, rendered_ids: list[int], block: Block, renderable: Any = None) -> dict[str, Any]:
            if renderable is not None or rendered_ids or originals.get(_id) is not block:
                own: dict[str, Any] = BlocksConfig.config_for_block(_id, rendered_ids, block, renderable)
                return own
            config = known[_id]
            # A state sets only the value.
            return {**config, "props": dict(config["props"])} if "props" in config else dict(config)

    originals = dict(blocks.blocks)
    blocks.__class__ = Shared
