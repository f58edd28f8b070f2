import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "embed_core.py"
RUN = """
import runpy, sys
before = set(sys.modules)
runpy.run_path(sys.argv[1], run_name="__main__")
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
loaded = {name for name in loaded if not name.startswith("_sysconfigdata")}
foreign = loaded - sys.stdlib_module_names - {"attr", "attrs", "phonenumbers", "retail_core"}
sys.exit(f"it loaded {sorted(foreign)}" if foreign else 0)
"""


def test_a_service_that_embeds_the_core_sends_a_campaign_with_two_packages_and_no_server() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(EXAMPLE)],
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["3 messages planned, 5 credits held", "3 sent, 95 credits left"]
    assert lines[2].startswith("  +306944555666: 'Hi Μαρία, your coffee is on us today!")
    assert lines[-1] == "3 delivered"
