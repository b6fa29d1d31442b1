"""
What a policy does to itself
============================

A model learns from what was inspected, and decides what is inspected next. Here three
ways of deciding live through the same months of a made world in which fraud changes:
one always takes what it ranks highest, one gives a tenth of its controls to chance, one
learns from the truth of every item, which no administration can. The guide has the
figures of larger worlds and more seeds.
"""

# %%
# Worlds
# ------
# Two small worlds, told apart by their seed, and a quick contender, so that this page
# is made in seconds.

import smartrisk as sr
from smartrisk.selectivity import Policy
from smartrisk.simulation import Arm, close_loop

worlds = [
    sr.datasets.make_declarations(8_000, random_state=seed, scenario="drift")
    for seed in (0, 1)
]


def arm(random_share, **options):
    """Return an arm that decides with the sum of smoothed rates."""
    policy = Policy(capacity=0.1, random_share=random_share)
    return Arm(policy=policy, contender=sr.models.SmoothedRateSum(), **options)


# %%
# The loop
# --------
# Until the seventh month all know the same. Then each learns from its own findings,
# when they come.

loop = close_loop(
    {
        "exploit only": arm(0.0),
        "10 % random": arm(0.1),
        "all truths": arm(0.0, knows_all=True),
    },
    worlds,
    start=6,
)
print(loop.total(last=6)[["arm", "hit_rate", "recall", "of_oracle"]].round(3))

# %%
# The picture
# -----------

sr.displays.ClosedLoopDisplay.from_loop(loop).plot()
