/** The rows of HostConfig about devices and the limits of single processes. */
import { z } from 'zod'
import type { Resources } from '../../../api/container-body.ts'
import { invalid, list, type Row } from './host-config-row.ts'

const deviceSchema = z.array(
  z.object({ PathOnHost: z.string(), PathInContainer: z.string(), CgroupPermissions: z.string() }),
)
const ulimitSchema = z.array(z.object({ Name: z.string(), Hard: z.number(), Soft: z.number() }))

type Of<Name extends keyof Resources, Schema extends z.ZodType> = Row<NonNullable<Resources[Name]>, z.output<Schema>>

const devices: Of<'Devices', typeof deviceSchema> = {
  kept: deviceSchema,
  fill: asked =>
    (asked ?? []).map(device => {
      const PathOnHost = device.PathOnHost ?? ''
      const PathInContainer = device.PathInContainer || PathOnHost
      const CgroupPermissions = device.CgroupPermissions || 'rwm'
      if (!PathOnHost.startsWith('/')) throw invalid(`invalid device: "${PathOnHost}" is not an absolute path`)
      if (!PathInContainer.startsWith('/') || PathInContainer.split('/').includes('..'))
        throw invalid(`invalid device: "${PathInContainer}" is not an absolute path`)
      if (!/^[rwm]{1,3}$/.test(CgroupPermissions)) throw invalid(`invalid device mode: ${CgroupPermissions}`)
      return { PathOnHost, PathInContainer, CgroupPermissions }
    }),
}

export const deviceRule = /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/

const requestSchema = z.array(
  z.object({
    Driver: z.string(),
    Count: z.number(),
    DeviceIDs: z.array(z.string()).nullable(),
    Capabilities: z.array(z.array(z.string())).nullable(),
    Options: z.record(z.string(), z.string()).nullable(),
  }),
)

/** Who has such devices is found out when the container starts: they may come and go. */
const deviceRequests: Row<NonNullable<Resources['DeviceRequests']>, z.output<typeof requestSchema> | null> = {
  kept: requestSchema.nullable(),
  fill: asked => {
    if (!asked?.length) return null
    return asked.map(({ Driver, Count, DeviceIDs, Capabilities, Options }) => ({
      Driver: Driver ?? '',
      Count: Count ?? 0,
      DeviceIDs: DeviceIDs ? [...DeviceIDs] : null,
      Capabilities: Capabilities ? Capabilities.map(all => [...all]) : null,
      Options: Options ? { ...Options } : null,
    }))
  },
}

const rlimitNames =
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' ')

const ulimits: Of<'Ulimits', typeof ulimitSchema> = {
  kept: ulimitSchema,
  fill: asked => (asked ?? []).map(checkedUlimit),
}

/** @throws Failure `invalid` in Docker's words. */
export function checkedUlimit({ Name, Hard, Soft }: z.output<typeof ulimitSchema>[number]) {
  if (!rlimitNames.includes(Name)) throw invalid(`invalid ulimit type: ${Name}`)
  if (Hard !== -1 && (Soft > Hard || Soft === -1))
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`)
  return { Name, Hard, Soft }
}

export const deviceRows = {
  Devices: devices,
  DeviceCgroupRules: list(rules => {
    for (const rule of rules) if (!deviceRule.test(rule)) throw invalid(`invalid device cgroup rule format: '${rule}'`)
    return rules
  }),
  DeviceRequests: deviceRequests,
  Ulimits: ulimits,
}
