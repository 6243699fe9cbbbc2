# make-pages.sh TITLE TEXTS PAGES: a page of all texts
set -eu
title=$1 texts=$2 pages=$3
mkdir -p "$pages"
{
  echo "<!doctype html><title>$title</title><h1>$title</h1>"
  for text in "$texts"/*.txt; do
    echo "<p>$(cat "$text")</p>"
    echo "read $text" >&2
  done
} >"$pages/index.html"
