#!/usr/bin/env bash
# Bundles packaging/viewer with three.js (MIT) into resources/web/viewer.js; needs node and npm.
# Run it after a change of packaging/viewer; the result is part of the project.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$root"/packaging/viewer/{package.json,viewer.js} "$work"
cd "$work"
npm install --no-audit --no-fund --silent </dev/null
npx --no-install esbuild viewer.js --bundle --minify --format=iife --target=es2022 \
  --legal-comments=none --charset=utf8 --outfile=bundle.js --log-level=warning
{
  printf '/*! three.js %s, MIT licence, shipped inside HRN Studio:\n' \
    "$(node -p "require('./node_modules/three/package.json').version")"
  cat node_modules/three/LICENSE
  printf '*/\n'
  cat bundle.js
} >viewer.min.js
mkdir -p "$root/resources/web"
mv viewer.min.js "$root/resources/web/viewer.js"
wc -c "$root/resources/web/viewer.js"
