#!/usr/bin/env bash
# Writes a Markdown file as a comment of a pull request, in the place of the one it wrote before. Gitea and GitHub alike.
# Environment: API (.../repos/OWNER/NAME), NUMBER, TOKEN. The token goes to curl by its configuration, never by an argument.
set -euo pipefail
mark='<!-- promotion -->'
ask() { curl --silent --show-error --fail --config <(printf 'header = "Authorization: token %s"\n' "$TOKEN") \
  --header 'Content-Type: application/json' "$@"; }
body=$(node -e 'const [mark, file] = process.argv.slice(1); console.log(JSON.stringify({ body: `${mark}\n${require("fs").readFileSync(file, "utf8")}` }))' "$mark" "$1")
before=$(ask "$API/issues/$NUMBER/comments" | node -e 'const mark = process.argv[1]; const all = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(all.find((one) => one.body.startsWith(mark))?.id ?? "")' "$mark")
if [ -n "$before" ]; then
  ask --request PATCH --data-binary @- "$API/issues/comments/$before" <<< "$body" > /dev/null
else
  ask --request POST --data-binary @- "$API/issues/$NUMBER/comments" <<< "$body" > /dev/null
fi
