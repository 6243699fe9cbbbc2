/** What the kernel holds of a running container, looked at before it is used, and made again where somebody has taken it away. */
import { messageOf } from '../../lib/failure.ts'
import type { Container } from './container.ts'
import { mendNetworks, mendSandbox } from './mend-network.ts'
import type { Parts } from './parts.ts'
import { shownSpec } from './verbs/start.ts'

/** Costs a few look-ups where all is well. What cannot be mended is said, and the verb that follows fails by itself. */
export function mend(parts: Parts, container: Container): Promise<void> {
  container.mending ??= mendAll(parts, container).finally(() => {
    container.mending = undefined
  })
  return container.mending
}

async function mendAll(parts: Parts, container: Container): Promise<void> {
  if (!container.running || !container.process) return
  const orSay = async (work: Promise<void>): Promise<void> => {
    try {
      await work
    } catch (error) {
      parts.say(`Cannot mend "${container.name}": ${messageOf(error)}`)
    }
  }
  await orSay(mendSandbox(parts, container))
  await orSay(mendNetworks(parts, container))
  await orSay(mendCgroup(parts, container))
}

async function mendCgroup(parts: Parts, container: Container): Promise<void> {
  const { cgroups } = parts.runtime
  // it may have ended since anybody looked, and its group with it: what is made then is in nobody's books
  if (!container.running || cgroups.isWhole(container.cgroup)) return
  const { cgroup, privileged } = await shownSpec(parts, container)
  if (!container.running) return
  await cgroups.restore(cgroup, { privileged, pid: container.state.pid })
  // what was frozen went on when it was taken out
  if (container.state.status === 'paused') await cgroups.freeze(container.cgroup)
  parts.say(`The cgroup of "${container.name}" was not whole; it is made again`)
}
