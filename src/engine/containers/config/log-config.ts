/** HostConfig.LogConfig: which driver, with which of its options. */
import { z } from 'zod'
import type { HostConfig } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { isLogDriver } from '../../logs/log-defaults.ts'
import { checkLogOptions, logDrivers } from '../../logs/log-options.ts'
import { invalid, type Row } from './host-config-row.ts'

/** Drivers of a Docker Engine that this one does not have: refused by name, with what gets there all the same. */
const elsewhere: Readonly<Record<string, string>> = {
  awslogs: 'Use fluentd, and let Fluent Bit on this machine send to CloudWatch',
  etwlogs: 'It is for Windows',
  gcplogs: 'Use fluentd, and let Fluent Bit on this machine send to Cloud Logging',
  splunk: 'Use syslog or fluentd, which Splunk Connect and Fluent Bit take',
}

const schema = z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) })

export const logConfig: Row<NonNullable<HostConfig['LogConfig']>, z.output<typeof schema>> = {
  kept: schema,
  fill: (asked, { machine: { logs } }) => {
    const Type = asked?.Type || logs.driver
    const Config = { ...(Type === logs.driver ? logs.options : {}), ...asked?.Config }
    const instead = elsewhere[Type]
    if (instead !== undefined)
      throw new Failure(
        'unsupported',
        `Cannot log with driver "${Type}": this engine has ${logDrivers.join(', ')} and none`,
        { hint: instead },
      )
    if (!isLogDriver(Type)) throw invalid(`error looking up logging plugin ${Type}: plugin "${Type}" not found`)
    checkLogOptions(Type, Config)
    return { Type, Config }
  },
}
