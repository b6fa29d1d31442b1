"""Every message that a reason can be said in, by name and language.

A text, or a pair (one, many) chosen by ``n``. The placeholders of a message are the
same in all languages; a test keeps the catalogues complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Message = str | tuple[str, str]

_ENGLISH: dict[str, Message] = {
    # ---- unit values and masses against earlier peers
    "peers.ratio": (
        "{measure} {ratio} × the typical value of {n} earlier consignment {key}",
        "{measure} {ratio} × the typical value of {n} earlier consignments {key}",
    ),
    "peers.few": (
        "{measure} {ratio} × the typical value of {n} earlier consignment {key} "
        "and of similar goods",
        "{measure} {ratio} × the typical value of {n} earlier consignments {key} "
        "and of similar goods",
    ),
    "peers.none": "{measure} {ratio} × the typical value of similar goods; "
    "no earlier consignment {key}",
    "peers.alone": "{measure} {ratio} × the typical value of earlier consignments "
    "{key}",
    "peers.z": "{measure} {z} standard deviations from the typical value of earlier "
    "consignments {key}",
    "peers.count": (
        "{measure} compared with {n} earlier consignment {key}",
        "{measure} compared with {n} earlier consignments {key}",
    ),
    "peers.unknown": "{measure} cannot be compared: a part is missing or zero",
    "peers.unseen": "{measure} cannot be compared: no earlier consignment",
    # ---- results of earlier inspections
    "record.some": (
        "the one earlier inspection {key} with known result found an irregularity",
        "{hits} of {n} earlier inspections {key} with known result found an "
        "irregularity",
    ),
    "record.clean": (
        "the one earlier inspection {key} with known result found no irregularity; "
        "counting similar items in, the expected hit rate is {rate}",
        "none of {n} earlier inspections {key} with known result found an "
        "irregularity; counting similar items in, the expected hit rate is {rate}",
    ),
    "record.none": "no earlier inspection {key} has a known result; "
    "the hit rate of similar items, {rate}, stands in",
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
    # ---- activity and novelty
    "activity.first": "first consignment {key}",
    "activity.few": (
        "only {n} earlier consignment {key}",
        "only {n} earlier consignments {key}",
    ),
    "activity.some": (
        "{n} earlier consignment {key}",
        "{n} earlier consignments {key}",
    ),
    "activity.recent": (
        "{n} consignment {key} in the last {days} days",
        "{n} consignments {key} in the last {days} days",
    ),
    "activity.last": (
        "last consignment {key} {n} day ago",
        "last consignment {key} {n} days ago",
    ),
    "activity.since": (
        "first consignment {key} only {n} day ago",
        "first consignment {key} {n} days ago",
    ),
    "activity.decayed": "recent activity {key}: {value}, each consignment counting "
    "by its age",
    "activity.none_recent": "no consignment {key} in the last {days} days",
    "activity.none_near": "no consignment {key} just below a value threshold in the "
    "last {days} days",
    "activity.per_day": "items per day with consignments {key}: {value} on average",
    "activity.near": (
        "{n} consignment {key} just below a value threshold in the last {days} days",
        "{n} consignments {key} just below a value threshold in the last {days} days",
    ),
    # ---- route
    "route.seldom": (
        "origin {origin} but shipped from {departure}, a pair seldom seen "
        "({n} earlier item)",
        "origin {origin} but shipped from {departure}, a pair seldom seen "
        "({n} earlier items)",
    ),
    "route.differs": (
        "origin {origin} but shipped from {departure} ({n} earlier item)",
        "origin {origin} but shipped from {departure} ({n} earlier items)",
    ),
    "route.differs_only": "origin {origin} but shipped from {departure}",
    "route.same": "origin and departure both {origin}",
    # ---- tariff
    "tariff.cheapest": "duty rate {rate} where the cheapest neighbour code {key} "
    "pays {other}",
    "tariff.lowest": "duty rate {rate}, no neighbour code {key} pays less",
    "tariff.mean": "duty rate {rate} where earlier goods {key} paid {other} on average",
    "tariff.rate": "duty rate {rate}",
    # ---- the declaration itself
    "item.near": "declared value {value} just below a threshold",
    "item.not_near": "declared value {value}, not just below a threshold",
    "item.round": "round figure: {field} {value}",
    "item.not_round": "not a round figure: {field} {value}",
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
    # ---- keys: who, what, whence
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
    "with.hs2": "with goods of chapter {code}",
    "with.hs4": "with goods {code}",
    "with.hs6": "with goods {code}",
    "with.tariff_code": "with goods {code}",
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
    "list.and": "{head} and {last}",
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
    "field.description": "description of the goods",
    "field.origin": "origin",
    "field.departure": "country of departure",
    "field.transport_mode": "mode of transport",
    "field.customs_value": "customs value",
    "field.net_mass_kg": "net mass",
    "field.gross_mass_kg": "gross mass",
    "field.quantity": "quantity",
    "field.quantity_unit": "unit of the quantity",
    "field.duty_rate": "duty rate",
    "field.duties_taxes": "duties and taxes",
    "field.preference": "preference",
    "field.payment_type": "means of payment",
    "field.trusted_trader": "trusted trader",
    # ---- concepts and strength
    "concept.valuation": "valuation",
    "concept.classification": "classification",
    "concept.origin and route": "origin and route",
    "concept.quantity": "quantity",
    "concept.trader record": "trader record",
    "concept.novelty": "novelty",
    "concept.structuring": "structuring",
    "concept.procedure": "procedure",
    "concept.other": "other",
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
    "page.more": ("and {n} more item", "and {n} more items"),
    "page.note": "A reason says what raised the score, compared with what was known "
    "at lodgement. It is no finding of irregularity. Strength by contribution to the "
    "log-odds: strong from 1.0, clear from 0.4, slight from 0.1, weak below. "
    "For officers only.",
}

_FRENCH: dict[str, Message] = {
    "peers.ratio": (
        "{measure} égale à {ratio} × la valeur typique de {n} envoi antérieur {key}",
        "{measure} égale à {ratio} × la valeur typique de {n} envois antérieurs {key}",
    ),
    "peers.few": (
        "{measure} égale à {ratio} × la valeur typique de {n} envoi antérieur {key} "
        "et de marchandises similaires",
        "{measure} égale à {ratio} × la valeur typique de {n} envois antérieurs {key} "
        "et de marchandises similaires",
    ),
    "peers.none": "{measure} égale à {ratio} × la valeur typique de marchandises "
    "similaires ; aucun envoi antérieur {key}",
    "peers.alone": "{measure} égale à {ratio} × la valeur typique des envois "
    "antérieurs {key}",
    "peers.z": "{measure} à {z} écarts types de la valeur typique des envois "
    "antérieurs {key}",
    "peers.count": (
        "{measure} comparée à {n} envoi antérieur {key}",
        "{measure} comparée à {n} envois antérieurs {key}",
    ),
    "peers.unknown": "{measure} impossible à comparer : un élément manque ou est nul",
    "peers.unseen": "{measure} impossible à comparer : aucun envoi antérieur",
    "record.some": (
        "irrégularité constatée dans le seul contrôle antérieur au résultat connu "
        "{key}",
        "irrégularité constatée dans {hits} des {n} contrôles antérieurs au résultat "
        "connu {key}",
    ),
    "record.clean": (
        "aucune irrégularité dans le seul contrôle antérieur au résultat connu {key} ; "
        "compte tenu des cas similaires, le taux attendu est de {rate}",
        "aucune irrégularité dans les {n} contrôles antérieurs au résultat connu "
        "{key} ; compte tenu des cas similaires, le taux attendu est de {rate}",
    ),
    "record.none": "aucun contrôle antérieur au résultat connu {key} ; "
    "le taux des cas similaires, {rate}, en tient lieu",
    "record.unknown": "aucun contrôle antérieur au résultat connu {key}",
    "record.rate": "taux d'irrégularité de {rate} dans les contrôles antérieurs {key}",
    "record.count": (
        "{n} contrôle antérieur au résultat connu {key}",
        "{n} contrôles antérieurs au résultat connu {key}",
    ),
    "record.hits": (
        "{n} contrôle antérieur {key} a révélé une irrégularité",
        "{n} contrôles antérieurs {key} ont révélé une irrégularité",
    ),
    "activity.first": "premier envoi {key}",
    "activity.few": (
        "seulement {n} envoi antérieur {key}",
        "seulement {n} envois antérieurs {key}",
    ),
    "activity.some": (
        "{n} envoi antérieur {key}",
        "{n} envois antérieurs {key}",
    ),
    "activity.recent": (
        "{n} envoi {key} au cours des {days} derniers jours",
        "{n} envois {key} au cours des {days} derniers jours",
    ),
    "activity.last": (
        "dernier envoi {key} il y a {n} jour",
        "dernier envoi {key} il y a {n} jours",
    ),
    "activity.since": (
        "premier envoi {key} il y a seulement {n} jour",
        "premier envoi {key} il y a {n} jours",
    ),
    "activity.decayed": "activité récente {key} : {value}, chaque envoi comptant selon "
    "son ancienneté",
    "activity.none_recent": "aucun envoi {key} au cours des {days} derniers jours",
    "activity.none_near": "aucun envoi {key} juste en dessous d'un seuil de valeur au "
    "cours des {days} derniers jours",
    "activity.per_day": "articles par jour avec envois {key} : {value} en moyenne",
    "activity.near": (
        "{n} envoi {key} juste en dessous d'un seuil de valeur au cours des {days} "
        "derniers jours",
        "{n} envois {key} juste en dessous d'un seuil de valeur au cours des {days} "
        "derniers jours",
    ),
    "route.seldom": (
        "origine {origin} mais provenance {departure}, combinaison rarement vue "
        "({n} article antérieur)",
        "origine {origin} mais provenance {departure}, combinaison rarement vue "
        "({n} articles antérieurs)",
    ),
    "route.differs": (
        "origine {origin} mais provenance {departure} ({n} article antérieur)",
        "origine {origin} mais provenance {departure} ({n} articles antérieurs)",
    ),
    "route.differs_only": "origine {origin} mais provenance {departure}",
    "route.same": "origine et provenance identiques : {origin}",
    "tariff.cheapest": "taux de droit de {rate}, alors que le code voisin {key} le "
    "moins taxé paie {other}",
    "tariff.lowest": "taux de droit de {rate}, aucun code voisin {key} ne paie moins",
    "tariff.mean": "taux de droit de {rate}, alors que les marchandises antérieures "
    "{key} payaient {other} en moyenne",
    "tariff.rate": "taux de droit de {rate}",
    "item.near": "valeur déclarée de {value}, juste en dessous d'un seuil",
    "item.not_near": "valeur déclarée de {value}, sans proximité d'un seuil",
    "item.round": "chiffre rond : {field} {value}",
    "item.not_round": "chiffre non rond : {field} {value}",
    "item.ratio": "rapport {field} / {other} : {ratio}",
    "item.measure": "{measure} : {value}",
    "item.declared": "déclaré : {pairs}",
    "item.weekday": "déposée un {weekday}",
    "item.flag": "signalé sur la déclaration : {feature}",
    "item.no_flag": "non signalé sur la déclaration : {feature}",
    "item.trusted": "opérateur déclaré comme agréé",
    "item.not_trusted": "opérateur non déclaré comme agréé",
    "item.missing": "non déclaré : {fields}",
    "key.missing": "aucun historique comparable ; non déclaré : {fields}",
    "item.feature": "{feature} : {value}",
    "item.feature_missing": "{feature} : inconnu",
    "of.importer_id": "de cet importateur",
    "of.declarant_id": "de ce déclarant",
    "of.consignor_id": "de cet expéditeur",
    "of.carrier_id": "de ce transporteur",
    "with.importer_id": "avec cet importateur",
    "with.declarant_id": "avec ce déclarant",
    "with.consignor_id": "avec cet expéditeur",
    "with.carrier_id": "avec ce transporteur",
    "of.hs2": "du chapitre {code}",
    "of.hs4": "de la position {code}",
    "of.hs6": "du {code}",
    "of.tariff_code": "du {code}",
    "with.hs2": "pour des marchandises du chapitre {code}",
    "with.hs4": "pour des marchandises du {code}",
    "with.hs6": "pour des marchandises du {code}",
    "with.tariff_code": "pour des marchandises du {code}",
    "of.goods": "de marchandises",
    "from.origin": "d'origine {code}",
    "from.departure": "en provenance de {code}",
    "at.office": "au bureau {code}",
    "with.same": "à l'identique ({fields})",
    "of.all": "de toute nature",
    "measure.price_per_kg": "valeur unitaire au kg",
    "measure.price_per_unit": "valeur unitaire",
    "measure.kg_per_unit": "masse par unité",
    "measure.unknown": "mesure",
    "list.and": "{head} et {last}",
    "yes": "oui",
    "no": "non",
    "weekday.0": "lundi",
    "weekday.1": "mardi",
    "weekday.2": "mercredi",
    "weekday.3": "jeudi",
    "weekday.4": "vendredi",
    "weekday.5": "samedi",
    "weekday.6": "dimanche",
    "field.declaration_id": "numéro de déclaration",
    "field.item_number": "numéro d'article",
    "field.lodged_at": "date de dépôt",
    "field.office": "bureau",
    "field.procedure": "régime douanier",
    "field.importer_id": "importateur",
    "field.declarant_id": "déclarant",
    "field.consignor_id": "expéditeur",
    "field.carrier_id": "transporteur",
    "field.tariff_code": "code tarifaire",
    "field.description": "désignation des marchandises",
    "field.origin": "origine",
    "field.departure": "pays de provenance",
    "field.transport_mode": "mode de transport",
    "field.customs_value": "valeur en douane",
    "field.net_mass_kg": "masse nette",
    "field.gross_mass_kg": "masse brute",
    "field.quantity": "quantité",
    "field.quantity_unit": "unité de quantité",
    "field.duty_rate": "taux de droit",
    "field.duties_taxes": "droits et taxes",
    "field.preference": "préférence",
    "field.payment_type": "mode de paiement",
    "field.trusted_trader": "opérateur agréé",
    "concept.valuation": "valeur",
    "concept.classification": "classement tarifaire",
    "concept.origin and route": "origine et itinéraire",
    "concept.quantity": "quantité",
    "concept.trader record": "antécédents des opérateurs",
    "concept.novelty": "nouveauté",
    "concept.structuring": "fractionnement",
    "concept.procedure": "régime et formalités",
    "concept.other": "autre",
    "strength.strong": "forte",
    "strength.clear": "nette",
    "strength.slight": "légère",
    "strength.weak": "faible",
    "page.title": "Motifs de contrôle",
    "page.item": "Déclaration {declaration}, article {item}",
    "page.rank": "Nº",
    "page.strength": "Force",
    "page.concept": "Domaine",
    "page.reason": "Motif",
    "page.contribution": "Log-cote",
    "page.empty": "Rien dans cette déclaration n'élève le score au-dessus de la base.",
    "page.more": ("et {n} autre article", "et {n} autres articles"),
    "page.note": "Un motif indique ce qui a élevé le score, au regard de ce qui était "
    "connu au dépôt. Il ne constate aucune irrégularité. Force selon la contribution à "
    "la log-cote : forte dès 1,0, nette dès 0,4, légère dès 0,1, faible en deçà. "
    "Réservé aux agents.",
}

#: Language code -> message name -> text.
CATALOGUES: Mapping[str, Mapping[str, Message]] = MappingProxyType(
    {"en": MappingProxyType(_ENGLISH), "fr": MappingProxyType(_FRENCH)}
)

#: Languages that reasons can be said in.
LANGUAGES = tuple(CATALOGUES)
