"""The command `statistics`: what controls find, recover and cost, for managers."""

from __future__ import annotations

from pathlib import Path

from smartrisk import schema
from smartrisk.cli._export import read_export
from smartrisk.cli._files import DataFiles
from smartrisk.cli._messages import render_message
from smartrisk.cli._pages import print_page
from smartrisk.cli._terminal import print_line
from smartrisk.errors import Message
from smartrisk.pages import StatisticsReport
from smartrisk.statistics import enforcement, write


def statistics(
    data: DataFiles,
    *,
    decisions: str | None,
    milestones: str | None,
    overrides: str | None,
    as_of: str | None,
    by: str,
    currency: str | None,
    out: str | None,
    lang: str,
) -> int:
    """Print half a page in words; write the page and the workbook where asked to."""
    export = read_export(data)
    figures = enforcement(
        export.declarations,
        export.outcomes,
        export.read_more(decisions, schema.DECISIONS),
        milestones=export.read_more(milestones, schema.MILESTONES),
        # What officers chose instead has the columns of a decision.
        overrides=export.read_more(overrides, schema.DECISIONS),
        as_of=as_of,
        by=[name.strip() for name in by.split(",") if name.strip()],
    )
    page = StatisticsReport.from_statistics(figures, currency=currency)
    for title, sentences in page.brief(lang=lang).items():
        print_line(f"\n{title}")
        for text in sentences:
            print_line(f"- {text}")
    if out is None:
        return 0
    folder = Path(out)
    print_page(page.save(folder / "statistics.html", lang=lang))
    path = write(figures, folder / "statistics.xlsx", lang=lang)
    book = Message("cli.workbook", "workbook: {path}", path=str(path))
    print_line(render_message(book))
    return 0
