# Sourced by start.sh and test.sh, in the repository: `environment FILE [COVERED...]` brings .venv in line with a
# requirements file. COVERED are files whose requirements FILE contains. Does nothing when nothing changed.

environment() {
    if ! [ -f .venv/.made ] || ! .venv/bin/python -c '' 2>/dev/null; then
        make_venv
    fi
    if ! [ "$(checksum "$1")" = "$(cat ".venv/.$1" 2>/dev/null)" ]; then
        echo "Installing $1 ..."
        install_requirements "$1"
        for file in "$@"; do
            checksum "$file" > ".venv/.$file"
        done
    fi
}

# The mark comes last: a folder without it is half made.
make_venv() {
    python=$(find_python) || exit 1
    rm -rf .venv
    if command -v uv >/dev/null; then
        uv venv --quiet --python "$python" .venv
    elif "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv .venv
    else
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        echo "Python $version can't make virtual environments here. Install what is missing, then start again:" >&2
        echo "    $(install_command "python$version-venv" "python$version-pip" python3)" >&2
        exit 1
    fi
    touch .venv/.made
}

# 3.13 comes last: the Redis in a wheel ends at 3.12.
find_python() {
    for name in python3.12 python3.11 python3 python3.13; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "PortalOps needs Python 3.11, 3.12 or 3.13. Install one, then start again:" >&2
    echo "    $(install_command "python3 python3-venv" python3.12 python3)" >&2
    return 1
}

# Arguments: the packages to install with apt, with dnf, with apk.
install_command() {
    sudo=$([ "$(id -u)" = 0 ] || echo "sudo ")
    if command -v dnf >/dev/null; then
        echo "${sudo}dnf install -y $2"
    elif command -v apk >/dev/null; then
        echo "${sudo}apk add $3"
    else
        echo "${sudo}apt-get install -y $1"
    fi
}

install_requirements() {
    # The file is complete and pinned; working out dependencies again would take a third of the time.
    if command -v uv >/dev/null; then
        uv pip install --quiet --python .venv/bin/python --no-deps --require-hashes -r "$1"
    else
        .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$1"
    fi
}

checksum() {
    cksum < "$1"
}
