import ctypes
import gc

from workers.processes.memory import hold_little, settle


def test_a_c_library_that_has_limits_takes_them() -> None:
    assert hold_little() is hasattr(ctypes.CDLL(None), "mallopt")


def test_what_there_is_at_the_start_is_not_looked_at_again() -> None:
    try:
        settle()
        assert gc.get_freeze_count() > 0
        assert gc.isenabled()
    finally:
        gc.unfreeze()
