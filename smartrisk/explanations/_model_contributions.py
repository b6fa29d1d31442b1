"""What each feature adds to the score of any model, by shap's own explainers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from smartrisk.errors import ArgumentError, needing
from smartrisk.explanations._grouping import Float

#: Contributions and the output of the model must agree to this, relative to 1 plus the
#: size of the output: explainers of scikit-learn's trees work in single precision.
_AGREE = 1e-5
#: Lowest probability that is turned into log-odds, as in the models.
_LEAST_CHANCE = 1e-3
#: What `SimpleImputer(add_indicator=True)` writes before the name of a feature.
_INDICATOR = "missingindicator_"

#: Explainers of trees that were read once; an entry goes with its model.
_EXPLAINERS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


class FittedModel(Protocol):
    """A fitted classifier with what an explanation needs besides.

    See Also
    --------
    smartrisk.models.ClassifierAdapter : What the engine passes.

    Examples
    --------
    >>> from smartrisk.explanations import FittedModel
    >>> callable(FittedModel.raw_score)
    True
    """

    estimator_: Any
    space_: str

    @property
    def center_(self) -> Float:
        """Mean of each feature, shape (n_features,)."""
        ...

    def prepare(self, X: NDArray[Any]) -> Float:
        """Return what the classifier is asked about.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
            Features.

        Returns
        -------
        matrix : ndarray of shape (n_items, n_features)
            In double precision.
        """
        ...

    def raw_score(self, X: NDArray[Any]) -> Float:
        """Return the log-odds of items.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
            Features.

        Returns
        -------
        raw : ndarray of shape (n_items,)
            Log-odds.
        """
        ...

    def predict_hit(self, X: NDArray[Any]) -> Float:
        """Return the probability of a hit.

        Parameters
        ----------
        X : ndarray of shape (n_items, n_features)
            Features.

        Returns
        -------
        probability : ndarray of shape (n_items,)
            In [0, 1].
        """
        ...


def model_contributions(model: FittedModel, X: NDArray[Any]) -> Float:
    """Return what each feature adds to the log-odds that a model gives to items.

    Parameters
    ----------
    model : FittedModel
        Fitted classifier, such as ``engine.classifier_``: trees or a linear model,
        alone or as the last step of a pipeline.
    X : ndarray of shape (n_items, n_features)
        Features, in the order of fit.

    Returns
    -------
    contributions : ndarray of shape (n_items, n_features + 1)
        Log-odds; the last column is the base value. Each row adds up to
        ``model.raw_score``.

    Raises
    ------
    ArgumentError
        If no explainer of shap knows the class, the steps of a pipeline mix features,
        or the contributions do not add up to the output of the model.

    Notes
    -----
    Trees are explained by tree SHAP [1]_, linear models by weight times distance from
    the mean of the training items. Where a model computes a probability (random
    forests, extra trees), the contributions to it are rescaled, all by the same factor
    for an item, so that they add up to its log-odds: signs, order and shares are those
    of the probability.

    References
    ----------
    .. [1] Lundberg, S. M. et al. (2020). From local explanations to global
       understanding with explainable AI for trees. Nature Machine Intelligence 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from smartrisk.explanations import model_contributions
    >>> from smartrisk.models import ClassifierAdapter
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> trees = HistGradientBoostingClassifier(max_iter=5)
    >>> model = ClassifierAdapter(trees).fit(X, X[:, 0] > 0)
    >>> found = model_contributions(model, X)
    >>> bool(np.allclose(found.sum(axis=1), model.raw_score(X)))
    True
    """
    matrix = model.prepare(X)
    chain = _Chain(model.estimator_, matrix.shape[1])
    asked = chain.transform(matrix)
    explain = _find_explainer(chain.last, chain.transform(model.center_[None, :]))
    values = chain.fold(explain(asked))
    if model.space_ == "log-odds":
        _check_sum(chain.last, values, model.raw_score(matrix))
        return values
    chance = model.predict_hit(matrix)
    _check_sum(chain.last, values, chance)
    return _rescale(values, chance)


class _Chain:
    """The steps of a pipeline before its last one, and the features they come from."""

    def __init__(self, estimator: Any, n_features: int) -> None:
        self._heads: list[Any] = []
        while getattr(estimator, "steps", None):
            if len(estimator.steps) > 1:
                self._heads.append(estimator[:-1])
            estimator = estimator.steps[-1][1]
        self.last = estimator
        self._n_features = n_features
        self._sources = self._find_sources()

    def transform(self, X: Float) -> Float:
        """Return what the last step is asked about."""
        for head in self._heads:
            X = np.asarray(head.transform(X), np.float64)
        return X

    def fold(self, values: Float) -> Float:
        """Add up contributions by the feature that they come from; the base is last."""
        folded = np.zeros((len(values), self._n_features + 1))
        np.add.at(folded.T, self._sources, values[:, :-1].T)
        folded[:, -1] = values[:, -1]
        return folded

    def _find_sources(self) -> NDArray[np.intp]:
        """Return the position of the feature that each column comes from."""
        given = [f"x{k}" for k in range(self._n_features)]
        names = np.array(given, dtype=object)
        for head in self._heads:
            try:
                names = head.get_feature_names_out(names)
            except (AttributeError, ValueError) as error:
                raise _mixed_error(self.last, head) from error
        place = {name: k for k, name in enumerate(given)}
        place |= {_INDICATOR + name: k for name, k in place.items()}
        unknown = [name for name in names if name not in place]
        if unknown:
            raise _mixed_error(self.last, self._heads[0])
        return np.array([place[name] for name in names], np.intp)


def _find_explainer(model: Any, center: Float) -> Callable[[Float], Float]:
    """Return a function from items to contributions and base value."""
    module = type(model).__module__
    if module.startswith("lightgbm."):
        return lambda X: np.asarray(model.predict(X, pred_contrib=True), np.float64)
    if module.startswith("sklearn.linear_model."):
        return lambda X: _explain_linear(model, center, X)
    return lambda X: _explain_trees(model, X)


def _explain_linear(model: Any, center: Float, X: Float) -> Float:
    """Return contributions by shap's linear explainer around the training mean."""
    weights = np.asarray(model.coef_, np.float64).ravel()
    constant = float(np.asarray(model.intercept_).ravel()[0])
    center = center.ravel()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with needing("shap"):
            import shap

        masker = shap.maskers.Independent(center[None, :], max_samples=1)
        values = shap.LinearExplainer((weights, constant), masker).shap_values(X)
    base = float((center * weights).sum()) + constant
    return np.column_stack([values, np.full(len(X), base)])


def _explain_trees(model: Any, X: Float) -> Float:
    """Return contributions by shap's tree explainer."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with needing("shap"):
            import shap

        explainer = _EXPLAINERS.get(model)
        if explainer is None:
            try:
                explainer = shap.TreeExplainer(model)
            except Exception as error:  # shap raises its own and others' errors
                raise ArgumentError(
                    "explanations.model_not_explainable",
                    "RiskEngine.explain: shap has no explainer of its own for {name}. "
                    "Scores, selection, updates and saving work; for reasons use trees "
                    "(such as HistGradientBoostingClassifier) or a linear model, alone "
                    "or as the last step of a pipeline.",
                    name=type(model).__name__,
                ) from error
            _EXPLAINERS[model] = explainer
        found = explainer.shap_values(X, check_additivity=False)
    values = np.asarray(found[-1] if isinstance(found, list) else found, np.float64)
    if values.ndim == 3:  # one part for each class; the hit is the last
        values = values[:, :, -1]
    base = float(np.asarray(explainer.expected_value, np.float64).ravel()[-1])
    return np.column_stack([values, np.full(len(values), base)])


def _rescale(values: Float, chance: Float) -> Float:
    """Return contributions to probabilities as contributions to their log-odds."""
    start = float(values[0, -1]) if len(values) else 0.5
    limit = np.clip([start, *chance], _LEAST_CHANCE, 1.0 - _LEAST_CHANCE)
    base, raw = logit(limit[0]), logit(limit[1:])
    moved = values[:, :-1].sum(axis=1)
    slope = 1.0 / (limit[0] * (1.0 - limit[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(np.abs(moved) > 1e-9, (raw - base) / moved, slope)
    return np.column_stack([values[:, :-1] * factor[:, None], np.full(len(raw), base)])


def _check_sum(model: Any, values: Float, output: Float) -> None:
    """Raise unless contributions add up to what the model puts out."""
    gap = np.abs(values.sum(axis=1) - output)
    wrong = ~(gap <= _AGREE * (1.0 + np.abs(output)))
    if wrong.any():
        raise ArgumentError(
            "explanations.contributions_do_not_add_up",
            "RiskEngine.explain: the contributions that shap gives for {name} do not "
            "add up to its output for {n_items} items (largest gap {gap}), so they "
            "would not be true reasons. Scores, selection, updates and saving work; "
            "shap does not follow missing values in forests of scikit-learn: put an "
            "imputer in front, or use HistGradientBoostingClassifier.",
            name=type(model).__name__,
            n_items=int(wrong.sum()),
            gap=f"{np.nanmax(gap):.2g}",
        )


def _mixed_error(model: Any, head: Any) -> ArgumentError:
    """Return the error of steps whose columns do not come from one feature each."""
    return ArgumentError(
        "explanations.steps_mix_features",
        "RiskEngine.explain: {name} cannot be explained behind {steps}: its columns do "
        "not belong to one feature each. Scores, selection, updates and saving work; "
        "imputers, scalers and selections of features can be explained.",
        name=type(model).__name__,
        steps=", ".join(type(step).__name__ for _, step in head.steps),
    )
