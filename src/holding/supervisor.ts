/**
 * What starts a keeper again where nothing else does: beside an engine that keeps no companions, and without systemd. A few lines of sh, which is
 * there everywhere and waits in a megabyte.
 */

/** The keeper's words for its end: nothing is left to do, or another one listens. After those it is not started again. */
export const finalCodes = [0, 75] as const

/** A run as long as this, in seconds, makes up for those before it. */
const steady = 10
const longestPause = 60

/**
 * A signal for the shell is the keeper's, and the end of both. One that comes while the keeper's process is made finds a shell there still, which
 * would lose it, so it is sent once more.
 */
const script = `pause=0
trap 'gone=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT HUP
while [ -z "$gone" ]; do
  began=$(date +%s)
  "$@" &
  child=$!
  if [ -n "$gone" ]; then sleep 1; kill -TERM "$child" 2>/dev/null; fi
  wait "$child"
  code=$?
  if [ -n "$gone" ]; then wait "$child"; exit 1; fi
  child=
  case $code in ${finalCodes.join('|')}) exit "$code";; esac
  [ $(($(date +%s) - began)) -lt ${steady} ] || pause=0
  echo "$(date -u +%FT%TZ) keeper: it has ended with $code, and is started again in $pause s" >&2
  left=$pause
  while [ "$left" -gt 0 ] && [ -z "$gone" ]; do sleep 1; left=$((left - 1)); done
  pause=$((pause * 2))
  [ "$pause" -gt 0 ] || pause=1
  [ "$pause" -le ${longestPause} ] || pause=${longestPause}
done
exit 1`

/** Program and arguments of whoever runs `command`, and runs it again when it has died. */
export function supervised(command: readonly string[]): readonly string[] {
  return ['/bin/sh', '-c', script, 'tscompose-keeper', ...command]
}
