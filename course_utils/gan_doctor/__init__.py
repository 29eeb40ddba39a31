"""The GAN doctor (lesson 08): looks at a GAN while it trains, draws what it saw, and keeps it to be read later.

A loss alone cannot tell a healthy game from an ill one, since the opponent changes as well. So each look takes samples
and asks of them and of both networks what `Look` lists. It sits at the right end of the house: it measures and draws.
`record` holds what was seen, `callback` does the looking, `drawing` makes the figures.
"""

from course_utils.gan_doctor.callback import GanDoctor
from course_utils.gan_doctor.drawing import panels_figure, record_figure
from course_utils.gan_doctor.record import NEIGHBOURS, SHOWN, Look, Record, read_records

__all__ = ["NEIGHBOURS", "SHOWN", "GanDoctor", "Look", "Record", "panels_figure", "read_records", "record_figure"]
