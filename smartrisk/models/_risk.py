"""Probability of a hit if inspected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from smartrisk.errors import ArgumentError, check_number
from smartrisk.models._blend import Blend, Member, TreeMember
from smartrisk.models._blend_state import FittedState, read_fitted, write_state
from smartrisk.models._blend_training import LabelledItems, train_blend
from smartrisk.models._boosting import (
    MOST_THREADS,
    check_categorical,
    check_jobs_and_seed,
    check_monotone,
    check_one_per_item,
    check_trees,
    count_threads,
)
from smartrisk.models._calibration import ScoreCalibration
from smartrisk.models._labels import (
    LabelledClassifier,
    check_weights,
    count_by_weight,
    known_entries,
    read_labels,
    read_weights,
)
from smartrisk.models._members import (
    LEAVES,
    MEMBERS,
    check_members,
    make_boosting,
    make_recipes,
)
from smartrisk.models._signals import SignalScore, has_one_class, learn_signals
from smartrisk.tables import to_pandas

Float = NDArray[np.float64]


class RiskClassifier(LabelledClassifier, BaseEstimator):
    """Calibrated probability that a control finds an irregularity, from three models.

    Parameters
    ----------
    n_estimators : int, default=150
        Trees of the boosting, with `patience` at most; there are as many extra
        trees, and two fifths as many in the forest.
    members : tuple of str, default=("boosting", "forest", "extra_trees", "signals")
        What is blended, one or more of these: gradient boosting, a random forest, a
        boosting whose thresholds are drawn at random, and `SignalScore`, which needs no
        labels. One member alone is quicker.
    learning_rate : float, default=0.06
        Shrinkage of each tree of the boosting.
    num_leaves : int, default=None
        Leaves of a tree of the boosting; None for 7 with fewer than 250 hits, 15 with
        fewer than 1,500, else 31: few labels need few leaves.
    feature_fraction : float, default=None
        Share of the features that each tree of the boosting may use, in (0, 1]; None
        for a fifth, and eight features at least.
    min_child_items : int, default=30
        Minimum number of items in a leaf of the boosting, at least 1.
    l2 : float, default=10.0
        Penalty on the squared leaf values of the boosting, 0 or more.
    patience : int, default=None
        Trees without gain on the latest items before the boosting stops, at least 1;
        None for `n_estimators` trees, which is better wherever hits are few.
    categorical : tuple of int, default=()
        Positions of features that are codes without order; the boosting alone splits
        by them. Empty for what the matrix of a `smartrisk.features` transformer
        states, else for none.
    monotone : tuple of int, default=()
        Per feature 1, -1 or 0: the score may only rise, fall, or do either. Empty
        for what the matrix of such a transformer states, else for no constraint.
    suspicion : tuple of float, default=()
        Weight of each feature in the member "signals": positive where high values are
        suspicious, negative where low ones are, else 0. Empty for what the matrix of
        such a transformer states, else for no such member.
    validation_share : float, default=0.2
        Latest share of the items, used to scale, to calibrate and, with `patience`, to
        stop; 0 for none of these.
    n_jobs : int, default=4
        Threads at most; fewer than 20,000 items use one. None for one, or as
        ``joblib.parallel_config`` says; -1 for every processor, -2 for all but one.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    members_ : tuple of Member
        The fitted members: name, number of trees, centre, spread and weight of each.
    booster_ : lightgbm.Booster
        The trees of the boosting, else of the first member.
    n_trees_ : int
        Trees of all members.
    calibration_ : tuple of float
        Slope and intercept from raw score to calibrated log-odds; slope > 0.
    calibrator_ : ScoreCalibration
        The same map, and how sure it is.
    stopping_curve_ : tuple of (int, float)
        Log loss of the latest items by number of trees; empty without `patience`.
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    Notes
    -----
    The raw score is the weighted mean of those of the members, each less its mean and
    over its standard deviation, on the log-odds scale. For each part of the extra
    trees, the boosting has ``h / (h + 60) * g`` parts for *h* hits, and the forest
    ``1 / g``, where ``g = 1 + (h / 700) ** 2``: the forest is best with few hits, the
    boosting with thousands. Signals have the share ``20 / (20 + m)`` of all, where *m*
    is the number of hits or of other results, whichever is smaller; without both there
    are no trees, and the score puts items in an order but is no probability. Scales and
    weights are fixed in `fit`, so that the contributions of the members add up to the
    raw score. The latest items are scored in three blocks by members that learned from
    what was before each: these scores set the scales and the calibration; the members
    that are kept learn from all items.

    Controls miss irregularities and find something in items without one, and officers
    choose what they see and the score does not: over all items the slope of the truth
    is higher than over results. In synthetic worlds it is by ``(h / 25) ** 0.13`` for
    *h* hits, within 1 and 1.5; this factor to the power of the share of items without a
    result is put on the slope. With all items inspected it is 1.

    There are no class weights: they spoil the calibration and do not improve the
    ranking. The probability is that of a hit *if inspected*: it is learned from
    inspected items only and is not a statement about guilt. The forest draws items at
    random, in an order that follows from their content: the order of the rows does not
    matter, except that it is the time where none is given.

    References
    ----------
    Ke, G. et al. (2017). LightGBM: a highly efficient gradient boosting decision
    tree. NeurIPS 30. Breiman, L. (2001). Random forests. Machine Learning 45(1).
    Geurts, P., Ernst, D., Wehenkel, L. (2006). Extremely randomized trees. Machine
    Learning 63(1).

    Examples
    --------
    >>> import numpy as np
    >>> from smartrisk.models import RiskClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = (X[:, 0] + rng.normal(size=500) > 1).astype(int)
    >>> model = RiskClassifier().fit(X, y)
    >>> model.predict_proba(X).shape
    (500, 2)
    >>> [member.name for member in model.members_]
    ['boosting', 'forest', 'extra_trees']
    """

    stopping_curve_: tuple[tuple[int, float], ...]

    def __init__(  # noqa: PLR0913 (parameters of an estimator are flat)
        self,
        n_estimators: int = 150,
        *,
        members: tuple[str, ...] = MEMBERS,
        learning_rate: float = 0.06,
        num_leaves: int | None = None,
        feature_fraction: float | None = None,
        min_child_items: int = 30,
        l2: float = 10.0,
        patience: int | None = None,
        categorical: tuple[int, ...] = (),
        monotone: tuple[int, ...] = (),
        suspicion: tuple[float, ...] = (),
        validation_share: float = 0.2,
        n_jobs: int | None = MOST_THREADS,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.members = members
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.feature_fraction = feature_fraction
        self.min_child_items = min_child_items
        self.l2 = l2
        self.patience = patience
        self.categorical = categorical
        self.monotone = monotone
        self.suspicion = suspicion
        self.validation_share = validation_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        time: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        inspected_share: float = 1.0,
    ) -> Self:
        """Learn from the inspected items.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features of items; NaN is a value, infinity is refused. The matrix of a
            `smartrisk.features` transformer also states which features are codes, which
            may only raise the score, and when each item was lodged: this counts where
            `categorical`, `monotone` and `time` are not given.
        y : array-like of shape (n_items,)
            Two classes, the hit the greater one; items whose label is missing (NaN)
            were not inspected: only the member "signals" learns from them.
        time : array-like of shape (n_items,), default=None
            When each item was lodged, to hold out the latest; None for what X states,
            else row order.
        sample_weight : array-like of shape (n_items,), default=None
            How many equal items each one counts for, not negative; None for 1. Weights
            of items without a label are not read.
        inspected_share : float, default=1.0
            Share of all items that the labelled ones are, from 0 to 1. The lower it
            is, the steeper the probability is made, because results of selected items
            show a slope that is too low for all items: see Notes. A `RiskEngine` passes
            it.

        Returns
        -------
        self : RiskClassifier
            The fitted classifier.

        Raises
        ------
        ArgumentError
            If a parameter or argument is outside what is allowed; or if no item has a
            label, or the labels are not two classes, and there are no signals.
        """
        if y is None:
            validate_data(self, X, y)  # raises as scikit-learn does
        X = to_pandas(X)
        stated = getattr(X, "feature_info", None)
        if time is None:
            time = getattr(X, "day", None)
        matrix = validate_data(self, X, ensure_all_finite="allow-nan", **_TAKE)
        self._check_params(matrix.shape[1])
        check_number(
            "RiskClassifier.fit", "inspected_share", inspected_share, low=0.0, high=1.0
        )
        check_one_per_item("RiskClassifier.fit", "time", time, len(matrix))
        weights = read_weights("RiskClassifier.fit", sample_weight, len(matrix))
        signals = None
        if "signals" in self.members:
            signals = learn_signals(matrix, self.suspicion, stated)
        if signals is not None and has_one_class(matrix, y, weights):
            return self._rest_on(signals)
        y, known = read_labels("RiskClassifier", matrix, y)
        rows = None if known is None else np.flatnonzero(known)
        time, weights = known_entries(time, known), known_entries(weights, known)
        if weights is not None:
            check_weights("RiskClassifier.fit", weights)
            counted, weights = count_by_weight(weights)
            y, time = y[counted], known_entries(time, counted)
            rows = counted if rows is None else rows[counted]
        hits = self._read_classes(y)
        items = LabelledItems(
            matrix=matrix,
            hits=hits,
            time=time,
            weights=weights,
            share=inspected_share,
            rows=rows,
        )
        self._train(items, self._constraints(stated), signals)
        return self

    def _rest_on(self, signals: SignalScore) -> Self:
        """Score by signals alone, without trees and without a calibration."""
        self.classes_ = np.array([0, 1])
        self.blend_, self.calibrator_ = Blend.of_one(signals), ScoreCalibration()
        self.stopping_curve_ = ()
        return self

    def _read_classes(self, y: NDArray[Any]) -> Float:
        """Note the two classes, and return 1 for a hit and 0 for none."""
        check_classification_targets(y)
        if type_of_target(y) == "multiclass":
            raise ArgumentError(
                "models.classifier_more_than_two_classes",
                "Only binary classification is supported. RiskClassifier: y has "
                "{n_classes} classes; pass 1 for a hit and 0 for none.",
                n_classes=len(np.unique(y)),
            )
        self.classes_, target = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ArgumentError(
                "models.classifier_one_class_only",
                "RiskClassifier: y holds one class only ({label!r}); at least "
                "one hit and one inspection without a hit are needed.",
                label=self.classes_[0].item(),
            )
        return np.asarray(target.astype(np.float64))

    def _constraints(
        self, stated: Sequence[Any] | None
    ) -> tuple[Sequence[int], Sequence[int]]:
        """Return the categorical positions and monotone signs to train with."""
        codes, signs = self.categorical, self.monotone
        if stated is None or len(stated) != self.n_features_in_:
            return codes, signs
        if not codes:
            codes = tuple(k for k, info in enumerate(stated) if info.categorical)
        if not signs:
            signs = tuple(
                0 if k in codes else info.monotone for k, info in enumerate(stated)
            )
        else:  # a feature with a sign of the caller's is a number
            codes = tuple(k for k in codes if not signs[k])
        return codes, signs

    def _train(
        self,
        items: LabelledItems,
        constraints: tuple[Sequence[int], Sequence[int]],
        signals: SignalScore | None,
    ) -> None:
        """Train the members, scale and calibrate their blend."""
        codes, signs = constraints
        recipes = make_recipes(
            self.members,
            make_boosting(self.get_params(), items.hits, signs, self.n_features_in_),
            n_items=len(items),
            n_features=self.n_features_in_,
            codes=codes,
        )
        self.blend_, self.calibrator_, self.stopping_curve_ = train_blend(
            items,
            recipes,
            codes,
            signals=signals,
            validation_share=self.validation_share,
            patience=self.patience,
            n_jobs=self.n_jobs,
        )

    @property
    def members_(self) -> tuple[Member, ...]:
        """The fitted members: name, trees, centre, spread and weight of each."""
        return self.blend_.members

    @property
    def booster_(self) -> Any:
        """The trees of the boosting, or else of the first member that has trees."""
        members: dict[str, TreeMember] = {
            m.name: m for m in self.blend_.members if isinstance(m, TreeMember)
        }
        if not members:
            raise AttributeError("no member has trees")
        return members.get("boosting", next(iter(members.values()))).booster

    @property
    def n_trees_(self) -> int:
        """Number of trees of all members."""
        return self.blend_.n_trees

    @property
    def calibration_(self) -> tuple[float, float]:
        """Slope and intercept from raw score to calibrated log-odds; slope > 0."""
        return self.calibrator_.slope, self.calibrator_.intercept

    def predict_proba(self, X: ArrayLike) -> Float:
        """Return the calibrated probability of no hit and of a hit.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        proba : ndarray of shape (n_items, 2)
            Columns follow `classes_`.
        """
        hit = self.calibrate(self.raw_score(X))
        return np.column_stack([1.0 - hit, hit])

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the likelier class of each item.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        label : ndarray of shape (n_items,)
            One of `classes_`.
        """
        likely = (self.predict_proba(X)[:, 1] > 0.5).astype(int)
        label: NDArray[Any] = self.classes_[likely]
        return label

    def raw_score(self, X: ArrayLike, *, checked: bool = False) -> Float:
        """Return the uncalibrated log-odds of the blend.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.
        checked : bool, default=False
            Whether X is known to be a float matrix without infinity, with the features
            in the order of fit: then it is not checked again, which is quicker for a
            single item.

        Returns
        -------
        raw : ndarray of shape (n_items,)
            Log-odds.
        """
        matrix = self._checked_matrix(X, checked=checked)
        return self.blend_.raw(matrix, count_threads(self.n_jobs, len(matrix)))

    def contributions(self, X: ArrayLike, *, checked: bool = False) -> Float:
        """Return what each feature adds to the raw score (tree SHAP).

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.
        checked : bool, default=False
            As in `raw_score`.

        Returns
        -------
        contributions : ndarray of shape (n_items, n_features + 1)
            Log-odds; the last column is the base value. Each row sums to `raw_score`.

        References
        ----------
        Lundberg, S. M. et al. (2020). From local explanations to global understanding
        with explainable AI for trees. Nature Machine Intelligence 2.
        """
        matrix = self._checked_matrix(X, checked=checked)
        n_items = len(matrix)
        # An explanation costs about 40 scores, so threads pay off earlier.
        n_threads = count_threads(self.n_jobs, 40 * n_items if n_items > 1 else 1)
        return self.blend_.contributions(matrix, n_threads)

    def calibrate(self, raw: Float) -> Float:
        """Return the probability that belongs to raw scores.

        Parameters
        ----------
        raw : ndarray of shape (n_items,)
            Log-odds of the blend.

        Returns
        -------
        probability : ndarray of shape (n_items,)
            Calibrated probability of a hit, in the order of the raw scores.
        """
        return self.calibrator_.apply(raw)

    def predict_interval(self, X: ArrayLike) -> Float:
        """Return the bounds of the hit rate of later items with such a score.

        Parameters
        ----------
        X : array-like of shape (n_items, n_features)
            Features, in the order of fit.

        Returns
        -------
        bounds : ndarray of shape (n_items, 2)
            Lower and upper bound, 90 %: see `ScoreCalibration.interval`.
        """
        return np.column_stack(self.calibrator_.interval(self.raw_score(X)))

    def booster_text(self) -> str:
        """Return the trees of `booster_` as text.

        Returns
        -------
        text : str
            All trees, as LightGBM writes them.
        """
        check_is_fitted(self, "blend_")
        return str(self.booster_.model_to_string(num_iteration=-1))

    def booster_texts(self) -> dict[str, str]:
        """Return the trees of each member as text.

        Returns
        -------
        texts : dict of str to str
            Name of the member to all its trees, as LightGBM writes them and `restore`
            reads them.
        """
        check_is_fitted(self, "blend_")
        return self.blend_.texts()

    def fitted_state(self) -> dict[str, Any]:
        """Return what was learned besides the trees, as plain values for JSON.

        Returns
        -------
        state : dict
            Calibration, number of trees, number of features; the scales and weights of
            the members where there are several.
        """
        fitted = FittedState(self.blend_, self.calibrator_, self.n_features_in_)
        return write_state(fitted)

    def restore(
        self,
        texts: str | Mapping[str, str],
        state: dict[str, Any],
        *,
        name: str = "text",
        files: Mapping[str, str] | None = None,
    ) -> Self:
        """Restore trees and calibration that were saved.

        Parameters
        ----------
        texts : str or mapping of str to str
            As from `booster_texts`; a text alone is that of the boosting.
        state : dict
            As from `fitted_state`.
        name : str, default="text"
            Name of the file that held the text of the boosting, for messages.
        files : mapping of str to str, default=None
            Name of the file of each member; None for `name`.

        Returns
        -------
        self : RiskClassifier
            Fitted as it was when saved; its predictions are bit-identical.

        Raises
        ------
        ArtefactError
            If a text describes no trees, or the state does not belong to them.
        """
        owner = f"{type(self).__name__}.restore"
        if isinstance(texts, str):
            texts = {"boosting": texts}
        files = dict.fromkeys(texts, name) | dict(files or {})
        fitted = read_fitted(owner, texts, state, files)
        self._check_params(fitted.n_features)
        self.blend_, self.calibrator_, self.n_features_in_ = fitted
        self.stopping_curve_ = ()
        self.classes_ = np.array([0, 1])
        return self

    def _checked_matrix(self, X: ArrayLike, *, checked: bool) -> NDArray[Any]:
        """Return X as a matrix, checked unless the caller did."""
        if checked:
            return np.asarray(X)
        check_is_fitted(self, "blend_")
        matrix: NDArray[Any] = validate_data(
            self, to_pandas(X), reset=False, ensure_all_finite="allow-nan", **_TAKE
        )
        return matrix

    def _check_params(self, n_features: int) -> None:
        """Check all parameters: LightGBM would raise late or not at all."""
        owner = type(self).__name__
        check_trees(
            owner,
            n_estimators=self.n_estimators,
            learning_rate=self.learning_rate,
            num_leaves=LEAVES if self.num_leaves is None else self.num_leaves,
            validation_share=self.validation_share,
        )
        if self.feature_fraction is not None:
            check_number(
                owner, "feature_fraction", self.feature_fraction, low=1e-6, high=1.0
            )
        check_number(
            owner, "min_child_items", self.min_child_items, low=1, integer=True
        )
        check_number(owner, "l2", self.l2, low=0.0)
        if self.patience is not None:
            check_number(owner, "patience", self.patience, low=1, integer=True)
        check_members(owner, self.members)
        check_jobs_and_seed(owner, self.n_jobs, self.random_state)
        check_categorical(owner, self.categorical, n_features)
        check_monotone(owner, self.monotone, self.categorical, n_features)

    def __sklearn_tags__(self) -> Any:
        """Return what input the classifier takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags


_TAKE: dict[str, Any] = {"dtype": [np.float32, np.float64]}
