/** The rows of HostConfig about devices and the limits of single processes. */
import { z } from 'zod'
import type { Resources } from '../../../api/container-body.ts'
import { Failure } from '../../../lib/failure.ts'
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

/** Nobody here hands out graphics cards: the words are those of a Docker Engine without a driver for them. */
const deviceRequests: Row<NonNullable<Resources['DeviceRequests']>, null> = {
  kept: z.null(),
  fill: asked => {
    const first = asked?.[0]
    if (!first) return null
    const wanted = (first.Capabilities ?? []).map(all => `[${all.join(' ')}]`).join(' ')
    throw new Failure(
      'unsupported',
      `could not select device driver "${first.Driver ?? ''}" with capabilities: [${wanted}]`,
      { hint: 'List the device nodes in HostConfig.Devices instead' },
    )
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
