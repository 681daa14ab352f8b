"""Make the field notes: Markdown with headings, a table and a list."""

from __future__ import annotations

from pathlib import Path

from examples.facts import WATCHES

__all__ = ["make_field_notes"]

_TEXT = """\
# Field notes: porpoises and quiet boats

Kept by Wren Adair, deck naturalist, June 2025. For the people who asked whether a battery ferry
makes a difference to anything but the fuel bill.

## How I counted

I stood on the upper deck, starboard side, from the pier to the pier. Each watch is one return
crossing in daylight, wind below 12 knots. An animal is counted once, within 200 metres of the
boat. The hydrophone hung from the end of the old coal pier.

## What I saw

| Date | Vessel | Crossing | Porpoises | Gannets |
| --- | --- | --- | ---: | ---: |
{rows}
| **Total** | | | **{porpoises}** | **{gannets}** |

Turnstone made half of the watches and had {quiet} of the {porpoises} porpoises. Six watches are
few. I would not bet the harbour on them, but I would bet a good lunch.

## What the hydrophone heard

At 100 metres, with the vessel at ten knots:

- **Turnstone:** 112 decibels
- **Dunlin:** 127 decibels
- **Kittiwake:** 131 decibels

A porpoise calf answered its mother 40 seconds after Turnstone had passed. After Kittiwake it took
six minutes.

## What I would do next

1. Slow to eight knots between Gull Rock and Skerrin from May to July, when calves are small.
2. Repeat the watches in September with two observers.
3. Move the hydrophone away from the coal pier: the guillemots shout.
"""


def make_field_notes(path: Path) -> None:
    """Write the field notes, their totals computed from the watches."""
    rows = "\n".join(
        f"| {watch.date} | {watch.vessel} | {watch.route} | {watch.porpoises} | {watch.gannets} |"
        for watch in WATCHES
    )
    text = _TEXT.format(
        rows=rows,
        porpoises=sum(watch.porpoises for watch in WATCHES),
        gannets=sum(watch.gannets for watch in WATCHES),
        quiet=sum(watch.porpoises for watch in WATCHES if watch.vessel == "Turnstone"),
    )
    path.write_text(text, encoding="utf-8", newline="\n")
