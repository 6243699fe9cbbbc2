/** HostConfig.PortBindings: each container port and its places on the host. */
import { z } from 'zod'
import type { PortBindings } from '../../../api/container-body.ts'
import { parseHostPorts } from '../../networks/port-bindings.ts'
import type { Row } from './host-config-row.ts'
import { normalPort } from './merge-config.ts'

const schema = z.record(z.string(), z.array(z.object({ HostIp: z.string(), HostPort: z.string() })))

export const portBindings: Row<PortBindings, z.output<typeof schema>> = {
  kept: schema,
  fill: (asked = {}) =>
    Object.fromEntries(
      Object.entries(asked).map(([port, places]) => [
        normalPort(port),
        (places?.length ? places : [{}]).map(({ HostIp = '', HostPort = '' }) => {
          parseHostPorts(HostPort)
          return { HostIp, HostPort }
        }),
      ]),
    ),
}
