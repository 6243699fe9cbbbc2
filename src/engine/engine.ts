/** Builds every part of the engine and wires the few backward calls; the one place that knows them all. */
import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { Info, Version } from '../api/system.ts'
import { debug } from '../lib/debug.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Aside, type Say } from './base/aside.ts'
import { Events } from './base/events.ts'
import { defaultRoots, type PathRoots, Paths } from './base/paths.ts'
import { chooseDriver, type StorageDriver } from './base/storage-driver.ts'
import { Syncer } from './base/syncer.ts'
import { Builder } from './build/builder.ts'
import { BuildCache } from './build/cache.ts'
import type { CacheSpace } from './build/cache-prune.ts'
import { buildClassic, type ClassicBuild } from './build/classic/classic.ts'
import { fileWork } from './build/file-work.ts'
import { SeriesStore } from './build/series.ts'
import type { BuildKit } from './buildkit/buildkit.ts'
import { Mirrors } from './buildkit/mirrors.ts'
import type { BuildKitNeeds } from './buildkit/open-buildkit.ts'
import { Companions } from './companions/companions.ts'
import { endCommands } from './containers/build/end-commands.ts'
import { commandRunner } from './containers/build/run-command.ts'
import { usualFolders } from './containers/cdi/registry.ts'
import { defaultCapabilities } from './containers/config/capabilities.ts'
import { type ContainerDefaults, noDefaults } from './containers/config/container-defaults.ts'
import { Containers } from './containers/containers.ts'
import { UserFilesOfImages } from './containers/files/user-files.ts'
import { keepLayers } from './containers/layers.ts'
import { engineInfo, engineVersion } from './containers/show/info.ts'
import { startAll } from './containers/start-with-engine.ts'
import { Execs } from './containers/verbs/execs.ts'
import { Images } from './images/images.ts'
import type { RegistrySettings } from './images/registry/settings.ts'
import type { ArchiveLimits } from './images/unpack-limits.ts'
import type { UnpackPool } from './images/unpack-pool.ts'
import { Compressor } from './logs/compressor.ts'
import { Forwards } from './logs/forward/forwards.ts'
import { type LogDefaults, usualLog } from './logs/log-defaults.ts'
import { PastLogs } from './logs/past-logs.ts'
import type { AddressPool } from './networks/ipam.ts'
import { linux, type NetworkKernel } from './networks/kernel.ts'
import { Networks } from './networks/networks.ts'
import { Relay, relayRules } from './networks/relay.ts'
import { UserRanges, type UserSettings, usualUsers } from './users/user-ranges.ts'
import { Volumes } from './volumes/volumes.ts'
import { lackedWithoutRoot, ownRoutes } from './without-root.ts'

export interface EngineOptions {
  readonly roots?: Partial<PathRoots> | undefined
  /** Tests hand in their own. */
  readonly runtime?: Runtime | undefined
  /** What networks ask of the kernel; tests hand in their own. */
  readonly kernel?: NetworkKernel | undefined
  /** Without root rights: the socket of the process that relays published ports. */
  readonly relay?: string | undefined
  /** Address pools for networks. */
  readonly pools?: readonly AddressPool[] | undefined
  /** Where ports without a host address are published; everywhere by default. */
  readonly binding?: string | undefined
  readonly registries?: RegistrySettings | undefined
  /** What the build cache may have; a tenth of the disk where it says nothing of the most. */
  readonly buildBudget?: CacheSpace | undefined
  /** Of each layer, and of each archive that a build unpacks; those that are not there are the usual ones. */
  readonly archiveLimits?: Partial<ArchiveLimits> | undefined
  /** Threads that unpack, which engines of one process may share; default: of its own. */
  readonly threads?: UnpackPool | undefined
  /** Default: overlay where it works. A runtime that is handed in mounts nothing: overlay, untried. */
  readonly storage?: StorageDriver | undefined
  /** Default: json-file. */
  readonly logs?: LogDefaults | undefined
  /** What containers have that do not speak of it; default: nothing of the kind. */
  readonly containerDefaults?: ContainerDefaults | undefined
  /** With specifications of devices (CDI); the later ones win. */
  readonly deviceFolders?: readonly string[] | undefined
  /** Default: that of the host. */
  readonly users?: UserSettings | undefined
  /** Puts one line into the engine's log. */
  readonly say?: Say | undefined
}

export interface Engine {
  readonly paths: Paths
  readonly events: Events
  readonly containers: Containers
  readonly execs: Execs
  readonly images: Images
  readonly storage: StorageDriver
  readonly networks: Networks
  readonly volumes: Volumes
  readonly companions: Companions
  readonly pastLogs: PastLogs
  readonly builder: Builder
  /** BuildKit's protocol, loaded when somebody speaks it. */
  buildKit(): Promise<BuildKit>
  /** `POST /build`. */
  buildClassic(build: ClassicBuild): Promise<void>
  info(): Promise<Info>
  version(): Version
  /** Lets go of everything; containers run on. */
  close(): Promise<void>
}

/** Everything built and whatever ran before taken over: ready to be served. */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const paths = new Paths({ ...defaultRoots, ...options.roots })
  const events = new Events()
  const say = options.say ?? debug('engine')
  const aside = new Aside(paths, say)
  const syncer = new Syncer(say)
  await Promise.all([aside.folder(paths.roots.data), aside.folder(paths.roots.run)])
  const storage = options.runtime
    ? (options.storage ?? 'overlay2')
    : chooseDriver(paths.roots.data, options.storage, say)
  await using undo = new AsyncDisposableStack()
  // layers that the cache has are nobody's leftovers
  const cache = await BuildCache.open({ paths, aside, syncer })
  const start = ({ id }: { readonly id: string }) => containers.start(id)
  const [runtime, images, volumes, companions, boot] = await Promise.all([
    options.runtime ?? kernelRuntime(paths, say),
    Images.open(paths, events, {
      aside,
      registries: options.registries,
      limits: options.archiveLimits,
      threads: options.threads,
      holders: [() => cache.layers()],
    }),
    Volumes.open(paths, events, aside),
    Companions.open({ paths, aside, onHopeless: isMeant => void startAll(containers.parts, { isMeant, start }) }),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(text => text.trim()),
  ])
  undo.defer(() => runtime.close())
  undo.defer(() => syncer.close())
  const relay = options.relay === undefined ? undefined : await openRelay(options.relay, paths, say)
  const networks = await Networks.open({
    paths,
    events,
    runtime,
    kernel: relay ? { ...linux, hold: relay.hold } : options.kernel,
    pools: options.pools,
    binding: options.binding,
    aside,
    syncer,
  })
  undo.defer(() => networks.close())
  // first: what it has opened outlives us
  undo.defer(() => relay?.close())
  const logs = options.logs ?? usualLog
  const deviceFolders = options.deviceFolders ?? usualFolders
  const users = new UserRanges(options.users ?? usualUsers, say)
  const forwards = new Forwards(say)
  undo.defer(() => forwards.close())
  const compressor = new Compressor(say)
  undo.defer(() => compressor.close())
  const pastLogs = await PastLogs.open(paths, aside)
  // Containers probe their health by exec, execs need the containers: one is told of the other by function.
  const containers = await Containers.open(
    {
      paths,
      events,
      aside,
      say,
      syncer,
      images,
      storage,
      volumes,
      userFiles: new UserFilesOfImages(),
      users,
      networks,
      runtime,
      forwards,
      compressor,
      pastLogs,
      logs,
      defaults: options.containerDefaults ?? noDefaults,
      deviceFolders,
      boot,
      cpus: availableParallelism(),
      masked: heatSensors(),
    },
    {
      probe: (container, test, hold) => execs.probe(container, test, hold),
      onRemoved: container => execs.forgetAll(container),
    },
  )
  const execs = new Execs(containers.parts)
  for (const { record } of containers.parts.all()) keepLayers(images, record)
  await images.settle()
  await containers.adopt(labels => !companions.isLeft(labels))
  await clearBuilds({ paths, aside, runtime, say })
  await networks.settle()
  await relay?.settle()
  const mirrors = new Mirrors({ folder: paths.buildContexts, boot })
  const builder = new Builder({
    paths,
    images,
    cache,
    series: new SeriesStore(paths, aside),
    files: fileWork(paths.buildDownloads, {
      limits: options.archiveLimits,
      sumLarge: (fd, signal) => images.store.layers.sum({ kind: 'file', fd }, signal),
    }),
    run: commandRunner(containers.parts, ended => containers.keepCommand(ended)),
    say,
    budget: options.buildBudget,
    copies: mirrors,
  })
  undo.defer(() => builder.close())
  let buildKit: Promise<BuildKit> | undefined
  const lacked = () => (relay ? lackedWithoutRoot({ cgroups: runtime.cgroups, routes: ownRoutes(), storage }) : [])
  for (const line of lacked()) say(line)
  const info = () =>
    engineInfo({
      ...{ paths, containers, images, storage, runtime, logDriver: logs.driver, usersMode: users.mode },
      ...{ deviceFolders, rootless: relay !== undefined, warnings: lacked() },
    })
  const openKit = () => (buildKit ??= loadBuildKit({ paths, builder, images, mirrors, say, networks }, info))
  undo.defer(async () => (await buildKit)?.close())
  const close = undo.move()
  return {
    paths,
    events,
    containers,
    execs,
    images,
    storage,
    networks,
    volumes,
    companions,
    pastLogs,
    builder,
    buildClassic: async build => {
      if (build.query.version === '2') await (await openKit()).build(build)
      else await buildClassic({ builder, paths, images }, build)
    },
    buildKit: openKit,
    info,
    version: engineVersion,
    async close() {
      const isIdle = containers.counts().running + containers.counts().paused === 0
      await containers.close()
      if (isIdle) await relay?.end()
      await close.disposeAsync()
    },
  }
}

async function loadBuildKit(
  { networks, ...needs }: Omit<BuildKitNeeds, 'worker'> & { readonly networks: Networks },
  info: () => Promise<Info>,
): Promise<BuildKit> {
  const { openBuildKit } = await import('./buildkit/open-buildkit.ts')
  const { ID: id } = await info()
  return openBuildKit({ ...needs, worker: { id, hostGateway: networks.inspect('bridge').IPAM.Config?.[0]?.Gateway } })
}

async function openRelay(path: string, { name }: Paths, say: Say): Promise<Relay> {
  const relay = await Relay.open(path, say)
  linux.runNft(relayRules(name.full))
  return relay
}

/** What builds of the engine before have left: commands that still run, and what they were working on. */
async function clearBuilds(needs: {
  readonly paths: Paths
  readonly aside: Aside
  readonly runtime: Runtime
  readonly say: Say
}): Promise<void> {
  const { paths, aside } = needs
  await aside.folder(paths.buildRuns)
  await endCommands(needs)
  for (const path of [paths.buildTemp, paths.buildSecrets, paths.buildAgents])
    await rm(path, { recursive: true, force: true })
  await aside.folder(paths.buildTemp)
  await aside.folder(paths.buildMounts)
  await aside.folder(paths.buildContexts)
}

/** Loaded only when nobody brought another: it needs the kernel's libraries. */
async function kernelRuntime(paths: Paths, say: Say): Promise<Runtime> {
  const { createRuntime } = await import('../runtime/kernel-runtime.ts')
  return createRuntime({
    netns: paths.roots.netns,
    cgroupParent: paths.name.full,
    title: paths.name.short,
    expect: defaultCapabilities,
    say,
  })
}

/** By its heat a CPU tells what others on it do (GHSA-6fw5-f8r9-fgfm); most virtual machines have no sensor. */
function heatSensors(): string[] {
  const sensor = (cpu: number) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`
  return existsSync(sensor(0)) ? Array.from({ length: availableParallelism() }, (_, cpu) => sensor(cpu)) : []
}
