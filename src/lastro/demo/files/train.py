"""Trains a model of default from the approved version of the loans, and records the run."""

import os
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # sums in one order, so that the same data gives the same digits

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import lastro

SEED = 7
FEATURES = ("income", "amount", "term_months", "age", "is_payroll", "is_vehicle")

ws = lastro.open(Path(__file__).parent)

with ws.run("credit-default", inputs=["loans@approved"], parameters={"seed": SEED, "features": FEATURES}) as run:
    # A person stays on one side for good, however many applications come later.
    sides = run.read("loans").split(by="cpf", seed=SEED)
    known = "status = 'approved' AND defaulted IS NOT NULL"
    train, test = (sides[side].to_pandas(where=known) for side in ("train", "test"))

    for rows in (train, test):
        rows["age"] = (rows["applied_at"] - pd.to_datetime(rows["birth_date"])).dt.days // 365
        rows["is_payroll"] = rows["product"] == "payroll"
        rows["is_vehicle"] = rows["product"] == "vehicle"

    model = HistGradientBoostingClassifier(random_state=SEED, max_iter=80)
    model.fit(train[list(FEATURES)], train["defaulted"].astype(bool))
    chances = model.predict_proba(test[list(FEATURES)])[:, 1]

    auc = float(roc_auc_score(test["defaulted"].astype(bool), chances))
    run.log(auc=auc, rows_train=len(train), rows_test=len(test))

print(f"{run.id}: auc {auc:.6f} on {len(test):,} applications the model has not seen")
