/** A container's network namespace and its places on networks, made again where somebody has taken them away. */
import type { Container } from './container.ts'
import { type Parts, sharers } from './parts.ts'

/** The file of its network namespace. The namespace itself lives as long as a process in it. */
export async function mendSandbox(parts: Parts, container: Container): Promise<void> {
  const { name, state } = container
  const path = state.sandbox
  if (path === undefined || parts.runtime.hasSandbox(path)) return
  const pid = state.pid || sharers(parts, container)[0]?.state.pid
  if (!pid) return
  await parts.runtime.runHost({ kind: 'host', operations: [{ kind: 'keep-sandbox', path, pid }] })
  parts.say(`The network namespace of "${name}" was gone from "${path}"; it is there again`)
}

export async function mendNetworks(parts: Parts, { id, name, state }: Container): Promise<void> {
  if (state.sandbox !== undefined) await parts.networks.mend(id, { name, sandbox: state.sandbox })
}
