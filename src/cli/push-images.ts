/** Images to their registries, side by side, a line each. */

import type { Client } from '../client/client.ts'
import { isFailure, messageOf } from '../lib/failure.ts'
import { printable } from '../lib/text.ts'
import type { Service } from '../model/service.ts'
import { push as pushImage } from '../targets/engine/perform/push.ts'
import type { Call } from './command.ts'

/** What Compose pushes of a service. */
export function pushedTags({ image, build }: Service): readonly string[] {
  return image === undefined || build === undefined ? [] : [...new Set([image, ...build.tags])]
}

export interface Pushing {
  readonly client: Client
  readonly quiet: boolean
  /** Warn, and go on with the others. */
  readonly ignoreFailures: boolean
}

/** Tag → digest that its registry has it under. @throws Failure of the first that failed, which ends the others */
export async function pushImages(
  call: Call,
  tags: readonly string[],
  options: Pushing,
): Promise<ReadonlyMap<string, string>> {
  const { client, quiet, ignoreFailures } = options
  const { screen, signal, env } = call
  const say = (text: string) => {
    if (!quiet) screen.say(text)
  }
  const stop = new AbortController()
  const context = {
    client,
    signal: AbortSignal.any([signal, stop.signal]),
    registryAuth: async (reference: string) =>
      (await import('../client/registry-auth.ts')).registryAuth(reference, env),
    onProgress: () => undefined,
  }
  const digests = new Map<string, string>()
  const pushed = await Promise.allSettled(
    tags.map(async tag => {
      say(` ${tag} Pushing`)
      try {
        digests.set(tag, await pushImage(tag, context))
        say(` ${tag} Pushed`)
      } catch (error) {
        if (!ignoreFailures || signal.aborted) {
          stop.abort()
          throw error
        }
        screen.warn(printable(`Pushing ${tag}: ${messageOf(error)}`))
      }
    }),
  )
  // the first one to fail ended the others
  const failed = pushed.filter(each => each.status === 'rejected').map(each => each.reason as unknown)
  const cause = failed.find(error => !isFailure(error, 'cancelled')) ?? failed[0]
  if (cause !== undefined) throw cause
  return digests
}
