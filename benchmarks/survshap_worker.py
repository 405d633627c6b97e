"""Runs inside survshap's own environment: reads a task, explains it, writes values and times.

Called by `benchmarks.shapley` as ``python survshap_worker.py task.json answer.json``.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sksurv.functions import StepFunction
from survshap import PredictSurvSHAP, SurvivalModelExplainer


def main(task_file: str, answer_file: str) -> None:
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    names = [f"x{j}" for j in range(len(task["coef"]))]
    background = pd.DataFrame(task["background"], columns=names)
    patient = pd.DataFrame([task["patient"]], columns=names)
    coef, steps = np.array(task["coef"]), np.array(task["step_times"])
    hazard = np.array(task["cumulative_hazard"])

    def survival(_model: object, frame: pd.DataFrame) -> list[StepFunction]:
        relative = np.exp(frame.to_numpy(dtype=float) @ coef)
        return [StepFunction(steps, y) for y in np.exp(-np.outer(relative, hazard))]

    # survshap reads y only for its plots, but its constructor of explanations asks for a structured array
    y = np.array([(True, 1.0)] * len(background), dtype=[("event", bool), ("time", float)])
    explainer = SurvivalModelExplainer(None, background, y, predict_survival_function=survival)
    answer = []
    for times in task["times"]:
        seconds, found = [], None
        for _ in range(task["repeats"]):
            explanation = PredictSurvSHAP(function_type="sf", calculation_method="kernel")  # every coalition
            start = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                explanation.fit(explainer, patient, timestamps=np.array(times))
            seconds.append(time.perf_counter() - start)
            found = explanation.result[explanation.result["B"] == 0].set_index("variable_name")
        columns = [c for c in found.columns if str(c).startswith("t = ")]
        answer.append({"seconds": seconds, "points": (-found.loc[names, columns].to_numpy(dtype=float)).T.tolist()})
    Path(answer_file).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
