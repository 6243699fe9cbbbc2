/** What a container's DeviceRequests ask for → names of devices: pure. */
import { Failure } from '../../../lib/failure.ts'
import type { HostConfig } from '../config/host-config.ts'
import { devicesOfKind, type Registry } from './registry.ts'

type Request = NonNullable<HostConfig['DeviceRequests']>[number]

/** Graphics cards: whose they are where a request names no driver, the first that this machine has. */
const gpuKinds: readonly string[] = ['nvidia.com/gpu', 'amd.com/gpu', 'intel.com/gpu']

/** Each once, in the order asked for. @throws Failure `invalid` or `internal` in Docker's words. */
export function wantedDevices(requests: readonly Request[], registry: Registry): readonly string[] {
  return [
    ...new Set(requests.flatMap(request => (request.Driver === 'cdi' ? named(request) : gpus(request, registry)))),
  ]
}

function named({ DeviceIDs, Count }: Request): readonly string[] {
  if (Count !== 0) throw new Failure('invalid', 'unexpected count in CDI device request')
  return DeviceIDs ?? []
}

function gpus(request: Request, registry: Registry): readonly string[] {
  const { Driver, Capabilities, Count, DeviceIDs } = request
  if (Count !== 0 && DeviceIDs?.length)
    throw new Failure('invalid', 'cannot set both Count and DeviceIDs on device request')
  const kind = kindOf(request, registry)
  const all = kind === undefined ? [] : devicesOfKind(registry, kind)
  if (all.length === 0)
    throw new Failure(
      'internal',
      `could not select device driver "${Driver}" with capabilities: [${(Capabilities ?? []).map(each => `[${each.join(' ')}]`).join(' ')}]`,
      { hint: 'A file in /etc/cdi or /var/run/cdi should describe such devices, or list the device nodes themselves' },
    )
  if (DeviceIDs?.length) return DeviceIDs.map(id => `${kind}=${id}`)
  if (Count === -1 && all.includes('all')) return [`${kind}=all`]
  const single = all.filter(name => name !== 'all')
  if (Count !== -1 && Count > single.length)
    throw new Failure('invalid', `Cannot give ${Count} devices of ${kind}: there are ${single.length}`)
  return single.slice(0, Count === -1 ? undefined : Count || 1).map(name => `${kind}=${name}`)
}

/** By the driver's name, by the first kind there is; nothing but graphics cards is asked for by what it can. */
function kindOf({ Driver, Capabilities }: Request, registry: Registry): string | undefined {
  const isGpu = (Capabilities ?? []).some(all => all.includes('gpu')) || (Driver === 'nvidia' && !Capabilities?.length)
  if (!isGpu) return undefined
  const kinds = gpuKinds.filter(kind => Driver === '' || kind.startsWith(`${Driver}.`))
  return kinds.find(kind => devicesOfKind(registry, kind).length > 0)
}
