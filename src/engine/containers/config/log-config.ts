/** HostConfig.LogConfig: which driver, with which of its options. */
import { z } from 'zod'
import type { HostConfig } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
import { isLogDriver } from '../../logs/log-defaults.ts'
import { checkLogOptions } from '../../logs/log-options.ts'
import { invalid, type Row } from './host-config-row.ts'

/** Drivers of a Docker Engine that this one does not have: refused by name, with what gets there all the same. */
const elsewhere: Readonly<Record<string, string>> = {
  awslogs: 'use fluentd, and let Fluent Bit on this machine send to CloudWatch',
  etwlogs: 'it is for Windows',
  gcplogs: 'use fluentd, and let Fluent Bit on this machine send to Cloud Logging',
  splunk: 'use syslog or fluentd, which Splunk Connect and Fluent Bit take',
}

const schema = z.object({ Type: z.string(), Config: z.record(z.string(), z.string()) })

export const logConfig: Row<NonNullable<HostConfig['LogConfig']>, z.output<typeof schema>> = {
  kept: schema,
  fill: (asked, { machine: { logs } }) => {
    const Type = asked?.Type || logs.driver
    const Config = { ...(Type === logs.driver ? logs.options : {}), ...asked?.Config }
    const instead = elsewhere[Type]
    // clients of the API see the message alone
    if (instead !== undefined)
      throw new Failure('unsupported', `Cannot log with driver "${Type}", which this engine does not have: ${instead}`)
    if (!isLogDriver(Type)) throw invalid(`error looking up logging plugin ${Type}: plugin "${Type}" not found`)
    checkLogOptions(Type, Config)
    return { Type, Config }
  },
}
