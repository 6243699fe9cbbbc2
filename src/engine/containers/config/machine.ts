/** This machine, as far as it decides about a HostConfig. */
import { readFileSync } from 'node:fs'
import { errnoOf } from '../../../lib/failure.ts'
import type { Parts } from '../parts.ts'
import type { Machine } from './host-config-row.ts'

export function machineOf(
  parts: Pick<Parts, 'cpus' | 'logs' | 'defaults' | 'runtime'>,
  options: Pick<Machine, 'strict'> = {},
): Machine {
  return {
    cpus: parts.cpus,
    logs: parts.logs,
    shmSize: parts.defaults.shmSize,
    nodes: memoryNodes,
    lacking: limit => parts.runtime.cgroups.lacking(limit),
    none: parts.runtime.cgroups.none,
    cgroups: parts.runtime.cgroups.driver,
    ...options,
  }
}

/** "0-1" → 2; a kernel without such a list has one. */
function memoryNodes(): number {
  try {
    return Number(/(\d+)\s*$/.exec(readFileSync('/sys/devices/system/node/online', 'utf8'))?.[1] ?? 0) + 1
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 1
    throw error
  }
}
