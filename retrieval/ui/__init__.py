"""The page: pure formatting first, then the layout and the wiring, then what starts it.

markup, highlighting             text of strangers -> safe HTML
hit_cards, latency_panel,
memory_panel, frame              answers -> HTML strings
compare_columns,
compare_summary                  all ways to one query, side by side -> HTML strings
hood/                            the lesson of one query, step by step -> HTML strings
benchmarks/                      what was measured, beside the article -> tables, charts, the cost calculator
own_panels, own_verdict          a visitor's own build -> HTML strings
background_note                  an index that is on its way -> HTML strings
visit                            what one visitor did, kept in that visitor's session only
own_folders, own_sessions,
own_index                        a visitor's files, in that visitor's session, and their end
own_taking, own_requests,
own_sample, own_zip              what comes in, what the child process is asked, what is taken away
address                          the page's address -> index, view, query and settings, and back
knobs, asking                    controls: the settings; the query bar and the choice of index
search_view, compare_view,
hood_view, benchmarks_view,
own_layout, own_steps, own_view  the tabs
answering, api                   from events to the open tab; the endpoint for programs
request_limits, request_guard,
guarded_answer                   what one request may cost, and what is refused before anything reads it
theme, page                      colours and type; the whole page
public_link                      `--share`

Nothing is imported here, so that the formatting modules can be used without loading Gradio.
"""
