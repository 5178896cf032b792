"""The page: pure formatting first, then the layout and the wiring, then what starts it.

markup, highlighting             text of strangers -> safe HTML
hit_cards, latency_panel,
memory_panel, frame              answers -> HTML strings
visit                            what one visitor did, kept in that visitor's session only
knobs, search_view, api          controls, handlers, the endpoint for programs
own_panels, own_verdict          a visitor's own build -> HTML strings
own_folders, own_sessions,
own_index                        a visitor's files, in that visitor's session, and their end
own_layout, own_steps, own_view  the view of them
theme, page                      colours and type; the whole page
public_link                      `--share`

Nothing is imported here, so that the formatting modules can be used without loading Gradio.
"""
