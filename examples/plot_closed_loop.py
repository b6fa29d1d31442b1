"""
What a policy does to its own future
====================================

A model learns from what was inspected, and decides what is inspected next. Three ways
of deciding run through the same months of a synthetic world in which fraud changes:
one always selects what it ranks highest, one draws a tenth of its inspections at
random, one learns from the truth of every item, which no administration can. The
guide has figures from larger worlds and more seeds.
"""

# %%
# Worlds
# ------
# Two small worlds that differ in their seed, and a quick contender, so that this page
# builds in seconds.

import smartrisk as sr
from smartrisk.selectivity import Policy
from smartrisk.simulation import Arm, close_loop

worlds = [
    sr.datasets.make_declarations(8_000, random_state=seed, scenario="drift")
    for seed in (0, 1)
]


def make_arm(random_share, *, knows_all=False):
    """Return an arm that ranks by the sum of smoothed hit rates."""
    policy = Policy(capacity=0.1, random_share=random_share)
    return Arm(
        policy=policy, contender=sr.models.SmoothedRateSum(), knows_all=knows_all
    )


# %%
# The loop
# --------
# Until the seventh month all arms have the same results. Then each learns from its own
# results, when they arrive.

loop = close_loop(
    {
        "exploit only": make_arm(0.0),
        "10 % random": make_arm(0.1),
        "all truths": make_arm(0.0, knows_all=True),
    },
    worlds,
    start=6,
)
print(loop.total(last=6)[["arm", "hit_rate", "recall", "of_oracle"]].round(3))

# %%
# The picture
# -----------

sr.displays.ClosedLoopDisplay.from_loop(loop).plot()
