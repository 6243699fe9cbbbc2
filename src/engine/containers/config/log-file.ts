/** A container's LogConfig → the file that its monitor writes: pure. */
import { hostname } from 'node:os'
import { parseBytes } from '../../../lib/units.ts'
import type { HostPath, LogFileSpec } from '../../../runtime/spec.ts'
import { boolOf } from '../../logs/go-values.ts'
import { usualRotation } from '../../logs/log-defaults.ts'
import { type LogInfo, type LogOptions, recordAttributes } from '../../logs/log-info.ts'
import { isForwarded } from '../../logs/log-options.ts'
import type { ContainerRecord } from '../container.ts'

export type Logged = Pick<ContainerRecord, 'id' | 'name' | 'created' | 'imageId' | 'imageRef' | 'config' | 'hostConfig'>

/** Undefined when nothing is kept. @throws Failure `invalid` for options that do not work out. */
export function logFile(record: Logged, path: HostPath): LogFileSpec | undefined {
  const { Type, Config } = record.hostConfig.LogConfig
  if (Type === 'none') return undefined
  const { size, files } = rotation(Type, Config)
  return {
    path,
    maxSize: size === '-1' ? -1 : (parseBytes(size) ?? -1),
    maxFiles: Number(files),
    attributes: Type === 'json-file' ? recordAttributes(logInfo(record, path)) : {},
  }
}

/** Who speaks of one alone means it as with Docker: a size is that of the only file. What is no json-file has 100 MB. */
function rotation(driver: string, options: LogOptions): { size: string; files: string } {
  if (driver === 'json-file') {
    const { 'max-size': size, 'max-file': files } = options
    if (size === undefined) return { size: usualRotation.size, files: files ?? usualRotation.files }
    return { size, files: files ?? '1' }
  }
  const prefix = isForwarded(driver) ? 'cache-' : ''
  return { size: options[`${prefix}max-size`] ?? '20m', files: options[`${prefix}max-file`] ?? '5' }
}

/** Whether `logs` can show it: what is sent to a server is kept here too, unless that was not wanted. */
export function isReadable({ Type, Config }: Logged['hostConfig']['LogConfig']): boolean {
  return Type !== 'none' && !(isForwarded(Type) && boolOf(Config['cache-disabled'] ?? '') === true)
}

export function logInfo(record: Logged, path: HostPath): LogInfo {
  const { config } = record
  const [command = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  return {
    id: record.id,
    name: record.name,
    imageId: record.imageId,
    imageName: record.imageRef,
    created: record.created,
    path: command,
    args,
    env: config.Env,
    labels: config.Labels,
    hostname: hostname(),
    logPath: path,
    options: record.hostConfig.LogConfig.Config,
  }
}

/** Whether rotated files are compressed: those of json-file where that was asked for, others unless it was not wanted. */
export function isPacked({ Type, Config }: Logged['hostConfig']['LogConfig']): boolean {
  if (Type === 'none') return false
  if (Type === 'json-file') return boolOf(Config['compress'] ?? '') ?? false
  const several = Number(rotation(Type, Config).files) > 1
  return several && (boolOf(Config[isForwarded(Type) ? 'cache-compress' : 'compress'] ?? '') ?? true)
}
