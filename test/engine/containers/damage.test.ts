/** Whatever is found on disk, the engine starts and manages the rest: every path it uses, damaged in every way. */
import assert from 'node:assert/strict'
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { Paths } from '../../../src/engine/base/paths.ts'
import { EngineBox } from './engine-box.ts'

interface Found {
  readonly paths: Paths
  /** The container whose things are damaged. */
  readonly id: string
  readonly volume: string
  readonly network: string
  /** The first layer of its image, hex. */
  readonly layer: string
}

type Row =
  | ((found: Found) => string)
  /** With it goes what the other container is made of. */
  | { readonly takesAll: (found: Found) => string }
  /** Why nothing can be damaged there. */
  | string

/** Every member of Paths: a new one without a row does not compile. */
const rows: Readonly<Record<Exclude<keyof Paths, 'roots' | 'name'>, Row>> = {
  socket: ({ paths }) => paths.socket,
  lock: 'taken by the program around the engine',
  engineLog: 'written by who starts the engine',
  damaged: ({ paths }) => paths.damaged(paths.roots.data),
  containers: { takesAll: ({ paths }) => paths.containers },
  container: ({ paths, id }) => paths.container(id),
  containerRecord: ({ paths, id }) => paths.containerRecord(id),
  containerLog: ({ paths, id }) => paths.containerLog(id),
  containerForward: ({ paths, id }) => paths.containerForward(id),
  containerUpper: ({ paths, id }) => paths.containerUpper(id),
  containerWork: ({ paths, id }) => paths.containerWork(id),
  containerImages: ({ paths, id }) => paths.containerImages(id),
  containerState: ({ paths, id }) => paths.containerState(id),
  containerStateSpare: ({ paths, id }) => paths.containerStateSpare(id),
  mountPoints: ({ paths }) => paths.mountPoints,
  containerRuns: ({ paths }) => paths.containerRuns,
  containerRun: ({ paths, id }) => paths.containerRun(id),
  monitor: ({ paths, id }) => paths.monitor(id),
  monitorExit: ({ paths, id }) => paths.monitorExit(id),
  exec: ({ paths, id }) => paths.exec(id, 'e'.repeat(64)),
  sandbox: ({ paths, id }) => paths.sandbox(id),
  pastLogs: ({ paths }) => paths.pastLogs,
  pastLogFolder: ({ paths }) => paths.pastLogFolder('c'.repeat(64)),
  pastLogRecord: ({ paths }) => paths.pastLogRecord('c'.repeat(64)),
  pastLog: ({ paths }) => paths.pastLog('c'.repeat(64)),
  images: ({ paths }) => paths.images,
  imageIndex: ({ paths }) => paths.imageIndex,
  imageIndexBefore: ({ paths }) => paths.imageIndexBefore,
  blob: ({ paths, layer }) => paths.blob(layer),
  layer: ({ paths, layer }) => paths.layer(layer),
  layerRecord: ({ paths, layer }) => paths.layerRecord(layer),
  imageTemp: ({ paths }) => paths.imageTemp,
  build: ({ paths }) => paths.build,
  buildTemp: ({ paths }) => paths.buildTemp,
  buildRecords: ({ paths }) => paths.buildRecords,
  buildRecord: ({ paths }) => paths.buildRecord('a'.repeat(64)),
  buildSeries: ({ paths }) => paths.buildSeries,
  buildHistory: ({ paths }) => paths.buildHistory,
  buildMounts: ({ paths }) => paths.buildMounts,
  buildContexts: ({ paths }) => paths.buildContexts,
  buildDownloads: ({ paths }) => paths.buildDownloads,
  buildAgents: 'made when an agent is used, and cleared away before',
  buildSecrets: 'made when a secret is used, and cleared away before',
  buildRuns: ({ paths }) => paths.buildRuns,
  buildRun: ({ paths }) => paths.buildRun('b'.repeat(64)),
  companions: ({ paths }) => paths.companions,
  companionRecord: ({ paths }) => paths.companionRecord('other'),
  networks: ({ paths }) => paths.networks,
  networkRecord: ({ paths, network }) => paths.networkRecord(network),
  volumes: ({ paths }) => paths.volumes,
  volume: ({ paths, volume }) => paths.volume(volume),
  volumeRecord: ({ paths, volume }) => paths.volumeRecord(volume),
  volumeData: ({ paths, volume }) => paths.volumeData(volume),
}

const replaced = (path: string, make: () => void): void => {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(dirname(path), { recursive: true })
  make()
}

const damages: Readonly<Record<string, (path: string) => void>> = {
  missing: path => rmSync(path, { recursive: true, force: true }),
  empty: path => replaced(path, () => writeFileSync(path, '')),
  'cut in half': path => {
    const isFile = lstatSync(path, { throwIfNoEntry: false })?.isFile()
    const text = isFile ? readFileSync(path) : Buffer.from('half')
    replaced(path, () => writeFileSync(path, text.subarray(0, text.length / 2)))
  },
  garbage: path => replaced(path, () => writeFileSync(path, Buffer.from([0, 255, 123, 7, 10, 200]))),
  'a folder': path => replaced(path, () => mkdirSync(join(path, 'x'), { recursive: true })),
  'a link to itself': path => replaced(path, () => symlinkSync(path, path)),
  unreadable: path => lstatSync(path, { throwIfNoEntry: false }) && chmodSync(path, 0),
}

describe('an engine starts, and manages the other container,', { concurrency: 8 }, () => {
  for (const [member, row] of Object.entries(rows)) {
    if (typeof row === 'string') continue
    for (const [damage, damaged] of Object.entries(damages))
      test(`when ${member} is ${damage}`, async () => {
        await using box = await EngineBox.open()
        const { name: volume } = await box.engine.volumes.create({ name: 'data' })
        const { id: network } = await box.engine.networks.create({ Name: 'front' })
        const id = await box.run('victim', { HostConfig: { Binds: ['data:/data'] } })
        await box.run('other')
        const paths = new Paths({
          data: join(box.folder, 'data'),
          run: join(box.folder, 'run'),
          netns: join(box.folder, 'netns'),
        })
        const [root = ''] = box.engine.images.layers(box.engine.images.get(box.containers.get(id).record.imageId))
        const layer = basename(dirname(root))
        const path = (typeof row === 'function' ? row : row.takesAll)({ paths, id, volume, network, layer })
        await box.reboot(() => void damaged(path))
        if (typeof row === 'object') return
        assert.equal(box.containers.get('other').state.status, 'running')
        await box.containers.stop('other')
        assert.equal(box.containers.get('other').state.status, 'exited')
        await box.containers.remove('other')
      })
  }
})
