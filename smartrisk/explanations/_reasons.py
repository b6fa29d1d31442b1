"""Contributions per item, folded back to what was declared, as reasons."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import (
    ArgumentError,
    MissingExtraError,
    TableError,
    check_number,
    nearest,
    shown,
)
from smartrisk.explanations._evidence import (
    Declared,
    Evidence,
    Facts,
    closest_peers,
    evidence_of,
)
from smartrisk.explanations._page import Line, fragment, page
from smartrisk.explanations._plan import Float, Group, Info, Plan, Topic, plan_of
from smartrisk.explanations._wording import Wording

#: Least contribution to the log-odds for each word of strength.
STRENGTHS = {"strong": 1.0, "clear": 0.4, "slight": 0.1, "weak": 0.0}

_COLUMNS = (
    "declaration_id",
    "item_number",
    "rank",
    "concept",
    "fields",
    "contribution",
    "share",
    "strength",
    "feature",
    "evidence",
    "sentence",
)
_SHOWN = 20  # items in a notebook


def strength_of(contribution: float) -> str:
    """Return the word for a contribution to the log-odds."""
    return next(
        (word for word, least in STRENGTHS.items() if contribution >= least), "weak"
    )


@dataclass(frozen=True)
class _Reason:
    """One reason of one item."""

    item: int
    rank: int
    group: Group
    contribution: float
    share: float
    feature: str
    evidence: Evidence


class Reasons:
    """Why items have the scores they have; made by `explain`.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS.
    matrix : ndarray of shape (n_items, n_features)
        Features of the items.
    contributions : ndarray of shape (n_items, n_features + 1)
        Contribution of each feature to the log-odds; the base value comes last.
    plan : Plan
        How features fold into reasons.
    top : int, default=3
        Most reasons per item.

    See Also
    --------
    explain : Makes reasons, and checks what they are made of.

    Notes
    -----
    A reason is a group of features that read the same declaration fields for the same
    customs concept. Its contribution is the sum of theirs, so that the reasons of an
    item add up to its raw score (log-odds, before calibration) less the base value.
    Only groups that raise the score are listed. A sentence speaks of what contributed
    most within its reason; for prices, of the closest of at least ten peers that
    deviate to the same side. ``share`` is the part of all raising
    contributions of the item. The words of strength: strong from 1.0 (odds times 2.7),
    clear from 0.4 (1.5), slight from 0.1 (1.1), weak below.

    A reason says what the model reacted to. It is not a cause, not a finding and no
    claim of guilt. Traders appear by role only. Reasons are for officers: shown to
    traders they give the model away.

    References
    ----------
    Lundberg, S. M. et al. (2020). From local explanations to global understanding
    with explainable AI for trees. Nature Machine Intelligence 2, 56-67.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.explanations import explain
    >>> from smartrisk.features import FeatureInfo
    >>> declarations = pd.DataFrame(
    ...     {"declaration_id": ["A"], "item_number": [1], "duty_rate": [0.12]}
    ... )
    >>> info = [FeatureInfo(name="duty_rate", fields=("duty_rate",),
    ...                     concept="classification", statistic="rate")]
    >>> reasons = explain(declarations, np.array([[0.12]]), [[0.7, -2.0]], info)
    >>> reasons.sentences()
    [['declared: duty rate 12 %']]
    """

    def __init__(
        self,
        declarations: pd.DataFrame,
        matrix: NDArray[np.floating[Any]],
        *,
        contributions: Float,
        plan: Plan,
        top: int = 3,
    ) -> None:
        self._declarations = declarations
        self._matrix = matrix
        self._contributions = contributions
        self._plan = plan
        self.top = top

    def __len__(self) -> int:
        return len(self._contributions)

    def __repr__(self) -> str:
        return f"<Reasons: {len(self):,} items, at most {self.top} each>"

    def __iter__(self) -> Iterator[Reasons]:
        """Iterate over the items, each as reasons of one item."""
        return (self[number] for number in range(len(self)))

    def __getitem__(self, which: int | slice | tuple[str, int]) -> Reasons:
        """Return the reasons of one item by position or key, or of a slice."""
        if isinstance(which, tuple):
            which = self._position(which)
        if isinstance(which, slice):
            part = which
        else:
            size = len(self)
            place = range(size)[which]  # raises IndexError as a list does
            part = slice(place, place + 1)
        return Reasons(
            self._declarations.iloc[part],
            self._matrix[part],
            contributions=self._contributions[part],
            plan=self._plan,
            top=self.top,
        )

    @property
    def base_values(self) -> Float:
        """Log-odds that every item starts from, shape (n_items,)."""
        return self._contributions[:, -1]

    @property
    def raw_score(self) -> Float:
        """Log-odds of the items: base value and all contributions, (n_items,)."""
        total: Float = self._totals.sum(axis=1) + self.base_values
        return total

    @property
    def shap(self) -> Any:
        """The same contributions as a ``shap.Explanation``, for shap's own plots.

        Returns
        -------
        explanation : shap.Explanation
            ``values`` of shape (n_items, n_features), ``base_values``, ``data`` and
            ``feature_names``, all in log-odds.
        """
        try:
            with warnings.catch_warnings():
                # shap's own start-up meets deprecations of matplotlib.
                warnings.simplefilter("ignore")
                import shap
        except ImportError as error:
            raise MissingExtraError("shap") from error
        return shap.Explanation(
            values=np.array(self._contributions[:, :-1]),
            base_values=np.array(self._contributions[:, -1]),
            data=np.array(self._matrix, np.float64),
            feature_names=list(self._plan.names),
        )

    def frame(self, lang: str = "en") -> pd.DataFrame:
        """Return one line per reason.

        Parameters
        ----------
        lang : str, default="en"
            Language of the sentences: "en" or "fr".

        Returns
        -------
        frame : DataFrame
            Columns ``declaration_id``, ``item_number``, ``rank`` (1 raises the score
            most), ``concept``, ``fields`` (separated by commas), ``contribution``
            (log-odds), ``share``, ``strength``, ``feature`` (the one that contributed
            most to the sentence), ``evidence`` (JSON) and ``sentence``. Items whose
            score nothing raises have no line.
        """
        words = Wording(lang)
        keys = self._keys
        lines = [
            (
                *keys[reason.item],
                reason.rank,
                reason.group.concept,
                ", ".join(reason.group.fields),
                reason.contribution,
                reason.share,
                strength_of(reason.contribution),
                reason.feature,
                json.dumps(reason.evidence.plain(), ensure_ascii=False),
                words.sentence(reason.evidence),
            )
            for reason in self._reasons
        ]
        frame = pd.DataFrame(lines, columns=list(_COLUMNS))
        return frame if lines else frame.astype(_EMPTY_TYPES)

    def sentences(self, lang: str = "en") -> list[list[str]]:
        """Return the reasons of every item as short sentences, the strongest first.

        Parameters
        ----------
        lang : str, default="en"
            "en" or "fr".

        Returns
        -------
        sentences : list of list of str
            One list per item; empty where nothing raises the score.
        """
        words = Wording(lang)
        out: list[list[str]] = [[] for _ in range(len(self))]
        for reason in self._reasons:
            out[reason.item].append(words.sentence(reason.evidence))
        return out

    def by_field(self) -> pd.DataFrame:
        """Return contributions folded to declaration fields.

        A group of features that reads several fields is shared equally among them.

        Returns
        -------
        frame : DataFrame of shape (n_items, n_fields)
            Log-odds, with the index of the declarations; a line adds up to the raw
            score less the base value.
        """
        names, values = self._plan.by_field(self._totals)
        return pd.DataFrame(values, columns=names, index=self._declarations.index)

    def by_concept(self) -> pd.DataFrame:
        """Return contributions folded to customs concepts.

        Returns
        -------
        frame : DataFrame of shape (n_items, n_concepts)
            Log-odds, with the index of the declarations; a line adds up to the raw
            score less the base value.
        """
        names, values = self._plan.by_concept(self._totals)
        return pd.DataFrame(values, columns=names, index=self._declarations.index)

    def to_html(self, lang: str = "en") -> str:
        """Return a whole page: no script, nothing loaded, all texts escaped.

        Parameters
        ----------
        lang : str, default="en"
            "en" or "fr".

        Returns
        -------
        html : str
            The page.
        """
        words = Wording(lang)
        return page(self._fragment(words, len(self)), words)

    def _repr_html_(self) -> str:
        """Show the first items in a notebook."""
        return self._fragment(Wording("en"), _SHOWN)

    def _fragment(self, words: Wording, most: int) -> str:
        part = self if len(self) <= most else self[:most]
        lines = [
            Line(
                item=reason.item,
                rank=reason.rank,
                concept=reason.group.concept,
                strength=strength_of(reason.contribution),
                contribution=reason.contribution,
                sentence=words.sentence(reason.evidence),
            )
            for reason in part._reasons
        ]
        left = len(self) - len(part)
        return fragment(part._keys, lines, words=words, left=left)

    @cached_property
    def _totals(self) -> Float:
        """Contributions by group, shape (n_items, n_groups)."""
        return self._plan.totals(self._contributions)

    @cached_property
    def _keys(self) -> list[tuple[str, int]]:
        """Declaration and item number of every item; 1 when there is no number."""
        frame = self._declarations
        ids = [str(value) for value in frame["declaration_id"]]
        known = "item_number" in frame.columns
        numbers = frame["item_number"].tolist() if known else [1] * len(frame)
        return list(zip(ids, numbers, strict=True))

    @cached_property
    def _reasons(self) -> list[_Reason]:
        """The top reasons of all items, by item and rank."""
        totals = self._totals
        raising = np.maximum(totals, 0.0).sum(axis=1)
        order = np.argsort(-totals, axis=1, kind="stable")[:, : self.top]
        declared = Declared(self._declarations)
        found = []
        for item, groups in enumerate(order.tolist()):
            for rank, number in enumerate(groups, start=1):
                contribution = float(totals[item, number])
                if contribution <= 0.0:
                    break
                group = self._plan.groups[number]
                lead, evidence = self._evidence(declared, item, group)
                share = contribution / float(raising[item])
                found.append(
                    _Reason(item, rank, group, contribution, share, lead, evidence)
                )
        return found

    def _evidence(
        self, declared: Declared, item: int, group: Group
    ) -> tuple[str, Evidence]:
        """Return the leading feature of a reason and the evidence for it."""
        row = self._contributions[item]
        topic = max(group.topics, key=lambda found: _weight(row, found))
        lead = topic.infos[int(np.argmax(row[topic.columns]))]
        facts = Facts(declared, item, self._matrix[item], topic, lead)
        return str(lead.name), evidence_of(closest_peers(facts, group.topics))

    def _position(self, key: tuple[str, int]) -> int:
        """Return the position of an item by its key."""
        try:
            return self._keys.index((str(key[0]), key[1]))
        except ValueError:
            raise KeyError(
                f"Reasons: no item with the key {key!r} among {len(self)}."
            ) from None


_EMPTY_TYPES = {
    "item_number": "int64",
    "rank": "int64",
    "contribution": "float64",
    "share": "float64",
}


def _weight(row: Float, topic: Topic) -> float:
    """Return what a topic contributes to an item."""
    if len(topic.columns) == 1:
        return float(row[topic.columns[0]])
    return float(row[topic.columns].sum())


def explain(
    declarations: pd.DataFrame,
    matrix: pd.DataFrame | NDArray[np.floating[Any]],
    contributions: Any,
    info: Sequence[Info],
    *,
    top: int = 3,
) -> Reasons:
    """Return the reasons for the scores of items.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS of the items.
    matrix : DataFrame or ndarray of shape (n_items, n_features)
        Features of the same items, in the same order.
    contributions : array-like of shape (n_items, n_features + 1)
        Contribution of each feature to the log-odds, as LightGBM's ``pred_contrib``
        gives them: the last column is the base value.
    info : sequence of FeatureInfo
        What each feature says, in the order of the matrix.
    top : int, default=3
        Most reasons per item, at least 1.

    Returns
    -------
    reasons : Reasons
        Nothing is computed before it is asked for.

    Raises
    ------
    TableError
        When items, features and contributions do not fit each other.
    ArgumentError
        When `top` is not a positive integer, or contributions are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from smartrisk.explanations import explain
    >>> from smartrisk.features import FeatureInfo
    >>> declarations = pd.DataFrame(
    ...     {"declaration_id": ["A"], "item_number": [1], "importer_id": ["X"]}
    ... )
    >>> names = ("inspections", "hits")
    >>> info = [
    ...     FeatureInfo(name=f"importer_id__{name}", fields=("importer_id",),
    ...                 concept="trader record", statistic=name, key=("importer_id",))
    ...     for name in names
    ... ]
    >>> matrix = np.array([[40.0, 9.0]])
    >>> reasons = explain(declarations, matrix, [[0.1, 0.8, -2.0]], info)
    >>> print(reasons.sentences()[0][0])
    9 of 40 earlier inspections of this importer with known result found an irregularity
    >>> print(reasons.sentences(lang="fr")[0][0])
    irrégularité constatée dans 9 des 40 contrôles antérieurs au résultat connu de cet
    importateur
    """
    check_number("explain", "top", top, low=1, integer=True)
    plan = plan_of(info)
    _check_table(declarations)
    names = [str(name) for name in getattr(matrix, "columns", ())]
    if names and names != list(plan.names):
        _refuse_names(names, plan.names)
    values = np.asarray(matrix)
    array = np.asarray(contributions, np.float64)
    _check_shapes(len(declarations), values, array, len(plan.names))
    return Reasons(
        declarations.copy(deep=False),
        values,
        contributions=array,
        plan=plan,
        top=int(top),
    )


def _check_table(declarations: Any) -> None:
    """Raise unless the declarations are a frame with keys."""
    if not isinstance(declarations, pd.DataFrame):
        raise TableError(
            "explain: 'declarations' must be a canonical data frame; got "
            f"{type(declarations).__name__}. Pass it through validation.validate first."
        )
    if "declaration_id" not in declarations.columns:
        raise TableError(
            "explain: 'declarations' has no column 'declaration_id'."
            f"{nearest('declaration_id', declarations.columns)}"
        )


def _refuse_names(names: list[str], expected: Sequence[str]) -> None:
    """Raise with what differs between the matrix and the features described."""
    odd = [name for name in names if name not in set(expected)]
    gone = [name for name in expected if name not in set(names)]
    parts = [f"unknown {shown(odd)}"] if odd else []
    parts += [f"missing {shown(gone)}"] if gone else []
    raise TableError(
        "explain: the columns of 'matrix' must be the features in 'info', in their "
        f"order; {'; '.join(parts) or 'the order differs'}."
    )


def _check_shapes(
    n_items: int, matrix: NDArray[Any], contributions: NDArray[Any], n_features: int
) -> None:
    """Raise unless items, features and contributions fit each other."""
    if matrix.shape != (n_items, n_features):
        raise TableError(
            f"explain: 'matrix' must have the shape ({n_items}, {n_features}), items "
            f"by features; got {matrix.shape}."
        )
    if contributions.shape != (n_items, n_features + 1):
        raise TableError(
            "explain: 'contributions' must have the shape "
            f"({n_items}, {n_features + 1}), one column per feature and the base value "
            f"last; got {contributions.shape}."
        )
    if not np.isfinite(contributions).all():
        bad = int((~np.isfinite(contributions)).any(axis=1).sum())
        raise ArgumentError(
            f"explain: 'contributions' must be finite; {bad} of {n_items} items have "
            "others. Take them from the model's own tree contributions."
        )
