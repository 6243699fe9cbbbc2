/** What becomes of a built image: it stays in the engine under its names, or goes to the client as a folder or an archive. */
import { fileSend, syncKeys } from '../../api/buildkit/file-sync.ts'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import { MergedTree } from '../base/merged-tree.ts'
import { treeTar, walkTree } from '../base/tree-tar.ts'
import type { Image } from '../images/image.ts'
import { parseReference } from '../images/reference.ts'
import type { Job } from './jobs.ts'
import { sendFolder } from './send-folder.ts'
import type { ClientSession } from './sessions.ts'

export interface ExportBackend {
  /** Folders with its files, lowest first. */
  layers(image: Image): readonly HostPath[]
  /** The archive of `docker save`. */
  save(image: Image, names: readonly string[]): AsyncIterable<Uint8Array>
}

interface Exporting {
  readonly image: Image
  readonly backend: ExportBackend
  readonly session: ClientSession
  readonly attributes: ReadonlyMap<string, string>
  /** Place in the request. */
  readonly index: number
  readonly signal: AbortSignal
}

type Export = (exporting: Exporting) => Promise<void>

const exporters: ReadonlyMap<string, Export> = new Map<string, Export>([
  // the builder has put it into the engine and named it
  ['moby', async () => {}],
  ['image', refusePush],
  [
    'local',
    ({ session, image, backend, index, signal }) =>
      sendFolder(session, backend.layers(image), { exporter: index, signal }),
  ],
  ['tar', sendRoot],
  ['docker', sendImage],
  ['oci', sendImage],
])

/** Before anything is built. @throws Failure `unsupported` for one that is not there. */
export function checkExporters({ request }: Pick<Job, 'request'>): void {
  for (const { type } of request.exporters)
    if (!exporters.has(type)) throw new Failure('unsupported', `exporter "${type}" could not be found`)
}

/** The answer to the build's call. */
export async function runExporters(
  job: Pick<Job, 'request' | 'signal'>,
  parts: Pick<Exporting, 'image' | 'backend' | 'session'>,
): Promise<ReadonlyMap<string, string>> {
  const answer = new Map([
    ['containerimage.config.digest', parts.image.id as string],
    ['containerimage.digest', parts.image.id],
  ])
  for (const [index, { type, attributes }] of job.request.exporters.entries()) {
    await exporters.get(type)!({ ...parts, attributes, index, signal: job.signal })
    const names = namesOf(attributes)
    if (names.length > 0) answer.set('image.name', names.map(fullName).join(','))
  }
  return answer
}

async function refusePush({ attributes }: Exporting): Promise<void> {
  if (['1', 't', 'true'].includes((attributes.get('push') ?? '').toLowerCase()))
    throw new Failure('unsupported', 'Cannot push a built image: push it by its name afterwards')
}

function namesOf(attributes: ReadonlyMap<string, string>): readonly string[] {
  return (attributes.get('name') ?? '').split(',').filter(name => name !== '')
}

/** "docker.io/library/busybox:latest". */
function fullName(name: string): string {
  const { domain, path, tag = 'latest' } = parseReference(name)
  return `${domain}/${path}:${tag}`
}

async function sendRoot(exporting: Exporting): Promise<void> {
  using tree = new MergedTree(exporting.backend.layers(exporting.image))
  await sendFile(exporting, treeTar(walkTree(tree, tree.root, '')))
}

async function sendImage(exporting: Exporting): Promise<void> {
  const { backend, image, attributes } = exporting
  if (attributes.get('tar') === 'false')
    throw new Failure('unsupported', 'Cannot export an image as a folder: only as an archive')
  await sendFile(exporting, backend.save(image, namesOf(attributes)))
}

/** Clients take messages of 4 MiB. */
const largestPiece = 1024 * 1024

async function sendFile({ session, index, signal }: Exporting, content: AsyncIterable<Uint8Array>): Promise<void> {
  const call = session.grpc.open(fileSend.diffCopy, {
    signal,
    metadata: new Map([[syncKeys.exporter, [String(index)]]]),
  })
  try {
    for await (const data of content)
      for (let at = 0; at < data.length; at += largestPiece)
        await call.send({ data: data.subarray(at, at + largestPiece) })
    call.end()
    // until the client has written all of it
    for await (const _ of call.messages);
  } finally {
    call.cancel()
  }
}
