/** `POST /build?version=2`: what BuildKit's status would be over /grpc comes as lines, and the context in the body or by a session. */
import { randomUUID } from 'node:crypto'
import { statusResponse } from '../../api/buildkit/control.ts'
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import type { ClassicBuild } from '../build/classic/classic.ts'
import { folderClient } from '../build/classic/classic-context.ts'
import { classicRequest } from '../build/classic/classic-request.ts'
import type { BuildClient } from '../build/request.ts'
import { decodeRegistryConfig } from '../images/auth.ts'
import { clientOf, type FrontendParts } from './run-frontend.ts'
import { SessionFiles } from './session-files.ts'
import { StatusLog } from './status-log.ts'
import type { Uploads } from './uploads.ts'

/** In place of an address: the session serves all folders. */
const bySession = 'client-session'
/** In place of an address: the context comes by another request, which names this build with the prefix. */
const byUpload = 'upload-request'
const uploadPrefix = 'upload-request:'

export interface HttpBuildParts extends FrontendParts {
  readonly uploads: Uploads
}

/** Resolves also when the build has failed: then the last line says how. @throws Failure before the first line. */
export async function buildOverHttp(parts: HttpBuildParts, build: ClassicBuild): Promise<void> {
  const { query, signal, onLine } = build
  const { remote, session: id } = query
  const { uploads } = parts
  if (query.buildid?.startsWith(uploadPrefix))
    return await uploads.give(query.buildid.slice(uploadPrefix.length), build.body, signal)
  if (remote === bySession && !id) throw new Failure('invalid', 'Cannot build without the session that has the context')
  const session = id ? await parts.sessions.get(id, signal) : undefined
  await using files = new SessionFiles({
    mirrors: parts.mirrors,
    signal,
    session: async () => session!,
  })
  const over = new AbortController()
  const { sshFolder } = parts
  const whole = session && clientOf(session, { files, signal, sshFolder, called: name => name, uploaded: undefined })
  using upload = remote === byUpload ? await uploads.take(query.buildid ?? '', signal) : undefined
  const body = upload?.body ?? (remote ? undefined : build.body)
  await using context = body && (await parts.backend.unpack(body))
  const sent = folderClient(context?.path ?? '', decodeRegistryConfig(build.registryConfig))
  const client: BuildClient =
    remote === bySession ? whole! : { ...sent, ...(whole && { secret: whole.secret, ssh: whole.ssh }) }
  const asked = classicRequest({ ...query, ...((upload || remote === bySession) && { remote: undefined }) }, client)
  // BuildKit has no containers that could stay
  const request = { ...asked, keepCommands: undefined }
  const status = new StatusLog(query.buildid || randomUUID())
  const telling = (async () => {
    for await (const each of status.read(over.signal))
      if (!query.q)
        onLine({ id: 'moby.buildkit.trace', aux: Buffer.from(statusResponse.encode(each)).toString('base64') })
  })()
  try {
    const image = await parts.backend.build(request, event => status.add(event), signal)
    status.end()
    await telling
    onLine(query.q ? { stream: `${image.id}\n` } : { id: 'moby.image.id', aux: { ID: image.id } })
  } catch (error) {
    status.end()
    await telling
    if (signal.aborted) throw error
    const code = isFailure(error) ? error.exitCode : undefined
    const message = messageOf(error)
    onLine({ errorDetail: { ...(code !== undefined && { code }), message }, error: message })
  } finally {
    over.abort()
  }
}
