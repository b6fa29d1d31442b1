"""Any classifier and regressor behind the interface of our models."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge, TweedieRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from smartrisk.errors import ArgumentError, ArtefactError, SmartRiskWarning
from smartrisk.explanations import model_contributions
from smartrisk.models import (
    ClassifierAdapter,
    RegressorAdapter,
    check_classifier,
    check_regressor,
    dump_estimator,
    load_estimator,
)
from smartrisk.models._rows import choose_size


def impute(*steps):
    """Return a pipeline that fills in missing values first."""
    return make_pipeline(SimpleImputer(add_indicator=True), *steps)


CLASSIFIERS = {
    "hist": HistGradientBoostingClassifier(max_iter=10),
    "lightgbm": LGBMClassifier(n_estimators=10, verbose=-1),
    "extra": ExtraTreesClassifier(10),
    "forest": impute(RandomForestClassifier(10, n_jobs=2)),
    "logistic": impute(StandardScaler(), LogisticRegression()),
    "mixed": impute(PCA(3), LogisticRegression()),
    "bayes": impute(GaussianNB()),
    "search": GridSearchCV(
        impute(LogisticRegression()), {"logisticregression__C": [0.1, 1.0]}, cv=2
    ),
}
REGRESSORS = {
    "hist": HistGradientBoostingRegressor(max_iter=9),
    "lightgbm": LGBMRegressor(n_estimators=9, verbose=-1),
    "ridge": impute(Ridge()),
    "tweedie": impute(StandardScaler(), TweedieRegressor(power=1.5, link="log")),
}


@pytest.fixture(scope="module")
def data():
    """Return features with missing values, and hits."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 7))
    y = (X[:, 0] + rng.normal(size=400) > 1.0).astype(int)
    X[rng.random(X.shape) < 0.2] = np.nan
    X[:, 5] = np.nan  # no item has it
    return X.astype(np.float32), y


@pytest.fixture(scope="module", params=CLASSIFIERS)
def fitted(request, data):
    """Return an adapter of each classifier, fitted."""
    return ClassifierAdapter(CLASSIFIERS[request.param]).fit(*data)


@pytest.fixture(scope="module", params=REGRESSORS)
def revenue(request, data):
    """Return an adapter of each regressor, fitted on shares of a value."""
    X, y = data
    value = np.random.default_rng(1).lognormal(8, 1, len(y))
    recovered = value * np.abs(np.nan_to_num(X[:, 1]))
    hit = y > 0
    adapter = RegressorAdapter(REGRESSORS[request.param])
    return adapter.fit(X[hit], recovered[hit], scale=value[hit])


# ----------------------------------------------------------------- predictions


def test_the_probability_is_that_of_the_classifier(fitted, data):
    X = fitted.prepare(data[0])
    assert np.array_equal(X[:, 5], np.zeros(400))
    assert np.array_equal(X[:, 4], data[0][:, 4].astype(float), equal_nan=True)
    own = fitted.estimator_.predict_proba(X)[:, 1]
    np.testing.assert_allclose(fitted.predict_hit(data[0]), own, atol=1e-6)


def test_an_item_has_the_same_bits_alone_and_among_others(fitted, data):
    X = data[0]
    batch, raw = fitted.predict_hit(X), fitted.raw_score(X)
    order = np.random.default_rng(2).permutation(len(X))
    assert np.array_equal(fitted.predict_hit(X[order]), batch[order])
    for row in (0, 7, 399):
        assert fitted.predict_hit(X[row : row + 1])[0] == batch[row]
        assert fitted.raw_score(X[row : row + 1])[0] == raw[row]


def test_a_model_whose_items_count_on_their_neighbours_is_asked_one_by_one():
    """Which classifier rounds differently in a batch depends on the processor."""
    X = np.arange(200.0).reshape(100, 2)
    assert choose_size(object(), lambda part: part[:, 0] + 1e-12 * len(part), X) == 1
    assert choose_size(object(), lambda part: part[:, 0], X) > 1


def test_log_odds_lead_back_to_the_probability(fitted, data):
    hit = fitted.predict_hit(data[0])
    bounded = np.clip(hit, 1e-3, 1 - 1e-3) if fitted.space_ == "probability" else hit
    np.testing.assert_allclose(
        fitted.calibrate(fitted.raw_score(data[0])), bounded, atol=1e-6
    )


def test_the_estimator_that_was_passed_stays_unfitted(data):
    given = HistGradientBoostingClassifier(max_iter=3)
    adapter = ClassifierAdapter(given, random_state=5).fit(*data)
    assert not hasattr(given, "classes_")
    assert given.random_state is None
    assert adapter.estimator_.random_state == 5


def test_the_regressor_learns_shares_and_predicts_no_negative_amount(revenue, data):
    X = data[0]
    share, amount = revenue.predict(X), revenue.predict(X, scale=np.full(len(X), 3.0))
    assert (share >= 0).all()
    np.testing.assert_allclose(amount, 3.0 * share)
    for row in (0, 399):
        assert revenue.predict(X[row : row + 1])[0] == share[row]


def test_few_hits_give_the_mean_share(data):
    X = data[0][:29]
    model = RegressorAdapter(Ridge()).fit(X, np.ones(29), scale=np.full(29, 4.0))
    assert model.estimator_ is None
    assert model.predict(X[:2], scale=np.array([8.0, np.nan])).tolist() == [2.0, 1.0]
    again = RegressorAdapter(Ridge()).restore(None, model.fitted_state())
    assert again.content() == model.content()


def test_results_of_one_class_are_refused(data):
    with pytest.raises(ArgumentError, match=r"one class only \(0\)"):
        ClassifierAdapter(GaussianNB()).fit(data[0], np.zeros(400, int))


# ---------------------------------------------------------------------- saving


@pytest.mark.slow
def test_a_model_is_restored_bit_for_bit(fitted, data):
    content = fitted.to_bytes(owner="test")
    again = ClassifierAdapter(clone(fitted.estimator))
    again.restore(content, fitted.fitted_state())
    assert np.array_equal(again.predict_hit(data[0]), fitted.predict_hit(data[0]))
    assert np.array_equal(again.raw_score(data[0]), fitted.raw_score(data[0]))
    assert again.content() == fitted.content()
    assert np.array_equal(again.center_, fitted.center_)


@pytest.mark.slow
def test_a_regressor_is_restored_bit_for_bit(revenue, data):
    again = RegressorAdapter(clone(revenue.estimator))
    again.restore(revenue.to_bytes(owner="test"), revenue.fitted_state())
    assert np.array_equal(again.predict(data[0]), revenue.predict(data[0]))
    assert again.content() == revenue.content()


def test_fitting_again_gives_the_same_content(fitted, data):
    again = ClassifierAdapter(fitted.estimator).fit(*data)
    assert again.content() == fitted.content()
    assert again.to_bytes(owner="x") != fitted.to_bytes(owner="x")  # times and places


def test_another_number_gives_another_content(data):
    X, y = data
    trees = HistGradientBoostingClassifier(max_iter=3)
    one, two = (ClassifierAdapter(trees).fit(X, labels) for labels in (y, 1 - y))
    assert one.content() != two.content()


def test_features_that_count_as_0_are_part_of_the_content(data):
    X, y = data
    first = np.nan_to_num(X[:, 0])
    zero, missing = (np.column_stack([first, np.full(len(X), v)]) for v in (0, np.nan))
    near = KNeighborsClassifier(3, weights="distance")
    one, two = (ClassifierAdapter(near).fit(matrix, y) for matrix in (zero, missing))
    probe = np.column_stack([first, np.full(len(X), 9.0)])
    assert not np.array_equal(one.predict_hit(probe), two.predict_hit(probe))
    assert one.content() != two.content()


def test_the_number_of_threads_is_no_part_of_the_content(data):
    trees = [LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=n) for n in (1, 2)]
    one, two = (ClassifierAdapter(tree).fit(*data).content() for tree in trees)
    assert one == two


class ForeignClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of nobody's list."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def test_a_type_outside_the_list_is_named_before_and_refused_after(data):
    with pytest.warns(SmartRiskWarning, match=r"not on the list .*ForeignClassifier"):
        check_classifier(ForeignClassifier())
    model = ClassifierAdapter(ForeignClassifier()).fit(*data)
    with pytest.raises(ArgumentError, match=r"save: .*ForeignClassifier.*'trusted'"):
        model.to_bytes(owner="save")
    name = f"{__name__}.ForeignClassifier"
    content = model.to_bytes(trusted=[name], owner="save")
    with pytest.raises(ArtefactError, match=r"load: .*ForeignClassifier.*'trusted'"):
        load_estimator(content, owner="load")


def test_bytes_that_are_not_of_skops_are_refused():
    with pytest.raises(ArtefactError, match="cannot be read"):
        load_estimator(b"PK other bytes")


def test_a_part_that_cannot_be_written_is_named():
    class Local:
        def __reduce__(self):
            raise TypeError("no")

    broken = HistGradientBoostingClassifier()
    broken.max_iter = open(__file__, encoding="utf-8")  # noqa: SIM115
    with broken.max_iter, pytest.raises(ArgumentError, match="cannot be saved"):
        dump_estimator(broken)


# ---------------------------------------------------------------------- checks


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (LinearSVC(), "LinearSVC, given as 'classifier', has no predict_proba"),
        (
            LogisticRegression(),
            r"LogisticRegression.*SimpleImputer\(add_indicator=True",
        ),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            "LogisticRegression.*missing",
        ),
        (make_pipeline(PCA(), GaussianNB()), "PCA, given as 'classifier'"),
        (GridSearchCV(GaussianNB(), {}), "GaussianNB.*missing"),
        (GaussianNB, "must be an unfitted scikit-learn estimator"),
        ("trees", "must be an unfitted scikit-learn estimator"),
    ],
    ids=str,
)
def test_what_an_engine_cannot_use_is_refused_with_the_remedy(estimator, text):
    with pytest.raises(ArgumentError, match=text):
        check_classifier(estimator)


def test_what_an_engine_can_use_passes_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for classifier in CLASSIFIERS.values():
            check_classifier(classifier)
        for regressor in REGRESSORS.values():
            check_regressor(regressor)
    with pytest.raises(ArgumentError, match="is no regressor"):
        check_regressor(HistGradientBoostingClassifier())
    with pytest.raises(ArgumentError, match=r"Ridge, given as 'regressor'.*missing"):
        check_regressor(Ridge())


# ---------------------------------------------------------------- explanations


@pytest.mark.slow
def test_contributions_add_up_to_the_log_odds(fitted, data):
    name = type(fitted.estimator_).__name__
    last = getattr(fitted.estimator_, "steps", [("", fitted.estimator_)])[-1][1]
    if "PCA" in repr(fitted.estimator) or isinstance(last, GaussianNB):
        with pytest.raises(ArgumentError, match="Scores, selection, updates"):
            model_contributions(fitted, data[0])
        return
    found = model_contributions(fitted, data[0])
    assert found.shape == (400, 8), name
    np.testing.assert_allclose(found.sum(axis=1), fitted.raw_score(data[0]), atol=2e-5)
    assert np.array_equal(model_contributions(fitted, data[0][3:4]), found[3:4])
    assert np.unique(found[:, -1]).size == 1


def test_contributions_to_a_probability_keep_sign_order_and_share(data):
    import shap

    model = ClassifierAdapter(impute(ExtraTreesClassifier(10))).fit(*data)
    assert model.space_ == "probability"
    found = model_contributions(model, data[0])[:, :-1]
    filled = model.estimator_[:-1].transform(model.prepare(data[0]))
    own = shap.TreeExplainer(model.estimator_[-1]).shap_values(filled)[..., 1]
    columns = model.estimator_[:-1].get_feature_names_out()
    folded = np.zeros_like(found)
    for values, column in zip(own.T, columns, strict=True):
        folded[:, int(column.removeprefix("missingindicator_")[1:])] += values
    moved = np.abs(folded.sum(axis=1)) > 1e-6
    ratio = found[moved].sum(axis=1) / folded[moved].sum(axis=1)
    assert (ratio > 0).all()
    np.testing.assert_allclose(found[moved], folded[moved] * ratio[:, None], atol=1e-9)


def test_contributions_that_do_not_add_up_are_refused(data, monkeypatch):
    model = ClassifierAdapter(DecisionTreeClassifier(max_depth=3)).fit(*data)
    monkeypatch.setattr(model, "predict_hit", lambda X: np.full(len(X), 0.123))
    with pytest.raises(ArgumentError, match="DecisionTreeClassifier do not add up"):
        model_contributions(model, data[0])


def test_a_network_is_asked_item_by_item_and_not_explained(data):
    network = impute(StandardScaler(), MLPClassifier((8,), max_iter=200, tol=1e-2))
    model = ClassifierAdapter(network).fit(*data)
    batch = model.predict_hit(data[0])
    assert model.predict_hit(data[0][5:6])[0] == batch[5]
    with pytest.raises(ArgumentError, match="no explainer of its own for MLPClass"):
        model_contributions(model, data[0])
