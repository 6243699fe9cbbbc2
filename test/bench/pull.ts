/** An image of about 100 MB compressed in 10 layers, pulled from one registry by us and by a Docker Engine, with layers and image removed between. */
import { execFileSync } from 'node:child_process'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { startRegistry } from '../support/registry.ts'
import { sha256 } from '../support/tiny-image.ts'

const layers = 10
/** Compressed, of all layers together. */
const wanted = 100e6

export interface PullTimes {
  readonly compressed: number
  readonly files: number
  readonly ours: readonly number[]
  readonly theirs: readonly number[] | undefined
}

/** @param docker the host of a Docker Engine on this machine. */
export async function timePulls(docker: string | undefined, rounds: number): Promise<PullTimes> {
  await using registry = await startRegistry()
  const made = await makeImage(registry)
  const name = `${registry.host}/bench`
  const engine = await TestEngine.start([])
  try {
    const ours: number[] = []
    const theirs: number[] = []
    // the first round warms both up
    for (let round = -1; round < rounds; round++) {
      const mine = await timePull(engine.host, name)
      if (round >= 0) ours.push(mine)
      if (docker === undefined) continue
      const other = await timePull(docker, name)
      if (round >= 0) theirs.push(other)
    }
    return { ...made, ours, theirs: docker === undefined ? undefined : theirs }
  } finally {
    await engine.stop()
  }
}

/** Milliseconds from the request to the last line. */
async function timePull(host: string, fromImage: string): Promise<number> {
  const client = createClient(host)
  try {
    const start = performance.now()
    for await (const line of await client.stream(endpoints.imageCreate, { query: { fromImage, tag: '1' } }))
      if (line.error !== undefined) throw new Error(line.error)
    const took = performance.now() - start
    await client.call(endpoints.imageRemove, { params: { name: `${fromImage}:1` }, query: { force: true } })
    return took
  } finally {
    client.close()
  }
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
