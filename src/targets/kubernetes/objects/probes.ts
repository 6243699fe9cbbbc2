/** A healthcheck as probes: it makes a pod ready; one that fails ends it only where the stack says so. */
import type { Healthcheck } from '../../../model/healthcheck.ts'
import type { Service } from '../../../model/service.ts'
import { given } from '../../members.ts'
import type { JsonMap } from '../manifest.ts'
import { seconds } from './quantities.ts'

/** What Compose takes where nothing is said, in seconds. */
const usual = { interval: 30, timeout: 30, retries: 3 }

export function probes({ healthcheck, onUnhealthy }: Service): JsonMap {
  const command = healthcheck && commandOf(healthcheck)
  if (!command) return {}
  const { interval, timeout, retries, startPeriod, startInterval } = healthcheck
  const periodSeconds = interval === undefined ? usual.interval : seconds(interval, 1)
  const probe = {
    exec: { command },
    periodSeconds,
    timeoutSeconds: timeout === undefined ? usual.timeout : seconds(timeout, 1),
    failureThreshold: retries || usual.retries,
  }
  if (onUnhealthy !== 'restart') return { readinessProbe: probe }
  if (!startPeriod) return { readinessProbe: probe, livenessProbe: probe }
  const period = startInterval === undefined ? periodSeconds : seconds(startInterval, 1)
  const failureThreshold = Math.ceil(seconds(startPeriod) / period) + probe.failureThreshold
  return given({
    readinessProbe: probe,
    livenessProbe: probe,
    startupProbe: { ...probe, periodSeconds: period, failureThreshold },
  })
}

/** Undefined where there is none, or the image alone has one. */
function commandOf({ disable, test = [] }: Healthcheck): readonly string[] | undefined {
  const [kind, ...words] = test
  if (disable || words.length === 0) return undefined
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', words.join(' ')] : words
}
