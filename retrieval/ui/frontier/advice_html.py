"""The recommendation and the settings of each database, as HTML."""

from __future__ import annotations

from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.recommend import Recommendation, Wish, recommend
from retrieval.ui.frontier.databases.advice import DATABASES, Advice, advice_for
from retrieval.ui.frontier.words import described, label, large_part_line
from retrieval.ui.markup import escaped, link

_SCARCE = {"ram": "RAM", "disk reads": "disk reads", "cpu": "CPU time of the scan"}
_MANY_TIMES = 2
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
    if found.best is None:
        return (
            f'<div class="answer" role="status"><p>{wanted}</p><p class="take">None of the measured schemes reaches '
            "this. Keep float32, or lower the target.</p></div>"
        )
    lines = [f'<p class="take">Take {escaped(described(found.best))}.</p>']
    if found.within_noise:
        lines.append(
            '<p class="warn">Its 95 % interval reaches below the target: measure with more queries before you rely '
            "on it.</p>"
        )
    if found.reads_too_large_a_part:
        lines.append(f'<p class="warn">{large_part_line(found)}</p>')
    if wish.num_vectors > _MANY_TIMES * frontier.num_vectors:
        lines.append(
            f"<p>Measured among {frontier.num_vectors:,} vectors. Among {wish.num_vectors:,}, more near neighbours "
            "compete: expect less recall, and leave a margin.</p>"
        )
    if not found.sign_bits_suffice:
        lines.append(f"<p>Sign bits lose too much here: take {escaped(label(found.best.point.scheme))}.</p>")
    if found.runner_up is not None:
        lines.append(f"<p>Runner-up: {escaped(described(found.runner_up))}.</p>")
    return f'<div class="answer" role="status"><p>{wanted}</p>{"".join(lines)}</div>'


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
