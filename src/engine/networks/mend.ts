/** A running container's places on its networks, each looked at and made again where somebody has taken it away. */
import type { Runtime } from '../../runtime/runtime.ts'
import type { Attachment } from './attachment.ts'
import type { Bridges } from './bridge.ts'
import type { NetworkKernel } from './kernel.ts'
import type { Network } from './network.ts'

export interface MendParts {
  readonly runtime: Pick<Runtime, 'runHost'>
  readonly bridges: Bridges
  readonly kernel: Pick<NetworkKernel, 'link'>
  readonly find: (id: string) => Network
  readonly say: (line: string) => void
}

/** With its bridges and the rules of both. `name`: who it is, for what is said. */
export async function mendAttachments(
  { runtime, bridges, kernel, find, say }: MendParts,
  { attachments, name, sandbox }: { readonly attachments: readonly Attachment[]; name: string; sandbox: string },
): Promise<void> {
  for (const { networkId, interface: link } of attachments) {
    await bridges.ensure(find(networkId), { expected: true })
    const end = kernel.link(link.host)
    if (end?.master === link.bridge && end.isUp && end.isIsolated === link.isolated && end.isHairpin === link.hairpin)
      continue
    // an end that hangs loose or is down goes with its pair: what its settings were, nobody knows; one that is no pair of ours is in our way
    await runtime.runHost({
      kind: 'host',
      operations: [
        ...(end ? [{ kind: 'delete-link' as const, name: link.host }] : []),
        { kind: 'disconnect', path: sandbox, name: link.name },
        { kind: 'connect', path: sandbox, interface: link },
      ],
    })
    say(`Interface "${link.name}" of "${name}" was off network "${find(networkId).name}"; it is made again`)
  }
}
