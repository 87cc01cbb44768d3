#!/bin/sh
# Two folders that share a Git repository, a plan and a database, and nothing else: plan in one, apply in the other.
# Needs RECONCILER_STATE_URL (an empty PostgreSQL database), git and reconciler; works in a new folder, $1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
port=${PORT:-8123}
export RECONCILER_LEDGER_TOKEN="${RECONCILER_LEDGER_TOKEN:-only-for-the-demo}"
export GIT_AUTHOR_NAME=demo GIT_AUTHOR_EMAIL=demo@acme.example
export GIT_COMMITTER_NAME=demo GIT_COMMITTER_EMAIL=demo@acme.example

# The repository, and two clones of it: a reviewer's and the pipeline's.
git init -q --bare -b main origin.git
git clone -q origin.git office 2>/dev/null
cp -R "$here/manifests" "$here/reconciler.yaml" "$here/.gitignore" office/
sed -i.bak "s/:8123/:$port/" office/reconciler.yaml && rm office/reconciler.yaml.bak
git -C office add -A && git -C office commit -qm "November" && git -C office push -q origin HEAD:main
git clone -q origin.git pipeline

# The books, served as an ERP would be.
reconciler ledger serve --path "$PWD/books.sqlite" --port "$port" > served &
trap 'kill $!' EXIT
until [ -s served ]; do sleep 0.1; done

echo "== office: plan"
reconciler --chdir office plan -o november.plan
cp office/november.plan pipeline/

echo "== pipeline: apply exactly that"
reconciler --chdir pipeline apply november.plan

echo "== office: nothing is left"
reconciler --chdir office plan --detailed-exitcode

echo "== office: the same plan again"
reconciler --chdir office apply november.plan || echo "refused with exit code $?"
