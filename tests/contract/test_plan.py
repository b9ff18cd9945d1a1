from pathlib import Path

from lastro.contract import load
from lastro.model.schema import Primitive

DATA = Path(__file__).parent / "data"


def test_a_column_takes_its_type_from_logical_and_physical_type():
    plan = load(DATA / "loans.odcs.yaml").plan()

    assert plan.schema.field("term_months").type is Primitive.SHORT
    assert plan.schema.field("loan_id").type is Primitive.LONG
