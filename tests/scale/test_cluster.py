"""A Dask cluster gives what the loop and the local engine give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import smartrisk as sr

pytestmark = pytest.mark.slow
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    place = str(tmp_path_factory.mktemp("dask"))
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            host="127.0.0.1",
            local_directory=place,
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


def test_a_cluster_fits_scores_and_updates_as_the_local_engine(tmp_path, client):
    world = sr.datasets.make_declarations(20_000, random_state=0)
    items = world.declarations
    (tmp_path / "items").mkdir()
    part = np.random.default_rng(0).integers(0, 4, len(items))
    for number in range(4):
        path = tmp_path / "items" / f"{number}.parquet"
        items[part == number].to_parquet(path, index=False)
    engine = sr.scale.fit(
        sr.RiskEngine(),
        tmp_path / "items",
        world.outcomes,
        folder=tmp_path / "history",
        client=client,
    )
    wanted = sr.RiskEngine().fit(items, world.outcomes)
    assert engine.version_ == wanted.version_
    assert engine.classifier_.booster_texts() == wanted.classifier_.booster_texts()
    key = ["declaration_id", "item_number"]
    items.tail(2_000).to_parquet(tmp_path / "probe.parquet", index=False)
    folder = sr.scale.score(
        engine, tmp_path / "probe.parquet", tmp_path / "scores", rows=700, client=client
    )
    found = pd.read_parquet(folder).set_index(key)["risk_score"]
    local = wanted.score(items.tail(2_000)).set_index(key)["risk_score"]
    pd.testing.assert_series_equal(found, local)
    assert len(list(folder.iterdir())) == 3
    later = items.tail(500).assign(
        declaration_id=lambda t: t["declaration_id"] + "-later"
    )
    later.to_parquet(tmp_path / "later.parquet", index=False)
    sr.scale.update(engine, tmp_path / "later.parquet", rows=200, client=client)
    assert engine.version_ == wanted.update(later).version_
