# shellcheck shell=sh
# Installs Punjab into this directory as a virtual environment. Punjab was written for
# Python 2, so its source is translated.

: "${from:?}"
python3 -m venv .
bin/python -m pip install --quiet --disable-pip-version-check --use-pep517 --no-compile -r "$from/requirements.txt"
package=$(echo lib/python3*/site-packages/punjab)
bin/python -m fissix --write --nobackups --no-diffs "$package"
bin/python "$from/port.py" "$package"
