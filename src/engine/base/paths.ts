/** Every path the engine uses on disk, and nowhere else. */
import { join } from 'node:path'
import { EngineName } from './engine-name.ts'

export interface PathRoots {
  /** Survives a reboot: images, volumes, configurations. Default /var/lib/tscompose. */
  readonly data: string
  /** Gone after a reboot: sockets, monitors' folders, exit records. Default /run/tscompose. */
  readonly run: string
  /** Where `ip netns` looks. Default /run/netns. */
  readonly netns: string
}

export const defaultRoots: PathRoots = { data: '/var/lib/tscompose', run: '/run/tscompose', netns: '/run/netns' }

export class Paths {
  readonly roots: PathRoots
  readonly name: EngineName

  constructor(roots: PathRoots = defaultRoots) {
    this.roots = roots
    this.name = new EngineName(roots.run, defaultRoots.run)
  }

  get socket(): string {
    return join(this.roots.run, 'engine.sock')
  }
  get lock(): string {
    return join(this.roots.run, 'engine.lock')
  }
  get engineLog(): string {
    return join(this.roots.run, 'engine.log')
  }

  /** Where what was found broken is kept, of either root. */
  damaged(root: string): string {
    return join(root, 'damaged')
  }

  get containers(): string {
    return join(this.roots.data, 'containers')
  }
  /** Its record, log, hosts, hostname and resolv.conf. 0700. */
  container(id: string): string {
    return join(this.containers, id)
  }
  containerRecord(id: string): string {
    return join(this.container(id), 'container.json')
  }
  containerLog(id: string): string {
    return join(this.container(id), `${id}-json.log`)
  }
  /** How far its log has been sent to a server. */
  containerForward(id: string): string {
    return join(this.container(id), 'forward.json')
  }
  containerUpper(id: string): string {
    return join(this.container(id), 'upper')
  }
  /** Copies of images that are mounted, where overlay does not work. */
  containerImages(id: string): string {
    return join(this.container(id), 'images')
  }
  containerWork(id: string): string {
    return join(this.container(id), 'work')
  }
  /** The last state, rewritten often, not synced; it names its boot, so that exit codes outlive a reboot and pids do not. */
  containerState(id: string): string {
    return join(this.container(id), 'state.json')
  }
  /** The last state while the disk of the other does not take it. */
  containerStateSpare(id: string): string {
    return join(this.containerRun(id), 'state.json')
  }
  /** The layer beneath all images: what is mounted over in every container. Two folders above it, as with layers, for mapped ids. */
  get mountPoints(): string {
    return join(this.roots.data, 'mount-points', '1', 'root')
  }
  get containerRuns(): string {
    return join(this.roots.run, 'containers')
  }
  containerRun(id: string): string {
    return join(this.containerRuns, id)
  }
  /** The monitor's own folder: control.sock, exit.json. */
  monitor(id: string): string {
    return join(this.containerRun(id), 'monitor')
  }
  /** What the monitor writes down at the end. */
  monitorExit(id: string): string {
    return join(this.monitor(id), 'exit.json')
  }
  exec(containerId: string, execId: string): string {
    return join(this.containerRun(containerId), 'exec', execId.slice(0, 16))
  }
  sandbox(id: string): string {
    return join(this.roots.netns, this.name.sandbox(id))
  }

  /** Logs of containers that are no more, a folder each. */
  get pastLogs(): string {
    return join(this.roots.data, 'past-logs')
  }
  pastLogFolder(id: string): string {
    return join(this.pastLogs, id)
  }
  pastLogRecord(id: string): string {
    return join(this.pastLogFolder(id), 'log.json')
  }
  pastLog(id: string): string {
    return join(this.pastLogFolder(id), `${id}-json.log`)
  }

  get images(): string {
    return join(this.roots.data, 'images')
  }
  get imageIndex(): string {
    return join(this.images, 'index.json')
  }
  /** The index as it was before its last change. */
  get imageIndexBefore(): string {
    return join(this.images, 'index.before.json')
  }
  /** Content-addressed: blobs/sha256/<hex>. */
  blob(hex: string): string {
    return join(this.images, 'blobs', 'sha256', hex)
  }
  /** An unpacked layer, by its diff id: layers/<hex>/root. 0700 above it. */
  layer(hex: string): string {
    return join(this.images, 'layers', hex)
  }
  layerRecord(hex: string): string {
    return join(this.layer(hex), 'layer.json')
  }
  get imageTemp(): string {
    return join(this.images, 'tmp')
  }

  get build(): string {
    return join(this.roots.data, 'build')
  }
  /** What steps are being made in: emptied when the engine starts. On the file system of the layers, since they are renamed to them. */
  get buildTemp(): string {
    return join(this.build, 'tmp')
  }
  /** The cache: a record a step, by its key. */
  /** Copies of clients' folders, by the machine's start. */
  get buildContexts(): string {
    return join(this.build, 'contexts')
  }
  /** Sockets of clients' SSH agents. */
  get buildAgents(): string {
    return join(this.roots.run, 'agents')
  }
  /** Of web servers, for ADD. */
  get buildDownloads(): string {
    return join(this.build, 'downloads')
  }
  get buildRecords(): string {
    return join(this.build, 'records')
  }
  buildRecord(hex: string): string {
    return join(this.buildRecords, `${hex}.json`)
  }
  /** What each build was made of last time. */
  get buildSeries(): string {
    return join(this.build, 'series')
  }
  /** What was told of the last builds. */
  get buildHistory(): string {
    return join(this.build, 'history')
  }
  /** The folders of RUN --mount=type=cache. */
  get buildMounts(): string {
    return join(this.build, 'mounts')
  }
  /** Files with secrets for commands that run for builds: in memory, or where that is not sure, where the run root is. */
  get buildSecrets(): string {
    return join('/dev/shm', this.name.secrets)
  }
  /** Of commands that run for builds: a monitor and host files each. */
  get buildRuns(): string {
    return join(this.roots.run, 'builds')
  }
  buildRun(id: string): string {
    return join(this.buildRuns, id)
  }

  /** Programs that start with the engine, a record each. */
  get companions(): string {
    return join(this.roots.data, 'companions')
  }
  companionRecord(name: string): string {
    return join(this.companions, `${name}.json`)
  }

  get networks(): string {
    return join(this.roots.data, 'networks')
  }
  networkRecord(id: string): string {
    return join(this.networks, `${id}.json`)
  }

  get volumes(): string {
    return join(this.roots.data, 'volumes')
  }
  /** volume.json beside the data. */
  volume(name: string): string {
    return join(this.volumes, name)
  }
  volumeRecord(name: string): string {
    return join(this.volume(name), 'volume.json')
  }
  volumeData(name: string): string {
    return join(this.volume(name), '_data')
  }
}
