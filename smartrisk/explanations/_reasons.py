"""Contributions per item, folded back to what was declared, as reasons."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import ArgumentError, check_choice, needing
from smartrisk.explanations._facts import DeclaredValues
from smartrisk.explanations._grouping import Float, Plan
from smartrisk.explanations._html import (
    ItemHeading,
    Line,
    make_fragment,
    make_page,
)
from smartrisk.explanations._reason_order import (
    STRENGTHS,
    Choice,
    Reason,
    choose_reasons,
    strength_of,
)
from smartrisk.explanations._wording import Wording, make_wording
from smartrisk.items import ANY_HIT
from smartrisk.results import Result

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
    "check",
)
#: Types of the columns of a frame without rows; pandas would make them all objects.
_EMPTY_TYPES = {
    "item_number": "int64",
    "rank": "int64",
    "contribution": "float64",
    "share": "float64",
}
#: Items shown in a notebook: more push the rest of the notebook off the screen.
_SHOWN_ITEMS = 20


class Reasons(Result):
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
        Maximum number of reasons per item.
    risk : ndarray of shape (n_items,), default=None
        Calibrated probability of a hit.
    until : date, default=None
        Day of the last item in the history.
    stage : str, default="model"
        What the scores rest on: one of `smartrisk.schema.STAGES`.
    target : str, default="hit"
        What the model looks for: one of `smartrisk.items.TARGETS`.

    See Also
    --------
    explain : Make reasons from checked inputs.

    Notes
    -----
    A reason is a group of features of one customs concept that compare the same unit
    value or mass with peers, or that read the same declaration fields. Its contribution
    is the sum of theirs, so that the reasons of an item add up to its raw score
    (log-odds, before calibration) minus the base value.

    The strongest reason of each concept that adds at least 0.1 comes before a second
    one of the same concept. Evidence that, read by itself, contradicts its reason comes
    later, and what repeats another comes last. The chosen reasons are listed by their
    contribution. Only groups that raise the score are listed; in `release`, only those
    that lower it.

    A sentence states what contributed most within its reason; for prices, it compares
    with the closest of at least ten peers that deviate in the same direction. ``share``
    is the part of all raising contributions of the item. The words of strength: strong
    from 1.0 (odds times 2.7), clear from 0.4 (1.5), slight from 0.1 (1.1), weak below.

    A reason states what the model reacted to. It is not a cause and not a finding.
    Traders appear by role only. Reasons are for officers: they would show a trader how
    to avoid selection.

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
    [['declared: duty rate = 12 %']]
    """

    def __init__(
        self,
        declarations: pd.DataFrame,
        matrix: NDArray[np.floating[Any]],
        *,
        contributions: Float,
        plan: Plan,
        top: int = 3,
        risk: Float | None = None,
        until: date | None = None,
        stage: str = "model",
        target: str = ANY_HIT,
    ) -> None:
        self._declarations = declarations
        self._matrix = matrix
        self._contributions = contributions
        self._plan = plan
        self._top = top
        self._risk = risk
        self._until = until
        self._stage = stage
        self._target = target
        self._sign = 1.0  # -1.0 for reasons to release
        self._least = 0.0

    def __len__(self) -> int:
        return len(self._contributions)

    def __repr__(self) -> str:
        return f"Reasons(n_items={len(self)}, top={self.top})"

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
            place = range(size)[which]  # raises IndexError, as a list does
            part = slice(place, place + 1)
        reasons = Reasons(
            self._declarations.iloc[part],
            self._matrix[part],
            contributions=self._contributions[part],
            plan=self._plan,
            top=self.top,
            risk=None if self._risk is None else self._risk[part],
            until=self._until,
            stage=self._stage,
            target=self._target,
        )
        reasons._sign, reasons._least = self._sign, self._least
        return reasons

    @property
    def top(self) -> int:
        """Maximum number of reasons per item."""
        return self._top

    @property
    def risk(self) -> Float | None:
        """Calibrated probability of a hit, (n_items,); None where it is not known."""
        return None if self._risk is None else self._risk.copy()

    @property
    def until(self) -> date | None:
        """Day of the last item in the history; None where that is not known."""
        return self._until

    @property
    def stage(self) -> str:
        """What the scores rest on: "no results", "few results" or "model"."""
        return self._stage

    @property
    def target(self) -> str:
        """What the model looks for: one of `smartrisk.items.TARGETS`."""
        return self._target

    @property
    def release(self) -> Self:
        """The same items with what lowers their scores: the reasons to release.

        Returns
        -------
        reasons : Reasons
            The contributions of its reasons are negative; folds and scores are
            unchanged.
        """
        reasons = self._copy_unchosen()
        reasons._sign = -self._sign
        return reasons

    def at_least(self, strength: str) -> Self:
        """Return the same items without the reasons below a strength.

        Where all reasons of an item are weaker, the strongest one stays.

        Parameters
        ----------
        strength : {"strong", "clear", "slight", "weak"}
            The word of the weakest reason to keep.

        Returns
        -------
        reasons : Reasons
            Contributions, folds and scores are unchanged.

        Raises
        ------
        ArgumentError
            If `strength` is not one of these words.
        """
        check_choice("Reasons.at_least", "strength", strength, tuple(STRENGTHS))
        reasons = self._copy_unchosen()
        reasons._least = STRENGTHS[strength]
        return reasons

    def _copy_unchosen(self) -> Self:
        """Return a copy whose reasons are not chosen yet."""
        reasons = copy.copy(self)
        reasons.__dict__.pop("_reasons", None)
        return reasons

    @property
    def fields(self) -> tuple[str, ...]:
        """Declared fields of the items."""
        return tuple(map(str, self._declarations.columns))

    @property
    def base_values(self) -> Float:
        """Log-odds that every item starts from, shape (n_items,)."""
        return self._contributions[:, -1].copy()

    @property
    def raw_score(self) -> Float:
        """Log-odds of the items: base value and all contributions, (n_items,)."""
        total: Float = self._totals.sum(axis=1) + self._contributions[:, -1]
        return total

    @property
    def shap(self) -> Any:
        """The same contributions as a ``shap.Explanation``, for shap's own plots.

        Returns
        -------
        explanation : shap.Explanation
            ``values`` of shape (n_items, n_features), ``base_values``, ``data`` and
            ``feature_names``, all in log-odds.

        See Also
        --------
        explanation : The same by concept or declaration field.
        """
        return self.explanation("feature")

    def explanation(self, by: str = "concept", *, lang: str = "en") -> Any:
        """Return contributions as a ``shap.Explanation``, for shap's own plots.

        Parameters
        ----------
        by : {"concept", "field", "feature"}, default="concept"
            What a column stands for.
        lang : str, default="en"
            Language of the names of concepts and fields: "en", "fr" or "es".

        Returns
        -------
        explanation : shap.Explanation
            ``values``, ``base_values`` and ``feature_names``, in log-odds; ``data``
            (the values of the features) for features only.

        Raises
        ------
        ArgumentError
            If `by` or `lang` is unknown.
        MissingExtraError
            If shap is not installed.
        """
        check_choice("Reasons.explanation", "by", by, ("concept", "field", "feature"))
        words = make_wording("Reasons.explanation", lang)
        with needing("shap"), warnings.catch_warnings():
            # Importing shap triggers deprecation warnings of matplotlib.
            warnings.simplefilter("ignore")
            import shap
        base = np.array(self.base_values)
        if by == "feature":
            return shap.Explanation(
                values=np.array(self._contributions[:, :-1]),
                base_values=base,
                data=np.array(self._matrix, np.float64),
                feature_names=list(self._plan.names),
            )
        folded = self.by_concept() if by == "concept" else self.by_field()
        label = words.concept if by == "concept" else words.field
        return shap.Explanation(
            values=folded.to_numpy(np.float64),
            base_values=base,
            feature_names=[label(str(name)) for name in folded],
        )

    def frame(self, *, lang: str = "en") -> pd.DataFrame:
        """Return one row per reason.

        Parameters
        ----------
        lang : str, default="en"
            Language of the sentences: "en", "fr" or "es".

        Returns
        -------
        frame : DataFrame
            Columns ``declaration_id``, ``item_number``, ``rank`` (1 raises the score
            most), ``concept``, ``fields`` (separated by commas), ``contribution``
            (log-odds), ``share``, ``strength``, ``feature`` (the one that contributed
            most to the sentence), ``evidence`` (JSON), ``sentence`` and ``check``
            (what to look at). Items whose score nothing raises have no row.
        """
        words = make_wording("Reasons.frame", lang, self._target)
        keys = self._keys
        rows = [
            (
                *keys[reason.item],
                reason.rank,
                reason.group.concept,
                ", ".join(reason.lead.fields),
                reason.contribution,
                reason.share,
                strength_of(reason.contribution),
                reason.lead.feature,
                json.dumps(reason.lead.evidence.plain(), ensure_ascii=False),
                words.sentence(reason.lead.evidence),
                words.check(reason.check),
            )
            for reason in self._reasons
        ]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS))
        return frame if rows else frame.astype(_EMPTY_TYPES)

    def sentences(self, *, lang: str = "en") -> list[list[str]]:
        """Return the reasons of every item as short sentences, the strongest first.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        sentences : list of list of str
            One list per item; empty where nothing raises the score.
        """
        words = make_wording("Reasons.sentences", lang, self._target)
        out: list[list[str]] = [[] for _ in range(len(self))]
        for reason in self._reasons:
            out[reason.item].append(words.sentence(reason.lead.evidence))
        return out

    def checks(self, *, lang: str = "en", short: bool = False) -> list[list[str]]:
        """Return what to check for every item, each check once, by rank of its reason.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".
        short : bool, default=False
            Whether to name only the documents and means.

        Returns
        -------
        checks : list of list of str
            One list per item.
        """
        words = make_wording("Reasons.checks", lang, self._target)
        out: list[dict[str, None]] = [{} for _ in range(len(self))]
        for reason in self._reasons:
            out[reason.item].setdefault(words.check(reason.check, short=short))
        return [list(checks) for checks in out]

    def statements(self, *, lang: str = "en") -> list[str]:
        """Return how strong each score is, as a count of items with such a score.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        statements : list of str
            One sentence per item, from its calibrated probability. It is about items
            that were inspected, not about the one item. Without results it states that
            there are none yet.

        Raises
        ------
        ArgumentError
            If the reasons were made without `risk`.
        """
        if self._risk is None:
            raise ArgumentError(
                "explanations.no_calibrated_probability",
                "Reasons.statements: these reasons have no calibrated probability. "
                "Pass 'risk' to explain, or use RiskEngine.explain.",
            )
        words = make_wording("Reasons.statements", lang, self._target)
        return [words.statement(float(value), self._stage) for value in self._risk]

    def by_field(self) -> pd.DataFrame:
        """Return contributions folded to declaration fields.

        A contribution that comes from several fields is shared equally among them.

        Returns
        -------
        frame : DataFrame of shape (n_items, n_fields)
            Log-odds, with the index of the declarations; a row adds up to the raw
            score minus the base value.
        """
        names, values = self._plan.fold_to_fields(self._contributions)
        return pd.DataFrame(values, columns=names, index=self._declarations.index)

    def by_concept(self) -> pd.DataFrame:
        """Return contributions folded to customs concepts.

        Returns
        -------
        frame : DataFrame of shape (n_items, n_concepts)
            Log-odds, with the index of the declarations; a row adds up to the raw
            score minus the base value.
        """
        names, values = self._plan.fold_to_concepts(self._totals)
        return pd.DataFrame(values, columns=names, index=self._declarations.index)

    def to_html(self, *, lang: str = "en") -> str:
        """Return a whole page without script, every text escaped.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        html : str
            The page.
        """
        words = make_wording("Reasons.to_html", lang, self._target)
        body = self._make_fragment(words, len(self), styled=False)
        return make_page(body, words, release=self._is_release)

    def _repr_html_(self) -> str:
        """Show the first items in a notebook."""
        return self._make_fragment(Wording("en", self._target), _SHOWN_ITEMS)

    def _make_fragment(self, words: Wording, most: int, *, styled: bool = True) -> str:
        """Return the first items as one HTML element."""
        part = self if len(self) <= most else self[:most]
        lines = [
            Line(
                item=reason.item,
                rank=reason.rank,
                concept=reason.group.concept,
                strength=strength_of(reason.contribution),
                contribution=reason.contribution,
                sentence=words.sentence(reason.lead.evidence),
                check=words.check(reason.check),
            )
            for reason in part._reasons
        ]
        statements = [""] * len(part)
        if part._risk is not None:
            statements = part.statements(lang=words.lang)
        headings = [
            ItemHeading(*key, statement)
            for key, statement in zip(part._keys, statements, strict=True)
        ]
        return make_fragment(
            headings,
            lines,
            words=words,
            n_left=len(self) - len(part),
            release=self._is_release,
            styled=styled,
            until=None if self._until is None else words.day(self._until),
            stage=self._stage,
        )

    @property
    def _is_release(self) -> bool:
        """Whether these are reasons to release."""
        return self._sign < 0

    @cached_property
    def _totals(self) -> Float:
        """Contributions by group, shape (n_items, n_groups)."""
        return self._plan.sum_groups(self._contributions)

    @cached_property
    def _keys(self) -> list[tuple[str, int]]:
        """Declaration and item number of every item; 1 when there is no number."""
        frame = self._declarations
        ids = [str(value) for value in frame["declaration_id"]]
        known = "item_number" in frame.columns
        numbers = frame["item_number"].tolist() if known else [1] * len(frame)
        return list(zip(ids, numbers, strict=True))

    @cached_property
    def _reasons(self) -> list[Reason]:
        """The top reasons of all items, by item and rank."""
        return choose_reasons(
            DeclaredValues(self._declarations),
            self._matrix,
            self._contributions,
            self._plan,
            totals=self._totals,
            choice=Choice(top=self.top, sign=self._sign, least=self._least),
        )

    def _position(self, key: tuple[str, int]) -> int:
        """Return the position of an item by its key."""
        try:
            return self._keys.index((str(key[0]), key[1]))
        except ValueError:
            raise KeyError(
                f"Reasons: no item with the key {key!r} among {len(self)}."
            ) from None
