#!/bin/sh
# Prints the path of a Python that can run this project; otherwise one sentence on stderr and exit 2.
# Candidates are run, not only looked up: a version manager's shim can exist and still fail.
set -u

tested="python3.11 python3.12 python3.13 python3 python"
question='import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2], sys.executable)'
found=""

for candidate in ${PYTHON:-$tested}; do
    version=$("$candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
    major=${version%%.*}
    rest=${version#*.}
    minor=${rest%%.*}
    if [ "$major" -ne 3 ] || [ "$minor" -lt 11 ]; then
        found="$found${found:+, }$candidate is $version"
    elif answer=$("$candidate" -c "$question" 2>/dev/null); then
        echo "${answer#* }"
        exit 0
    else
        found="$found${found:+, }$candidate is $version without the venv module"
    fi
done

echo "Python 3.11 or newer with the venv module is needed (3.11 is the tested one), and ${found:-no Python was found}:" \
    "install it, or name it as in \`make book PYTHON=/path/to/python3.11\`." >&2
exit 2
