/** What the devices that a container asks for add to it, by the specifications on this machine. */
import type { Container } from '../container.ts'
import type { Parts } from '../parts.ts'
import { type Injected, inject, nothingInjected } from './inject.ts'
import { readRegistry } from './registry.ts'
import { wantedDevices } from './wanted.ts'

/** Nothing is read for those that ask for none. @throws Failure in Docker's words for devices that nobody describes. */
export async function injectedDevices(
  parts: Pick<Parts, 'say' | 'deviceFolders'>,
  { record }: Pick<Container, 'record'>,
): Promise<Injected> {
  const requests = record.hostConfig.DeviceRequests
  if (!requests?.length) return nothingInjected
  const registry = await readRegistry(parts.deviceFolders)
  const injected = await inject(wantedDevices(requests, registry), registry)
  for (const left of injected.left) parts.say(`container ${record.name}: not done: ${left}`)
  return injected
}
