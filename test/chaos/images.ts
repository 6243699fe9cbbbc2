/**
 * Kills an engine at random moments while images are pulled, unpacked, built, removed and pruned, and looks after each start whether a half
 * layer has got a name: `npm run chaos`, by hand. CHAOS_KILLS (40) and CHAOS_SEED choose the run; the seed is printed.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { startRegistry } from '../support/registry.ts'
import { busyboxFiles, tinyTar } from '../support/tiny-image.ts'
import { randomOf } from './random.ts'

const kills = Number(process.env['CHAOS_KILLS'] ?? 40)
const seed = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1e6)
const random = randomOf(seed)
const images = 4
/** Files of a layer, each of this many bytes. */
const filesOfLayer = 60
const sizeOfFile = 20_000

await using registry = await startRegistry()
const layers = Array.from({ length: images + 2 }, () =>
  Object.fromEntries(Array.from({ length: filesOfLayer }, (_, i) => [`d${i % 7}/f${i}`, randomBytes(sizeOfFile)])),
)
const names = Array.from({ length: images }, (_, i) => `${registry.host}/chaos${i}`)
// each shares two layers with all the others
for (let i = 0; i < images; i++)
  await registry.pushImage(`chaos${i}`, '1', { layers: [layers[images]!, layers[i]!, layers[images + 1]!] })

await registry.pushImage('busybox', '1', { files: busyboxFiles() })
/** A base, a layer of files and one that a command writes: of each there are few, so that some are in the cache. */
async function context(): Promise<Buffer> {
  const which = () => Math.floor(random() * 4)
  const copied = layers[which()]!
  const write = `for i in $(seq 0 ${filesOfLayer - 1}); do mkdir -p /d$((i % 7)); head -c ${sizeOfFile} /dev/zero >/d$((i % 7))/f$i; done`
  const dockerfile = `FROM ${registry.host}/busybox:1\nCOPY files /\nRUN : ${which()}; ${write}\n`
  return await tinyTar({
    Dockerfile: dockerfile,
    ...Object.fromEntries(Object.entries(copied).map(([path, data]) => [`files/${path}`, data])),
  })
}

const engine = await TestEngine.start([])
const faults: string[] = []
const counts = { pulls: 0, builds: 0, removals: 0, prunes: 0, cut: 0 }
let stopping = false

/** Goes on whatever happens to the engine; what is cut off is counted. */
async function client(work: (api: ReturnType<typeof createClient>) => Promise<void>): Promise<void> {
  while (!stopping) {
    const api = createClient(engine.host)
    try {
      await work(api)
    } catch {
      // killed in the middle, not there yet, or somebody else has removed it
      counts.cut++
      await pause(10)
    } finally {
      api.close()
    }
  }
}

const some = () => names[Math.floor(random() * images)]!
const clients = [
  ...Array.from({ length: 2 }, () =>
    client(async api => {
      for await (const { error } of await api.stream(endpoints.imageCreate, { query: { fromImage: some(), tag: '1' } }))
        if (error !== undefined) throw new Error(error)
      counts.pulls++
    }),
  ),
  client(async api => {
    await pause(random() * 60)
    await api.call(endpoints.imageRemove, { params: { name: `${some()}:1` }, query: { force: true } })
    counts.removals++
  }),
  client(async api => {
    await pause(random() * 300)
    await api.call(endpoints.imagePrune, { query: { filters: { dangling: ['false'] } } })
    if (random() < 0.3) await api.call(endpoints.buildPrune, { query: { all: true } })
    counts.prunes++
  }),
  ...Array.from({ length: 2 }, (_, i) =>
    client(async api => {
      const request = { query: { t: [`built${i}`] }, body: await context() }
      for await (const { error } of await api.stream(endpoints.imageBuild, request))
        if (error !== undefined) throw new Error(error)
      counts.builds++
    }),
  ),
]

for (let kill = 1; kill <= kills; kill++) {
  // every other time something whole is there to be removed: pulled, or built
  const what = kill % 4 === 0 ? 'builds' : 'pulls'
  const before = counts[what]
  for (let waited = 0; kill % 2 === 0 && counts[what] === before && waited < 20_000; waited += 10) await pause(10)
  await pause(20 + random() * 400)
  await engine.halt('SIGKILL')
  try {
    look(kill)
    await engine.boot()
  } catch (error) {
    for (const fault of faults) console.log(fault)
    throw new Error(`seed ${seed}: the engine does not start after kill ${kill}`, { cause: error })
  }
}
stopping = true
await Promise.all(clients)
const api = createClient(engine.host)
await api.call(endpoints.imagePrune, { query: { filters: { dangling: ['false'] } } })
await api.call(endpoints.buildPrune, { query: { all: true } })
const left = (await api.call(endpoints.imageList, {})).length
api.close()
if (left > 0) faults.push(`${left} images are left after prune`)
const store = join(engine.roots.data, 'images')
for (const folder of ['layers', 'blobs/sha256', 'tmp']) {
  const found = readdirSync(join(store, folder))
  if (found.length > 0) faults.push(`${folder} still has ${found.length} entries after prune`)
}
for (const folder of ['records', 'tmp', 'mounts']) {
  const found = readdirSync(join(engine.roots.data, 'build', folder))
  if (found.length > 0) faults.push(`build/${folder} still has ${found.length} entries after prune`)
}
for (const fault of faults) console.log(fault)
console.log(`seed ${seed}: ${kills} kills, ${faults.length} faults; ${JSON.stringify(counts)}`)
await engine.stop()
process.exitCode = faults.length > 0 ? 1 : 0

/** While no engine runs: what has its name is whole, and every image of the index has all it needs. */
function look(kill: number): void {
  const fault = (what: string) => faults.push(`after kill ${kill}: ${what}`)
  const folder = join(engine.roots.data, 'images')
  for (const hex of readdirSync(join(folder, 'layers'))) {
    const at = join(folder, 'layers', hex)
    if (!existsSync(join(at, 'layer.json'))) fault(`layer ${hex} has no record`)
    // the base of builds
    if (existsSync(join(at, 'root/bin/busybox'))) continue
    const files = readdirSync(join(at, 'root'), { recursive: true, withFileTypes: true }).filter(each => each.isFile())
    const whole = files.filter(each => statSync(join(each.parentPath, each.name)).size === sizeOfFile)
    if (whole.length !== filesOfLayer) fault(`layer ${hex} has ${whole.length} whole files of ${filesOfLayer}`)
  }
  const records = join(engine.roots.data, 'build/records')
  for (const name of existsSync(records) ? readdirSync(records) : []) {
    // one that was being written
    if (name.startsWith('.')) continue
    const { layer } = JSON.parse(readFileSync(join(records, name), 'utf8'))
    if (layer !== null && !existsSync(join(folder, 'layers', layer.slice(7), 'layer.json')))
      fault(`step ${name} lacks layer ${layer}`)
  }
  const index = join(folder, 'index.json')
  if (!existsSync(index)) return
  for (const image of JSON.parse(readFileSync(index, 'utf8')).images) {
    const config = join(folder, 'blobs/sha256', image.id.slice(7))
    if (!existsSync(config)) {
      fault(`image ${image.id} has no configuration`)
      continue
    }
    for (const id of JSON.parse(readFileSync(config, 'utf8')).rootfs.diff_ids)
      if (!existsSync(join(folder, 'layers', id.slice(7)))) fault(`image ${image.id} lacks layer ${id}`)
    for (const id of image.blobs)
      if (!existsSync(join(folder, 'blobs/sha256', id.slice(7)))) fault(`image ${image.id} lacks blob ${id}`)
  }
}
