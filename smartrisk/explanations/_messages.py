"""Every text of reasons, by name, in English.

A text, or a pair (one, many) chosen by ``n``. The other languages are gettext
catalogues of the domain "reasons", where the name is the context of the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Message = str | tuple[str, str]

_MESSAGES: dict[str, Message] = {
    # ---- unit values and masses against earlier peers
    "peers.ratio": (
        "{measure} {declared}, {ratio} × the typical {typical} of {n} earlier "
        "item {key}",
        "{measure} {declared}, {ratio} × the typical {typical} of {n} earlier "
        "items {key}",
    ),
    "peers.few": (
        "{measure} {declared}, {ratio} × the typical {typical} of {n} earlier "
        "item {key} and of similar goods",
        "{measure} {declared}, {ratio} × the typical {typical} of {n} earlier "
        "items {key} and of similar goods",
    ),
    "peers.part": "{measure} {declared}, {ratio} × the typical {typical} of those {n} "
    "of {total} earlier items {key} for which it is known",
    "peers.none": "{measure} {declared}, {ratio} × the typical {typical} of similar "
    "goods; no earlier item {key}",
    "peers.silent": "{measure} {declared}, {ratio} × the typical {typical} of similar "
    "goods; not known for earlier items {key}",
    "peers.alone": "{measure} {declared}, {ratio} × the typical {typical} of earlier "
    "items {key}",
    "peers.also": (
        "{ratio} × the typical {typical} of {n} earlier item {key}",
        "{ratio} × the typical {typical} of {n} earlier items {key}",
    ),
    "peers.also_few": (
        "{ratio} × the typical {typical} of {n} earlier item {key} and of similar "
        "goods",
        "{ratio} × the typical {typical} of {n} earlier items {key} and of similar "
        "goods",
    ),
    "peers.only": "{measure} {ratio} × the typical value of earlier items {key}",
    "peers.z": "{measure} {z} standard deviations from the typical value of earlier "
    "items {key}",
    "market.ratio": "{measure} {declared}, {ratio} × the typical {typical} of earlier "
    "items {key} at the prices of the day",
    "market.only": "{measure} {ratio} × the typical value of earlier items {key} at "
    "the prices of the day",
    "market.z": "{measure} {z} standard deviations from the typical value of earlier "
    "items {key} at the prices of the day",
    "peers.count": (
        "{measure} compared with {n} earlier item {key}",
        "{measure} compared with {n} earlier items {key}",
    ),
    "peers.unknown": "{measure} cannot be compared: a part is missing or zero",
    "peers.unseen": "{measure} cannot be compared: not known for any earlier item",
    # ---- results of earlier inspections
    "record.some": (
        "the one earlier inspection {key} with known result found an irregularity",
        "{hits} of {n} earlier inspections {key} with known result found an "
        "irregularity",
    ),
    "record.clean": (
        "the one earlier inspection {key} with known result found no irregularity",
        "none of {n} earlier inspections {key} with known result found an irregularity",
    ),
    "record.expected": "counting similar items in, the expected hit rate is {rate}",
    "record.none": "no earlier inspection {key} has a known result; "
    "the hit rate of similar items, {rate}, is used instead",
    "record.unknown": "no earlier inspection {key} has a known result",
    "record.rate": "hit rate {rate} in earlier inspections {key}",
    "record.count": (
        "{n} earlier inspection {key} with known result",
        "{n} earlier inspections {key} with known result",
    ),
    "record.hits": (
        "{n} earlier inspection {key} found an irregularity",
        "{n} earlier inspections {key} found an irregularity",
    ),
    # ---- the same where the model looks for one finding only
    "record.some.target": (
        "the one earlier inspection {key} with known result had the finding “{target}”",
        "{hits} of {n} earlier inspections {key} with known result had the finding "
        "“{target}”",
    ),
    "record.clean.target": (
        "the one earlier inspection {key} with known result did not have the finding "
        "“{target}”",
        "none of {n} earlier inspections {key} with known result had the finding "
        "“{target}”",
    ),
    "record.expected.target": "counting similar items in, the expected rate of the "
    "finding “{target}” is {rate}",
    "record.none.target": "no earlier inspection {key} has a known result; the rate of "
    "the finding “{target}” in similar items, {rate}, is used instead",
    "record.rate.target": "rate {rate} of the finding “{target}” in earlier "
    "inspections {key}",
    "record.hits.target": (
        "{n} earlier inspection {key} had the finding “{target}”",
        "{n} earlier inspections {key} had the finding “{target}”",
    ),
    # ---- what a model looks for
    "target.hit": "any irregularity",
    "target.offence:undervaluation": "undervaluation",
    "target.offence:misclassification": "misclassification",
    "target.offence:origin": "false origin",
    "target.offence:quantity": "wrong quantity",
    "target.offence:other": "other offence",
    "target.area:drugs": "drugs",
    "target.area:environment": "environment",
    "target.area:intellectual_property": "intellectual property",
    "target.area:cultural_heritage": "cultural heritage",
    "target.area:security": "security",
    "target.area:money_laundering": "money laundering",
    "target.area:other": "other area of law",
    # ---- activity and novelty
    "activity.first": "first item {key}",
    "activity.few": (
        "only {n} earlier item {key}",
        "only {n} earlier items {key}",
    ),
    "activity.some": (
        "{n} earlier item {key}",
        "{n} earlier items {key}",
    ),
    "activity.recent": (
        "{n} item {key} in the last {days} days",
        "{n} items {key} in the last {days} days",
    ),
    "activity.last": (
        "last item {key} {n} day ago",
        "last item {key} {n} days ago",
    ),
    "activity.since": (
        "the first item {key} dates back {n} day",
        "the first item {key} dates back {n} days",
    ),
    "activity.decayed": "recent activity {key}: {value}, each item counting by its age",
    "activity.none_recent": "no item {key} in the last {days} days",
    "activity.none_near": "no item {key} just below a value threshold in the "
    "last {days} days",
    "activity.per_day": "items per day with items {key}: {value} on average",
    "activity.near": (
        "{n} item {key} just below a value threshold in the last {days} days",
        "{n} items {key} just below a value threshold in the last {days} days",
    ),
    # ---- route
    "route.seldom": (
        "origin {origin}, shipped from {departure}, a pair seldom seen "
        "({n} earlier item)",
        "origin {origin}, shipped from {departure}, a pair seldom seen "
        "({n} earlier items)",
    ),
    "route.differs": (
        "origin {origin}, shipped from {departure} ({n} earlier item)",
        "origin {origin}, shipped from {departure} ({n} earlier items)",
    ),
    "route.differs_only": "origin {origin}, shipped from {departure}",
    "route.same": "origin and departure both {origin}",
    # ---- tariff
    "tariff.cheapest": "duty rate {rate} where the cheapest neighbour code {key} "
    "pays {other}",
    "tariff.lowest": "duty rate {rate}, no neighbour code {key} pays less",
    "tariff.mean": "duty rate {rate} where earlier goods {key} paid {other} on average",
    "tariff.rate": "duty rate {rate}",
    "tariff.share": "{rate} of earlier items {key} declared the same code",
    "tariff.siblings": "duty rate {rate} where earlier goods under the other codes "
    "{key} paid {other} on average",
    "tariff.no_siblings": "no earlier goods under other codes {key}",
    "tariff.no_heading": "no earlier goods {key}",
    # ---- the declaration itself
    "item.near": "declared value {value} just below a threshold",
    "item.not_near": "declared value {value}, not just below a threshold",
    "item.round": "round figure: {field} {value}",
    "item.not_round": "not a round figure: {field} {value}",
    "item.zeros": (
        "{field} {value}, which ends in {n} zero",
        "{field} {value}, which ends in {n} zeros",
    ),
    "item.no_zeros": "{field} that does not end in a zero",
    "item.digits": (
        "{field} with {n} significant digit",
        "{field} with {n} significant digits",
    ),
    "item.ratio": "{field} {ratio} × the {other}",
    "item.measure": "{measure} {value}",
    "item.declared": "declared: {pairs}",
    "item.weekday": "lodged on a {weekday}",
    "item.flag": "noted on the declaration: {feature}",
    "item.no_flag": "not noted on the declaration: {feature}",
    "item.trusted": "declared as a trusted trader",
    "item.not_trusted": "not declared as a trusted trader",
    "item.missing": "not declared: {fields}",
    "key.missing": "no history to compare with; not declared: {fields}",
    "item.feature": "{feature}: {value}",
    "item.feature_missing": "{feature}: not known",
    # ---- keys: who, what, from where
    "of.importer_id": "of this importer",
    "of.declarant_id": "of this declarant",
    "of.consignor_id": "of this consignor",
    "of.carrier_id": "of this carrier",
    "with.importer_id": "with this importer",
    "with.declarant_id": "with this declarant",
    "with.consignor_id": "with this consignor",
    "with.carrier_id": "with this carrier",
    "of.hs2": "of chapter {code}",
    "of.hs4": "of heading {code}",
    "of.hs6": "of {code}",
    "of.tariff_code": "of {code}",
    "of.national_code": "of {code}",
    "with.hs2": "with goods of chapter {code}",
    "with.hs4": "with goods {code}",
    "with.hs6": "with goods {code}",
    "with.tariff_code": "with goods {code}",
    "with.national_code": "with goods {code}",
    "of.goods": "of goods",
    "from.origin": "from {code}",
    "from.departure": "shipped from {code}",
    "at.office": "at office {code}",
    "with.same": "with the same {fields}",
    "of.all": "of any kind",
    # ---- measures, units, lists
    "measure.price_per_kg": "unit value per kg",
    "measure.price_per_unit": "unit value",
    "measure.kg_per_unit": "mass per unit",
    "measure.unknown": "measure",
    "measure.of_unit": "{measure} (per {unit})",
    "measure.mass_of_unit": "{measure} ({unit})",
    "list.and": "{head} and {last}",
    # where the last word begins with the sound of "and" (Spanish: "e importador")
    "list.and_same_sound": "{head} and {last}",
    "list.also": "{first}; {more}",
    "since": "{sentence} (since {month})",
    "month.year": "{month} {year}",
    "date.day": "{day} {month} {year}",
    "date.first_day": "{day} {month} {year}",
    "date.moment": "{day}, {time}",
    "month.1": "January",
    "month.2": "February",
    "month.3": "March",
    "month.4": "April",
    "month.5": "May",
    "month.6": "June",
    "month.7": "July",
    "month.8": "August",
    "month.9": "September",
    "month.10": "October",
    "month.11": "November",
    "month.12": "December",
    "yes": "yes",
    "no": "no",
    "weekday.0": "Monday",
    "weekday.1": "Tuesday",
    "weekday.2": "Wednesday",
    "weekday.3": "Thursday",
    "weekday.4": "Friday",
    "weekday.5": "Saturday",
    "weekday.6": "Sunday",
    # ---- declaration fields
    "field.declaration_id": "declaration number",
    "field.item_number": "item number",
    "field.lodged_at": "date of lodgement",
    "field.office": "office",
    "field.procedure": "procedure",
    "field.importer_id": "importer",
    "field.declarant_id": "declarant",
    "field.consignor_id": "consignor",
    "field.carrier_id": "carrier",
    "field.tariff_code": "tariff code",
    "field.hs_section": "section of the tariff",
    "field.national_code": "national tariff code",
    "field.description": "description of the goods",
    "field.origin": "origin",
    "field.departure": "country of departure",
    "field.transport_mode": "mode of transport",
    "field.customs_value": "customs value",
    "field.price_per_kg": "unit value per kg",
    "field.price_per_unit": "unit value",
    "field.net_mass_kg": "net mass",
    "field.gross_mass_kg": "gross mass",
    "field.quantity": "quantity",
    "field.quantity_unit": "unit of the quantity",
    "field.duty_rate": "duty rate",
    "field.duties_taxes": "duties and taxes",
    "field.preference": "preference",
    "field.payment_type": "means of payment",
    "field.trusted_trader": "trusted trader",
    # ---- what validation noted: the names of the ``dq_`` columns
    "flag.net_exceeds_gross": "net mass above the gross mass",
    "flag.no_item_number": "no item number",
    "flag.zero": "zero ({field})",
    "flag.far": "doubtful date ({field})",
    "flag.huge": "very large number ({field})",
    "flag.high": "very high rate ({field})",
    "flag.unknown": "unknown code ({field})",
    "flag.mixed_scripts": "letters of several scripts ({field})",
    "flag.misread": "misread characters ({field})",
    "flag.shared": "share of a document total ({field})",
    # ---- units of UN/ECE Recommendation 20 that have no symbol of their own
    "unit.piece": "piece",
    "unit.pair": "pair",
    "unit.dozen": "dozen",
    "unit.dozen_pairs": "dozen pairs",
    "unit.hundred": "hundred",
    "unit.thousand": "thousand",
    "unit.set": "set",
    "unit.pack": "pack",
    "unit.box": "box",
    "unit.bag": "bag",
    "unit.bottle": "bottle",
    "unit.roll": "roll",
    "unit.sheet": "sheet",
    "unit.pure_alcohol": "litre of pure alcohol",
    "unit.carat": "carat",
    "unit.tonne": "tonne",
    "unit.pound": "pound",
    "unit.gallon": "gallon",
    "unit.barrel": "barrel",
    "unit.hour": "hour",
    "unit.with_code": "{code} ({name})",
    # ---- concepts and strength
    "concept.valuation": "valuation",
    "concept.classification": "classification",
    "concept.origin and route": "origin and route",
    "concept.quantity": "quantity",
    "concept.trader record": "trader record",
    "concept.novelty": "novelty",
    "concept.structuring": "structuring",
    "concept.procedure": "procedure",
    "concept.own field": "own field",
    "concept.other": "other",
    "base": "base",
    "strength.strong": "strong",
    "strength.clear": "clear",
    "strength.slight": "slight",
    "strength.weak": "weak",
    # ---- page
    "page.title": "Reasons to look",
    "page.item": "Declaration {declaration}, item {item}",
    "page.rank": "No",
    "page.strength": "Strength",
    "page.concept": "Concept",
    "page.reason": "Reason",
    "page.contribution": "Log-odds",
    "page.empty": "Nothing in this declaration raises the score above the base.",
    "page.history": "Earlier items are known until {day}.",
    "page.more": ("and {n} more item", "and {n} more items"),
    "page.note": "A reason names what raised the score, compared with what was known "
    "at lodgement. It is not a finding of irregularity. Strength by contribution to "
    "the log-odds: strong from 1.0, clear from 0.4, slight from 0.1, weak below. For "
    "officers only.",
    # ---- what to check, how likely, what would have lowered the score
    "check.valuation": "compare the invoice, the contract and the proof of payment "
    "with the price database",
    "check.classification": "compare the goods with their technical sheet; where in "
    "doubt, take a sample for the laboratory",
    "check.origin and route": "compare the certificate of origin with the transport "
    "documents and the marks on the goods",
    "check.quantity": "weigh on the weighbridge and count; where sealed, scan",
    "check.trader record": "read the reports of the earlier inspections and look "
    "first for what they found",
    "check.novelty": "confirm who the parties are and that they are registered; scan"
    " or open the goods",
    "check.structuring": "add up the other consignments of the same parties on the "
    "days around",
    "check.procedure": "ask for the licence, permit or authorisation that the "
    "procedure requires",
    "check.other": "compare the declaration with its documents",
    "check.short.valuation": "invoice, proof of payment, price database",
    "check.short.classification": "technical sheet, laboratory",
    "check.short.origin and route": "certificate of origin, transport documents",
    "check.short.quantity": "weighbridge, count, scan",
    "check.short.trader record": "reports of earlier inspections",
    "check.short.novelty": "identity of the parties, scan",
    "check.short.structuring": "other consignments of the parties",
    "check.short.procedure": "licence, permit",
    "check.short.other": "documents",
    "statement.hundred": (
        "by earlier results, of 100 items with such a score about {n} turns out "
        "irregular when inspected",
        "by earlier results, of 100 items with such a score about {n} turn out "
        "irregular when inspected",
    ),
    "statement.thousand": (
        "by earlier results, of 1,000 items with such a score about {n} turns out "
        "irregular when inspected",
        "by earlier results, of 1,000 items with such a score about {n} turn out "
        "irregular when inspected",
    ),
    "statement.no_results": "no results yet: this score orders items by what is "
    "unusual in their declaration, and is not a probability",
    "statement.hardly": "by earlier results, of 1,000 items with such a score fewer "
    "than one turns out irregular when inspected",
    "statement.hundred.target": (
        "by earlier results, of 100 items with such a score about {n} turns out to "
        "have the finding “{target}” when inspected",
        "by earlier results, of 100 items with such a score about {n} turn out to "
        "have the finding “{target}” when inspected",
    ),
    "statement.thousand.target": (
        "by earlier results, of 1,000 items with such a score about {n} turns out to "
        "have the finding “{target}” when inspected",
        "by earlier results, of 1,000 items with such a score about {n} turn out to "
        "have the finding “{target}” when inspected",
    ),
    "statement.hardly.target": "by earlier results, of 1,000 items with such a score "
    "fewer than one turns out to have the finding “{target}” when inspected",
    "instead": "with {field} = {value} (declared: {declared}), the risk would be "
    "{after} instead of {before}",
    "instead_no_results": "with {field} = {value} (declared: {declared}), the score "
    "would be {after} instead of {before}",
    "instead.blank": "no value",
    "pair": "{field} = {value}",
    "label": "{title}: {about}",
    "page.note_no_results": "A reason names what raised the score, compared with what "
    "was known at lodgement. It is not a finding of irregularity. No results of "
    "controls stand behind the scores yet. Strength by contribution to the score: "
    "strong from 1.0, clear from 0.4, slight from 0.1, weak below. For officers only.",
    "page.contribution_no_results": "Contribution",
    "page.release": "Reasons to release",
    "page.empty_release": "Nothing in this declaration lowers the score below the "
    "base.",
    "page.check": "Suggested check",
    "page.target": "The scores are about one finding only: {target}.",
}

#: Ends the name of the form of a message whose ratio is below 1: "0.32 times" is read
#: as an increase, a percentage is not.
BELOW_ONE = "_below_one"


def _as_share(message: Message) -> Message:
    """Return a message on a ratio as one on a percentage."""
    if isinstance(message, str):
        return message.replace("{ratio} × the", "{share} of the")
    one, many = (text.replace("{ratio} × the", "{share} of the") for text in message)
    return one, many


_MESSAGES |= {
    f"{name}{BELOW_ONE}": _as_share(message)
    for name, message in _MESSAGES.items()
    if "{ratio} × the" in str(message)
}

#: Message name -> English text.
MESSAGES: Mapping[str, Message] = MappingProxyType(_MESSAGES)
