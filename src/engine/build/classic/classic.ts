/** `POST /build`: the classic endpoint on the builder. */
import type { BuildLine, Progress } from '../../../api/json-lines.ts'
import { isFailure } from '../../../lib/failure.ts'
import { shortId } from '../../../lib/ids.ts'
import type { Paths } from '../../base/paths.ts'
import { decodeRegistryConfig } from '../../images/auth.ts'
import type { Images } from '../../images/images.ts'
import { BuildFailure, classicMessage, sourceExcerpt } from '../build-failure.ts'
import type { Builder } from '../builder.ts'
import { isProxy } from '../dockerfile/arguments.ts'
import type { BuildEvent } from '../events.ts'
import { folderClient, unpackContext } from './classic-context.ts'
import { ClassicLines } from './classic-lines.ts'
import { buildArguments, type ClassicQuery, classicRequest } from './classic-request.ts'

export interface ClassicBuild {
  readonly query: ClassicQuery
  /** X-Registry-Config. */
  readonly registryConfig: string | undefined
  /** The context as a tar; nothing for a remote one. */
  readonly body: AsyncIterable<Uint8Array>
  readonly onLine: (line: BuildLine) => void
  readonly signal: AbortSignal
}

interface ClassicOptions {
  readonly builder: Builder
  readonly paths: Paths
  readonly images: Images
}

/** Resolves also when the build has failed after its Dockerfile was read: then the last line says how. */
export async function buildClassic(options: ClassicOptions, build: ClassicBuild): Promise<void> {
  const { query, signal, onLine } = build
  const auth = decodeRegistryConfig(build.registryConfig)
  await using context = await unpackContext(options, build.body)
  const request = classicRequest(query, folderClient(context.path, auth))
  const held: Progress[] = []
  let isRead = false
  let declared: ReadonlySet<string> = new Set()
  const say = (line: Progress) => {
    if (query.q) held.push(line)
    else onLine(line)
  }
  const lines = new ClassicLines(say, request.keepCommands === 'ended')
  try {
    const onEvent = (event: BuildEvent) => {
      if (event.kind === 'read') isRead = true
      else if (event.kind === 'plan') declared = event.plan.declared
      lines.add(event)
    }
    const image = await options.builder.build(request, onEvent, signal)
    if (query.q) return onLine({ stream: `${image.id}\n` })
    onLine({ aux: { ID: image.id } })
    const unused = Object.keys(buildArguments(query) ?? {}).filter(name => !declared.has(name) && !isProxy(name))
    if (unused.length > 0)
      onLine({ stream: `[Warning] One or more build-args [${unused.sort().join(' ')}] were not consumed\n` })
    onLine({ stream: `Successfully built ${shortId(image.id)}\n` })
    for (const tag of request.tags) onLine({ stream: `Successfully tagged ${named(image.tags, tag)}\n` })
  } catch (error) {
    if (!isRead || signal.aborted) throw error
    lines.flush()
    if (error instanceof BuildFailure) say({ stream: sourceExcerpt(error) })
    for (const line of held) onLine(line)
    const code = isFailure(error) ? error.exitCode : undefined
    const message = classicMessage(error)
    onLine({ errorDetail: { ...(code !== undefined && { code }), message }, error: message })
  }
}

/** "x" is tagged as "x:latest". */
function named(tags: readonly string[], asked: string): string {
  return tags.find(tag => tag === asked || tag === `${asked}:latest`) ?? asked
}
