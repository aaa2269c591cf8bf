#!/bin/sh
# commits.sh BASE checks the messages of the commits that HEAD has and BASE has not. CI runs it for pull requests.
#
# A subject is `area: what is now so`. It is a sentence with its subject first, so it needs more than the 50 or 72 characters
# that are usual elsewhere, and at most 100: that is a line of `git log --oneline` in a terminal of 110 columns. A body says
# what was, what is and why. Merges and reverts have git's own messages.
set -eu
cd "$(dirname "$0")/.."

most=100
bad=0

[ $# -eq 1 ] || { echo "usage: commits.sh BASE" >&2; exit 2; }
commits=$(git rev-list --no-merges --reverse "$1..HEAD")
for commit in $commits; do
  subject=$(git log -1 --format=%s "$commit")
  problem=
  case $subject in
    'Revert "'*) continue ;;
    *': '?*) ;;
    *) problem="the subject names no area, as in 'sender: requeue before younger batches'" ;;
  esac
  length=$(printf %s "$subject" | wc -m)
  [ "$length" -le $most ] || problem="the subject has $length characters, and $most is the limit"
  [ -n "$(git log -1 --format=%b "$commit")" ] || problem="${problem:+$problem; }there is no body: what was, what is, and why"
  if [ -n "$problem" ]; then
    bad=$((bad + 1))
    echo "$(git log -1 --format=%h "$commit") $subject: $problem"
  fi
done
echo "commits: $(echo $commits | wc -w) read, $bad to be written again"
[ $bad -eq 0 ]
