#!/bin/sh
# What `make quickstart` shows: two releases of a table as two commits, and the changes.
# Usage: quickstart.sh PROLLY DATA_DIRECTORY REPOSITORY
set -eu

prolly=$1
data=$(cd "$2" && pwd)
repository=$3
rows=5

# Say a command, then do it. Its output is caught first: so no pager waits for a key,
# and a failure stops the script.
run() {
    printf '\n$ prolly'
    for word; do
        case $word in *' '*) word="'$word'" ;; esac
        printf ' %s' "$word"
    done
    printf '\n'
    output=$("$prolly" -C "$repository" "$@")
    printf '%s\n' "$output"
}

rm -rf "$repository"
mkdir -p "$(dirname "$repository")"
"$prolly" init "$repository"

run import airports "$data/airports-20250622.csv.gz" --key icao -m 'June 2025'
run import airports "$data/airports-20250909.csv.gz" -m 'September 2025'
run log
run diff --stat HEAD~1 HEAD

printf '\n$ prolly diff HEAD~1 HEAD | head -n %s\n' "$rows"
"$prolly" -C "$repository" diff HEAD~1 HEAD | head -n "$rows"

printf '\nThe repository is in %s. Go on with: cd %s\n' "$repository" "$repository"
