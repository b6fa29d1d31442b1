"""The scenarios that have a name, each with a description."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smartrisk.worlds._changes import Change
from smartrisk.worlds._scenario import FraudMix, Scenario

_NAMED = (
    Scenario(
        name="national",
        story="A national administration in ordinary times. Its offices target 8 % of "
        "the items by rough rules and watch lists, and draw 2 % of all at random; "
        "3.5 % of the items are illicit, sometimes more and sometimes less. In the "
        "ninth month some duties rise and in the fifteenth a partner joins a trade "
        "agreement; after a finding, one importer in five changes its habit. The "
        "world to start with.",
        swing=0.25,
        adversary=0.2,
        changes=(
            Change(kind="tariff step", month=9, size=0.07),
            Change(kind="trade agreement", month=15, origin="IN"),
        ),
    ),
    Scenario(
        name="stable",
        story="Nothing changes: one tariff, one policy, one share of fraud, and no "
        "reaction to findings. A method that fails here does not fail because of "
        "change; what it loses in the other worlds is the effect of change.",
    ),
    Scenario(
        name="drift",
        story="Everything changes within two years: duties rise, a partner joins an "
        "agreement, the nomenclature gets a new edition, the currency of the largest "
        "partner rises, textiles are sourced elsewhere, offices follow another "
        "policy with other watch lists, and fraud swings by half. For monitoring, "
        "retraining, and splits by time.",
        swing=0.5,
        adversary=0.4,
        changes=(
            Change(kind="tariff step", month=6, size=0.1),
            Change(kind="exchange rate", month=9, origin="CN", size=0.25),
            Change(
                kind="sourcing shift",
                month=11,
                goods=("61", "62", "64"),
                origin="BD",
                size=0.6,
            ),
            Change(kind="nomenclature", month=12, size=0.1),
            Change(kind="trade agreement", month=14, origin="IN"),
            Change(kind="policy", month=16, size=0.05),
        ),
    ),
    Scenario(
        name="phoenix",
        story="A wave of importers that exist for weeks. They lodge many undervalued "
        "goods and disappear before the audit; their successors have another name, the "
        "same broker and the same seller. The record of the importer does not help, "
        "those of broker and seller do.",
        mix=FraudMix(phoenix=0.3, undervaluation=0.2),
        adversary=0.3,
        changes=(Change(kind="phoenix wave", month=14, size=2.5),),
    ),
    Scenario(
        name="transshipment",
        story="In the eighth month an anti-dumping duty of 45 % falls on footwear, "
        "ceramics and steel of the largest origin. Honest importers buy elsewhere; "
        "others declare a partner of an agreement as origin, and the goods may "
        "even pass through it. The law of the day explains why trade moves.",
        mix=FraudMix(false_origin=0.34, undervaluation=0.24),
        adversary=0.2,
        changes=(
            Change(
                kind="anti-dumping",
                month=8,
                goods=("64", "69", "73"),
                origin="CN",
                size=0.45,
            ),
            Change(
                kind="sourcing shift",
                month=9,
                goods=("64", "69", "73"),
                origin="VN",
                size=0.25,
            ),
        ),
    ),
    Scenario(
        name="parcels",
        story="Six items in ten are parcels that consumers order from sellers abroad, "
        "free of duty up to 150 dollars. Some sellers declare a tenth to a half of "
        "the price, some resellers split their orders; the amounts are small and "
        "nearly all importers are new. The history of sellers counts here.",
        parcels=0.6,
        mix=FraudMix(
            undervaluation=0.17,
            misclassification=0.07,
            false_origin=0.04,
            quantity=0.04,
            phoenix=0.02,
            e_commerce=0.4,
            splitting=0.22,
        ),
        adversary=0.2,
    ),
    Scenario(
        name="scarce",
        story="Few results: 1.5 % of the items are targeted and 0.5 % drawn at random, "
        "and most illicit items are never inspected. For methods that must learn from "
        "few results, and to measure the value of more random control.",
        targeted=0.015,
        random=0.005,
        swing=0.25,
        adversary=0.2,
    ),
    Scenario(
        name="collusion",
        story="At half of the offices, officers hide findings against two brokers, "
        "whose declarations reach them more often than by chance and whose clients "
        "commit more fraud. The results of these brokers are wrong, the truth is not. "
        "For monitoring of integrity, and to test how far a model trusts results.",
        collusion=0.5,
    ),
    Scenario(
        name="adversary",
        story="After a finding, four importers in five react: most drop the habit, "
        "some continue under another name or at another office, so that a finding "
        "predicts little about the next item. For policies that keep exploring.",
        adversary=0.8,
        swing=0.25,
    ),
    Scenario(
        name="small",
        story="A small administration, for teaching: few traders and codes, more "
        "fraud and more control, so that a small data set is enough.",
        illicit=0.06,
        targeted=0.12,
        random=0.05,
        n_codes=300,
        traders=0.5,
    ),
)

#: The scenarios that have a name.
SCENARIOS: Mapping[str, Scenario] = MappingProxyType({s.name: s for s in _NAMED})
