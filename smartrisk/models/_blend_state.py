"""A fitted blend as plain values and texts, and back.

A boosting alone is written as versions that knew no other member wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from smartrisk.errors import ArgumentError
from smartrisk.models._blend import Blend, Member, TreeMember
from smartrisk.models._boosting import (
    STATE_FILE,
    damaged_model,
    read_booster,
    read_state,
)
from smartrisk.models._calibration import ScoreCalibration
from smartrisk.models._signals import SignalScore

#: What every state holds, and the ranges of its numbers.
_STATE = {"calibration": (-1e300, 1e300), "n_features": (1, 2**31 - 1)}
#: The same of a boosting alone, whose scale is its own.
_TREES = {"n_trees": (1, 2**31 - 1)}
#: The numbers of the calibration that stand by themselves.
_TWO = ("slope", "intercept")
#: The same of a member, its name apart.
_MEMBER = {
    "n_trees": (1, 2**31 - 1),
    "centre": (-1e300, 1e300),
    "spread": (1e-300, 1e300),
    "weight": (0.0, 1.0),
}
#: The same of a blend, its members apart.
_BLEND = {"level": (-1e300, 1e300), "scale": (1e-300, 1e300)}
#: Scale of a member that is alone.
_UNSCALED = {"centre": 0.0, "spread": 1.0, "weight": 1.0}


class FittedState(NamedTuple):
    """What a classifier learned."""

    blend: Blend
    calibration: ScoreCalibration
    n_features: int


def write_state(fitted: FittedState) -> dict[str, Any]:
    """Return everything but the trees as plain values for JSON."""
    blend, calibration, n_features = fitted
    two = [float(calibration.slope), float(calibration.intercept)]
    state: dict[str, Any] = {"calibration": two, "n_features": int(n_features)}
    if calibration != _of_two(two):
        plain = calibration.to_plain()
        state["calibrator"] = {k: v for k, v in plain.items() if k not in _TWO}
    if [member.name for member in blend.members] == ["boosting"]:
        state["n_trees"] = int(blend.n_trees)
    else:
        state["blend"] = blend.to_plain()
    return state


def read_fitted(
    owner: str, texts: Mapping[str, str], state: Any, files: Mapping[str, str]
) -> FittedState:
    """Return what `write_state` and `Blend.texts` described.

    Parameters
    ----------
    owner : str
        Name of the calling function, for messages.
    texts : mapping of str to str
        Text of the trees of each member.
    state : dict
        Plain values.
    files : mapping of str to str
        Name of the file of each text, for messages.

    Raises
    ------
    ArtefactError
        If values or trees are not those of a classifier.
    """
    if not isinstance(state, dict):
        raise damaged_model(owner, STATE_FILE, f"it has {state!r}")
    state = dict(state)
    plain, calibrator = state.pop("blend", None), state.pop("calibrator", None)
    read_state(owner, state, _STATE | (_TREES if plain is None else {}))
    two, n_features = state["calibration"], state["n_features"]
    if not isinstance(two, list) or len(two) != 2:
        raise damaged_model(owner, STATE_FILE, "'calibration' is not two numbers")
    if plain is None:
        boosting = {"name": "boosting", "n_trees": state["n_trees"], **_UNSCALED}
        plain = {"members": [boosting], "level": 0.0, "scale": 1.0}
    blend = _read_blend(owner, plain, texts, files)
    for member in blend.members:
        if member.n_features != n_features:
            problem = f"{n_features} features are stated, {member.n_features} found"
            raise damaged_model(owner, files.get(member.name, STATE_FILE), problem)
    return FittedState(blend, _read_calibration(owner, two, calibrator), n_features)


def _read_blend(
    owner: str, plain: Any, texts: Mapping[str, str], files: Mapping[str, str]
) -> Blend:
    """Return the blend that `Blend.to_plain` and `Blend.texts` described."""
    if not isinstance(plain, dict) or set(plain) != {"members", *_BLEND}:
        raise damaged_model(owner, STATE_FILE, "'blend' has other entries")
    read_state(owner, {key: plain[key] for key in _BLEND}, _BLEND)
    entries = plain["members"]
    if not isinstance(entries, list) or not entries:
        raise damaged_model(owner, STATE_FILE, "'members' is no list of members")
    members = tuple(_read_member(owner, e, texts, files) for e in entries)
    names = [member.name for member in members]
    if len(set(names)) < len(names) or set(texts) - set(names):
        raise damaged_model(owner, STATE_FILE, f"it has the members {names}")
    return Blend(members=members, level=plain["level"], scale=plain["scale"])


def _read_member(
    owner: str, plain: Any, texts: Mapping[str, str], files: Mapping[str, str]
) -> Member:
    """Return the member that its `to_plain` described."""
    name = plain.get("name") if isinstance(plain, dict) else None
    if name == "signals":
        return SignalScore.from_plain(plain, owner=owner)
    if not isinstance(name, str) or name not in texts:
        raise damaged_model(owner, STATE_FILE, f"the trees of {name!r} are missing")
    read_state(owner, {k: v for k, v in plain.items() if k != "name"}, _MEMBER)
    text, file, n_trees = texts[name], files[name], plain["n_trees"]
    booster = read_booster(
        text,
        name=file,
        owner=owner,
        objective="binary",
        is_averaged=name == "forest",
    )
    if n_trees > booster.num_trees():
        stated = f"{n_trees} trees are stated, {booster.num_trees()} found"
        raise damaged_model(owner, file, stated)
    return TreeMember(booster=booster, **plain)


def _read_calibration(owner: str, two: list[float], plain: Any) -> ScoreCalibration:
    """Return the calibration that `write_state` described."""
    if not two[0] > 0:
        raise damaged_model(owner, STATE_FILE, "the slope is not above 0")
    if plain is None:
        return _of_two(two)
    if not isinstance(plain, dict) or set(plain) & set(_TWO):
        raise damaged_model(owner, STATE_FILE, "'calibrator' has other entries")
    try:
        return ScoreCalibration.from_plain(plain | dict(zip(_TWO, two, strict=True)))
    except ArgumentError as error:
        raise damaged_model(owner, STATE_FILE, str(error)) from error


def _of_two(two: list[float]) -> ScoreCalibration:
    """Return the calibration of which slope and intercept only are known."""
    return ScoreCalibration(slope=two[0], intercept=two[1])
