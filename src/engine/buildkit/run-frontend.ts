/** The Dockerfile frontend of one build: options and a session in, an image out. */
import type { From, Of } from '../../api/buildkit/message.ts'
import type { definition, sourcePolicy } from '../../api/buildkit/operations.ts'
import { upload as uploadService } from '../../api/buildkit/session-services.ts'
import { Failure } from '../../lib/failure.ts'
import type { HostPath } from '../../runtime/spec.ts'
import type { OnBuildEvent } from '../build/events.ts'
import type { Inspection } from '../build/inspect.ts'
import type { BuildClient, BuildRequest, NamedContext } from '../build/request.ts'
import type { Image } from '../images/image.ts'
import { readFrontendOptions } from './frontend-options.ts'
import type { Job, JobResult } from './jobs.ts'
import type { Mirrors } from './mirrors.ts'
import { inputOf } from './result-definition.ts'
import { credentialsOf, secretOf } from './secrets.ts'
import { blobOf } from './session-blobs.ts'
import { SessionFiles } from './session-files.ts'
import type { ClientSession, Sessions } from './sessions.ts'
import { openSshSocket } from './ssh-sockets.ts'

/** The part of the engine that builds. */
export interface BuildBackend {
  build(request: BuildRequest, onEvent: OnBuildEvent, signal: AbortSignal): Promise<Image>
  /** What a Dockerfile says of itself, nothing being built. */
  inspect(
    question: Inspection['question'],
    request: BuildRequest,
    onEvent: OnBuildEvent,
    signal: AbortSignal,
  ): Promise<Inspection>
  /** A tar, compressed or not, to a folder for the time of a build. @throws Failure `invalid`. */
  unpack(body: AsyncIterable<Uint8Array>): Promise<AsyncDisposable & { readonly path: HostPath }>
  /** Of one that was built as a loose one. */
  letGo(image: Image): Promise<void>
  /** The document that an image's id is the digest of. */
  document(image: Image): Promise<Buffer>
}

export interface FrontendParts {
  readonly backend: BuildBackend
  readonly sessions: Sessions
  readonly mirrors: Mirrors
  /** Where sockets of agents are made. */
  readonly sshFolder: HostPath
}

export interface FrontendCall {
  readonly frontend: string
  readonly options: ReadonlyMap<string, string>
  readonly inputs: ReadonlyMap<string, Of<typeof definition>>
  readonly cacheImports: readonly { readonly type: string; readonly attributes: ReadonlyMap<string, string> }[]
  readonly policies: readonly From<typeof sourcePolicy>[]
}

/** @throws Failure `unsupported` for what only LLB can say, and as the build does. */
export async function runFrontend(job: Job, call: FrontendCall, parts: FrontendParts): Promise<JobResult> {
  if (call.policies.some(({ rules }) => rules !== undefined && rules.length > 0))
    throw new Failure('unsupported', 'Cannot build: source policies are not supported')
  const options = readFrontendOptions(attributesOf(call), name => inputContext(name, call))
  const { signal, request } = job
  const main = await parts.sessions.get(request.session, signal)
  await using files = new SessionFiles({
    mirrors: parts.mirrors,
    signal,
    session: async folder => {
      const id = options.sessions.get(folder)
      return id === undefined ? main : await parts.sessions.get(id, signal)
    },
  })
  const { dockerfileFolder, contextFolder, upload } = options
  await using uploaded = upload === undefined ? undefined : await parts.backend.unpack(uploadOf(main, upload, signal))
  const folders: Readonly<Record<string, string>> = { dockerfile: dockerfileFolder, context: contextFolder }
  const asked: BuildRequest = {
    ...options,
    tags: tagsOf(job),
    loose: isForClient(job),
    limits: {},
    entitlements: new Set(request.entitlements),
    cacheFrom: [...options.cacheFrom, ...call.cacheImports],
    cacheTo: request.cache?.exports ?? [],
    client: clientOf(main, {
      files,
      signal,
      sshFolder: parts.sshFolder,
      called: name => folders[name] ?? name,
      uploaded: uploaded && { folder: contextFolder, path: uploaded.path },
    }),
  }
  const tell: OnBuildEvent = event => {
    if (event.kind === 'receipt') job.receipt = event.receipt
    job.status.add(event)
  }
  const { backend } = parts
  if (options.subrequest !== undefined) {
    const { answerSubrequest } = await import('./subrequests.ts')
    const metadata = await answerSubrequest(options.subrequest, question =>
      backend.inspect(question, asked, tell, signal),
    )
    return { image: undefined, metadata }
  }
  const image = await backend.build(asked, tell, signal)
  if (asked.loose) job.loose.push(image)
  return { image, metadata: new Map([['containerimage.config', await backend.document(image)]]) }
}

/** BUILDKIT_SYNTAX names a frontend beside the Dockerfile; whoever builds judges it. */
function attributesOf({ frontend, options }: FrontendCall): ReadonlyMap<string, string> {
  switch (frontend) {
    case 'dockerfile.v0':
      return options
    case 'gateway.v0':
      return new Map([['build-arg:BUILDKIT_SYNTAX', options.get('source') ?? ''], ...options])
    default:
      throw new Failure('unsupported', `Cannot build with the frontend "${frontend}": only Dockerfiles are built here`)
  }
}

function inputContext(name: string, { inputs }: FrontendCall): NamedContext {
  const given = inputs.get(name)
  if (given === undefined) throw new Failure('invalid', `invalid input ${name}`)
  return { kind: 'image', reference: inputOf(given) }
}

export interface ClientParts {
  readonly files: SessionFiles
  readonly signal: AbortSignal
  readonly sshFolder: HostPath
  called(name: string): string
  /** A folder that came in one piece instead. */
  readonly uploaded: { readonly folder: string; readonly path: HostPath } | undefined
}

/** What a session serves, as a build asks for it. */
export function clientOf(session: ClientSession, parts: ClientParts): BuildClient {
  const { files, signal, sshFolder, called, uploaded } = parts
  return {
    context: async (name, wanted) =>
      called(name) === uploaded?.folder ? uploaded.path : await files.folder(called(name), wanted),
    secret: id => secretOf(session, id, signal),
    ssh: id => openSshSocket(session, id, { folder: sshFolder, signal }),
    auth: host => credentialsOf(session, host, signal),
    blob: (store, digest) => blobOf(session, { store, digest, signal }),
  }
}

/** What `docker build -` was given. */
async function* uploadOf(session: ClientSession, path: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const call = session.grpc.open(uploadService.pull, { signal, metadata: new Map([['urlpath', [path]]]) })
  try {
    call.end()
    for await (const { data } of call.messages) yield data
  } finally {
    call.cancel()
  }
}

/** Exporters that put an image into the engine. */
const imageExporters = new Set(['moby', 'image'])

/** Whether the result goes to the client, and nothing of it stays. */
function isForClient({ request: { exporters } }: Job): boolean {
  return exporters.length > 0 && !exporters.some(({ type }) => imageExporters.has(type))
}

function tagsOf({ request }: Job): readonly string[] {
  const names = request.exporters
    .filter(({ type }) => imageExporters.has(type))
    .flatMap(({ attributes }) => (attributes.get('name') ?? '').split(','))
  return [...new Set(names.filter(name => name !== ''))]
}
