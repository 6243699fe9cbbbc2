/**
 * Kills an engine at random moments while images are pulled, unpacked, removed and pruned, and looks after each start whether a half layer
 * has got a name: `npm run chaos`, by hand. CHAOS_KILLS (40) and CHAOS_SEED choose the run; the seed is printed.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endpoints } from '../../src/api/endpoints.ts'
import { createClient } from '../../src/client/client.ts'
import { TestEngine } from '../support/engine.ts'
import { startRegistry } from '../support/registry.ts'
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

const engine = await TestEngine.start([])
const faults: string[] = []
const counts = { pulls: 0, removals: 0, prunes: 0, cut: 0 }
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
    counts.prunes++
  }),
]

for (let kill = 1; kill <= kills; kill++) {
  // every other time something whole is there to be removed
  const before = counts.pulls
  for (let waited = 0; kill % 2 === 0 && counts.pulls === before && waited < 10_000; waited += 10) await pause(10)
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
const left = (await api.call(endpoints.imageList, {})).length
api.close()
if (left > 0) faults.push(`${left} images are left after prune`)
const store = join(engine.roots.data, 'images')
for (const folder of ['layers', 'blobs/sha256', 'tmp']) {
  const found = readdirSync(join(store, folder))
  if (found.length > 0) faults.push(`${folder} still has ${found.length} entries after prune`)
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
    const files = readdirSync(join(at, 'root'), { recursive: true, withFileTypes: true }).filter(each => each.isFile())
    const whole = files.filter(each => statSync(join(each.parentPath, each.name)).size === sizeOfFile)
    if (whole.length !== filesOfLayer) fault(`layer ${hex} has ${whole.length} whole files of ${filesOfLayer}`)
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
