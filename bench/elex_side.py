"""elex-model on nights that `bench_elex.py` wrote; run by the Python of an environment that has elex-model, and by it alone.

    python elex_side.py NIGHT.npz

Prints one line of JSON for each method and look: method, percent, predicted votes of the leader, bounds, seconds, error.
"""

import json
import logging
import sys
import time
import warnings

import numpy as np

NAME = "2025-01-01_AV_G"
METHODS = ("gaussian", "nonparametric")
CONFIG = {
    NAME: [
        {
            "office": "G",
            "states": ["AV"],
            "geographic_unit_types": ["precinct"],
            "historical_election": [],
            "features": [],
            "aggregates": ["postal_code", "county_fips", "unit"],
            "fixed_effect": [],
            "baseline_pointer": {"dem": "dem", "gop": "gop", "turnout": "turnout"},
        }
    ]
}


def main(path: str) -> None:
    import pandas as pd
    from elexmodel.client import ModelClient

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    night = np.load(path)
    order, votes, previous = night["order"], night["votes"], night["previous"]
    stations = [f"{stratum:05d}_{row}" for row, stratum in enumerate(night["stratum"].tolist())]
    prepared = pd.DataFrame({"postal_code": "AV", "geographic_unit_fips": stations})
    prepared["county_fips"] = [name[:5] for name in stations]
    for column, name in enumerate(("dem", "gop", "turnout")):
        prepared[f"baseline_{name}"] = previous[:, column]
    for percent in night["looks"].tolist():
        rows = order[: -(-len(order) * percent // 100)]
        reported = np.zeros(len(order))
        reported[rows] = 100
        now = pd.DataFrame({"postal_code": "AV", "geographic_unit_fips": stations, "percent_expected_vote": reported})
        for column, name in enumerate(("dem", "gop", "turnout")):
            now[f"results_{name}"] = np.where(reported > 0, votes[:, column], 0)
        for method in METHODS:
            found = {"method": method, "percent": percent, "low": None, "point": None, "high": None, "error": ""}
            started = time.perf_counter()
            try:
                results = ModelClient().get_estimates(
                    now,
                    NAME,
                    "G",
                    ["dem"],
                    prediction_intervals=[0.9],
                    geographic_unit_type="precinct",
                    raw_config=CONFIG,
                    preprocessed_data=prepared.copy(),
                    pi_method=method,
                    aggregates=["postal_code", "unit"],
                    save_output=[],
                )
                state = results["state_data"].iloc[0]
                found |= {
                    "point": float(state["pred_dem"]),
                    "low": float(state["lower_0.9_dem"]),
                    "high": float(state["upper_0.9_dem"]),
                }
            except Exception as error:
                found["error"] = f"{type(error).__name__}: {error}"[:200]
            found["seconds"] = time.perf_counter() - started
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
