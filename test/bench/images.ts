/**
 * An image of about 100 MB compressed in 10 layers: pulled from one registry by us and by a Docker Engine, loaded from one archive, and
 * removed with its layers after each.
 */
import { execFileSync } from 'node:child_process'
import { createReadStream, createWriteStream, lstatSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { startRegistry } from '../support/registry.ts'
import { sha256 } from '../support/tiny-image.ts'

const layers = 10
/** Compressed, of all layers together. */
const wanted = 100e6

type Work = 'pull' | 'load' | 'rmi'

export interface ImageTimes {
  readonly compressed: number
  readonly files: number
  /** Of the archive that is loaded, layers as they are. */
  readonly archived: number
  readonly ours: Readonly<Record<Work, readonly number[]>>
  readonly theirs: Readonly<Record<Work, readonly number[]>> | undefined
}

/** @param docker the host of a Docker Engine on this machine. */
export async function timeImages(docker: string | undefined, rounds: number, folder: string): Promise<ImageTimes> {
  await using registry = await startRegistry()
  const made = await makeImage(registry)
  const name = `${registry.host}/bench:1`
  const archive = join(folder, 'bench.tar')
  const engine = await TestEngine.start([])
  try {
    await pull(engine.host, name)
    await save(engine.host, name, archive)
    await remove(engine.host, name)
    const ours = { pull: [], load: [], rmi: [] }
    const theirs = { pull: [], load: [], rmi: [] }
    const sides = [{ host: engine.host, figures: ours }, ...(docker ? [{ host: docker, figures: theirs }] : [])]
    // the first round warms both up
    for (let round = -1; round < rounds; round++)
      for (const { host, figures } of sides) await timeRound(host, { name, archive, figures, counts: round >= 0 })
    return { ...made, archived: statSync(archive).size, ours, theirs: docker ? theirs : undefined }
  } finally {
    await engine.stop()
  }
}

interface Round {
  readonly name: string
  readonly archive: string
  readonly figures: Record<Work, number[]>
  readonly counts: boolean
}

async function timeRound(host: string, { name, archive, figures, counts }: Round): Promise<void> {
  const timed = async (work: Work, run: () => Promise<void>) => {
    const start = performance.now()
    await run()
    if (counts) figures[work].push(performance.now() - start)
  }
  await timed('pull', () => pull(host, name))
  await timed('rmi', () => remove(host, name))
  await timed('load', () => load(host, archive))
  await timed('rmi', () => remove(host, name))
}

/** From the request to the last line. */
async function pull(host: string, name: string): Promise<void> {
  using client = clientOf(host)
  const fromImage = name.slice(0, name.lastIndexOf(':'))
  for await (const line of await client.stream(endpoints.imageCreate, { query: { fromImage, tag: '1' } }))
    if (line.error !== undefined) throw new Error(line.error)
}

async function load(host: string, archive: string): Promise<void> {
  using client = clientOf(host)
  const body = createReadStream(archive, { highWaterMark: 1 << 20 })
  for await (const line of await client.stream(endpoints.imageLoad, { query: { quiet: true }, body }))
    if (line.error !== undefined) throw new Error(line.error)
}

async function save(host: string, name: string, archive: string): Promise<void> {
  using client = clientOf(host)
  const { content } = await client.stream(endpoints.imageGet, { params: { name } })
  await pipeline(content, createWriteStream(archive))
}

async function remove(host: string, name: string): Promise<void> {
  using client = clientOf(host)
  await client.call(endpoints.imageRemove, { params: { name }, query: { force: true } })
}

function clientOf(host: string) {
  const client = createClient(host)
  return Object.assign(client, { [Symbol.dispose]: () => client.close() })
}

async function makeImage(registry: Awaited<ReturnType<typeof startRegistry>>) {
  const files = programsOf('/usr')
  const diffIds: string[] = []
  const descriptors: object[] = []
  let compressed = 0
  let used = 0
  for (let layer = 0; layer < layers; layer++) {
    const taken: string[] = []
    // a third is what is left of programs and text
    for (let size = 0; size < (wanted / layers) * 2.9 && used < files.length; used++) {
      taken.push(files[used]!.path)
      size += files[used]!.size
    }
    const tar = execFileSync('tar', ['-c', '--no-recursion', '--null', '-C', '/', '-T', '-'], {
      input: taken.map(path => `${path.slice(1)}\0`).join(''),
      maxBuffer: 1 << 30,
    })
    const blob = gzipSync(tar)
    await registry.pushBlob('bench', blob)
    diffIds.push(sha256(tar))
    descriptors.push({
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      digest: sha256(blob),
      size: blob.length,
    })
    compressed += blob.length
  }
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  )
  await registry.pushBlob('bench', config)
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(config), size: config.length },
    layers: descriptors,
  }
  await registry.pushManifest('bench', '1', Buffer.from(JSON.stringify(manifest)))
  return { compressed, files: used }
}

/** Files and links below a folder in a fixed order, mixed so that each layer has of all kinds. */
function programsOf(folder: string): { readonly path: string; readonly size: number }[] {
  const found: { readonly path: string; readonly size: number }[] = []
  const walk = (at: string) => {
    for (const name of readdirSync(at).sort()) {
      const path = join(at, name)
      const stat = lstatSync(path)
      if (stat.isDirectory()) walk(path)
      else if (stat.isSymbolicLink() || (stat.isFile() && stat.size < 20e6)) found.push({ path, size: stat.size })
    }
  }
  walk(folder)
  const stride = 97
  return Array.from({ length: stride }, (_, start) => found.filter((_, i) => i % stride === start)).flat()
}
