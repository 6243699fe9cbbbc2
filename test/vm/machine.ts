/** One run of the virtual machine: booted, told of, and off again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { preparedEmulator, preparedKernel, preparedMachine } from './prepared.ts'

export interface RunOptions {
  readonly kind: Kind
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

/** A program that is a machine. Its output is the machine's, descriptor 3 its console's file. */
interface Emulator {
  readonly program: string
  readonly args: readonly string[]
}

/**
 * `user-mode`: a kernel that is a program itself (User-Mode Linux). What runs in it runs on our processor, and its calls are caught: a start of Node
 * takes a few times as long as here. `qemu`: Debian's kernel on a processor that is emulated, ten to twenty times as long.
 */
export const kinds = {
  'user-mode': { emulator: userMode, patience: 4 },
  qemu: { emulator: qemu, patience: 8 },
} as const
export type Kind = keyof typeof kinds

/** systemd would make its caches anew at the first start: minutes, emulated. */
const noUpdates = 'systemd.condition_needs_update=no'

/** Node asks for rings of io_uring, and a kernel that is a program panics when they are unmapped (7.2.7: "Bad page map"). */
const noRings = 'sysctl.kernel.io_uring_disabled=2'

/** As Debian's kernel has it, on which what the probe finds under Docker was recorded. */
const restrictedLog = 'sysctl.kernel.dmesg_restrict=1'

/** Boots, lets what the machine says through to our own output, and resolves when it is off. All disks stay as they were. */
export async function runMachine(options: RunOptions): Promise<Told> {
  const { folder, limit } = options
  const { program, args } = kinds[options.kind].emulator(options)
  const console = openSync(join(folder, 'console'), 'a')
  // an input that never ends: at its end the port would count as closed, and the machine wait for whoever opens it
  const emulator = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit', console], detached: true })
  closeSync(console)
  // a kernel that is a program has a process for each that runs in it
  const off = () => emulator.pid !== undefined && emulator.exitCode === null && process.kill(-emulator.pid, 'SIGKILL')
  const timer = setTimeout(off, limit * 60_000)
  process.once('SIGINT', off).once('SIGTERM', off)
  try {
    await once(emulator, 'exit')
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', off).off('SIGTERM', off)
  }
  const read = (name: string) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '')
  const code = read('code').trim()
  return { console: read('console'), results: read('results'), code: code === '' ? undefined : Number(code) }
}

function qemu({ disk, folder, systemd }: RunOptions): Emulator {
  const machine = preparedMachine()
  const port = (name: string, number: number) => [
    ...['-chardev', name === 'out' ? 'stdio,id=out,signal=off' : `file,id=${name},path=${join(folder, name)}`],
    ...['-device', `virtserialport,chardev=${name},name=${name},nr=${number}`],
  ]
  const drive = (path: string) => ['-drive', `file=${path},format=raw,if=virtio,snapshot=on`]
  // no_timer_check: on a busy host the emulated timer may miss the kernel's test of it, which panics then
  // software emulation: /dev/kvm cannot be relied upon where machines are virtual themselves
  const args = [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '3G'],
    ...['-nodefaults', '-no-reboot', '-display', 'none', '-serial', `file:${join(folder, 'console')}`],
    ...['-kernel', join(machine, 'vmlinuz'), '-initrd', join(machine, 'initramfs')],
    ...['-append', ['console=ttyS0 quiet panic=-1 no_timer_check rdinit=/init', ...asked(systemd)].join(' ')],
    ...drive(join(machine, 'root.img')),
    ...drive(disk),
    ...['-device', 'virtio-serial-pci', ...port('out', 1), ...port('results', 2), ...port('code', 3)],
  ]
  return { program: preparedEmulator(), args }
}

function userMode({ disk, folder, systemd }: RunOptions): Emulator {
  const machine = preparedMachine()
  const file = (name: string) => join(folder, name)
  const drive = (number: number, path: string) => `ubd${number}=${file(`changes${number}`)},${path}`
  // one processor: with two (ncpus=2) a process of many threads, as Node is, takes half as long again
  const args = [
    ...['seccomp=on', 'mem=4G', `uml_dir=${folder}`, 'umid=machine'],
    ...['con=null', 'con0=null,fd:3', 'ssl=null', 'ssl0=null,fd:1'],
    ...[`initrd=${join(machine, 'initramfs')}`, drive(0, join(machine, 'root.img')), drive(1, disk)],
    ...[
      'console=tty0',
      'quiet',
      'panic=-1',
      noRings,
      restrictedLog,
      'rdinit=/init',
      `TOLD=${folder}`,
      ...asked(systemd),
    ],
  ]
  return { program: preparedKernel(), args }
}

function asked(systemd: boolean): readonly string[] {
  return systemd ? ['SYSTEMD=1', noUpdates] : []
}

export const checkout = dirname(dirname(fileURLToPath(new URL('.', import.meta.url))))
