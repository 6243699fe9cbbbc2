/** `POST /build`: the classic endpoint on the builder. */
import type { BuildLine, Progress } from '../../../api/json-lines.ts'
import { isFailure } from '../../../lib/failure.ts'
import { shortId } from '../../../lib/ids.ts'
import type { Paths } from '../../base/paths.ts'
import { decodeRegistryConfig } from '../../images/auth.ts'
import type { Images } from '../../images/images.ts'
import { BuildFailure, classicMessage, sourceExcerpt } from '../build-failure.ts'
import type { Builder } from '../builder.ts'
import { folderClient, unpackContext } from './classic-context.ts'
import { ClassicLines } from './classic-lines.ts'
import { type ClassicQuery, classicRequest } from './classic-request.ts'

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

/** Resolves also when the build has failed after its first line: then the last one says how. */
export async function buildClassic(options: ClassicOptions, build: ClassicBuild): Promise<void> {
  const { query, signal, onLine } = build
  const auth = decodeRegistryConfig(build.registryConfig)
  await using context = await unpackContext(options, build.body)
  const request = classicRequest(query, folderClient(context.path, auth))
  const held: Progress[] = []
  let told = false
  const say = (line: Progress) => {
    if (query.q) held.push(line)
    else onLine(line)
    told = true
  }
  const lines = new ClassicLines(say, request.keepCommands === 'ended')
  try {
    const image = await options.builder.build(request, event => lines.add(event), signal)
    if (query.q) return onLine({ stream: `${image.id}\n` })
    onLine({ aux: { ID: image.id } })
    onLine({ stream: `Successfully built ${shortId(image.id)}\n` })
    for (const tag of request.tags) onLine({ stream: `Successfully tagged ${named(image.tags, tag)}\n` })
  } catch (error) {
    if (!told || signal.aborted) throw error
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
