"""The recommendation and the settings of each database, as HTML."""

from __future__ import annotations

from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.recommend import Recommendation, Wish, recommend
from retrieval.ui.frontier.databases.advice import DATABASES, Advice, advice_for
from retrieval.ui.frontier.words import cautions, choice_lines, label
from retrieval.ui.markup import escaped, link

_SCARCE = {"ram": "RAM", "disk reads": "disk reads", "cpu": "CPU time of the scan"}
_RUN = '<span class="mark run">run by our tests</span>'
_NOT_RUN = '<span class="mark">from its documentation, not run here</span>'


def advice_html(frontier: Frontier, wish: Wish) -> str:
    """Returns the recommendation for a wish, and the settings of every database for it."""
    databases = "".join(_database(advice_for(each, frontier, wish)) for each in DATABASES)
    return (
        f'<section class="frontier">{_answer(frontier, recommend(frontier, wish))}'
        "<h3>Settings for your database</h3><p>For each, its cheapest scheme that reaches the target on these vectors, "
        f"with all {frontier.dim:,} dimensions. Graph and list indexes lose a little more, depending on their own "
        f"search parameters.</p>{databases}</section>"
    )


def _answer(frontier: Frontier, found: Recommendation) -> str:
    wish = found.wish
    wanted = (
        f"For recall@{frontier.k} of at least {wish.target:g} and {wish.num_vectors:,} vectors, with "
        f"{_SCARCE[wish.scarce]} scarce:"
    )
    take, *more = choice_lines(frontier, found)
    warnings = cautions(frontier, found) if found.best is not None else []
    lines = "".join(f'<p class="warn">{each}</p>' if each in warnings else f"<p>{escaped(each)}</p>" for each in more)
    return f'<div class="answer" role="status"><p>{wanted}</p><p class="take">{escaped(take)}</p>{lines}</div>'


def _database(advice: Advice) -> str:
    database, best = advice.database, advice.recommendation.best
    mark = _RUN if database.was_run else _NOT_RUN
    name = f"<b>{escaped(database.name)}</b><span>{escaped(database.version)}</span>{mark}"
    page = f'<p class="hint">{link(database.link, "Its documentation")}.</p>'
    if best is None:
        return (
            f'<details class="database"><summary>{name}<span>none of its schemes reaches the target</span>'
            f"</summary>{page}</details>"
        )
    point = best.point
    rescored = "alone" if point.rescoring == "none" else f"{point.oversampling}x, rescored by {point.rescoring}"
    return (
        f'<details class="database"><summary>{name}<span>{escaped(label(point.scheme))}, {rescored}: recall '
        f'{point.recall.mean:.3f}, {point.ram_bytes:,} bytes per vector</span></summary>{page}<div class="code">'
        f'<button type="button" class="copy" data-copy aria-label="Copy the settings of {escaped(database.name)}">'
        f'Copy</button><pre tabindex="0"><code>{escaped(advice.settings)}</code></pre></div></details>'
    )
