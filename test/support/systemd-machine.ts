/**
 * A machine of namespaces, whose first process is systemd: this one's files under an overlay that forgets, no units but the basic ones, nothing but
 * loopback for a network. It can be rebooted; /var/lib/tscompose, units and what is written elsewhere outlive that, processes and /run do not.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { command, type Said } from './command.ts'
import { eventually } from './eventually.ts'

const systemd = '/lib/systemd/systemd'

/** The reason to skip, or false. */
export function withoutSystemd(): string | false {
  return existsSync(systemd) ? false : 'needs systemd, which is not installed'
}

/** Cgroup hierarchies of this machine, and how each is mounted again. */
function hierarchies(): readonly { readonly at: string; readonly type: string; readonly options: string }[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap(line => {
      const [, type, , words] = / - (cgroup2?) (\S+) (\S+)$/.exec(line) ?? []
      if (type === undefined) return []
      const named = words!
        .split(',')
        .filter(word => /^(name=.*|[a-z_]+)$/.test(word) && !['rw', 'xattr'].includes(word))
      const options = named.some(word => word.startsWith('name=')) ? ['none', ...named] : named
      return [{ at: line.split(' ')[4]!, type, options: type === 'cgroup' ? options.join(',') : '' }]
    })
}

const project = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Arguments: the folder of it all, this project's, which may be below /tmp, then `TYPE NAME OPTIONS` for each hierarchy of cgroups. */
const script = `set -e
base=$1 root=$1/root project=$2; shift 2
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/disk/upper,workdir=$base/disk/work" "$root"
mount --bind "$base/disk/data" "$root/var/lib/tscompose"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mkdir -p "$root$project"
mount --bind "$project" "$root$project"
mount --rbind /dev "$root/dev"
[ "$3" = alone ] || mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
while [ $# -gt 0 ]; do
  [ "$3" = alone ] && at="$root/sys/fs/cgroup" || at="$root/sys/fs/cgroup/$2"
  mkdir -p "$at"
  if [ "$1" = cgroup ]; then mount -t cgroup -o "$3" cgroup "$at"; else mount -t cgroup2 cgroup2 "$at"; fi
  shift 3
done
ip link set lo up
cd "$root"
pivot_root . mnt
exec chroot . /bin/sh -c 'umount -l /mnt; cd /; exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin ${systemd} --system --show-status=0 --log-level=warning'
`

export class SystemdMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'tsc-sd-'))
  readonly #groups = hierarchies().map(({ at }) => join(at, basename(this.#folder)))
  #holder: ChildProcess | undefined
  #first = 0

  static async boot(): Promise<SystemdMachine> {
    const machine = new SystemdMachine()
    await machine.#furnish()
    await machine.#boot()
    return machine
  }

  /** In it, by bash. */
  run(text: string, timeout = 60_000): Promise<Said> {
    return command('nsenter', ['-t', String(this.#first), '-a', 'bash', '-c', text], { timeout })
  }

  /** The same, which must end well. */
  async do(text: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(text)
    assert.equal(code, 0, `${text}\n${stdout}${stderr}`)
    return stdout
  }

  /** Without a word to anybody: as if it lost its power. */
  async reboot(): Promise<void> {
    await this.#halt()
    rmSync(join(this.#disk, 'work'), { recursive: true })
    mkdirSync(join(this.#disk, 'work'))
    await this.#boot()
  }

  async stop(): Promise<void> {
    await this.#halt()
    await command('umount', ['-l', this.#disk])
    rmSync(this.#folder, { recursive: true, force: true })
    for (const group of this.#groups)
      for (const folder of [...globSync('**/', { cwd: group }), '.'].sort((a, b) => b.length - a.length))
        if (existsSync(join(group, folder))) rmdirSync(join(group, folder))
  }

  get #disk(): string {
    return join(this.#folder, 'disk')
  }

  /** A disk that has no unit enabled. */
  async #furnish(): Promise<void> {
    for (const name of ['disk', 'root']) mkdirSync(join(this.#folder, name))
    const mounted = await command('mount', ['-t', 'tmpfs', 'tscompose-test', this.#disk])
    assert.equal(mounted.code, 0, mounted.stderr)
    const upper = join(this.#disk, 'upper')
    for (const name of ['upper', 'work', 'data']) mkdirSync(join(this.#disk, name))
    const units = join(upper, 'etc/systemd/system')
    const generators = join(upper, 'etc/systemd/system-generators')
    for (const folder of [units, generators, join(upper, 'var/lib/tscompose')]) mkdirSync(folder, { recursive: true })
    for (const name of readdirSync('/lib/systemd/system-generators')) symlinkSync('/dev/null', join(generators, name))
    writeFileSync(join(upper, 'etc/fstab'), '')
    symlinkSync('/lib/systemd/system/multi-user.target', join(units, 'default.target'))
    // what is enabled here stays so there if it is ours, and a target
    const wants = ['/lib/systemd/system', '/etc/systemd/system'].flatMap(folder =>
      globSync('*.wants/*', { cwd: folder }),
    )
    const masked = wants
      .map(path => basename(path))
      .filter(name => !name.endsWith('.target') && !name.startsWith('tscompose'))
    for (const name of new Set(masked)) symlinkSync('/dev/null', join(units, name))
  }

  async #boot(): Promise<void> {
    for (const group of this.#groups) {
      mkdirSync(group, { recursive: true })
      // a group of cpuset takes nobody before it has processors; in v2, whose root has no such file, it has those of the group above
      for (const name of ['cpuset.cpus', 'cpuset.mems'])
        if (existsSync(join(group, '..', name))) writeFileSync(join(group, name), readFileSync(join(group, '..', name)))
    }
    const mounts = hierarchies().flatMap(({ at, type, options }) => [
      type,
      basename(at),
      at === '/sys/fs/cgroup' ? 'alone' : options,
    ])
    const spaces = ['mount', 'pid', 'uts', 'ipc', 'net', 'cgroup'].map(name => `--${name}`)
    const unshare = ['unshare', ...spaces, '--fork', '--kill-child', '--propagation', 'private']
    // it enters its groups before it gets a view of its own of them
    const enter = 'n=$1; shift; while [ $n -gt 0 ]; do echo $$ >"$1/cgroup.procs"; shift; n=$((n - 1)); done; exec "$@"'
    const words = [
      String(this.#groups.length),
      ...this.#groups,
      ...unshare,
      'sh',
      '-c',
      script,
      'sh',
      this.#folder,
      project,
      ...mounts,
    ]
    const holder = spawn('sh', ['-c', enter, 'sh', ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#holder = holder
    let said = ''
    holder.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    const children = `/proc/${holder.pid}/task/${holder.pid}/children`
    await eventually(
      'systemd to be up',
      async () => {
        assert.equal(holder.exitCode, null, said)
        this.#first = Number(readFileSync(children, 'utf8').trim())
        if (!this.#first || readFileSync(`/proc/${this.#first}/comm`, 'utf8') !== 'systemd\n') return false
        return (await this.run('systemctl is-system-running')).stdout.trim() === 'running'
      },
      30_000,
    )
  }

  /** The kernel takes all processes with the first one. */
  async #halt(): Promise<void> {
    const holder = this.#holder
    if (!holder || holder.exitCode !== null || holder.signalCode !== null) return
    const ended = once(holder, 'exit')
    if (this.#first) process.kill(this.#first, 'SIGKILL')
    else holder.kill('SIGKILL')
    await ended
  }
}
