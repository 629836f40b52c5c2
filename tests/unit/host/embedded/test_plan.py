"""Which embedded test runs when."""

from collections import Counter

from host.embedded.plan import plan_runs

TESTS = ["a", "b", "c", "d"]


def test_the_first_round_is_in_the_manifests_order_and_the_others_are_shuffled() -> None:
    plan = plan_runs(TESTS, repeats=3, warm=False, seed=0)
    rounds = [[one.test for one in plan.fresh[start : start + 4]] for start in (0, 4, 8)]
    assert rounds[0] == TESTS
    assert all(sorted(one) == TESTS for one in rounds)
    assert any(one != TESTS for one in rounds[1:])
    assert plan.warm == ()


def test_warm_runs_come_after_the_fresh_ones_and_are_as_many() -> None:
    plan = plan_runs(TESTS, repeats=2, warm=True, seed=0)
    assert Counter(one.test for one in plan.warm) == Counter(one.test for one in plan.fresh)
    assert [one.number for one in plan.runs] == list(range(1, 17))
    assert plan.runs[-1].label == "run 16 (warm)"


def test_the_order_depends_on_the_seed_alone() -> None:
    assert plan_runs(TESTS, repeats=4, warm=True, seed=7) == plan_runs(TESTS, repeats=4, warm=True, seed=7)
    orders = {
        tuple(one.test for one in plan_runs(TESTS, repeats=3, warm=False, seed=seed).runs)
        for seed in range(10)
    }
    assert len(orders) > 1
