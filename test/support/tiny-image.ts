/** Small images made here, in memory, without a registry: layers, docker archives, OCI layouts, a busybox root. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { type Header, pack } from 'tar-stream'

/** A file's content, or any tar entry: `{ type: 'symlink', linkname: 'busybox' }`, `{ content: '…', mode: 0o4755 }`. */
export type TinyFile = string | Buffer | (Partial<Header> & { readonly content?: string | Buffer })
export type TinyFiles = Readonly<Record<string, TinyFile>>

const epoch = new Date('2026-01-01T00:00:00Z')

/** A tar of `files` in their order; names ending in "/" are folders. */
export async function tinyTar(files: TinyFiles): Promise<Buffer> {
  const tar = pack()
  for (const [name, file] of Object.entries(files)) {
    const { content = '', ...header } = typeof file === 'string' || Buffer.isBuffer(file) ? { content: file } : file
    const data = Buffer.from(content as string)
    const type = header.type ?? (name.endsWith('/') ? 'directory' : 'file')
    const mode = header.mode ?? (type === 'directory' ? 0o755 : 0o644)
    tar.entry({ mtime: epoch, ...header, name, type, mode, size: data.length }, data)
  }
  tar.finalize()
  return await buffer(tar)
}

export interface TinyImage {
  readonly tag?: string
  /** One layer, or several, lowest first. */
  readonly files?: TinyFiles
  readonly layers?: readonly TinyFiles[]
  /** Docker's image config: Cmd, Env, User, … */
  readonly config?: object
  /** Members of the whole configuration document: architecture, history. */
  readonly document?: object
}

export interface TinyParts {
  readonly config: Buffer
  /** Uncompressed, lowest first. */
  readonly layers: readonly Buffer[]
  readonly id: `sha256:${string}`
}

export function sha256(data: string | Buffer): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`
}

/** The configuration document and the layers of an image. */
export async function tinyParts(image: TinyImage): Promise<TinyParts> {
  return partsOf(await Promise.all((image.layers ?? [image.files ?? { 'hello.txt': 'hello\n' }]).map(tinyTar)), image)
}

/** The same of layers that are there, each a tar. */
export function partsOf(layers: readonly Buffer[], image: Pick<TinyImage, 'config' | 'document'>): TinyParts {
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      created: epoch.toISOString(),
      config: image.config ?? {},
      rootfs: { type: 'layers', diff_ids: layers.map(sha256) },
      history: layers.map(() => ({ created: epoch.toISOString(), created_by: 'tiny image' })),
      ...image.document,
    }),
  )
  return { config, layers, id: sha256(config) }
}

/** What `docker save` writes and `docker load` reads. */
export async function tinyImageTar(image: TinyImage = {}): Promise<Buffer> {
  const { config, layers, id } = await tinyParts(image)
  const names = layers.map((_, i) => `layer${i}/layer.tar`)
  const manifest = [{ Config: `${id.slice(7)}.json`, RepoTags: image.tag ? [image.tag] : null, Layers: names }]
  return await tinyTar({
    [`${id.slice(7)}.json`]: config,
    ...Object.fromEntries(layers.map((layer, i) => [names[i]!, layer])),
    'manifest.json': JSON.stringify(manifest),
  })
}

/** An OCI layout as a tar; `tag` becomes its reference name. */
export async function tinyOciTar(image: TinyImage = {}): Promise<Buffer> {
  const { config, layers, id } = await tinyParts(image)
  const manifest = tinyManifest({ config, layers, id })
  return await tinyTar({
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    [blobName(config)]: config,
    ...Object.fromEntries(layers.map(layer => [blobName(layer), layer])),
    [blobName(manifest)]: manifest,
    'index.json': JSON.stringify({
      schemaVersion: 2,
      manifests: [
        {
          mediaType: 'application/vnd.oci.image.manifest.v1+json',
          digest: sha256(manifest),
          size: manifest.length,
          ...(image.tag && { annotations: { 'org.opencontainers.image.ref.name': image.tag } }),
        },
      ],
    }),
  })
}

/** An OCI manifest of uncompressed layers. */
export function tinyManifest(parts: TinyParts, layerType = 'application/vnd.oci.image.layer.v1.tar'): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(parts.config),
        size: parts.config.length,
      },
      layers: parts.layers.map(layer => ({ mediaType: layerType, digest: sha256(layer), size: layer.length })),
    }),
  )
}

function blobName(data: Buffer): string {
  return `blobs/sha256/${sha256(data).slice(7)}`
}

/** Static, where this machine has it. */
export const busybox = '/bin/busybox'

/** Whether this machine has the static busybox that `busyboxRootTar` packs. */
export const hasBusybox = existsSync(busybox)

/** The files of a root with this machine's static busybox, its applets, users root and app (1000), and writable /tmp. */
export function busyboxFiles(): TinyFiles {
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  const links = applets
    .filter(applet => applet !== 'busybox')
    .map((applet): [string, TinyFile] => [`bin/${applet}`, { type: 'symlink', linkname: 'busybox' }])
  return {
    'bin/': '',
    'bin/busybox': { content: readFileSync(busybox), mode: 0o755 },
    ...Object.fromEntries(links),
    'etc/': '',
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n',
    'etc/group': 'root:x:0:\napp:x:1000:\nextra:x:1234:app\n',
    'home/': '',
    'home/app/': { uid: 1000, gid: 1000 },
    'root/': { mode: 0o700 },
    'tmp/': { mode: 0o1777 },
    'var/': '',
    'var/log/': '',
  }
}

/** A root file system tar for `import`. */
export async function busyboxRootTar(): Promise<Buffer> {
  return await tinyTar(busyboxFiles())
}

/** A docker archive of busybox with `Cmd: ["sh"]`, for `load`. */
export async function busyboxImageTar(tag = 'busybox:latest', config: object = {}): Promise<Buffer> {
  return await tinyImageTar({
    tag,
    files: busyboxFiles(),
    config: { Cmd: ['sh'], Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], ...config },
  })
}
