/** The virtual machine: what it boots from, made once and kept, and one run of it. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))

/** The folder with kernel, initramfs and root of the machine, made when the recipe has changed: that takes minutes and the network. */
export function preparedMachine(): string {
  const hash = createHash('sha256')
  for (const name of ['make-machine', 'add-kernel', 'first']) hash.update(readFileSync(join(here, name)))
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tscompose')
  const machine = join(cache, `test-machine-${hash.digest('hex').slice(0, 12)}`)
  if (existsSync(machine)) return machine
  mkdirSync(cache, { recursive: true })
  const part = mkdtempSync(join(cache, 'part-'))
  try {
    console.log('Making the machine out of Debian packages: it is kept for later runs')
    execFileSync(join(here, 'make-machine'), [part], { stdio: ['ignore', 'inherit', 'inherit'] })
    // somebody else's may have become ready meanwhile
    if (!existsSync(machine)) renameSync(part, machine)
  } finally {
    rmSync(part, { recursive: true, force: true })
  }
  for (const name of readdirSync(cache))
    if (name.startsWith('test-machine-') && join(cache, name) !== machine)
      rmSync(join(cache, name), { recursive: true, force: true })
  return machine
}

export interface RunOptions {
  /** From `preparedMachine`. */
  readonly machine: string
  readonly disk: string
  /** An empty one, for what the machine tells. */
  readonly folder: string
  readonly systemd: boolean
  /** Minutes until it is switched off. */
  readonly limit: number
}

export interface Told {
  /** As the kernel wrote it. */
  readonly console: string
  readonly results: string
  /** Of what it ran; undefined when it did not come to an end. */
  readonly code: number | undefined
}

/** systemd would make its caches anew at the first start: minutes, emulated. */
const noUpdates = 'systemd.condition_needs_update=no'

/** Boots, lets what the machine says through to our own output, and resolves when it is off. Both disks stay as they were. */
export async function runMachine({ machine, disk, folder, systemd, limit }: RunOptions): Promise<Told> {
  const file = (name: string) => join(folder, name)
  const port = (name: string, number: number) => [
    ...['-chardev', name === 'out' ? 'stdio,id=out,signal=off' : `file,id=${name},path=${file(name)}`],
    ...['-device', `virtserialport,chardev=${name},name=${name},nr=${number}`],
  ]
  const drive = (path: string) => ['-drive', `file=${path},format=raw,if=virtio,snapshot=on`]
  // no_timer_check: on a busy host the emulated timer may miss the kernel's test of it, which panics then
  // software emulation: /dev/kvm cannot be relied upon where machines are virtual themselves
  const args = [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '3G'],
    ...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', `file:${file('console')}`],
    ...['-kernel', join(machine, 'vmlinuz'), '-initrd', join(machine, 'initramfs')],
    ...[
      '-append',
      `console=ttyS0 quiet panic=-1 no_timer_check rdinit=/init${systemd ? ` SYSTEMD=1 ${noUpdates}` : ''}`,
    ],
    ...drive(join(machine, 'root.img')),
    ...drive(disk),
    ...['-device', 'virtio-serial-pci', ...port('out', 1), ...port('results', 2), ...port('code', 3)],
  ]
  // an input that never ends: at its end the port would count as closed, and the machine wait for whoever opens it
  const emulator = spawn('qemu-system-x86_64', args, { stdio: ['pipe', 'inherit', 'inherit'] })
  const off = () => emulator.kill('SIGKILL')
  const timer = setTimeout(off, limit * 60_000)
  process.once('SIGINT', off).once('SIGTERM', off)
  try {
    await once(emulator, 'exit')
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', off).off('SIGTERM', off)
  }
  const read = (name: string) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '')
  const code = read('code').trim()
  return { console: read('console'), results: read('results'), code: code === '' ? undefined : Number(code) }
}

export const checkout = dirname(dirname(here))
