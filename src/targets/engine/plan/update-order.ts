/** Whether the new container of an update comes before the old one goes, or after, and why. */
import type { Rollout } from '../../../model/deploy.ts'
import type { Service } from '../../../model/service.ts'

export interface UpdateOrder {
  readonly first: 'start' | 'stop'
  /** Why it is not as the stack says, or would be without this; undefined where the stack says it. */
  readonly why: string | undefined
}

export interface EngineAbility {
  /** A published port passes from one running container to another. */
  readonly handsOver: boolean
}

/** As the stack says, where both containers can run at once; where it says nothing, start-first where nothing speaks against it. */
export function updateOrder(service: Service, { order }: Rollout, { handsOver }: EngineAbility): UpdateOrder {
  if (order === 'stop-first') return { first: 'stop', why: undefined }
  const why = obstacle(service, handsOver) ?? (order === undefined ? objection(service) : undefined)
  return { first: why === undefined ? 'start' : 'stop', why }
}

/** What two containers cannot have at once. */
function obstacle(service: Service, handsOver: boolean): string | undefined {
  const port = service.ports.find(({ published }) => published !== undefined)
  if (port && !handsOver) return `this engine cannot pass port ${port.published} from one container to the next`
  for (const { ipv4Address, ipv6Address, macAddress } of Object.values(service.networks)) {
    const address = ipv4Address ?? ipv6Address ?? macAddress ?? service.macAddress
    if (address !== undefined) return `only one container can have the address ${address}`
  }
  return undefined
}

/** What two containers had better not have at once. */
function objection({ mounts, networkMode }: Service): string | undefined {
  const written = mounts.find(mount => (mount.kind === 'volume' || mount.kind === 'bind') && !mount.readOnly)
  if (written) return `both would write to ${written.target}`
  const isShared = networkMode.kind === 'service' || networkMode.kind === 'container' || networkMode.kind === 'host'
  return isShared ? 'both would listen in one network' : undefined
}
