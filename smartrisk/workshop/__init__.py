"""A class taught in a day: labs whose tasks check themselves, in three languages.

Reads the sources of the labs and their catalogues; writes notebooks, and the pages
around them. Worlds are made on the spot, so every learner can have one of their own.
"""

__all__: list[str] = []
