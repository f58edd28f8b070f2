from workers.jobs.lanes import Lane, after_serving, served_by


def test_only_the_first_processes_take_imports() -> None:
    assert Lane.IMPORTS in served_by(0, import_concurrency=1)
    assert Lane.IMPORTS not in served_by(1, import_concurrency=1)


def test_the_lane_just_served_goes_last() -> None:
    lanes = after_serving(Lane.DISPATCH, tuple(Lane))
    assert lanes[-1] is Lane.DISPATCH
    assert set(lanes) == set(Lane)


def test_what_somebody_waits_for_stays_first_whatever_was_served() -> None:
    lanes = tuple(Lane)
    for served in (Lane.DISPATCH, Lane.INTERACTIVE, Lane.SWEEPS, Lane.IMPORTS):
        lanes = after_serving(served, lanes)
        assert lanes[0] is Lane.INTERACTIVE


def test_two_busy_lanes_take_turns() -> None:
    busy = {Lane.DISPATCH, Lane.REPORTS}
    lanes, served = tuple(Lane), []
    for _ in range(4):
        first = next(lane for lane in lanes if lane in busy)
        served.append(first)
        lanes = after_serving(first, lanes)
    assert served == [Lane.DISPATCH, Lane.REPORTS, Lane.DISPATCH, Lane.REPORTS]
