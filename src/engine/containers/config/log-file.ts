/** A container's LogConfig → the file that its monitor writes: pure. */
import { hostname } from 'node:os'
import { parseBytes } from '../../../lib/units.ts'
import type { HostPath, LogFileSpec } from '../../../runtime/spec.ts'
import { type LogInfo, recordAttributes } from '../../logs/log-info.ts'
import type { ContainerRecord } from '../container.ts'

export type Logged = Pick<ContainerRecord, 'id' | 'name' | 'created' | 'imageId' | 'imageRef' | 'config' | 'hostConfig'>

/** Undefined when nothing is kept. @throws Failure `invalid` for options that do not work out. */
export function logFile(record: Logged, path: HostPath): LogFileSpec | undefined {
  const { Type, Config } = record.hostConfig.LogConfig
  if (Type === 'none') return undefined
  // without options: json-file grows for ever, local keeps 100 MB
  const [usualSize, usualFiles] = Type === 'json-file' ? ['-1', '1'] : ['20m', '5']
  const size = Config['max-size'] ?? usualSize
  return {
    path,
    maxSize: size === '-1' ? -1 : (parseBytes(size) ?? -1),
    maxFiles: Number(Config['max-file'] ?? usualFiles),
    attributes: Type === 'json-file' ? recordAttributes(logInfo(record, path)) : {},
  }
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
