"""The version of an engine: a digest of what decides a score, and of nothing else."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from smartrisk.engine._stakes import Stakes
from smartrisk.features import DeclarationFeatures, LearnedHistory, feature_plan
from smartrisk.items import ANY_HIT

#: Hexadecimal digits of a version: two of a million engines share one with a chance of
#: 3 in 100 million. Whether two folders are equal is for their manifests to say.
_DIGITS = 16
#: Where LightGBM's text begins to state how it was trained, threads included.
_HOW_TRAINED = "\nparameters:"


def digest_models(classifier: Any, regressor: Any, stakes: Stakes | None = None) -> str:
    """Return the digest of what decides the predictions of two fitted models."""
    digest = hashlib.sha256()
    parts = [model_content(classifier), model_content(regressor)]
    if stakes is not None:  # earlier versions had the customs value as scale
        parts.append(json.dumps(stakes.to_plain(), sort_keys=True).encode())
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def make_version(models: str, history: LearnedHistory, target: str = ANY_HIT) -> str:
    """Return the digest of what decides a score.

    These are the models, the plan of the features and every sum of the history, not
    threads, paths, the delay of later results or the registers. The same items and
    results give the same version in whatever split or order of updates they came.

    Parameters
    ----------
    models : str
        From `digest_models`: an update does not write the trees out again.
    history : LearnedHistory
        The history. Its digests are linear in the sums: after an update they cost the
        entries that it added.
    target : str, default="hit"
        What the models were fitted to find. The usual one is not written, as in the
        versions that knew no other.
    """
    features = history.features
    content = {
        "models": models,
        "plan": feature_plan(features),
        "scale": is_scaled(features),
        "history": history.digests(),
    }
    if target != ANY_HIT:
        content["target"] = target
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def is_scaled(features: DeclarationFeatures) -> bool:
    """Return whether the revenue model predicts shares of what is at stake."""
    return "customs_value" in features.feature_names_in_


def model_content(model: Any) -> bytes:
    """Return the bytes of what decides the predictions of a model.

    A model that is not made of LightGBM's trees returns them from a method ``content``.
    """
    if hasattr(model, "content"):
        content: bytes = model.content()
        return content
    texts = (
        list(model.booster_texts().values())
        if hasattr(model, "booster_texts")
        else [model.booster_text() or ""]
    )
    trees = "\n".join(text.partition(_HOW_TRAINED)[0] for text in texts)
    return f"{trees}\n{json.dumps(model.fitted_state(), sort_keys=True)}".encode()
