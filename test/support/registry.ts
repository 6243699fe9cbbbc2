/** Debian's docker-registry on a free loopback port, and pushing to it by its own API. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeCertificates } from './certificates.ts'
import { eventually } from './eventually.ts'
import { freePort, listens } from './free-port.ts'
import { which } from './needs.ts'
import { sha256, type TinyImage, tinyManifest, tinyParts } from './tiny-image.ts'

/** Where the set-up puts the program when the machine has none. */
const unpacked = fileURLToPath(
  new URL('../../node_modules/.cache/docker-registry/usr/bin/docker-registry', import.meta.url),
)
export const registryProgram = which('docker-registry') ?? unpacked
export const hasRegistry = existsSync(registryProgram)

/** The one user of a registry with basic auth. */
export const registryUser = { username: 'alice', password: 'correct horse' } as const
/** bcrypt of that password. */
const passwordHash = '$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2'

export interface TestRegistry extends AsyncDisposable {
  /** Its authority's certificate, PEM; undefined without TLS. */
  readonly ca: string | undefined
  /** Holds ca.crt, client.crt and client.key when it has TLS. */
  readonly folder: string
  /** Kills it, as if its machine had gone. */
  kill(): Promise<void>
  /** Starts it again with all it had. */
  again(): Promise<void>
  /** "127.0.0.1:40123". */
  readonly host: string
  /** Where a blob's bytes are, to corrupt them. */
  blobPath(digest: string): string
  /** Uploads a blob. */
  pushBlob(repository: string, data: Buffer): Promise<void>
  /** Uploads a manifest or index under a tag; returns its digest. */
  pushManifest(repository: string, tag: string, data: Buffer, mediaType?: string): Promise<string>
  /** Uploads a whole image. */
  pushImage(
    repository: string,
    tag: string,
    image: TinyImage,
  ): Promise<{ readonly id: string; readonly digest: string }>
}

export interface RegistryOptions {
  /** Only for `registryUser`. */
  readonly auth?: boolean
  /** With a certificate that an authority made for it has signed. */
  readonly tls?: boolean
  /** Only for whoever has a certificate of the same authority; implies `tls`. */
  readonly clients?: boolean
}

/** Starts a registry of its own; disposing of it stops it and removes its files. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const { auth = false, clients = false, tls = clients } = options
  const folder = await mkdtemp(join(tmpdir(), 'tscompose-registry-'))
  const data = join(folder, 'data')
  await mkdir(data)
  await writeFile(join(folder, 'htpasswd'), `${registryUser.username}:${passwordHash}\n`)
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const certificates = tls ? makeCertificates(folder) : undefined
  const [cert, key] = [join(folder, 'server.crt'), join(folder, 'server.key')]
  const trust = clients ? `, clientcas: [${join(folder, 'ca.crt')}]` : ''
  const config = `version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: ${data} }, delete: { enabled: true } }
http: { addr: "${host}"${tls ? `, tls: { certificate: ${cert}, key: ${key}${trust} }` : ''} }
${auth ? `auth: { htpasswd: { realm: test, path: ${join(folder, 'htpasswd')} } }` : ''}
`
  await writeFile(join(folder, 'config.yml'), config)
  const headers: Record<string, string> = auth
    ? { Authorization: `Basic ${Buffer.from(`${registryUser.username}:${registryUser.password}`).toString('base64')}` }
    : {}
  let registry: ChildProcess | undefined
  const kill = async () => {
    if (registry === undefined) return
    const ended = once(registry, 'exit')
    registry.kill('SIGKILL')
    await ended
    registry = undefined
  }
  const again = async () => {
    registry = spawn(registryProgram, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' })
    await eventually('the registry', async () =>
      tls ? await listens(port) : (await fetch(`http://${host}/v2/`, { headers })).ok,
    )
  }
  const dispose = async () => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await again()
  } catch (error) {
    await dispose()
    throw error
  }
  const send = async (url: string, init: RequestInit) => {
    const response = await fetch(url, { ...init, headers: { ...headers, ...init.headers } })
    if (!response.ok) throw new Error(`${init.method} ${url}: ${response.status} ${await response.text()}`)
    return response
  }
  const pushBlob = async (repository: string, blob: Buffer) => {
    const started = await send(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' })
    const target = new URL(started.headers.get('location')!, `http://${host}`)
    target.searchParams.set('digest', sha256(blob))
    await send(target.href, {
      method: 'PUT',
      body: new Uint8Array(blob),
      headers: { 'Content-Type': 'application/octet-stream' },
    })
  }
  const pushManifest = async (
    repository: string,
    tag: string,
    manifest: Buffer,
    mediaType = 'application/vnd.oci.image.manifest.v1+json',
  ) => {
    await send(`http://${host}/v2/${repository}/manifests/${tag}`, {
      method: 'PUT',
      body: new Uint8Array(manifest),
      headers: { 'Content-Type': mediaType },
    })
    return sha256(manifest)
  }
  return {
    host,
    ca: certificates,
    folder,
    kill,
    again,
    blobPath: digest => {
      const hex = digest.slice('sha256:'.length)
      return join(data, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data')
    },
    pushBlob,
    pushManifest,
    pushImage: async (repository, tag, image) => {
      const parts = await tinyParts(image)
      for (const blob of [parts.config, ...parts.layers]) await pushBlob(repository, blob)
      return { id: parts.id, digest: await pushManifest(repository, tag, tinyManifest(parts)) }
    },
    [Symbol.asyncDispose]: dispose,
  }
}
