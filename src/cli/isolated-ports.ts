/** A stack that runs beside another, with host ports that are free; kept, so that the next up uses the same ones. */
import type { Client } from '../client/client.ts'
import type { Problem } from '../lib/problems.ts'
import { withPorts } from '../model/isolate.ts'
import type { Project } from '../model/project.ts'
import type { LoadedStack } from '../stack/load.ts'
import { type Isolated, writeIsolated } from '../state/isolated.ts'
import type { Call } from './command.ts'
import { freePorts } from './free-ports.ts'
import { stateOf } from './isolation.ts'
import type { Loaded } from './project.ts'

export interface IsolatedStack {
  /** With the host ports of its files. */
  readonly loaded: Loaded
  readonly isolated: Isolated
}

export interface WithFreePorts {
  readonly loaded: LoadedStack
  /** Keeps name and ports for later commands. */
  settle(): void
}

/** Says which ports are others than the files'. */
export async function withFreePorts(
  call: Call,
  client: Client,
  { loaded, isolated }: IsolatedStack,
): Promise<WithFreePorts> {
  const { project } = loaded
  const { ports, moved } = await freePorts(client, { project, isolated, signal: call.signal })
  call.screen.say(`Project ${isolated.name}, beside ${isolated.base}`)
  for (const { service, from, to, protocol } of moved)
    call.screen.say(`Service ${service}: host port ${from}/${protocol} is taken, it is published on ${to}`)
  for (const network of loaded.unpinned ?? [])
    call.screen.say(`Network ${network}: its subnet and fixed addresses are left to the engine`)
  const onHost = Object.values(project.services).filter(({ networkMode }) => networkMode.kind === 'host')
  if (onHost.length > 0) {
    const { problemsText } = await import('./failures.ts')
    call.screen.say(
      problemsText(
        onHost.map(({ name }) => hostPorts(project, name)),
        call.screen.paintStatus,
      ),
    )
  }
  return {
    loaded: { ...loaded, project: withPorts(project, ports) },
    settle: () => writeIsolated({ ...isolated, ports }, stateOf(call)),
  }
}

/** Which ports it listens on no file says, so that nobody can move them; what listens on none may run twice all the same. */
function hostPorts(project: Project, service: string): Problem {
  const path = ['services', service, 'network_mode']
  return {
    severity: 'warning',
    code: 'host-ports',
    place: project.place(path),
    path,
    message:
      'Ports that it listens on are those of the host, and are not moved: where the other stack has them it cannot',
    hint: 'Use networks and ports instead',
  }
}
