/** HostConfig.LogConfig: which driver, with which of its options. */
import { z } from 'zod'
import type { HostConfig } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { invalid, type Row } from './host-config-row.ts'

/** Drivers of a Docker Engine that this one does not have: refused by name. */
const elsewhere = ['awslogs', 'etwlogs', 'fluentd', 'gcplogs', 'gelf', 'journald', 'splunk', 'syslog']
/** Files of the engine's own; `local` promises no form of them, so it has that of json-file. */
const files = ['json-file', 'local']

const schema = z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) })

export const logConfig: Row<NonNullable<HostConfig['LogConfig']>, z.output<typeof schema>> = {
  kept: schema,
  fill: asked => {
    const Type = asked?.Type || 'json-file'
    const Config = { ...asked?.Config }
    if (Type === 'none') return { Type, Config: {} }
    if (!elsewhere.includes(Type) && !files.includes(Type))
      throw invalid(`error looking up logging plugin ${Type}: plugin "${Type}" not found`)
    if (!files.includes(Type))
      throw new Failure('unsupported', `Cannot log with driver "${Type}": this engine has json-file, local and none`)
    for (const [name, value] of Object.entries(Config)) {
      if (name === 'max-size' && /^(-1|\d+[bkmg]?)$/i.test(value)) continue
      if (name === 'max-file' && /^[1-9]\d*$/.test(value)) continue
      if (name === 'max-size' || name === 'max-file') throw invalid(`invalid value for ${name}: ${value}`)
      throw invalid(`unknown log opt '${name}' for ${Type} log driver`)
    }
    return { Type, Config }
  },
}
