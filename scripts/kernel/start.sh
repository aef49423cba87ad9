#!/bin/sh
# start.sh NODE CONNECTION_FILE: starts the kernel, from its snapshot where there is one. V8 ends at once when it is given
# one of another version, of other flags (NODE_OPTIONS) or of another processor: hence the name.
scripts="$(dirname "$0")/.."
name="$("$1" -p 'process.version + "-" + v8.cachedDataVersionTag()')"
snapshot="$scripts/../node_modules/.cache/kernel/$name.blob"
if [ -f "$snapshot" ]; then
  exec "$1" --snapshot-blob "$snapshot" "$scripts/kernel.cjs" "$2"
fi
exec "$1" "$scripts/kernel.cjs" "$2"
