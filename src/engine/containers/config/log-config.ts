/** HostConfig.LogConfig: which driver, with which of its options. */
import { z } from 'zod'
import type { HostConfig } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { checkLogOptions, logDrivers } from '../../logs/log-options.ts'
import { invalid, type Row } from './host-config-row.ts'

/** Drivers of a Docker Engine that this one does not have: refused by name. */
const elsewhere = ['awslogs', 'etwlogs', 'fluentd', 'gcplogs', 'gelf', 'journald', 'splunk', 'syslog']

const schema = z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) })

export const logConfig: Row<NonNullable<HostConfig['LogConfig']>, z.output<typeof schema>> = {
  kept: schema,
  fill: asked => {
    const Type = asked?.Type || 'json-file'
    const Config = { ...asked?.Config }
    if (elsewhere.includes(Type))
      throw new Failure(
        'unsupported',
        `Cannot log with driver "${Type}": this engine has ${logDrivers.join(', ')} and none`,
      )
    if (Type !== 'none' && !logDrivers.includes(Type))
      throw invalid(`error looking up logging plugin ${Type}: plugin "${Type}" not found`)
    checkLogOptions(Type, Config)
    return { Type, Config }
  },
}
